import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Catalog, CatalogResource } from '../../engine/compile/catalog.ts'
import { type Compiled, type CompileInput, compile } from '../../engine/compile/compile.ts'
import { factFields } from '../../engine/compile/fact-fields.ts'
import { renderDiagnostic } from '../../engine/diagnostics/render.ts'
import { parseConf } from '../../engine/load/conf.ts'
import { Library, siteFolder } from '../../engine/load/library.ts'
import { parseSite } from '../../engine/load/site.ts'
import { Sources } from '../../engine/load/sources.ts'
import { types } from '../../engine/resources/index.ts'
import { exampleFacts } from '../facts/example.ts'

/** Where values come from in a test; all of it may be left out. */
export interface Given {
  /** The text of zulip.conf. */
  readonly conf?: string
  readonly secrets?: Readonly<Record<string, string>>
  /** The text of the site file. */
  readonly site?: string
  /** Facts that differ from those of the example. */
  readonly facts?: Readonly<Record<string, unknown>>
  /** `--with`. */
  readonly with?: Readonly<Record<string, string>>
  /** `main` when absent. */
  readonly classes?: readonly string[]
  readonly withSources?: boolean
}

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

/** What `compile` takes for a folder of manifests; places are relative to that folder. */
export async function compileInput(folder: string, given: Given = {}): Promise<CompileInput> {
  const conf = parseConf(given.conf ?? '', '/etc/zulip/zulip.conf')
  if (!('conf' in conf)) throw new Error('the zulip.conf of this test is wrong')
  const site = await parseSite(given.site ?? '{}', '/etc/steward/site.yaml')
  if (!('site' in site)) throw new Error('the site file of this test is wrong')
  return {
    classes: (given.classes ?? ['main']).map((name) => ({ name })),
    library: new Library({
      folders: [siteFolder(folder)],
      types: types.keys(),
      sources: new Sources(folder),
    }),
    types,
    data: {
      conf: conf.conf,
      secrets: new Map(Object.entries(given.secrets ?? {})),
      site: site.site.parameters,
      facts: { ...exampleFacts, ...given.facts } as unknown as CompileInput['data']['facts'],
      factFields,
      options: given.with ?? {},
    },
    withSources: given.withSources ?? false,
  }
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
  return (resourceOf(catalog, ref).desired as Record<string, unknown>)[name]
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
