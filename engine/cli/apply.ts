import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { Refusal } from '../diagnostics/diagnostic.ts'
import type { Event, Summary } from '../events.ts'
import { acquireLock } from '../host/lock.ts'
import {
  apply,
  compileCatalog,
  load,
  openLibrary,
  preview,
  type RoadOptions,
  shippedManifests,
  types,
} from '../index.ts'
import { type Plan, wouldChange } from '../plan.ts'
import { RunRecord } from '../record/run-record.ts'
import { Store } from '../record/store.ts'
import { renderEvent, renderSummary } from '../ui/event-text.ts'
import { eventLine, planLine } from '../ui/json.ts'
import { renderPlan } from '../ui/plan-text.ts'
import { ask } from '../ui/question.ts'
import { type CommonFlags, roadOptions } from './options.ts'
import { paintOf, print, showDiagnostics } from './output.ts'
import { listenForStop } from './stop.ts'

export interface ApplyFlags extends CommonFlags {
  readonly dryRun?: boolean
  readonly yes?: boolean
  readonly detailedExitcodes?: boolean
  readonly tags?: readonly string[]
  readonly only?: readonly string[]
  readonly restart?: boolean
  readonly abandon?: boolean
  readonly diff: boolean
  readonly verbose?: boolean
  readonly wait: number
}

/** `steward apply`: 0 done or nothing to do, 1 refused before anything was touched, 4 something failed; 2 is added where it is asked for. */
export async function run(flags: ApplyFlags, classes: readonly string[]): Promise<number> {
  if (!Number.isFinite(flags.wait) || flags.wait < 0) {
    throw new Refusal({
      severity: 'error',
      code: 'usage',
      message: '--wait takes a number of seconds',
    })
  }
  const options = withExample(roadOptions(flags, classes, flags.dryRun !== true), flags)
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
  return flags.dryRun ? dryRun(flags, options) : wetRun(flags, options)
}

async function dryRun(flags: ApplyFlags, options: RoadOptions): Promise<number> {
  const { plan, notices } = await look(flags, options)
  showPlan(plan, flags, notices)
  return exitStatus({ changed: wouldChange(plan), failed: plan.counts.blocked > 0 }, flags)
}

/** Reads everything and asks the host: what a dry run does, and what an apply begins with. */
async function look(flags: ApplyFlags, options: RoadOptions) {
  const loaded = await load(options)
  const { catalog, notices } = compileCatalog(loaded)
  const { states, plan } = await preview(loaded.host, catalog, {
    tags: flags.tags ?? [],
    only: flags.only ?? [],
  })
  return { loaded, catalog, states, plan, notices: [...loaded.notices, ...notices] }
}

async function wetRun(flags: ApplyFlags, options: RoadOptions): Promise<number> {
  mustBeRoot(options)
  const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true && !flags.json
  if (!flags.yes && !isTerminal) {
    throw new Refusal({
      severity: 'error',
      code: 'usage',
      message: 'there is no terminal to ask on',
      help: 'run it with --yes to apply without a question, or with --dry-run to see what would change',
    })
  }
  makeStateFolder(options.state)
  const stop = listenForStop((signal) =>
    report(
      {
        type: 'notice',
        message: `${signal}: finishing the resource in hand, then stopping; once more stops at once`,
      },
      flags,
    ),
  )
  let store: Store | undefined
  const lock = await acquireLock(join(options.state, 'lock'), {
    waitMs: flags.wait * 1000,
    run: `steward apply ${options.classes.join(' ')}`.trim(),
    onWait: (holder) =>
      report(
        {
          type: 'waiting',
          message: holder
            ? `waiting for process ${holder.pid} (${holder.run}), which has held this host since ${holder.since}`
            : 'waiting for another run on this host',
        },
        flags,
      ),
    signal: stop.signal,
  })
  try {
    const { loaded, catalog, states, plan, notices } = await look(flags, options)
    showPlan(plan, flags, notices)
    if (!wouldChange(plan) && plan.counts.blocked === 0 && plan.counts.unknown === 0) {
      return exitStatus({ changed: false, failed: false }, flags)
    }
    if (
      !flags.yes &&
      !(await ask('Apply these changes?', { input: process.stdin, output: process.stdout }))
    ) {
      print('Nothing was changed.')
      return 0
    }
    store = Store.open(options.state)
    const previous = store.lastDurations()
    const record = new RunRecord(store, {
      command: process.argv.slice(2),
      classes: catalog.classes,
    })
    const events = recorded(
      apply({
        run: record.id,
        catalog,
        states,
        plan,
        types,
        host: loaded.host,
        keeper: record,
        stop: stop.signal,
      }),
      record,
    )
    const summary = await follow(events, { planned: plan.resources, previous }, flags, isTerminal)
    record.finish(summary)
    if (stop.signal.aborted) return stop.status()
    return exitStatus(
      { changed: summary.changed + summary.refreshed > 0, failed: summary.failed > 0 },
      flags,
    )
  } finally {
    store?.close()
    lock.release()
    stop.end()
  }
}

/** The one class that is named, where it is a procedure. */
function procedureOf({ classes, ...options }: RoadOptions) {
  const [name, ...others] = classes
  if (name === undefined || others.length > 0) return undefined
  const manifest = openLibrary(options).find(name)
  return manifest?.steps ? { ...manifest, steps: manifest.steps } : undefined
}

/** Every event is on record before the next one is asked for. */
export async function* recorded(
  events: AsyncGenerator<Event, Summary>,
  record: RunRecord,
): AsyncGenerator<Event, Summary> {
  for (;;) {
    const next = await events.next()
    if (next.done) return next.value
    record.take(next.value)
    yield next.value
  }
}

export async function follow(
  events: AsyncGenerator<Event, Summary>,
  {
    planned,
    previous,
  }: {
    readonly planned: readonly { readonly ref: string }[]
    readonly previous: ReadonlyMap<string, number>
  },
  flags: ApplyFlags,
  isTerminal: boolean,
): Promise<Summary> {
  if (isTerminal) {
    const { showProgress } = await import('../ui/progress.tsx')
    return showProgress(events, {
      planned,
      previous,
      out: process.stdout,
      paint: paintOf(process.stdout),
    })
  }
  for (;;) {
    const next = await events.next()
    if (next.done) {
      if (!flags.json) print(renderSummary(next.value, { paint: paintOf(process.stdout) }))
      return next.value
    }
    report(next.value, flags)
  }
}

export function report(event: Event, flags: ApplyFlags): void {
  if (flags.json) {
    print(eventLine(event))
    return
  }
  const text = renderEvent(event, {
    paint: paintOf(process.stdout),
    verbose: flags.verbose === true,
  })
  if (text !== undefined) print(text)
}

function showPlan(plan: Plan, flags: ApplyFlags, notices: readonly Diagnostic[]): void {
  if (notices.length > 0) showDiagnostics(notices, { json: flags.json })
  if (flags.json) print(planLine(plan))
  else {
    print(
      renderPlan(plan, {
        paint: paintOf(process.stdout),
        width: process.stdout.columns ?? 100,
        showDiff: flags.diff,
        verbose: flags.verbose === true,
      }),
    )
  }
}

export function exitStatus(
  { changed, failed }: { readonly changed: boolean; readonly failed: boolean },
  flags: Pick<ApplyFlags, 'detailedExitcodes'>,
): number {
  return (failed ? 4 : 0) + (flags.detailedExitcodes && changed ? 2 : 0)
}

/** On a machine without zulip.conf a dry run shows the shipped example of a full server, and says so. */
function withExample(options: RoadOptions, flags: ApplyFlags): RoadOptions {
  if (options.classes.length > 0 || options.instead.conf !== undefined) return options
  const own = join(options.root, options.paths.conf)
  if (existsSync(own) || !flags.dryRun) {
    if (flags.dryRun && !flags.json) print(`The classes of ${own}:\n`)
    return options
  }
  const conf = join(shippedManifests().manifests, 'example/zulip.conf')
  if (!flags.json)
    print(`There is no ${own}: this is the shipped example of a full server, ${conf}.\n`)
  return { ...options, instead: { ...options.instead, conf } }
}

export function mustBeRoot(options: RoadOptions): void {
  if (process.getuid?.() === 0 || options.root !== '/') return
  throw new Refusal({
    severity: 'error',
    code: 'no-permission',
    message: 'only root can apply classes to this machine',
    help: 'run it with sudo, or with --dry-run to see what would change',
  })
}

export function makeStateFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new Refusal(
      {
        severity: 'error',
        code: 'state',
        message: `the state folder ${folder} can't be made: ${(error as Error).message}`,
        help: 'name another folder with --state',
      },
      { cause: error },
    )
  }
}
