import { Refusal } from '../diagnostics/diagnostic.ts'
import { didYouMean } from '../diagnostics/suggest.ts'
import { neighbours, pairs, predecessors } from '../graph.ts'
import type { Catalog } from './catalog.ts'

/** Which resources a run is about; all where neither is given. */
export interface Selection {
  readonly tags: readonly string[]
  /** References, each with what it needs. */
  readonly only: readonly string[]
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
      if (own.includes(tag) || containers.includes(`class[${tag}]`)) chosen.add(index)
    }
    if (chosen.size === before) {
      const help = didYouMean(tag, new Set(catalog.resources.flatMap((resource) => resource.tags)))
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
    const found = catalog.resources.find((resource) => resource.ref === ref || resource.id === ref)
    if (!found) {
      const help = didYouMean(
        ref,
        catalog.resources.map((resource) => resource.ref),
      )
      throw new Refusal({
        severity: 'error',
        code: 'not-found',
        message: `there is no resource ${ref} in the catalog`,
        help: help ?? 'steward compile lists them',
      })
    }
    const queue = [found.index]
    for (const index of queue) {
      if (chosen.has(index)) continue
      chosen.add(index)
      for (const other of neighbours(before, index)) queue.push(other)
    }
  }
  return chosen
}
