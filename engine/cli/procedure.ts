import { join } from 'node:path'
import { Refusal } from '../diagnostics/diagnostic.ts'
import { acquireLock } from '../host/lock.ts'
import { load, type RoadOptions } from '../index.ts'
import type { Manifest, ResourceDecl } from '../load/manifest.ts'
import {
  abandonProcedure,
  type PlannedStep,
  type ProcedureInput,
  planProcedure,
  type RunInput,
  runProcedure,
} from '../procedure/procedure.ts'
import { newProgress, type Progress } from '../procedure/progress.ts'
import { RunRecord } from '../record/run-record.ts'
import { type ProcedureRow, Store } from '../record/store.ts'
import { renderProcedure } from '../ui/procedure-text.ts'
import { ask } from '../ui/question.ts'
import {
  type ApplyFlags,
  exitStatus,
  follow,
  makeStateFolder,
  mustBeRoot,
  recorded,
  report,
} from './apply.ts'
import { paintOf, print } from './output.ts'
import { listenForStop, type Stop } from './stop.ts'

type Procedure = Manifest & { readonly steps: readonly ResourceDecl[] }

/** `steward apply PROCEDURE`: returns 0, 1 or 4. */
export async function applyProcedure(
  procedure: Procedure,
  flags: ApplyFlags,
  options: RoadOptions,
): Promise<number> {
  if (flags.tags || flags.only) {
    throw new Refusal({
      severity: 'error',
      code: 'usage',
      message: '--tags and --only choose resources of classes, and a procedure runs as a whole',
    })
  }
  if (flags.dryRun) {
    showSteps(await planProcedure(inputOf(procedure, options, newProgress())), procedure, flags)
    return 0
  }
  mustBeRoot(options)
  const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true && !flags.json
  if (!flags.yes && !isTerminal) {
    throw new Refusal({
      severity: 'error',
      code: 'usage',
      message: 'there is no terminal to ask on',
      help: 'run it with --yes, or with --dry-run to see what it would do',
    })
  }
  makeStateFolder(options.state)
  const stop = listenForStop((signal) =>
    report(
      {
        type: 'notice',
        message: `${signal}: finishing the step in hand, then stopping; the same command goes on from there`,
      },
      flags,
    ),
  )
  const lock = await acquireLock(join(options.state, 'lock'), {
    waitMs: flags.wait * 1000,
    run: `steward apply ${procedure.name}`,
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
  const store = Store.open(options.state)
  try {
    return await runLocked(procedure, flags, options, { store, stop })
  } finally {
    store.close()
    lock.release()
    stop.end()
  }
}

async function runLocked(
  procedure: Procedure,
  flags: ApplyFlags,
  options: RoadOptions,
  { store, stop }: { readonly store: Store; readonly stop: Stop },
): Promise<number> {
  const { name } = procedure
  const open = store.openProcedure(name)
  const args = { ...options.with }
  if (flags.abandon && !open) {
    throw new Refusal({
      severity: 'error',
      code: 'usage',
      message: `no run of ${name} is open, so there is nothing to abandon`,
    })
  }
  if (open && !flags.restart && !flags.abandon && !sameArguments(open.arguments, args)) {
    throw new Refusal({
      severity: 'error',
      code: 'usage',
      message: `a run of ${name} with other arguments is open since ${open.run}`,
      expected: `the arguments ${JSON.stringify(open.arguments)}`,
      found: JSON.stringify(args),
      help: `give the same arguments to go on with it; or begin anew with --restart, or end it with --abandon`,
    })
  }
  const continued = open && !flags.restart
  const progress = continued ? (open.progress as Progress) : newProgress()
  const given = continued ? { ...options, with: open.arguments as Record<string, string> } : options
  if (!flags.yes) {
    showSteps(
      await planProcedure(inputOf(procedure, given, structuredClone(progress))),
      procedure,
      flags,
    )
    if (
      !(await ask(continued ? 'Go on with this procedure?' : 'Run this procedure?', {
        input: process.stdin,
        output: process.stdout,
      }))
    ) {
      print('Nothing was changed.')
      return 0
    }
  }
  const record = new RunRecord(store, { command: process.argv.slice(2), classes: [name] })
  const row = (state: ProcedureRow['state']): ProcedureRow => ({
    run: continued ? open.run : record.id,
    name,
    arguments: args,
    state,
    progress,
  })
  const save = (state: ProcedureRow['state'] = 'open') => {
    store.begin()
    store.saveProcedure(row(state))
    store.commit()
  }
  if (open && flags.restart) store.saveProcedure({ ...open, state: 'abandoned' })
  save()
  const run = (walk: typeof runProcedure, into: Progress) =>
    follow(
      recorded(
        walk({
          ...inputOf(procedure, given, into),
          run: record.id,
          keeper: record,
          stop: stop.signal,
          save,
        } satisfies RunInput),
        record,
      ),
      { planned: [], previous: new Map() },
      flags,
      false,
    )
  if (flags.abandon || (continued && procedure.resume === 'anew')) {
    if (continued && !flags.abandon)
      report({ type: 'notice', message: `closing the run of ${open.run} that was cut off` }, flags)
    const summary = await run(abandonProcedure, progress)
    if (flags.abandon || summary.status !== 'done') {
      record.finish(summary)
      save(summary.status === 'interrupted' ? 'open' : 'abandoned')
      return stop.signal.aborted
        ? stop.status()
        : exitStatus({ changed: false, failed: summary.failed > 0 }, {})
    }
    Object.assign(progress, newProgress())
    delete progress.rescuing
  }
  const summary = await run(runProcedure, progress)
  record.finish(summary)
  save(summary.status === 'interrupted' ? 'open' : summary.status)
  if (stop.signal.aborted) return stop.status()
  return exitStatus({ changed: false, failed: summary.status === 'failed' }, {})
}

function inputOf(
  { name, steps }: Procedure,
  options: RoadOptions,
  progress: Progress,
): ProcedureInput {
  return {
    name,
    steps,
    progress,
    reload: (other) =>
      load(
        other
          ? {
              ...options,
              classes: other.classes,
              manifests: [...other.manifests, ...options.manifests],
              with: {},
            }
          : { ...options, classes: [name] },
      ),
  }
}

function showSteps(steps: readonly PlannedStep[], { name }: Procedure, flags: ApplyFlags): void {
  if (flags.json)
    for (const { type: stepType, ...step } of steps)
      print(JSON.stringify({ type: 'planned_step', stepType, ...step }))
  else
    print(
      renderProcedure(name, steps, {
        paint: paintOf(process.stdout),
        width: process.stdout.columns ?? 100,
        showDiff: flags.diff,
        verbose: flags.verbose === true,
      }),
    )
}

function sameArguments(a: object, b: object): boolean {
  const sorted = (value: object) => JSON.stringify(Object.entries(value).sort())
  return sorted(a) === sorted(b)
}
