import type { Catalog, CatalogResource } from '../../engine/compile/catalog.ts'
import { unitTemplate } from '../../engine/compile/edges.ts'
import { pairs, predecessors, successors } from '../../engine/graph.ts'
import { parentPath } from '../../engine/resources/path.ts'

/** How many orders are tried: of the catalog as it is, and of a mutant. */
const ORDERS = { whole: 40, mutant: 15, hastened: 5 }

/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** What an order comes to, when every resource does what its footprint says. */
interface Trip {
  /** For each resource, what met each of its needs: the nearest thing that was there; undefined for nothing. */
  readonly met: readonly ReadonlyMap<string, string | undefined>[]
  readonly place: Int32Array
}

/**
 * Applies catalogs by footprints alone, in shuffled orders, and tells whether a mutant does what the whole catalog
 * does. It shares no code with `prove`, which judges without applying.
 */
export class Simulation {
  readonly #catalog: Catalog
  readonly #needs: readonly (readonly string[])[]
  readonly #brings: readonly (readonly string[])[]
  /** What meets each need in every order of the whole catalog. */
  readonly #met: readonly ReadonlyMap<string, string>[]
  /** Pairs of writers of one path whose order is the same in every order of the whole catalog. */
  readonly #writes: readonly {
    readonly path: string
    readonly first: number
    readonly second: number
  }[]
  /** What changes a file, and who has to hear of it. */
  readonly #reads: readonly { readonly from: number; readonly to: number }[]
  readonly #random: () => number

  constructor(catalog: Catalog, random: () => number) {
    this.#catalog = catalog
    this.#random = random
    const { resources } = catalog
    this.#needs = resources.map(({ footprint }) => [
      ...(footprint.needs ?? []),
      ...(footprint.after ?? []),
    ])
    const asked = new Set(this.#needs.flat().flatMap(waysToMeet))
    this.#brings = resources.map(({ footprint }) =>
      [...(footprint.provides ?? []), ...(footprint.ensures ?? [])].filter((thing) =>
        asked.has(thing),
      ),
    )
    const trips = Array.from({ length: ORDERS.whole }, () => this.#trip(this.#shuffled(catalog)))
    this.#met = this.#needs.map((needs, index) => {
      const always = new Map<string, string>()
      for (const thing of needs) {
        const [one, ...others] = new Set(trips.map(({ met }) => met[index]?.get(thing)))
        if (one !== undefined && others.length === 0) always.set(thing, one)
      }
      return always
    })
    this.#writes = writerPairs(resources).filter(({ first, second }) =>
      trips.every(({ place }) => (place[first] as number) < (place[second] as number)),
    )
    this.#reads = catalog.edges.filter(
      ({ from, refresh }) => refresh !== undefined && writtenPaths(resources[from]).length > 0,
    )
  }

  /** What goes wrong in some order of a mutant; undefined where nothing did in any that was tried. */
  breaks(mutant: Catalog): string | undefined {
    const told = new Set(mutant.edges.filter(({ refresh }) => refresh).map(pairOf))
    const unheard = this.#reads.find((pair) => !told.has(pairOf(pair)))
    const name = (index: number) => mutant.resources[index]?.ref ?? ''
    if (unheard) return `${name(unheard.to)} goes on with what ${name(unheard.from)} replaced`
    for (const order of this.orders(mutant)) {
      const { met, place } = this.#trip(order)
      for (const [index, expected] of this.#met.entries())
        for (const [thing, by] of expected)
          if (met[index]?.get(thing) !== by) return `${name(index)} does not find ${thing}`
      for (const { path, first, second } of this.#writes)
        if ((place[first] as number) > (place[second] as number))
          return `${name(second)} is overtaken at ${path} by ${name(first)}`
      for (const { from, to } of this.#reads)
        if ((place[from] as number) > (place[to] as number))
          return `${name(to)} starts before ${name(from)}`
    }
    return undefined
  }

  /** Orders to try a mutant in: first those in which what lost an edge comes as early as it can. */
  *orders(mutant: Catalog): Generator<readonly number[]> {
    const kept = new Set(mutant.edges.map(pairOf))
    const lost = this.#catalog.edges.filter((edge) => !kept.has(pairOf(edge)))
    for (const { to } of lost)
      for (let nth = 0; nth < ORDERS.hastened; nth++) yield this.#shuffled(mutant, to)
    for (let nth = 0; nth < ORDERS.mutant; nth++) yield this.#shuffled(mutant)
  }

  /** Any order that keeps to the edges; what has to be done for the resource to hasten comes first. */
  #shuffled({ resources, edges }: Catalog, hasten?: number): number[] {
    const size = resources.length
    const next = successors(size, pairs(edges))
    const open = new Int32Array(size)
    for (const { to } of edges) open[to] = (open[to] as number) + 1
    const urgent = hasten === undefined ? new Set<number>() : before(hasten, size, edges)
    const ready = resources.flatMap(({ index }) => (open[index] === 0 ? [index] : []))
    const order: number[] = []
    while (ready.length > 0) {
      const hurried = ready.filter((index) => urgent.has(index))
      const choice = hurried.length > 0 ? hurried : ready
      const node = choice[Math.floor(this.#random() * choice.length)] as number
      ready.splice(ready.indexOf(node), 1)
      order.push(node)
      for (
        let slot = next.starts[node] as number;
        slot < (next.starts[node + 1] as number);
        slot++
      ) {
        const target = next.targets[slot] as number
        open[target] = (open[target] as number) - 1
        if (open[target] === 0) ready.push(target)
      }
    }
    return order
  }

  #trip(order: readonly number[]): Trip {
    const there = new Set<string>()
    const met: ReadonlyMap<string, string | undefined>[] = []
    const place = new Int32Array(order.length)
    for (const [at, index] of order.entries()) {
      place[index] = at
      met[index] = new Map(
        (this.#needs[index] ?? []).map((thing) => [
          thing,
          waysToMeet(thing).find((each) => there.has(each)),
        ]),
      )
      for (const thing of this.#brings[index] ?? []) there.add(thing)
      for (const thing of this.#catalog.resources[index]?.footprint.removes ?? [])
        there.delete(thing)
    }
    return { met, place }
  }
}

const ways = new Map<string, readonly string[]>()

/** What meets a need, the best first: the thing itself; for a path its ancestors, for a unit its template. */
function waysToMeet(thing: string): readonly string[] {
  let found = ways.get(thing)
  if (found) return found
  if (thing.startsWith('unit:')) found = [...new Set([thing, unitTemplate(thing)])]
  else if (thing.startsWith('path:/')) {
    const paths = [thing.slice(5)]
    while (paths.at(-1) !== '/') paths.push(parentPath(paths.at(-1) as string))
    found = paths.map((path) => `path:${path}`)
  } else found = [thing]
  ways.set(thing, found)
  return found
}

function before(index: number, size: number, edges: Catalog['edges']): Set<number> {
  const { starts, targets } = predecessors(size, pairs(edges))
  const found = new Set([index])
  for (const node of found)
    for (const other of targets.subarray(starts[node], starts[node + 1])) found.add(other)
  return found
}

function pairOf({ from, to }: { readonly from: number; readonly to: number }): string {
  return `${from} ${to}`
}

function writtenPaths(resource: CatalogResource | undefined): readonly string[] {
  const { ensures = [], removes = [], edits = [], writes = [] } = resource?.footprint ?? {}
  const things = [...ensures, ...removes].filter((thing) => thing.startsWith('path:'))
  return [...things.map((thing) => thing.slice(5)), ...edits.map(({ path }) => path), ...writes]
}

type How = 'whole' | 'part' | 'package'

/** Two that write one path, in both directions, where their order tells what is there in the end. */
function writerPairs(resources: readonly CatalogResource[]) {
  const writers = new Map<string, { index: number; how: How }[]>()
  const add = (path: string, index: number, how: How) => {
    const list = writers.get(path)
    if (list) list.push({ index, how })
    else writers.set(path, [{ index, how }])
  }
  for (const { index, footprint } of resources) {
    const parts = new Set(footprint.edits?.map(({ path }) => path))
    for (const path of parts) add(path, index, 'part')
    for (const thing of [...(footprint.ensures ?? []), ...(footprint.removes ?? [])])
      if (thing.startsWith('path:')) add(thing.slice(5), index, 'whole')
    for (const thing of footprint.provides ?? [])
      if (thing.startsWith('path:')) add(thing.slice(5), index, 'package')
  }
  return [...writers].flatMap(([path, list]) =>
    list.flatMap((one) =>
      list.flatMap((other) =>
        one.index === other.index || !isLost(one.how, other.how)
          ? []
          : [{ path, first: one.index, second: other.index }],
      ),
    ),
  )
}

/** Whether it matters that the second comes later: a package leaves what it finds, and parts do not meet. */
function isLost(first: How, second: How): boolean {
  return second !== 'package' && (first !== second || first === 'whole')
}
