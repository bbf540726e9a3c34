import type { Ownership } from '../host/host.ts'
import type { Kept } from '../host/keeping.ts'
import type { Action } from '../plan.ts'

/**
 * Takes down what a run means to do and what it overwrites. What a method was told is
 * durable when it returns, but for `wrote`.
 */
export interface Keeper {
  /** Before a window of changes: the resources that may be changed in it. */
  intend(resources: readonly { readonly ref: string; readonly action: Action | 'check' }[]): void
  /** Before a change: what was there. */
  keep(ref: string, kept: Kept): void
  /** After a write: what is there now. Durable once `settle` returns. */
  wrote(
    ref: string,
    path: string,
    content: Uint8Array,
    how: Ownership & { readonly mode: number },
  ): void
  /** At the end of a window. */
  settle(): void
}
