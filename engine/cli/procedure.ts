import type { Catalog } from '../compile/catalog.ts'
import { Refusal } from '../diagnostics/diagnostic.ts'
import { load, openLibrary, type RoadOptions } from '../index.ts'
import type { Manifest, ResourceDecl } from '../load/manifest.ts'
import { type PlannedStep, planProcedure } from '../procedure/plan.ts'
import { newProgress, type Progress } from '../procedure/progress.ts'
import { abandonProcedure, runProcedure } from '../procedure/run.ts'
import { sealed, unsealed } from '../procedure/sealed.ts'
import type { OtherClasses, ProcedureInput } from '../procedure/step.ts'
import { stepsDigest } from '../procedure/steps-digest.ts'
import { absencesOf } from '../record/absences.ts'
import { pastOf } from '../record/past.ts'
import type { ProcedureRow } from '../record/procedures.ts'
import { RunRecord } from '../record/run-record.ts'
import { partWriters, secretWriters } from '../record/secret-writers.ts'
import type { Store } from '../record/store.ts'
import { stepLine } from '../ui/json.ts'
import { type Before, renderProcedure, willFail } from '../ui/procedure-text.ts'
import { type ApplyFlags, exitStatus } from './apply-flags.ts'
import { shownCommandLine } from './command-line.ts'
import { agreed, followPlainly, locked, recorded, report, tellCutOff } from './locked.ts'
import { outputColumns, paintOf, print, showDiagnostics } from './output.ts'
import { previewing } from './previewing.ts'
import type { Stop } from './stop.ts'

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
    return previewing(options.state, async (store, unread) => {
      const progress = progressBefore(store, procedure, flags, options)
      const planned = await planProcedure(inputOf(procedure, options, progress, store))
      showDiagnostics(unread, { json: flags.json })
      await showSteps(planned, procedure, flags, { options, store })
      return exitStatus({ changed: false, failed: willFail(planned) }, {})
    })
  }
  return locked(
    options,
    flags,
    {
      name: `steward apply ${procedure.name}`,
      hasProgress: false,
      allowedUsers: procedure.allowedUsers,
    },
    (context) => runLocked(procedure, flags, options, context),
  )
}

/** Why a run of a procedure would end before it changed anything; undefined where it would not. */
export async function whyNot(
  procedure: Procedure,
  options: RoadOptions,
  store: Store | undefined,
): Promise<string | undefined> {
  const named = { ...options, classes: [procedure.name] }
  const steps = await planProcedure(inputOf(procedure, named, newProgress(), store))
  const last = steps.at(-1)?.state
  return willFail(steps) && last?.kind === 'fails' ? last.message : undefined
}

async function runLocked(
  procedure: Procedure,
  flags: ApplyFlags,
  options: RoadOptions,
  { store, stop }: { readonly store: Store; readonly stop: Stop },
): Promise<number> {
  const steps = stepsDigest(procedure, openLibrary(options))
  const open = openRun(store, procedure, flags, options, steps)
  const begun = open && unsealed(open)
  const progress = begun?.progress ?? newProgress()
  // A run that is only to be ended keeps its own arguments; what begins anew has those of this command.
  const asBegun = begun ? { ...options, with: begun.arguments } : options
  const endsFirst = open !== undefined && (flags.abandon === true || procedure.resume === 'anew')
  const given = flags.abandon ? asBegun : options
  tellCutOff(store, flags, ({ classes }) => {
    return open !== undefined && !endsFirst && classes.includes(procedure.name)
  })
  if (!flags.yes) {
    const copy = endsFirst ? newProgress() : structuredClone(progress)
    const planned = await planProcedure(inputOf(procedure, given, copy, store))
    await showSteps(planned, procedure, flags, { options: given, store })
    const question = open ? 'Go on with this procedure?' : 'Run this procedure?'
    if (!(await agreed(question, stop.signal))) {
      print('Nothing was changed.')
      return stop.status()
    }
  }
  const replaced = flags.restart ? store.procedures.open(procedure.name) : undefined
  if (replaced) store.procedures.save({ ...replaced, state: 'abandoned' })
  progress.steps = steps
  /** Resources of the steps so far whose content holds a secret. */
  const sensitive = new Set<string>()
  /** And those that keep only a part of a file. */
  const partial = new Set<string>()
  const record = new RunRecord(store, {
    command: shownCommandLine(procedure),
    classes: [procedure.name],
    isSensitive: (ref) => sensitive.has(ref),
    isPartial: (ref) => partial.has(ref),
  })
  let { with: kept } = endsFirst ? asBegun : given
  const save = (state: ProcedureRow['state'] = 'open') => {
    store.procedures.save({
      run: open?.run ?? record.id,
      name: procedure.name,
      state,
      ...sealed(procedure, { arguments: kept, progress }),
    })
  }
  save()
  const walk = (how: typeof runProcedure, from: RoadOptions) => {
    const input = {
      ...inputOf(procedure, from, progress, store),
      run: record.id,
      keeper: record,
      stop: stop.signal,
      save,
      onCatalog: (catalog: Catalog, classes: OtherClasses | undefined) => {
        const writers = secretWriters(catalog, store.files.secretPaths())
        for (const ref of writers) sensitive.add(ref)
        for (const ref of partWriters(catalog)) partial.add(ref)
        if (classes)
          store.managed.note(catalog, classes.states, classes.fresh.host, classes.fresh.coverage)
      },
    }
    return followPlainly(recorded(how(input), record), flags)
  }
  if (endsFirst) {
    if (!flags.abandon) {
      report({ type: 'notice', message: `closing the run ${open?.run}, which was cut off` }, flags)
    }
    const summary = await walk(abandonProcedure, asBegun)
    if (flags.abandon || summary.status !== 'done') {
      record.finish(summary)
      save(summary.status === 'interrupted' ? 'open' : 'abandoned')
      if (stop.signal.aborted) return stop.status()
      return exitStatus({ changed: false, failed: summary.status === 'failed' }, {})
    }
    Object.assign(progress, newProgress())
    delete progress.rescuing
    kept = given.with
  }
  const summary = await walk(runProcedure, given)
  record.finish(summary)
  save(summary.status === 'interrupted' ? 'open' : summary.status)
  if (stop.signal.aborted) return stop.status()
  return exitStatus({ changed: false, failed: summary.status === 'failed' }, {})
}

/** Where this command would begin: what a run that it would go on with has done. Throws where it would be refused. */
function progressBefore(
  store: Store | undefined,
  procedure: Procedure,
  flags: ApplyFlags,
  options: RoadOptions,
): Progress {
  const steps = stepsDigest(procedure, openLibrary(options))
  const open = store && openRun(store, procedure, flags, options, steps)
  const endsFirst = flags.abandon === true || procedure.resume === 'anew'
  return open && !endsFirst ? unsealed(open).progress : newProgress()
}

/** The open run that this command goes on with or ends; undefined where it begins anew. */
function openRun(
  store: Store,
  procedure: Procedure,
  flags: ApplyFlags,
  options: RoadOptions,
  steps: string,
): ProcedureRow | undefined {
  const { name, resume } = procedure
  const open = store.procedures.open(name)
  if (!open) {
    if (!flags.abandon) return undefined
    throw new Refusal({
      severity: 'error',
      code: 'usage',
      message: `no run of ${name} is open, so there is nothing to abandon`,
    })
  }
  if (flags.restart) return undefined
  if (flags.abandon) return open
  const begun = unsealed(open)
  if (resume === 'anew') return open
  if (sameArguments(begun.arguments, options.with)) {
    if (begun.progress.steps === steps) return open
    throw new Refusal({
      severity: 'error',
      code: 'usage',
      message: `the steps of ${name} are not those that its open run began with: ${open.run}`,
      help: 'give --restart to begin anew, --abandon to end it, or put its manifests back to go on with it',
    })
  }
  throw new Refusal({
    severity: 'error',
    code: 'usage',
    message: `a run of ${name} with other arguments is open: ${open.run}`,
    expected: shownArguments(procedure, begun.arguments),
    found: shownArguments(procedure, options.with),
    help: 'give the same arguments to go on with it, --restart to begin anew, or --abandon to end it',
  })
}

function inputOf(
  { name, steps }: Procedure,
  options: RoadOptions,
  progress: Progress,
  store: Store | undefined,
): ProcedureInput {
  return {
    name,
    steps,
    progress,
    past: (fresh) => pastOf(store, options, fresh),
    async reload(other) {
      if (other) {
        const { classes } = other
        const manifests = [...other.manifests, ...options.manifests]
        return load({ ...options, classes, manifests, with: {} })
      }
      const own = await load({ ...options, classes: [name] })
      // A step is no class of the host, and whole by itself.
      return { ...own, input: { ...own.input, isPartial: false } }
    },
  }
}

async function showSteps(
  steps: readonly PlannedStep[],
  { name }: Procedure,
  flags: ApplyFlags,
  { options, store }: { readonly options: RoadOptions; readonly store: Store | undefined },
): Promise<void> {
  const { notices, misspelt } = await load({ ...options, classes: [name] })
  showDiagnostics([...notices, ...misspelt()], { json: flags.json })
  if (flags.json) {
    for (const step of steps) print(stepLine(step))
    return
  }
  print(
    renderProcedure(name, steps, {
      paint: paintOf(process.stdout),
      width: outputColumns() ?? Number.POSITIVE_INFINITY,
      showDiff: flags.diff,
      verbose: flags.verbose === true,
      before: store && lastTime(name, store),
    }),
  )
}

/** How long what a procedure stops was away when it last did so and ran to its end; undefined where it never has. */
function lastTime(name: string, { runs }: Store): Before | undefined {
  for (const { id, classes, status, command } of runs.list()) {
    if (!classes.includes(name) || status !== 'done' || command[0] === 'undo') continue
    const away = absencesOf(runs.events(id))
    if (away.size > 0) return { run: id, away }
  }
  return undefined
}

function sameArguments(a: object, b: object): boolean {
  const sorted = (value: object) =>
    JSON.stringify(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
  return sorted(a) === sorted(b)
}

function shownArguments(procedure: Procedure, given: Readonly<Record<string, string>>): string {
  const written = Object.entries(given).map(([name, value]) => `${name}=${value}`)
  if (written.length === 0) return 'none'
  return shownCommandLine(procedure, written)
    .map((argument) => `--with ${argument}`)
    .join(' ')
}
