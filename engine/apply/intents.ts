import type { Host } from '../host/host.ts'
import type { Action, Plan } from '../plan.ts'
import type { Keeper } from './keeper.ts'

/** How many resources share one commit of what is meant. */
const WINDOW = 256

/** Sees to it that what may be changed is on record before it is, many resources in one commit. */
export class Intents {
  readonly #plan: Plan
  readonly #keeper: Keeper
  readonly #host: Host
  readonly #planned: ReadonlySet<number>
  /** Resources that are on record as about to be changed, and the plan's first that is not. */
  readonly #meant = new Set<number>()
  #next = 0

  constructor({ plan, keeper, host }: { plan: Plan; keeper: Keeper; host: Host }) {
    this.#plan = plan
    this.#keeper = keeper
    this.#host = host
    this.#planned = new Set(plan.resources.map(({ index }) => index))
  }

  /** Takes down in one commit that this resource may be changed, and those that the plan names after it. */
  intend({ index, ref }: { readonly index: number; readonly ref: string }): void {
    if (this.#meant.delete(index)) return
    this.settle()
    const { resources } = this.#plan
    const isPlanned = this.#planned.has(index)
    const meant: { ref: string; action: Action | 'check' }[] = []
    if (!isPlanned) meant.push({ ref, action: 'check' })
    // Those that the plan names before this one, and that were not meant yet, were skipped.
    let isPast = isPlanned
    for (; this.#next < resources.length && meant.length < WINDOW; this.#next++) {
      const planned = resources[this.#next] as Plan['resources'][number]
      isPast &&= planned.index !== index
      if (isPast) continue
      meant.push({ ref: planned.ref, action: planned.action })
      this.#meant.add(planned.index)
    }
    this.#keeper.intend(meant)
    this.#meant.delete(index)
  }

  /** Ends a window: its changes are on the disk first, then on record. */
  settle(): void {
    this.#host.sync()
    this.#keeper.settle()
  }
}
