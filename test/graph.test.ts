import fc from 'fast-check'
import { DirectedGraph } from 'graphology'
import { describe, expect, test } from 'vitest'
import {
  components,
  type Edges,
  shortestPath,
  successors,
  topologicalOrder,
} from '../engine/graph.ts'

interface Drawn {
  readonly size: number
  readonly pairs: readonly (readonly [number, number])[]
}

/** Graphs with loops, edges that stand twice and edges to themselves. */
const graphs = fc.integer({ min: 1, max: 14 }).chain((size) =>
  fc.record({
    size: fc.constant(size),
    pairs: fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 40 }),
  }),
)
/** Graphs without circles: every edge goes from a lower place in some order to a higher one. */
const acyclic = graphs.chain(({ size, pairs }) =>
  fc
    .shuffledSubarray(
      Array.from({ length: size }, (_, index) => index),
      { minLength: size },
    )
    .map((places) => ({
      size,
      pairs: pairs
        .filter(([a, b]) => a !== b)
        .map(([a, b]): [number, number] =>
          (places[a] as number) < (places[b] as number) ? [a, b] : [b, a],
        ),
    })),
)

const edgesOf = ({ pairs }: Drawn): Edges => ({
  from: pairs.map(([from]) => from),
  to: pairs.map(([, to]) => to),
})

function oracleOf({ size, pairs }: Drawn): DirectedGraph {
  const graph = new DirectedGraph({ allowSelfLoops: true })
  for (let node = 0; node < size; node++) graph.addNode(node)
  for (const [from, to] of pairs) graph.mergeEdge(from, to)
  return graph
}

/** Nodes that can be reached from one in at least one step, by graphology's neighbours. */
function reachable(graph: DirectedGraph, from: number): Set<number> {
  const seen = new Set<string>()
  const queue = [String(from)]
  for (const node of queue)
    for (const next of graph.outNeighbors(node))
      if (!seen.has(next)) {
        seen.add(next)
        queue.push(next)
      }
  return new Set([...seen].map(Number))
}

describe('topologicalOrder', () => {
  test('has every node once, each after all that come before it', () => {
    fc.assert(
      fc.property(acyclic, (drawn) => {
        const { order } = topologicalOrder(drawn.size, edgesOf(drawn))
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from(order.keys()))
        const place = new Map(order.map((node, index) => [node, index]))
        for (const [from, to] of drawn.pairs)
          expect(place.get(from) as number).toBeLessThan(place.get(to) as number)
      }),
    )
  })

  test('takes the lowest number among those that are free', () => {
    fc.assert(
      fc.property(acyclic, (drawn) => {
        const { order } = topologicalOrder(drawn.size, edgesOf(drawn))
        const done = new Set<number>()
        for (const node of order) {
          const free = Array.from({ length: drawn.size }, (_, index) => index).filter(
            (other) =>
              !done.has(other) && drawn.pairs.every(([from, to]) => to !== other || done.has(from)),
          )
          expect(node).toBe(Math.min(...free))
          done.add(node)
        }
      }),
    )
  })

  test('leaves out just what lies on a circle or behind one', () => {
    fc.assert(
      fc.property(graphs, (drawn) => {
        const graph = oracleOf(drawn)
        const all = Array.from({ length: drawn.size }, (_, index) => index)
        const circular = all.filter((node) => reachable(graph, node).has(node))
        const stuck = new Set(circular.flatMap((node) => [node, ...reachable(graph, node)]))
        const { order } = topologicalOrder(drawn.size, edgesOf(drawn))
        expect([...order].sort((a, b) => a - b)).toEqual(all.filter((node) => !stuck.has(node)))
      }),
    )
  })

  test('takes those that wait only when nothing else is free, and then all of them together', () => {
    fc.assert(
      fc.property(acyclic, fc.nat(), (drawn, seed) => {
        const waits = (node: number) => ((seed >> (node % 15)) & 1) === 1
        const { order, groups } = topologicalOrder(drawn.size, edgesOf(drawn), waits)
        expect(order).toHaveLength(drawn.size)
        const done = new Set<number>()
        let group = -1
        for (const node of order) {
          if (!waits(node)) expect(groups[node]).toBe(-1)
          else if (groups[node] !== group) {
            group = groups[node] as number
            const free = Array.from({ length: drawn.size }, (_, index) => index).filter(
              (other) =>
                !done.has(other) &&
                drawn.pairs.every(([from, to]) => to !== other || done.has(from)),
            )
            expect(free.filter((other) => !waits(other))).toEqual([])
            expect(free).toEqual(order.filter((other) => groups[other] === group))
          }
          done.add(node)
        }
      }),
    )
  })
})

describe('components', () => {
  test('are the same for two nodes just where each reaches the other', () => {
    fc.assert(
      fc.property(graphs, (drawn) => {
        const graph = oracleOf(drawn)
        const component = components(drawn.size, edgesOf(drawn))
        for (let a = 0; a < drawn.size; a++)
          for (let b = 0; b < drawn.size; b++) {
            const both = a === b || (reachable(graph, a).has(b) && reachable(graph, b).has(a))
            expect(component[a] === component[b]).toBe(both)
          }
      }),
    )
  })

  test('of a long chain and a long circle need no deep stack', () => {
    const size = 200_000
    const from = Int32Array.from({ length: size }, (_, index) => index)
    const to = Int32Array.from({ length: size }, (_, index) => (index + 1) % size)
    expect(new Set(components(size, { from, to })).size).toBe(1)
    const chain = { from: from.subarray(0, size - 1), to: to.subarray(0, size - 1) }
    expect(new Set(components(size, chain)).size).toBe(size)
  })
})

describe('shortestPath', () => {
  test('is a way along edges, and none is shorter', () => {
    fc.assert(
      fc.property(graphs, fc.nat(), fc.nat(), (drawn, a, b) => {
        const [start, end] = [a % drawn.size, b % drawn.size]
        const path = shortestPath(successors(drawn.size, edgesOf(drawn)), start, end)
        const graph = oracleOf(drawn)
        if (!reachable(graph, start).has(end)) {
          expect(path).toBeUndefined()
          return
        }
        const steps = (path ?? []).map((index) => drawn.pairs[index] as readonly [number, number])
        expect(steps[0]?.[0]).toBe(start)
        expect(steps.at(-1)?.[1]).toBe(end)
        for (let i = 1; i < steps.length; i++) expect(steps[i]?.[0]).toBe(steps[i - 1]?.[1])
        expect(steps).toHaveLength(distanceIn(graph, start, end))
      }),
    )
  })

  test('stays where it is told to', () => {
    const drawn: Drawn = { size: 4, pairs: [[0, 1], [1, 3], [0, 2], [2, 3]] } // biome-ignore format: four edges read best on one line
    const next = successors(4, edgesOf(drawn))
    expect(shortestPath(next, 0, 3, (node) => node !== 1)).toEqual([2, 3])
    expect(shortestPath(next, 0, 3, () => false)).toBeUndefined()
  })
})

/** Steps from one node to another, at least one, found level by level. */
function distanceIn(graph: DirectedGraph, from: number, to: number): number {
  let level = new Set([String(from)])
  for (let steps = 1; ; steps++) {
    level = new Set([...level].flatMap((node) => graph.outNeighbors(node)))
    if (level.has(String(to))) return steps
  }
}

test('twice the graph costs twice the reads of its edges, not four times', () => {
  const reads = (size: number): number => {
    let count = 0
    const counted = (list: number[]): ArrayLike<number> =>
      new Proxy(list, {
        get(target, key) {
          if (key !== 'length') count++
          return target[key as unknown as number]
        },
      })
    const from: number[] = []
    const to: number[] = []
    for (let node = 0; node < size; node++)
      for (let step = 1; step <= 5 && node + step * step < size; step++) {
        from.push(node)
        to.push(node + step * step)
      }
    const edges = { from: counted(from), to: counted(to) }
    expect(topologicalOrder(size, edges).order).toHaveLength(size)
    components(size, edges)
    return count
  }
  expect(reads(4000) / reads(2000)).toBeLessThan(2.1)
})
