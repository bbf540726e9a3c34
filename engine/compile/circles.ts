import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { components, pairs, shortestPath, successors, topologicalOrder } from '../graph.ts'
import type { Sources } from '../load/sources.ts'
import { append } from './append.ts'
import type { CatalogResource, Edge } from './catalog.ts'
import { edgeReason } from './edge-reason.ts'

/** One diagnostic for each circle of strong edges, with the place of each resource on it. */
export function strongCircles(
  resources: readonly CatalogResource[],
  edges: readonly Edge[],
  sources: Sources,
): Diagnostic[] {
  const { order } = topologicalOrder(resources.length, pairs(edges))
  if (order.length === resources.length) return []
  const component = components(resources.length, pairs(edges))
  const next = successors(resources.length, pairs(edges))
  const sizes = new Map<number, number>()
  for (const c of component) sizes.set(c, (sizes.get(c) ?? 0) + 1)
  const told = new Set<number>()
  const diagnostics: Diagnostic[] = []
  for (const resource of resources) {
    const c = component[resource.index] as number
    if ((sizes.get(c) ?? 0) < 2 || told.has(c)) continue
    told.add(c)
    const path =
      shortestPath(next, resource.index, resource.index, (node) => component[node] === c) ?? []
    const steps = path.map((index) => edges[index] as Edge)
    const names = [...steps.map((edge) => resources[edge.from]?.ref ?? ''), resource.ref]
    diagnostics.push({
      severity: 'error',
      code: 'cycle',
      message: `these resources wait for each other: ${names.join(' → ')}`,
      place: sources.place(resource.file, resource.path),
      related: steps.map((edge) => {
        const from = resources[edge.from] as CatalogResource
        const to = resources[edge.to] as CatalogResource
        return {
          message: `${from.ref} comes before ${to.ref}: ${edgeReason(edge, from, to)}`,
          place: sources.place(from.file, from.path),
        }
      }),
      help: 'take one of these relations away',
    })
  }
  return diagnostics
}

/** Takes away weak edges until no circle is left; the first ones stay. */
export function withoutCircles(
  size: number,
  edges: readonly Edge[],
): { kept: readonly Edge[]; dropped: readonly Edge[] } {
  const component = components(size, pairs(edges))
  // Only a weak edge inside a component can lie on a circle; each is tried against what was kept there so far.
  const inside = (edge: Edge) => component[edge.from] === component[edge.to]
  const kept = edges.filter((edge) => !edge.weak || !inside(edge))
  const dropped: Edge[] = []
  const reach = new Map<number, number[]>()
  for (const edge of kept) if (inside(edge)) append(reach, edge.from, edge.to)
  for (const edge of edges) {
    if (!edge.weak || !inside(edge)) continue
    if (canReach(reach, edge.to, edge.from)) dropped.push(edge)
    else {
      kept.push(edge)
      append(reach, edge.from, edge.to)
    }
  }
  return { kept, dropped }
}

function canReach(
  reach: ReadonlyMap<number, readonly number[]>,
  from: number,
  to: number,
): boolean {
  const seen = new Set([from])
  const queue = [from]
  for (const node of queue) {
    if (node === to) return true
    for (const next of reach.get(node) ?? []) {
      if (seen.has(next)) continue
      seen.add(next)
      queue.push(next)
    }
  }
  return false
}
