import type { Diagnostic } from './diagnostics/diagnostic.ts'
import type { DueRefresh } from './due-refreshes.ts'
import type { Action, PlannedChange } from './plan.ts'

/** What a step of a procedure does: asks, changes, or holds other steps. */
export type StepKind = 'query' | 'act' | 'steps'

/** How a resource ended in a run. */
export type Outcome =
  | 'unchanged'
  | 'changed'
  | 'refreshed'
  | 'failed'
  | 'skipped'
  | 'noop'
  | 'unknown'

export interface Summary {
  readonly run: string
  readonly status: 'done' | 'failed' | 'interrupted'
  readonly changed: number
  readonly refreshed: number
  readonly failed: number
  readonly skipped: number
  /** Whose files were changed, and are as they were before the run, for something did not run with them; none where absent. */
  readonly putBack?: number
  /** Of those that failed, how many were changed before they did; none where absent. */
  readonly partly?: number
  /** Of those that failed, how many for a local edit and a new version that contradict each other; none where absent. */
  readonly conflicts?: number
  readonly unchanged: number
  /** State could not be told, only asked for (`noop`), left alone in a tree that commands can't run in, or as edited. */
  readonly other: number
  /** Of these, how many are as somebody edited them here, which is kept; none where absent. */
  readonly edited?: number
  /** Of these, those whose state could not be told; none where absent. */
  readonly unknown?: number
  /** Of these, those only asked for; none where absent. The rest was left alone. */
  readonly noop?: number
  readonly durationMs: number
  /** Paths of files that were changed here, and that this run overwrote or removed; none where absent. */
  readonly overwritten?: readonly string[]
}

/** How many resources were changed, wholly or partly. */
export function changesOf({ changed, refreshed, partly = 0 }: Summary): number {
  return changed + refreshed + partly
}

/** What happens while a plan is applied, one after another; also a line of `--json`. Holds no secret. */
export type Event =
  | {
      readonly type: 'run_started'
      readonly run: string
      /** The run that this one takes back; absent where it takes none back. */
      readonly undoes?: string
      readonly classes: readonly string[]
      /** How many resources the plan names, and how many there are. */
      readonly planned: number
      readonly total: number
      /** Set for a procedure, which has steps instead. */
      readonly steps?: number
    }
  | { readonly type: 'resource_started'; readonly ref: string; readonly action: Action }
  | {
      readonly type: 'resource_finished'
      readonly ref: string
      readonly outcome: Outcome
      /** For `failed`: what was changed before it did. */
      readonly changes: readonly PlannedChange[]
      readonly refresh?: DueRefresh
      readonly note?: string
      /** What a command printed. */
      readonly output?: string
      readonly durationMs: number
      /** For `failed`: what went wrong. For `skipped`: the resource whose failure is the cause. */
      readonly error?: Diagnostic
      readonly cause?: string
    }
  /**
   * Of a procedure: `depth` counts the blocks and defines around the step;
   * `kind` is `steps` where it holds others.
   */
  | {
      readonly type: 'step_started'
      readonly kind: StepKind
      readonly step: string
      readonly title: string
      readonly depth: number
    }
  | {
      readonly type: 'step_finished'
      readonly kind: StepKind
      readonly step: string
      readonly title: string
      readonly depth: number
      readonly status: 'in sync' | 'done' | 'failed' | 'left out' | 'done before'
      readonly note?: string
      readonly error?: Diagnostic
    }
  /** What was found differs from what the plan said. */
  | { readonly type: 'differs_from_plan'; readonly ref: string; readonly message: string }
  /** Files are as they were before the run, for a service or program did not run with what the run had made of them. */
  | { readonly type: 'put_back'; readonly ref: string; readonly paths: readonly string[] }
  | { readonly type: 'waiting'; readonly message: string }
  | { readonly type: 'notice'; readonly message: string }
  | { readonly type: 'run_finished'; readonly summary: Summary }
