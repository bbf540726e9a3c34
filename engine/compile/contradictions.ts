import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Sources } from '../load/sources.ts'
import type { CatalogResource } from './catalog.ts'

/**
 * Resources of which each would undo what the other does to a file: two that keep the same part of it, or one
 * that keeps a part while another sets all of it or removes it.
 */
export function contradictions(
  resources: readonly CatalogResource[],
  sources: Sources,
): Diagnostic[] {
  const editors = resources.filter(({ footprint }) => footprint.edits !== undefined)
  // Most catalogs edit no file.
  if (editors.length === 0) return []
  const owners = ownersOf(resources)
  const byPart = new Map<string, CatalogResource>()
  return editors.flatMap((resource) =>
    (resource.footprint.edits ?? []).flatMap(({ path, part, isGone }) => {
      const key = `${path}\0${part}`
      const same = byPart.get(key)
      byPart.set(key, resource)
      if (same !== undefined) {
        return contradiction(resource, same, sources, {
          message: `${resource.ref} and ${same.ref} keep the same part of ${path}`,
          help: 'keep one of them',
        })
      }
      const owner = owners.get(path)
      if (owner === undefined || (isGone && isRemoved(owner, path))) return []
      const act = isRemoved(owner, path) ? 'removes it' : 'sets all that is in it'
      return contradiction(resource, owner, sources, {
        message: `${resource.ref} keeps a part of ${path}, and ${owner.ref} ${act}`,
        help: 'let one resource alone say what is in the file',
      })
    }),
  )
}

/** By path, what decides all that is there. */
function ownersOf(resources: readonly CatalogResource[]): Map<string, CatalogResource> {
  const owners = new Map<string, CatalogResource>()
  for (const resource of resources) {
    const { ensures = [], removes = [], isWhole } = resource.footprint
    for (const thing of isWhole ? [...ensures, ...removes] : removes)
      if (thing.startsWith('path:')) owners.set(thing.slice(5), resource)
  }
  return owners
}

function isRemoved({ footprint }: CatalogResource, path: string): boolean {
  return footprint.removes?.includes(`path:${path}`) === true
}

function contradiction(
  resource: CatalogResource,
  other: CatalogResource,
  sources: Sources,
  told: { readonly message: string; readonly help: string },
): Diagnostic {
  return {
    severity: 'error',
    code: 'contradiction',
    ...told,
    place: sources.place(resource.file, resource.path),
    related: [{ message: other.ref, place: sources.place(other.file, other.path) }],
  }
}
