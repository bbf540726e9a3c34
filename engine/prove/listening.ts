import { append } from '../compile/append.ts'
import type { Catalog, CatalogResource } from '../compile/catalog.ts'
import { PathIndex } from '../compile/path-index.ts'

/** Types whose resources run on, and hold what they read when they started. */
const RUNNING = new Set(['service', 'supervisor_program'])

/** Whether it is something that runs on, and is not only to be stopped. */
export function isToRun({ type, desired }: CatalogResource): boolean {
  return RUNNING.has(type) && (desired as { readonly ensure?: string }).ensure !== 'stopped'
}

/** Who hears of whose changes, as the edges of a catalog have it. */
export class Listening {
  readonly #resources: readonly CatalogResource[]
  readonly #listeners = new Map<number, number[]>()
  readonly #told = new Set<number>()
  readonly #paths = new PathIndex()
  readonly #names = new Map<string, number[]>()

  constructor({ resources, edges }: Catalog) {
    this.#resources = resources
    for (const { from, to, refresh } of edges) {
      if (refresh === undefined) continue
      append(this.#listeners, from, to)
      this.#told.add(to)
    }
    for (const { index, ref, id, containers, footprint } of resources) {
      for (const name of [ref, ...(id === undefined ? [] : [id]), ...containers])
        append(this.#names, name, index)
      for (const thing of [...(footprint.ensures ?? []), ...(footprint.removes ?? [])])
        if (thing.startsWith('path:')) this.#paths.add(thing.slice(5), index)
      for (const glob of footprint.writes ?? []) this.#paths.add(glob, index)
    }
  }

  isTold(listener: number, by: number): boolean {
    return this.#listeners.get(by)?.includes(listener) === true
  }

  /** Whether it listens to anything at all. */
  listens(index: number): boolean {
    return this.#told.has(index)
  }

  /** All that a change goes on to, through what is refreshed by what was refreshed. */
  reach(from: number): ReadonlySet<number> {
    const seen = new Set<number>()
    const queue = [from]
    for (const node of queue) {
      for (const next of this.#listeners.get(node) ?? []) {
        if (seen.has(next)) continue
        seen.add(next)
        queue.push(next)
      }
    }
    return seen
  }

  /** Whether anything that runs hears of a change. */
  isHeard(from: number): boolean {
    return this.reach(from)
      .values()
      .some((index) => isToRun(this.#resources[index] as CatalogResource))
  }

  /** The resources that a path, glob or reference of `restart_on` means. */
  writersOf(on: string): readonly number[] {
    return on.startsWith('/') ? this.#paths.matching(on) : (this.#names.get(on) ?? [])
  }
}
