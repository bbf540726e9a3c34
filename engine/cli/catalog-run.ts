import type { Catalog } from '../compile/catalog.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { changesOf, type Event, type Summary } from '../events.ts'
import type { Host } from '../host/host.ts'
import { apply, types } from '../index.ts'
import { type Past, type Plan, wouldChange } from '../plan.ts'
import type { States } from '../probe.ts'
import type { Coverage } from '../record/managed.ts'
import { type Bases, RunRecord } from '../record/run-record.ts'
import { partWriters, secretWriters } from '../record/secret-writers.ts'
import type { Store } from '../record/store.ts'
import { redactor } from '../redactor.ts'
import type { GivenOptions } from '../ui/given-options.ts'
import { planLine } from '../ui/json.ts'
import { renderPlan } from '../ui/plan-text.ts'
import type { Doing } from '../ui/progress-state.ts'
import { type ApplyFlags, exitStatus } from './apply-flags.ts'
import { agreed, followPlainly, isInteractive, recorded, report } from './locked.ts'
import { outputColumns, paintOf, print, showDiagnostics } from './output.ts'
import type { Stop } from './stop.ts'

/** What a command has that alone may change the host. */
export interface RunContext {
  readonly store: Store
  readonly stop: Stop
}

export interface PlannedRun {
  readonly host: Host
  readonly catalog: Catalog
  readonly states: States
  readonly plan: Plan
  readonly past: Past
  /** The command as it goes on record. */
  readonly command: readonly string[]
  /** The run that it takes back. */
  readonly undoes?: string
  /** Which classes it is of; absent where it is of none, and what it has is not managed for that. */
  readonly coverage?: Coverage
  readonly bases?: Bases
  /** Set for a plan that was saved: why resources are not what it says, by index. */
  readonly refused?: ReadonlyMap<number, string>
  /** Called once the run is on record and before it changes anything. */
  readonly before?: (record: RunRecord) => void
}

/** Of a run that is only previewed. */
export function plannedStatus(plan: Plan, flags: ApplyFlags): number {
  const conflicts = plan.resources.some(({ conflict }) => conflict !== undefined)
  const failed = plan.counts.blocked > 0
  return exitStatus({ changed: wouldChange(plan), failed, conflicts }, flags)
}

function hasWork({ resources, counts }: Plan): boolean {
  return resources.length > counts.blocked || counts.blocked + counts.unknown > 0
}

/** Whether a plan is to be carried out: asks where there is something to do and somebody to ask. */
export async function isWanted(
  plan: Plan,
  flags: ApplyFlags,
  { question, stop }: { readonly question: string; readonly stop: Stop },
): Promise<boolean> {
  if (flags.yes || !hasWork(plan) || (await agreed(question, stop.signal))) return true
  print('Nothing was changed.')
  return false
}

/** Carries out a plan and takes it down; gives the exit status. */
export async function runCatalog(
  flags: ApplyFlags,
  { store, stop }: RunContext,
  planned: PlannedRun,
): Promise<number> {
  const { host, catalog, states, plan, past, command, undoes, coverage, bases } = planned
  const { refused, before } = planned
  const sensitive = secretWriters(catalog, past.secretPaths)
  const partial = partWriters(catalog)
  // A run with nothing to do goes on record in one commit, for each is a sync.
  if (!hasWork(plan)) store.begin()
  const record = new RunRecord(store, {
    command: command.map(redactor(catalog.secrets)),
    classes: catalog.classes,
    isSensitive: (ref) => sensitive.has(ref),
    isPartial: (ref) => partial.has(ref),
    ...(bases ? { bases } : {}),
  })
  before?.(record)
  if (coverage) store.managed.note(catalog, states, host, coverage)
  if (!hasWork(plan)) {
    record.adopt(catalog, states, host)
    const summary = nothingDone(record.id, plan)
    record.finish(summary)
    if (flags.json) {
      const { classes, total } = plan
      const taken = undoes === undefined ? {} : { undoes }
      report({ type: 'run_started', run: record.id, ...taken, classes, planned: 0, total }, flags)
      report({ type: 'run_finished', summary }, flags)
    }
    return 0
  }
  const { signal } = stop
  const doing: Doing = {}
  const events = recorded(
    apply({
      run: record.id,
      undoes,
      catalog,
      states,
      plan,
      types,
      host,
      keeper: record,
      past,
      refused,
      progress: isInteractive(flags)
        ? (text) => {
            doing.now = text
          }
        : undefined,
      stop: signal,
    }),
    record,
  )
  const summary = await follow(events, { plan, store, stop, doing }, flags)
  record.finish(summary)
  if (signal.aborted) return stop.status()
  const { failed, conflicts = 0 } = summary
  const changed = changesOf(summary) > 0
  return exitStatus({ changed, failed: failed > 0, conflicts: conflicts > 0 }, flags)
}

function nothingDone(run: string, { inSync, leftAlone = 0, edited = 0 }: Plan): Summary {
  return {
    run,
    status: 'done',
    changed: 0,
    refreshed: 0,
    failed: 0,
    skipped: 0,
    unchanged: inSync,
    other: leftAlone + edited,
    ...(edited > 0 ? { edited } : {}),
    durationMs: 0,
  }
}

async function follow(
  events: AsyncGenerator<Event, Summary>,
  run: {
    readonly plan: Plan
    readonly store: Store
    readonly stop: Stop
    readonly doing: Doing
  },
  flags: ApplyFlags,
): Promise<Summary> {
  if (!isInteractive(flags)) return followPlainly(events, flags)
  const previous = run.store.runs.lastDurations()
  const { showProgress } = await import('../ui/progress.tsx')
  return showProgress(events, {
    planned: run.plan.resources,
    previous,
    doing: run.doing,
    out: process.stdout,
    paint: paintOf(process.stdout),
    given: flags,
    stop: run.stop.signal,
  })
}

export function showPlan(
  plan: Plan,
  flags: Pick<ApplyFlags, 'json' | 'diff' | 'verbose'> & GivenOptions,
  notices: readonly Diagnostic[],
): void {
  if (notices.length > 0) showDiagnostics(notices, { json: flags.json })
  if (flags.json) print(planLine(plan))
  else {
    print(
      renderPlan(plan, {
        paint: paintOf(process.stdout),
        width: outputColumns() ?? Number.POSITIVE_INFINITY,
        showDiff: flags.diff,
        verbose: flags.verbose === true,
        given: flags,
      }),
    )
  }
}
