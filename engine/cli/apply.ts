import { type Diagnostic, Refusal } from '../diagnostics/diagnostic.ts'
import { changesOf, type Event, type Summary } from '../events.ts'
import {
  apply,
  compileCatalog,
  type Loaded,
  load,
  openLibrary,
  preview,
  type RoadOptions,
  types,
} from '../index.ts'
import { type Plan, redactor, wouldChange } from '../plan.ts'
import { withHiddenContents } from '../record/in-sync-files.ts'
import { departedListeners } from '../record/owed-refreshes.ts'
import { pastOf } from '../record/past.ts'
import { RunRecord } from '../record/run-record.ts'
import { secretWriters } from '../record/secret-writers.ts'
import { Store } from '../record/store.ts'
import { planLine } from '../ui/json.ts'
import { renderPlan } from '../ui/plan-text.ts'
import { type ApplyFlags, exitStatus } from './apply-flags.ts'
import { shownCommandLine } from './command-line.ts'
import { withExample } from './example.ts'
import {
  agreed,
  followPlainly,
  isInteractive,
  locked,
  recorded,
  report,
  tellCutOff,
} from './locked.ts'
import { roadOptions } from './options.ts'
import { outputColumns, paintOf, print, showDiagnostics } from './output.ts'
import type { Stop } from './stop.ts'

/**
 * `steward apply`: 0 done or nothing to do, 1 refused before anything was touched, 4 something
 * failed; 2 is added where it is asked for.
 */
export async function run(flags: ApplyFlags, classes: readonly string[]): Promise<number> {
  if (!Number.isFinite(flags.wait) || flags.wait < 0) {
    throw new Refusal({
      severity: 'error',
      code: 'usage',
      message: '--wait takes a number of seconds',
    })
  }
  const { localEdits } = flags
  const given = {
    ...roadOptions(flags, classes, flags.dryRun !== true),
    ...(localEdits === undefined ? {} : { localEdits }),
  }
  const { options, told } = flags.dryRun ? withExample(given) : { options: given }
  if (told !== undefined && !flags.json) print(`${told}\n`)
  const procedure = procedureOf(options)
  if (procedure) {
    const { applyProcedure } = await import('./procedure.ts')
    return applyProcedure(procedure, flags, options)
  }
  if (flags.restart || flags.abandon) {
    throw new Refusal({
      severity: 'error',
      code: 'usage',
      message: '--restart and --abandon are for procedures, and none is named',
      help: 'steward classes lists them',
    })
  }
  if (flags.dryRun) return dryRun(flags, options)
  const name = `steward apply ${options.classes.join(' ')}`.trim()
  return locked(options, flags, { name, hasProgress: isInteractive(flags) }, (context) =>
    wetRun(flags, options, context),
  )
}

async function dryRun(flags: ApplyFlags, options: RoadOptions): Promise<number> {
  const store = Store.read(options.state)
  try {
    const { plan, notices } = await look(flags, options, store)
    showPlan(plan, flags, notices)
    const conflicts = plan.resources.some(({ conflict }) => conflict !== undefined)
    const failed = plan.counts.blocked > 0
    return exitStatus({ changed: wouldChange(plan), failed, conflicts }, flags)
  } finally {
    store?.close()
  }
}

/** Reads everything and asks the host: what a dry run does, and what an apply begins with. */
async function look(flags: ApplyFlags, options: RoadOptions, store: Store | undefined) {
  const loaded = await load(options)
  const compiled = compileCatalog(loaded)
  const catalog = withHiddenContents(
    compiled.catalog,
    store?.recordedPaths('sensitive') ?? new Set(),
  )
  const past = pastOf(store, options, loaded)
  const { states, plan } = await preview(loaded.host, catalog, {
    selection: { tags: flags.tags ?? [], only: flags.only ?? [] },
    past,
  })
  return { loaded, catalog, states, plan, past, notices: [...loaded.notices, ...compiled.notices] }
}

async function wetRun(
  flags: ApplyFlags,
  options: RoadOptions,
  { store, stop }: { readonly store: Store; readonly stop: Stop },
): Promise<number> {
  tellCutOff(store, flags)
  const { loaded, catalog, states, plan, past, notices } = await look(flags, options, store)
  const { host } = loaded
  showPlan(plan, flags, notices)
  const { counts } = plan
  const hasWork = plan.resources.length > counts.blocked || counts.blocked + counts.unknown > 0
  if (hasWork && !flags.yes && !(await agreed('Apply these changes?', stop.signal))) {
    print('Nothing was changed.')
    return stop.status()
  }
  const sensitive = secretWriters(catalog, store.recordedPaths('sensitive'))
  // A run with nothing to do goes on record in one commit, for each is a sync.
  if (!hasWork) store.begin()
  const record = new RunRecord(store, {
    command: shownCommandLine(namedClass(loaded)).map(redactor(catalog.secrets)),
    classes: catalog.classes,
    isSensitive: (ref) => sensitive.has(ref),
  })
  for (const { listener, source } of departedListeners(past.owed, catalog, store)) {
    const message = `${listener} was owed a refresh because ${source} changed, and is not declared any more; it is left as it is`
    report({ type: 'notice', message }, flags)
    record.paid(listener)
  }
  if (!hasWork) {
    record.adopt(catalog, states, host)
    const summary = nothingDone(record.id, plan)
    record.finish(summary)
    if (flags.json) {
      const { classes, total } = plan
      report({ type: 'run_started', run: record.id, classes, planned: 0, total }, flags)
      report({ type: 'run_finished', summary }, flags)
    }
    return 0
  }
  const events = recorded(
    apply({
      run: record.id,
      catalog,
      states,
      plan,
      types,
      host,
      keeper: record,
      past,
      stop: stop.signal,
    }),
    record,
  )
  const summary = await follow(events, { plan, store, stop }, flags)
  record.finish(summary)
  if (stop.signal.aborted) return stop.status()
  const changed = changesOf(summary) > 0
  const { failed, conflicts = 0 } = summary
  return exitStatus({ changed, failed: failed > 0, conflicts: conflicts > 0 }, flags)
}

/** The one class that `--with` is for. */
function namedClass({ library, input }: Loaded) {
  const [named, ...others] = input.classes
  return named && others.length === 0 ? library.find(named.name) : undefined
}

function nothingDone(run: string, { inSync, leftAlone = 0 }: Plan): Summary {
  return {
    run,
    status: 'done',
    changed: 0,
    refreshed: 0,
    failed: 0,
    skipped: 0,
    unchanged: inSync,
    other: leftAlone,
    durationMs: 0,
  }
}

/** The one class that is named, where it is a procedure. */
function procedureOf({ classes, ...options }: RoadOptions) {
  const [name, ...others] = classes
  if (name === undefined || others.length > 0) return undefined
  const manifest = openLibrary(options).find(name)
  return manifest?.steps ? { ...manifest, steps: manifest.steps } : undefined
}

async function follow(
  events: AsyncGenerator<Event, Summary>,
  run: { readonly plan: Plan; readonly store: Store; readonly stop: Stop },
  flags: ApplyFlags,
): Promise<Summary> {
  if (!isInteractive(flags)) return followPlainly(events, flags)
  const previous = run.store.lastDurations()
  const { showProgress } = await import('../ui/progress.tsx')
  return showProgress(events, {
    planned: run.plan.resources,
    previous,
    out: process.stdout,
    paint: paintOf(process.stdout),
    stop: run.stop.signal,
  })
}

function showPlan(plan: Plan, flags: ApplyFlags, notices: readonly Diagnostic[]): void {
  if (notices.length > 0) showDiagnostics(notices, { json: flags.json })
  if (flags.json) print(planLine(plan))
  else {
    print(
      renderPlan(plan, {
        paint: paintOf(process.stdout),
        width: outputColumns() ?? Number.POSITIVE_INFINITY,
        showDiff: flags.diff,
        verbose: flags.verbose === true,
      }),
    )
  }
}
