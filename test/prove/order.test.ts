import { expect, test } from 'vitest'
import { Order, type Pair } from '../../engine/prove/order.ts'
import { seeded } from './simulation.ts'

/** Edges from lower to higher numbers, so without circles; numbers are then dealt anew. */
function randomGraph(size: number, count: number, random: () => number) {
  const below = (limit: number) => Math.floor(random() * limit)
  const names = Array.from({ length: size }, (_, index) => index)
  for (let at = size - 1; at > 0; at--) {
    const other = below(at + 1)
    ;[names[at], names[other]] = [names[other] as number, names[at] as number]
  }
  return Array.from({ length: count }, () => {
    const high = 1 + below(size - 1)
    return { from: names[below(high)] as number, to: names[high] as number, weak: random() < 0.5 }
  })
}

function reachable(edges: readonly { from: number; to: number }[], start: number): Set<number> {
  const next = Map.groupBy(edges, ({ from }) => from)
  const found = new Set<number>()
  const queue = [start]
  for (const node of queue) {
    for (const { to } of next.get(node) ?? []) {
      if (found.has(to)) continue
      found.add(to)
      queue.push(to)
    }
  }
  return found
}

test('answers for more sources than fit in a window as going along the edges does', () => {
  const random = seeded(5)
  const size = 1500
  const edges = randomGraph(size, 4000, random)
  const asked = Array.from({ length: size }, (_, from): Pair[] =>
    Array.from({ length: 4 }, () => [from, Math.floor(random() * size)]),
  )
    .flat()
    .filter(([from, to]) => from !== to)
  const reach = new Map(asked.map(([from]) => [from, reachable(edges, from)]))
  const expected = asked.map(([from, to]) => reach.get(from)?.has(to) === true)
  expect(expected.filter(Boolean).length).toBeGreaterThan(100)
  expect(new Order(size, edges).hold(asked)).toEqual(expected)
})

test('is decided by strong edges alone, and shows the shortest way by any', () => {
  const edge = (from: number, to: number, weak = false) => ({ from, to, weak })
  const order = new Order(4, [edge(0, 1), edge(1, 2, true), edge(2, 3), edge(0, 3, true)])
  expect([order.isDecided(0, 1), order.isDecided(0, 2)]).toEqual([true, false])
  expect([order.way(0, 2), order.way(0, 3), order.way(3, 0)]).toEqual([
    [0, 1, 2],
    [0, 3],
    undefined,
  ])
})
