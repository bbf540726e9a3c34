import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Catalog, CatalogResource } from '../../engine/compile/catalog.ts'
import { type Compiled, compile } from '../../engine/compile/compile.ts'
import { RenderedText } from '../../engine/compile/file-body.ts'
import { renderDiagnostic } from '../../engine/diagnostics/render.ts'
import { compileInput, type Given } from './input.ts'

/** A new folder below the system's temporary one, gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'steward-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Writes texts by path below a folder; parents are made. */
export function writeTexts(folder: string, texts: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(texts)) {
    const file = join(folder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
}

/** A folder of manifests, templates and files with these texts by path, such as `zulip/nginx.yaml`. */
export function manifestFolder(texts: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder()
  writeTexts(folder, texts)
  return folder
}

/** Compiles manifests that are given as one text (the class `main`) or as texts by path. */
export async function compileTexts(
  texts: string | Readonly<Record<string, string>>,
  given: Given = {},
): Promise<Compiled> {
  const folder = manifestFolder(typeof texts === 'string' ? { 'main.yaml': texts } : texts)
  return compile(await compileInput(folder, given))
}

/** The catalog; throws with every diagnostic where there is none. */
export async function catalogOf(
  texts: string | Readonly<Record<string, string>>,
  given: Given = {},
): Promise<Catalog> {
  const { catalog, diagnostics } = await compileTexts(texts, given)
  if (!catalog) throw new Error(diagnostics.map((each) => renderDiagnostic(each)).join('\n'))
  return catalog
}

/** Every diagnostic as `CODE file:line:column message`. */
export async function mistakesOf(
  texts: string | Readonly<Record<string, string>>,
  given: Given = {},
): Promise<string[]> {
  const { diagnostics } = await compileTexts(texts, given)
  return diagnostics.map(({ code, place, message }) =>
    [code, ...(place ? [`${place.file}:${place.line}:${place.column}`] : []), message].join(' '),
  )
}

/** The resource of a catalog with this reference. */
export function resourceOf(catalog: Catalog, ref: string): CatalogResource {
  const found = catalog.resources.find((resource) => resource.ref === ref)
  if (!found) throw new Error(`${ref} is not in the catalog`)
  return found
}

/** An attribute of a resource of a catalog. */
export function attributeOf(catalog: Catalog, ref: string, name: string): unknown {
  const value = (resourceOf(catalog, ref).desired as Record<string, unknown>)[name]
  return value instanceof RenderedText ? value.toString() : value
}

/** Edges as `file[/a] → service[b] (reads)`, in the order of the catalog. */
export function edgesOf(catalog: Catalog): string[] {
  return catalog.edges.map(({ from, to, kind, weak, refresh }) => {
    const names = [from, to].map((index) => catalog.resources[index]?.ref).join(' → ')
    return `${names} (${[weak ? 'weak' : '', kind, refresh ?? ''].filter((word) => word !== '').join(' ')})`
  })
}

/** References in the order in which they are acted on. */
export function orderOf(catalog: Catalog): string[] {
  return catalog.order.map((index) => catalog.resources[index]?.ref ?? '')
}
