import { Refusal } from '../diagnostics/diagnostic.ts'
import { sortByPlace, uniqueDiagnostics } from '../diagnostics/render.ts'
import { openLibrary } from '../index.ts'
import type { Library } from '../load/library.ts'
import type { Manifest, ParameterDecl } from '../load/manifest.ts'
import { type ClassEntry, renderClasses } from '../ui/classes-text.ts'
import { jsonText } from '../ui/json.ts'
import { typeWords, type ValueForm } from '../ui/schema-words.ts'
import { type CommonFlags, stateOf } from './options.ts'
import { outputColumns, paintOf, print, showDiagnostics } from './output.ts'

type ClassesFlags = Pick<CommonFlags, 'manifests' | 'state' | 'json'> & {
  readonly verbose?: boolean
}

/** `steward classes`: 1 when a manifest is at fault; the others are shown all the same. */
export async function run(flags: ClassesFlags, names: readonly string[]): Promise<number> {
  const library = openLibrary({
    manifests: flags.manifests ?? [],
    state: stateOf(flags, '/'),
    mayKeep: false,
  })
  const all = library.names()
  refuseUnknown(names, all, library)
  const entries = (names.length > 0 ? names : all).flatMap((name) => {
    const manifest = library.read(name)
    return manifest ? [entryOf(manifest, library)] : []
  })
  const diagnostics = sortByPlace(uniqueDiagnostics(library.diagnostics))
  // Not among the JSON, which is one array.
  showDiagnostics(diagnostics)
  print(
    flags.json
      ? jsonText(entries)
      : renderClasses(entries, {
          paint: paintOf(process.stdout),
          width: Math.min(outputColumns() ?? 100, 120),
          // Whoever names one wants to know all of it.
          verbose: flags.verbose === true || names.length > 0,
        }),
  )
  return diagnostics.some(({ severity }) => severity === 'error') ? 1 : 0
}

function refuseUnknown(names: readonly string[], all: readonly string[], library: Library): void {
  const unknown = names.filter((name) => !all.includes(name))
  if (unknown.length === 0) return
  throw new Refusal(
    unknown.map((name) => ({
      severity: 'error',
      code: 'unknown-class',
      message: `there is no class ${name}`,
      help: library.nearest(name) ?? 'steward classes lists those that exist',
    })),
  )
}

function entryOf(manifest: Manifest, library: Library): ClassEntry {
  const { name, summary, aliasOf, file, parameters, incomplete } = manifest
  return {
    name,
    kind: kindOf(manifest),
    ...(summary === undefined ? {} : { summary }),
    ...(aliasOf === undefined ? {} : { aliasOf }),
    file: library.sources.shown(file),
    parameters: Object.entries(parameters).map(([parameter, decl]) => ({
      name: parameter,
      type: typeOf(decl),
      ...(decl.description === undefined ? {} : { description: decl.description }),
      ...(decl.from === undefined ? {} : { from: decl.from }),
      ...(decl.default === undefined ? {} : { default: decl.default }),
      ...(decl.generate ? { generated: true as const } : {}),
    })),
    incomplete,
  }
}

function kindOf({ kind, aliasOf, steps }: Manifest): ClassEntry['kind'] {
  if (aliasOf !== undefined) return 'alias'
  return steps ? 'procedure' : kind
}

function typeOf(decl: ParameterDecl): string {
  return typeWords(decl as ValueForm)
}
