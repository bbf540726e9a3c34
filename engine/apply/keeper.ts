import type { Catalog } from '../compile/catalog.ts'
import type { GivenOwner, HostReader, NewFile } from '../host/host.ts'
import type { Kept } from '../host/keeping.ts'
import type { Action } from '../plan.ts'
import type { States } from '../probe.ts'
import type { Listener } from './refreshes.ts'

/** A resource that may be changed next. */
export interface Intended {
  readonly ref: string
  readonly action: Action | 'check'
  readonly listeners: readonly Listener[]
}

/**
 * Takes down what a run means to do and what it overwrites. What a method was told is
 * durable when it returns, but for what says otherwise.
 */
export interface Keeper {
  /**
   * Before anything is changed: from now on what is in sync is the base that later edits are told apart by. Durable
   * once `settle` returns.
   */
  adopt(catalog: Catalog, states: States, host: HostReader): void
  /** Before a window of changes: the resources that may be changed in it, and who is owed a refresh if they are. */
  intend(resources: readonly Intended[]): void
  /** One of these ended without a change, so it owes nobody a refresh. Durable once `settle` returns. */
  unchanged(ref: string): void
  /** A resource was refreshed, or started anew: it is owed nothing any more. Durable once `settle` returns. */
  paid(ref: string): void
  /** Before a change: what was there. */
  keep(ref: string, kept: Kept): void
  /** After a write: what is there now. Durable once `settle` returns. */
  wrote(ref: string, path: string, content: Uint8Array, how: NewFile): void
  /** After a change of mode or owner. Durable once `settle` returns. */
  gave(path: string, attributes: { readonly mode: number } | GivenOwner): void
  /** After a link was made. Durable once `settle` returns. */
  linked(path: string, target: string): void
  /** After a removal. Durable once `settle` returns. */
  removed(path: string): void
  /** What is owed to a resource for changes that were taken back is owed no more. Durable once `settle` returns. */
  tookBack(ref: string, sources: readonly string[]): void
  /** Begins what `keptOf` is to tell of: all that is kept from now on. */
  mark(): void
  /** What was kept since of what these resources changed, in its order, with whole contents. */
  keptOf(refs: readonly string[]): readonly (Kept & { readonly ref: string })[]
  /** What was written at a path since is gone again, and what was on record before holds. */
  wroteBack(path: string): void
  /** At the end of a window. */
  settle(): void
}
