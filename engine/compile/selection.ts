import { Refusal } from '../diagnostics/diagnostic.ts'
import { didYouMean } from '../diagnostics/suggest.ts'
import { neighbours, pairs, predecessors } from '../graph.ts'
import type { Catalog } from './catalog.ts'

/** Which resources a run is about; all where neither is given. */
export interface Selection {
  readonly tags: readonly string[]
  /** References of resources, or of classes and uses of defines, each with what it needs. */
  readonly only: readonly string[]
}

/** The class, or the define and the title of its use, that stand in the reference of a container. */
function tagsOf(container: string): readonly string[] {
  const open = container.indexOf('[')
  const name = container.slice(0, open)
  const title = container.slice(open + 1, -1)
  return name === 'class' ? [title] : [name, title]
}

function isTagged(container: string, tag: string): boolean {
  return container.includes(tag) && tagsOf(container).includes(tag)
}

/**
 * The indexes of the resources that a selection means; undefined for all.
 * Throws a Refusal where it names nothing.
 */
export function selected(catalog: Catalog, { tags, only }: Selection): Set<number> | undefined {
  if (tags.length === 0 && only.length === 0) return undefined
  const chosen = new Set<number>()
  for (const tag of tags) {
    const before = chosen.size
    for (const { index, tags: own, containers } of catalog.resources) {
      if (own.includes(tag) || containers.some((ref) => isTagged(ref, tag))) chosen.add(index)
    }
    if (chosen.size === before) {
      const known = catalog.resources.flatMap(({ tags: own, containers }) => [
        ...own,
        ...containers.flatMap(tagsOf),
      ])
      const help = didYouMean(tag, new Set(known))
      throw new Refusal({
        severity: 'error',
        code: 'not-found',
        message: `no resource of the catalog has the tag ${tag}`,
        ...(help ? { help } : {}),
      })
    }
  }
  const before = predecessors(catalog.resources.length, pairs(catalog.edges))
  for (const ref of only) {
    const found = catalog.resources.filter(
      (resource) =>
        resource.ref === ref || resource.id === ref || resource.containers.includes(ref),
    )
    if (found.length === 0) {
      const known = catalog.resources.flatMap((each) => [each.ref, ...each.containers])
      const help = didYouMean(ref, new Set(known))
      throw new Refusal({
        severity: 'error',
        code: 'not-found',
        message: `there is no resource ${ref} in the catalog`,
        help: help ?? 'steward compile lists them',
      })
    }
    const queue = found.map(({ index }) => index)
    for (const index of queue) {
      if (chosen.has(index)) continue
      chosen.add(index)
      for (const other of neighbours(before, index)) queue.push(other)
    }
  }
  return chosen
}
