import type { Thing } from '../resources/type.ts'
import type { Catalog } from './catalog.ts'

/** Who runs inside another's process, and so is restarted with it. */
export class Carriers {
  /** By index of the carried. */
  readonly #carriers = new Map<number, number>()
  /** By index of the carrier. */
  readonly #carried = new Map<number, number[]>()
  /** By index of a resource, where it comes in the order; empty where nobody is carried. */
  readonly #places: readonly number[]

  constructor({ resources, order }: Catalog) {
    const carried = resources.filter(({ footprint }) => footprint.restartsWith !== undefined)
    const places: number[] = []
    this.#places = places
    if (carried.length === 0) return
    const makers = new Map<Thing, number>()
    for (const { index, footprint } of resources)
      for (const thing of footprint.ensures ?? []) makers.set(thing, index)
    for (const { index, footprint } of carried) {
      const carrier = makers.get(footprint.restartsWith as Thing)
      if (carrier === undefined) continue
      this.#carriers.set(index, carrier)
      this.#carried.set(carrier, [...this.under(carrier), index])
    }
    for (const [place, index] of order.entries()) places[index] = place
  }

  /** By index, under whom a resource runs. */
  of(index: number): number | undefined {
    return this.#carriers.get(index)
  }

  /** By index, who runs under a resource. */
  under(carrier: number): readonly number[] {
    return this.#carried.get(carrier) ?? []
  }

  /** Whether a carrier comes after the change of another, in the order. */
  comesAfter(carrier: number, changed: number): boolean {
    return (this.#places[changed] as number) < (this.#places[carrier] as number)
  }

  /**
   * Whether a resource has been restarted since the change of another, for its carrier was after that; -1 stands for
   * a change of an earlier run. `isRestarted` tells of a carrier, by index, whether it is started or restarted in
   * this run.
   */
  isFresh(index: number, changed: number, isRestarted: (carrier: number) => boolean): boolean {
    const carrier = this.#carriers.get(index)
    if (carrier === undefined || !isRestarted(carrier)) return false
    return changed < 0 || this.comesAfter(carrier, changed)
  }
}
