import type { Catalog, CatalogResource } from '../compile/catalog.ts'
import type { States } from '../probe.ts'
import { joinPath, normalPath } from '../resources/path.ts'
import type { Change } from '../resources/type.ts'

/** A file that somebody had a hand in, and that an apply would overwrite. */
export interface EditedFile {
  /** Where it lies. */
  readonly path: string
  /** What its resource calls it: another path where that is a link to it. */
  readonly name: string
  readonly ref: string
  /** Such as "edited here, and has a new version". */
  readonly what: string
  /** What is there; undefined where that is no file. */
  readonly present: Uint8Array | undefined
  /** What the manifests want; undefined where only its owner or mode differ, or it is to be removed. */
  readonly wanted: Uint8Array | undefined
  readonly isSecret: boolean
}

/** The edited files of a catalog, of which the states were asked as if edits were overwritten. */
export function editedFiles(catalog: Catalog, states: States): EditedFile[] {
  return catalog.resources.flatMap((resource) => {
    const state = states[resource.index]
    if (state?.kind !== 'known' || !('changes' in state.verdict)) return []
    const changes = (state.verdict.changes ?? []).filter(({ edit }) => edit !== undefined)
    const names = Map.groupBy(changes, ({ attribute }) => nameOf(attribute))
    return [...names].map(([name, own]) => editedFile(resource, name, own))
  })
}

function editedFile(
  { ref, title, sensitive }: CatalogResource,
  name: string,
  changes: readonly Change[],
): EditedFile {
  const content = changes.find(({ attribute }) => /(^|: )content$/.test(attribute))?.content
  const [first] = changes
  const called = joinPath(normalPath(title), name)
  return {
    path: first?.at ?? called,
    name: called,
    ref,
    what: first?.edit ?? '',
    present: content?.from,
    wanted: content?.to,
    isSecret: sensitive.has('*') || sensitive.has('content'),
  }
}

/** The path below the title that an attribute belongs to; empty for the title itself. */
function nameOf(attribute: string): string {
  return attribute.slice(0, Math.max(0, attribute.lastIndexOf(': ')))
}
