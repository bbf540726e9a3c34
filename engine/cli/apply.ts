import { type Diagnostic, Refusal } from '../diagnostics/diagnostic.ts'
import {
  compileCatalog,
  type Loaded,
  load,
  openLibrary,
  preview,
  type RoadOptions,
} from '../index.ts'
import { withHiddenContents } from '../record/in-sync-files.ts'
import { departedListeners } from '../record/owed-refreshes.ts'
import { pastOf } from '../record/past.ts'
import { Store } from '../record/store.ts'
import type { ApplyFlags } from './apply-flags.ts'
import { isWanted, plannedStatus, type RunContext, runCatalog, showPlan } from './catalog-run.ts'
import { shownCommandLine } from './command-line.ts'
import { withExample } from './example.ts'
import { isInteractive, locked, report, tellCutOff } from './locked.ts'
import { roadOptions } from './options.ts'
import { print } from './output.ts'

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
  const preview = async (store: Store | undefined, unread: readonly Diagnostic[]) => {
    const { plan, notices } = await look(flags, options, store)
    showPlan(plan, flags, [...unread, ...notices])
    return plannedStatus(plan, flags)
  }
  let store: Store | undefined
  try {
    store = Store.read(options.state)
    return await preview(store, [])
  } catch (error) {
    // What the record can't tell keeps nobody from seeing what the manifests want.
    if (!(error instanceof Refusal) || error.diagnostics[0]?.code !== 'state') throw error
    return await preview(undefined, error.diagnostics.map(asWarning))
  } finally {
    store?.close()
  }
}

function asWarning(diagnostic: Diagnostic): Diagnostic {
  return { ...diagnostic, severity: 'warning' }
}

/** Reads everything and asks the host: what a dry run does, and what an apply begins with. */
async function look(flags: ApplyFlags, options: RoadOptions, store: Store | undefined) {
  const loaded = await load(options)
  const compiled = compileCatalog(loaded)
  const catalog = withHiddenContents(compiled.catalog, store?.files.paths('sensitive') ?? new Set())
  const { host } = loaded
  const past = pastOf(store, options, loaded)
  const { states, plan } = await preview(host, catalog, {
    selection: { tags: flags.tags ?? [], only: flags.only ?? [] },
    past,
  })
  const notices = [...loaded.notices, ...compiled.notices]
  return { loaded, host, catalog, states, plan, past, notices }
}

async function wetRun(
  flags: ApplyFlags,
  options: RoadOptions,
  context: RunContext,
): Promise<number> {
  const { store, stop } = context
  tellCutOff(store, flags)
  const { loaded, notices, ...planned } = await look(flags, options, store)
  const { catalog, past, plan } = planned
  showPlan(plan, flags, notices)
  if (!(await isWanted(plan, flags, { question: 'Apply these changes?', stop })))
    return stop.status()
  const command = shownCommandLine(namedClass(loaded))
  return runCatalog(flags, context, {
    ...planned,
    command,
    before: (record) => {
      for (const { listener, source } of departedListeners(past.owed, catalog, store.runs)) {
        const message = `${listener} was owed a refresh because ${source} changed, and is not declared any more; it is left as it is`
        report({ type: 'notice', message }, flags)
        record.paid(listener)
      }
    },
  })
}

/** The one class that `--with` is for. */
function namedClass({ library, input }: Loaded) {
  const [named, ...others] = input.classes
  return named && others.length === 0 ? library.find(named.name) : undefined
}

/** The one class that is named, where it is a procedure. */
function procedureOf({ classes, ...options }: RoadOptions) {
  const [name, ...others] = classes
  if (name === undefined || others.length > 0) return undefined
  const manifest = openLibrary(options).find(name)
  return manifest?.steps ? { ...manifest, steps: manifest.steps } : undefined
}
