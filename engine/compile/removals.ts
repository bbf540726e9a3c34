import { pairs, topologicalOrder } from '../graph.ts'
import { isGlob, matchesPath } from '../resources/path-glob.ts'
import type { ResourceType } from '../resources/type.ts'
import type { Catalog, CatalogResource, Edge } from './catalog.ts'

/** Something that a catalog does not declare and that is to go. */
interface Removed {
  readonly type: string
  readonly title: string
  readonly desired: object
}

/**
 * A catalog with resources that remove what it does not declare. Whoever reads what goes is refreshed; services stop
 * first, and packages go last.
 */
export function withRemovals(
  catalog: Catalog,
  removed: readonly Removed[],
  types: ReadonlyMap<string, ResourceType>,
  why: string,
): Catalog {
  if (removed.length === 0) return catalog
  const size = catalog.resources.length
  const own = removed.map(({ type, title, desired }, position): CatalogResource => {
    const ref = `${type}[${title}]`
    const typed = types.get(type) as ResourceType
    return {
      ref,
      type,
      title,
      desired,
      index: size + position,
      id: undefined,
      tags: [],
      noop: false,
      sensitive: new Set(),
      containers: [],
      file: '',
      path: [],
      footprint: typed.footprint({ ref, type, title, desired }),
      sources: new Map(),
      why,
    }
  })
  const resources = [...catalog.resources, ...own]
  const edges: Edge[] = [...catalog.edges, ...readers(catalog, own), ...among(own)]
  const waits = (node: number) =>
    types.get(resources[node]?.type ?? '')?.applyTogether !== undefined
  const { order, groups } = topologicalOrder(resources.length, pairs(edges), waits)
  return { ...catalog, resources, edges, order, batches: groups }
}

function readers(catalog: Catalog, removed: readonly CatalogResource[]): Edge[] {
  const files = removed.filter(({ type }) => type === 'file')
  return catalog.resources.flatMap(({ index, footprint }) =>
    (footprint.reads ?? []).flatMap(({ on, by }) =>
      files
        .filter(({ title }) => (isGlob(on) ? matchesPath(title, on) : title === on))
        .map(({ index: from }): Edge => {
          return { from, to: index, kind: 'reads', weak: false, refresh: by, thing: on }
        }),
    ),
  )
}

function among(removed: readonly CatalogResource[]): Edge[] {
  const turn = ({ type }: CatalogResource): number =>
    type === 'service' ? 0 : type === 'package' ? 2 : 1
  return removed.flatMap((after) =>
    removed
      .filter((before) =>
        turn(before) === turn(after)
          ? before.title.startsWith(`${after.title}/`)
          : turn(before) < turn(after),
      )
      .map((before): Edge => {
        return { from: before.index, to: after.index, kind: 'written', weak: false }
      }),
  )
}
