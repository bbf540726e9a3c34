import type { Catalog, CatalogResource } from '../compile/catalog.ts'
import type { States } from '../probe.ts'
import type { Format } from '../resources/file/settings.ts'
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
  /** The mode, in octal, and owner that are wanted, where they differ from what is there. */
  readonly attributes: Readonly<Record<'mode' | 'owner' | 'group', string | undefined>>
  readonly isSecret: boolean
  /** How it says settings, where that is told. */
  readonly format?: Format
}

/** The edited files of a catalog, of which the states were asked as if edits were overwritten. */
export function editedFiles(catalog: Catalog, states: States): EditedFile[] {
  return catalog.resources.flatMap((resource) => {
    const state = states[resource.index]
    if (state?.kind !== 'known' || !('changes' in state.verdict)) return []
    const names = Map.groupBy(state.verdict.changes ?? [], ({ attribute }) => nameOf(attribute))
    return [...names].flatMap(([name, own]) =>
      own.some(({ edit }) => edit !== undefined) ? [editedFile(resource, name, own)] : [],
    )
  })
}

function editedFile(
  { ref, title, sensitive, desired }: CatalogResource,
  name: string,
  changes: readonly Change[],
): EditedFile {
  const content = changes.find(({ attribute }) => /(^|: )content$/.test(attribute))?.content
  const first = changes.find(({ edit }) => edit !== undefined)
  const wantedOf = (name: string): string | undefined => {
    const change = changes.find(({ attribute }) => attribute.endsWith(name))
    return change && String(change.to)
  }
  const called = joinPath(normalPath(title), name)
  return {
    path: first?.at ?? called,
    name: called,
    ref,
    what: first?.edit ?? '',
    present: content?.from,
    wanted: content?.to,
    attributes: {
      mode: wantedOf('mode'),
      owner: wantedOf('owner'),
      group: wantedOf('group'),
    },
    ...('format' in desired ? { format: desired.format as Format } : {}),
    isSecret: ['*', 'content', `${name}: content`].some((each) => sensitive.has(each)),
  }
}

/** The path below the title that an attribute belongs to; empty for the title itself. */
function nameOf(attribute: string): string {
  return attribute.slice(0, Math.max(0, attribute.lastIndexOf(': ')))
}
