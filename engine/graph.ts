/**
 * Order and circles of a directed graph of integers, 0 to `size` - 1. Knows nothing of resources. An edge
 * means "before". Everything is linear in nodes and edges, but for the heap that keeps equals in their order.
 */

/** Edges as pairs: edge i goes from `from[i]` to `to[i]`. */
export interface Edges {
  readonly from: ArrayLike<number>
  readonly to: ArrayLike<number>
}

/** Successors in compressed rows: those of node n are `targets[starts[n]]` to `targets[starts[n + 1] - 1]`. */
export interface Adjacency {
  readonly starts: Int32Array
  readonly targets: Int32Array
  /** For each target, the index of its edge. */
  readonly edges: Int32Array
}

/** Edges that are values of their own, as pairs; they keep their indexes. */
export function pairs(edges: readonly { readonly from: number; readonly to: number }[]): Edges {
  const from = new Int32Array(edges.length)
  const to = new Int32Array(edges.length)
  let index = 0
  for (const edge of edges) {
    from[index] = edge.from
    to[index++] = edge.to
  }
  return { from, to }
}

export function successors(size: number, { from, to }: Edges): Adjacency {
  const starts = new Int32Array(size + 1)
  const count = from.length
  for (let i = 0; i < count; i++) starts[at(from, i) + 1] = (starts[at(from, i) + 1] ?? 0) + 1
  for (let n = 0; n < size; n++) starts[n + 1] = at(starts, n + 1) + at(starts, n)
  const next = starts.slice(0, size)
  const targets = new Int32Array(count)
  const edges = new Int32Array(count)
  for (let i = 0; i < count; i++) {
    const source = at(from, i)
    const slot = at(next, source)
    next[source] = slot + 1
    targets[slot] = at(to, i)
    edges[slot] = i
  }
  return { starts, targets, edges }
}

/** The same graph with every edge turned round. */
export function predecessors(size: number, { from, to }: Edges): Adjacency {
  return successors(size, { from: to, to: from })
}

/** The nodes at the other end of a node's edges. */
export function neighbours({ starts, targets }: Adjacency, node: number): Int32Array {
  return targets.subarray(starts[node], starts[node + 1])
}

export interface Order {
  /**
   * Every node once, each after all that come before it; among equals the lower number first. Shorter
   * than the graph where a circle is in the way.
   */
  readonly order: number[]
  /** For a node that waits (`waits`), the number of the group that became free together; -1 for others. */
  readonly groups: Int32Array
}

/**
 * Kahn's algorithm. Nodes for which `waits` holds are taken only when nothing else is free,
 * and then all that are free as one group.
 */
export function topologicalOrder(
  size: number,
  edges: Edges,
  waits: (node: number) => boolean = () => false,
): Order {
  const next = successors(size, edges)
  const open = new Int32Array(size)
  for (let i = 0; i < edges.to.length; i++) open[at(edges.to, i)] = at(open, at(edges.to, i)) + 1
  const ready = new Heap()
  let waiting: number[] = []
  const free = (node: number) => (waits(node) ? waiting.push(node) : ready.push(node))
  for (let n = 0; n < size; n++) if (open[n] === 0) free(n)
  const order: number[] = []
  const groups = new Int32Array(size).fill(-1)
  let group = 0
  const take = (node: number) => {
    order.push(node)
    for (let slot = at(next.starts, node); slot < at(next.starts, node + 1); slot++) {
      const target = at(next.targets, slot)
      const left = at(open, target) - 1
      open[target] = left
      if (left === 0) free(target)
    }
  }
  for (;;) {
    const node = ready.pop()
    if (node !== undefined) take(node)
    else if (waiting.length > 0) {
      const batch = waiting.sort((a, b) => a - b)
      waiting = []
      for (const member of batch) groups[member] = group
      group++
      for (const member of batch) take(member)
    } else break
  }
  return { order, groups }
}

/** The strongly connected component of each node, by Tarjan's algorithm without recursion. */
export function components(size: number, edges: Edges): Int32Array {
  const next = successors(size, edges)
  const index = new Int32Array(size).fill(-1)
  const low = new Int32Array(size)
  const onStack = new Uint8Array(size)
  const component = new Int32Array(size).fill(-1)
  const stack: number[] = []
  const path: number[] = []
  const slots = new Int32Array(size)
  let counter = 0
  let found = 0
  for (let start = 0; start < size; start++) {
    if (index[start] !== -1) continue
    path.push(start)
    while (path.length > 0) {
      const node = path.at(-1) as number
      if (index[node] === -1) {
        index[node] = low[node] = counter++
        slots[node] = at(next.starts, node)
        stack.push(node)
        onStack[node] = 1
      }
      let descended = false
      while (at(slots, node) < at(next.starts, node + 1)) {
        const target = at(next.targets, at(slots, node))
        slots[node] = at(slots, node) + 1
        if (index[target] === -1) {
          path.push(target)
          descended = true
          break
        }
        if (onStack[target] === 1) low[node] = Math.min(at(low, node), at(index, target))
      }
      if (descended) continue
      path.pop()
      const parent = path.at(-1)
      if (parent !== undefined) low[parent] = Math.min(at(low, parent), at(low, node))
      if (low[node] === index[node]) {
        for (;;) {
          const member = stack.pop() as number
          onStack[member] = 0
          component[member] = found
          if (member === node) break
        }
        found++
      }
    }
  }
  return component
}

/**
 * A shortest way from one node to another as edge indexes, through nodes that
 * `inside` admits; undefined where there is none.
 */
export function shortestPath(
  next: Adjacency,
  from: number,
  to: number,
  inside: (node: number) => boolean = () => true,
): number[] | undefined {
  const cameBy = new Map<number, { edge: number; node: number }>()
  const queue = [from]
  for (let head = 0; head < queue.length; head++) {
    const node = queue[head] as number
    for (let slot = at(next.starts, node); slot < at(next.starts, node + 1); slot++) {
      const target = at(next.targets, slot)
      if (target === to) {
        const path = [at(next.edges, slot)]
        for (let current = node; current !== from; ) {
          const step = cameBy.get(current) as { edge: number; node: number }
          path.unshift(step.edge)
          current = step.node
        }
        return path
      }
      if (cameBy.has(target) || target === from || !inside(target)) continue
      cameBy.set(target, { edge: at(next.edges, slot), node })
      queue.push(target)
    }
  }
  return undefined
}

/** The smallest number first. */
class Heap {
  readonly #items: number[] = []

  push(value: number): void {
    const items = this.#items
    let child = items.push(value) - 1
    while (child > 0) {
      const parent = (child - 1) >> 1
      if (at(items, parent) <= value) break
      items[child] = at(items, parent)
      child = parent
    }
    items[child] = value
  }

  pop(): number | undefined {
    const items = this.#items
    const top = items[0]
    const last = items.pop()
    if (items.length === 0 || last === undefined) return top
    let parent = 0
    for (;;) {
      let child = parent * 2 + 1
      if (child >= items.length) break
      if (child + 1 < items.length && at(items, child + 1) < at(items, child)) child++
      if (at(items, child) >= last) break
      items[parent] = at(items, child)
      parent = child
    }
    items[parent] = last
    return top
  }
}

function at(list: ArrayLike<number>, index: number): number {
  return list[index] as number
}
