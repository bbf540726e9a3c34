import { type Adjacency, pairs, shortestPath, successors, topologicalOrder } from '../graph.ts'

/** One resource before another, as indexes. */
export type Pair = readonly [before: number, after: number]

interface OrderedEdge {
  readonly from: number
  readonly to: number
  readonly weak: boolean
}

/** Sources whose reach is worked out at once: their bits are 128 bytes a resource. */
const WINDOW = 1024
const WORDS = WINDOW / 32

/** What the edges of a catalog say of the order of its resources. */
export class Order {
  readonly #size: number
  readonly #edges: readonly OrderedEdge[]
  readonly #direct = new Set<number>()
  #next: Adjacency | undefined
  #strong: Adjacency | undefined

  constructor(size: number, edges: readonly OrderedEdge[]) {
    this.#size = size
    this.#edges = edges
    for (const { from, to } of edges) this.#direct.add(from * size + to)
  }

  /** Whether an edge leads from one to the other; nearly every question is answered by that. */
  isDirect([before, after]: Pair): boolean {
    return this.#direct.has(before * this.#size + after)
  }

  /**
   * For each pair whether the first always comes before the second. Sources are taken by windows, and each window
   * goes over the graph once with a bit for each source.
   */
  hold(asked: readonly Pair[]): boolean[] {
    const answers = asked.map((pair) => this.isDirect(pair))
    const open = asked.flatMap((_, index) => (answers[index] ? [] : [index]))
    if (open.length === 0) return answers
    const bySource = Map.groupBy(open, (index) => (asked[index] as Pair)[0])
    const { order } = topologicalOrder(this.#size, pairs(this.#edges))
    const sources = [...bySource.keys()]
    const reach = new Uint32Array(this.#size * WORDS)
    for (let first = 0; first < sources.length; first += WINDOW) {
      const window = sources.slice(first, first + WINDOW)
      reach.fill(0)
      for (const [bit, source] of window.entries()) {
        const word = source * WORDS + (bit >> 5)
        reach[word] = (reach[word] ?? 0) | (1 << (bit & 31))
      }
      this.#spread(reach, order)
      for (const [bit, source] of window.entries()) {
        for (const index of bySource.get(source) ?? []) {
          const word = reach[(asked[index] as Pair)[1] * WORDS + (bit >> 5)] ?? 0
          answers[index] = (word & (1 << (bit & 31))) !== 0
        }
      }
    }
    return answers
  }

  /** The resources on a shortest way from one to the other, both included; undefined where there is none. */
  way(from: number, to: number): readonly number[] | undefined {
    const edges = shortestPath(this.#adjacency(), from, to)
    return edges && [from, ...edges.map((edge) => this.#edges[edge]?.to as number)]
  }

  /** Whether strong edges alone lead from one to the other. */
  isDecided(from: number, to: number): boolean {
    this.#strong ??= successors(this.#size, pairs(this.#edges.filter(({ weak }) => !weak)))
    return shortestPath(this.#strong, from, to) !== undefined
  }

  #spread(reach: Uint32Array, order: readonly number[]): void {
    const { starts, targets } = this.#adjacency()
    for (const node of order) {
      const own = node * WORDS
      for (let slot = starts[node] as number; slot < (starts[node + 1] as number); slot++) {
        const other = (targets[slot] as number) * WORDS
        for (let word = 0; word < WORDS; word++)
          reach[other + word] = (reach[other + word] as number) | (reach[own + word] as number)
      }
    }
  }

  #adjacency(): Adjacency {
    this.#next ??= successors(this.#size, pairs(this.#edges))
    return this.#next
  }
}
