import type { Host } from '../host/host.ts'
import type { Plan } from '../plan.ts'
import type { Intended, Keeper } from './keeper.ts'
import type { Refreshes } from './refreshes.ts'

/** How many resources share one commit of what is meant. */
const WINDOW = 256

/** Sees to it that what may be changed is on record before it is, many resources in one commit. */
export class Intents {
  readonly #plan: Plan
  readonly #keeper: Keeper
  readonly #host: Host
  readonly #refreshes: Refreshes
  readonly #planned: ReadonlySet<number>
  /** Resources that are on record as about to be changed, and the plan's first that is not. */
  readonly #meant = new Set<number>()
  #next = 0
  /** By index, those whose change would owe others a refresh, as is on record. */
  readonly #owing = new Map<number, string>()

  constructor(
    { plan, keeper, host }: { plan: Plan; keeper: Keeper; host: Host },
    refreshes: Refreshes,
  ) {
    this.#plan = plan
    this.#keeper = keeper
    this.#host = host
    this.#refreshes = refreshes
    this.#planned = new Set(plan.resources.map(({ index }) => index))
  }

  /** Takes down in one commit that this resource may be changed, and those that the plan names after it. */
  intend({ index, ref }: { readonly index: number; readonly ref: string }): void {
    if (this.#meant.delete(index)) return
    this.settle()
    const { resources } = this.#plan
    const isPlanned = this.#planned.has(index)
    const meant: Intended[] = []
    if (!isPlanned) meant.push(this.#intended(index, ref, 'check'))
    // Those that the plan names before this one, and that were not meant yet, were skipped.
    let isPast = isPlanned
    for (; this.#next < resources.length && meant.length < WINDOW; this.#next++) {
      const planned = resources[this.#next] as Plan['resources'][number]
      isPast &&= planned.index !== index
      if (isPast) continue
      meant.push(this.#intended(planned.index, planned.ref, planned.action))
      this.#meant.add(planned.index)
    }
    this.#keeper.intend(meant)
    this.#meant.delete(index)
  }

  /** Takes down that a resource was not changed after all. */
  unchanged(index: number): void {
    const ref = this.#owing.get(index)
    if (ref === undefined) return
    this.#owing.delete(index)
    this.#keeper.unchanged(ref)
  }

  /** Ends the last window; what was meant and not reached has changed nothing. */
  finish(): void {
    for (const index of this.#meant) this.unchanged(index)
    this.settle()
  }

  /** Ends a window: its changes are on the disk first, then on record. */
  settle(): void {
    this.#host.sync()
    this.#keeper.settle()
  }
  #intended(index: number, ref: string, action: Intended['action']): Intended {
    // Where no command can run nothing runs either that would have to read anew.
    const listeners = this.#host.cannotRun === undefined ? this.#refreshes.listeners(index) : []
    if (listeners.length > 0) this.#owing.set(index, ref)
    return { ref, action, listeners }
  }
}
