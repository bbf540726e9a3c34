import { Refusal } from '../diagnostics/diagnostic.ts'
import {
  compileCatalog,
  type Loaded,
  load,
  openLibrary,
  preview,
  type RoadOptions,
} from '../index.ts'
import { withHiddenContents } from '../record/in-sync-files.ts'
import type { OrphanKind } from '../record/orphan.ts'
import { departedListeners } from '../record/owed-refreshes.ts'
import { pastOf } from '../record/past.ts'
import type { Store } from '../record/store.ts'
import { machineOf, type SavedPlan, savedPlan } from '../saved-plan.ts'
import type { ApplyFlags } from './apply-flags.ts'
import { asAsked, boundBy, planNotices, refuseElsewhere } from './bound-plan.ts'
import { isWanted, plannedStatus, type RunContext, runCatalog, showPlan } from './catalog-run.ts'
import { shownCommandLine } from './command-line.ts'
import { withExample } from './example.ts'
import { isInteractive, locked, mustBeAllowed, report, tellCutOff } from './locked.ts'
import { roadOptions } from './options.ts'
import { lookForOrphans } from './orphans.ts'
import { print } from './output.ts'
import { readPlan, writePlan } from './plan-file.ts'
import { previewing } from './previewing.ts'

/**
 * `steward apply`: 0 done or nothing to do, 1 refused before anything was touched, 4 something
 * failed; 2 is added where it is asked for.
 */
export async function run(given: ApplyFlags, named: readonly string[]): Promise<number> {
  if (!Number.isFinite(given.wait) || given.wait < 0) {
    throw new Refusal({
      severity: 'error',
      code: 'usage',
      message: '--wait takes a number of seconds',
    })
  }
  refuseMixed(given)
  const saved = given.plan === undefined ? undefined : readPlan(given.plan)
  const { flags, classes } = saved ? asAsked(saved, given, named) : { flags: given, classes: named }
  const { localEdits } = flags
  const road = {
    ...roadOptions(flags, classes, flags.dryRun !== true),
    ...(localEdits === undefined ? {} : { localEdits }),
  }
  const { options, told } = flags.dryRun ? withExample(road) : { options: road }
  if (told !== undefined && !flags.json) print(`${told}\n`)
  // Nothing is kept before it is known that somebody may do this.
  const procedure = procedureOf({ ...options, mayKeep: false })
  if (!flags.dryRun) mustBeAllowed(options, flags, procedure?.allowedUsers)
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
    wetRun(flags, options, context, saved),
  )
}

function dryRun(flags: ApplyFlags, options: RoadOptions): Promise<number> {
  return previewing(options.state, async (store, unread) => {
    const looked = await look(flags, options, store)
    showPlan(looked.plan, flags, [...unread, ...looked.notices])
    if (flags.out !== undefined) {
      const { tags = [], only = [] } = flags
      const made = new Date().toISOString()
      const host = machineOf(looked.host, looked.loaded.facts.fqdn)
      const asked = { classes: options.classes, tags, only }
      const [last] = store?.runs.list(1) ?? []
      const lastRun = last ? { lastRun: last.id } : {}
      writePlan(flags.out, savedPlan(looked, { made, host, asked, ...lastRun }))
    }
    return plannedStatus(looked.plan, flags)
  })
}

function refuseMixed(flags: ApplyFlags): void {
  const { dryRun, out, plan, removeOrphans, packages, tags = [], only = [] } = flags
  const wrong =
    out !== undefined && !dryRun
      ? '--out is for a dry run, which saves its plan'
      : plan !== undefined && dryRun
        ? '--plan is for an apply; steward show prints a saved plan'
        : packages && !removeOrphans
          ? '--packages is for --remove-orphans'
          : removeOrphans && tags.length + only.length > 0
            ? '--remove-orphans is for a run of everything, without --tags and --only'
            : undefined
  if (wrong !== undefined) throw new Refusal({ severity: 'error', code: 'usage', message: wrong })
}

/** Reads everything and asks the host: what a dry run does, and what an apply begins with. */
async function look(
  flags: ApplyFlags,
  options: RoadOptions,
  store: Store | undefined,
  saved?: SavedPlan,
) {
  const loaded = await load(options)
  if (saved) refuseElsewhere(saved, loaded.host, loaded.facts.fqdn)
  const compiled = compileCatalog(loaded)
  const { host, coverage } = loaded
  const removes = saved ? saved.plan.orphans?.removes : whatToRemove(flags, loaded)
  const found = await lookForOrphans(compiled.catalog, loaded, { store, removes })
  const past = { ...pastOf(store, options, loaded), orphans: found.orphans }
  const catalog = withHiddenContents(found.catalog, past.secretPaths)
  const looked = await preview(host, catalog, {
    selection: { tags: flags.tags ?? [], only: flags.only ?? [] },
    past,
  })
  const notices = [...loaded.notices, ...compiled.notices]
  return { loaded, host, catalog, coverage, gone: found.gone, ...looked, past, notices }
}

/** Which orphans a run removes: as it was told, else as the site file says. */
function whatToRemove(
  { removeOrphans, packages, tags = [], only = [] }: ApplyFlags,
  { coverage, settings }: Loaded,
): OrphanKind | undefined {
  if (!removeOrphans) return tags.length + only.length > 0 ? undefined : settings.removeOrphans
  if (!coverage.isPartial) return packages ? 'packages' : 'files'
  throw new Refusal({
    severity: 'error',
    code: 'usage',
    message: '--remove-orphans needs all classes of the host, and these are only some of them',
    help: 'name no class: then all that zulip.conf lists are applied',
  })
}

async function wetRun(
  flags: ApplyFlags,
  options: RoadOptions,
  context: RunContext,
  saved: SavedPlan | undefined,
): Promise<number> {
  const { store, stop } = context
  const { loaded, notices, gone: settled, ...looked } = await look(flags, options, store, saved)
  const open = store.procedures.allOpen().map(({ name }) => name)
  tellCutOff(store, flags, ({ classes }) => !classes.some((name) => open.includes(name)))
  const planned = saved ? boundBy(saved, looked) : looked
  const { catalog, past } = planned
  const bound = saved ? planNotices(saved, catalog, store) : []
  showPlan(planned.plan, flags, [...notices, ...bound])
  if (!(await isWanted(planned.plan, flags, { question: 'Apply these changes?', stop })))
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
      for (const ref of settled) store.managed.forget(ref)
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
