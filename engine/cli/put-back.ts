import type { Catalog } from '../compile/catalog.ts'
import { type Diagnostic, Refusal } from '../diagnostics/diagnostic.ts'
import { visibleLine } from '../diagnostics/visible.ts'
import type { Event } from '../events.ts'
import { localHost } from '../host/local.ts'
import {
  compileCatalog,
  type Loaded,
  load,
  openLibrary,
  preview,
  type RoadOptions,
  types,
} from '../index.ts'
import type { KeptRow } from '../record/bucket.ts'
import { withHiddenContents } from '../record/in-sync-files.ts'
import { madeAsMeant } from '../record/meant-files.ts'
import { pastOf } from '../record/past.ts'
import type { RunRow } from '../record/runs.ts'
import { Store } from '../record/store.ts'
import { type Remainder, type UndoInput, undoOf } from '../record/undo.ts'
import { formatTime } from '../ui/run-text.ts'
import type { ApplyFlags } from './apply-flags.ts'
import { isWanted, plannedStatus, type RunContext, runCatalog, showPlan } from './catalog-run.ts'
import { isInteractive, locked, report, tellCutOff } from './locked.ts'
import { print } from './output.ts'

/** `packages`: also remove those that the run installed. */
export type PutBackFlags = ApplyFlags

/** What is to be put back. */
export interface Chosen {
  readonly kept: readonly KeptRow[]
  readonly events: readonly Event[]
  /** What may have been changed too, though nothing on record tells how. */
  readonly unsure: readonly string[]
  /** Files that may have been made: what is known of them is told by the manifests. */
  readonly meant?: readonly KeptRow[]
  /** Of the run that it was kept by: whoever reads what is put back is among them. */
  readonly classes: readonly string[]
  /** The run that is taken back, or a part of it; absent where something else is put back. */
  readonly run?: RunRow
  /** The command as it goes on record, where that is not the one that was given. */
  readonly command?: readonly string[]
  /** Where contents come from that are not in the bucket. */
  readonly contents?: UndoInput['contents']
  /** What is to be said of it, such as what is left as it is and why. */
  readonly notices?: readonly Diagnostic[]
  /** Whether it is what somebody wants now, and not what was there: then it is checked as manifests say. */
  readonly isEdit?: boolean
}

/** Plans, shows, asks, puts back and records, as any run. `choose` throws a Refusal where there is no such thing. */
export async function putBack(
  flags: PutBackFlags,
  options: RoadOptions,
  command: readonly string[],
  choose: (store: Store) => Chosen,
): Promise<number> {
  if (flags.dryRun) {
    const store = Store.read(options.state)
    try {
      if (!store) throw new Refusal(nothingOnRecord(options.state))
      const chosen = choose(store)
      const { plan, notices } = await look(flags, options, store, chosen)
      tellTaken(chosen, flags)
      showPlan(plan, flags, notices)
      return plannedStatus(plan, flags)
    } finally {
      store?.close()
    }
  }
  const name = `steward ${command.join(' ')}`
  return locked(options, flags, { name, hasProgress: isInteractive(flags) }, (context) =>
    wetRun(flags, options, context, { command, choose }),
  )
}

async function wetRun(
  flags: PutBackFlags,
  options: RoadOptions,
  context: RunContext,
  {
    command,
    choose,
  }: { readonly command: readonly string[]; readonly choose: (store: Store) => Chosen },
): Promise<number> {
  const { store, stop } = context
  tellCutOff(store, flags)
  const chosen = choose(store)
  const { run } = chosen
  const { notices, ...planned } = await look(flags, options, store, chosen)
  tellTaken(chosen, flags)
  showPlan(planned.plan, flags, notices)
  const question = run ? `Take back run ${run.id}?` : 'Put this back?'
  if (!(await isWanted(planned.plan, flags, { question, stop }))) return stop.status()
  return runCatalog(flags, context, {
    ...planned,
    command: chosen.command ?? command,
    ...(run ? { undoes: run.id } : {}),
  })
}

/** Which run is taken back, before the plan of that. */
function tellTaken({ run }: Chosen, flags: PutBackFlags): void {
  if (!run) return
  const name = visibleLine(['steward', ...run.command].join(' '))
  const again =
    run.command[0] === 'undo'
      ? `\nrun ${visibleLine(run.id)} is an undo; this makes its changes again`
      : ''
  const message = `Taking back run ${visibleLine(run.id)} (${name}, ${formatTime(run.started)})${again}`
  if (flags.json) report({ type: 'notice', message }, flags)
  else print(`${message}\n`)
}

async function look(
  flags: PutBackFlags,
  options: RoadOptions,
  store: Store,
  {
    kept,
    events,
    classes,
    unsure,
    meant = [],
    contents,
    notices: told = [],
    isEdit = false,
  }: Chosen,
) {
  const host = localHost({ root: options.root })
  const { current, settings, mistakes } = await currentCatalog({ ...options, classes })
  const made = madeAsMeant(meant, current, { store, host })
  const { remainder, bases, ...undo } = undoOf({
    kept: [...kept, ...made.kept],
    events,
    contents: contents ?? store.contents,
    host,
    types,
    current,
    withPackages: flags.packages === true,
  })
  const back = isEdit ? asManifestsSay(undo.catalog, current) : undo.catalog
  const catalog = withHiddenContents(back, store.files.secretPaths())
  const { files, ...known } = pastOf(store, { localEdits: 'overwrite' }, { settings })
  // What was kept is put back as it was, without edits that were adopted before or since.
  const past = { ...known, files: files && { ...files, adopted: new Map() } }
  const selection = { tags: [], only: [] }
  const { states, plan } = await preview(host, catalog, { selection, past })
  const why =
    'the run was cut off when that may have been changed; put it back by hand, or have it as declared with steward apply'
  const notices = [
    ...mistakes,
    ...told,
    ...noticesOf([...remainder, ...[...unsure, ...made.unsure].map((ref) => ({ ref, why }))]),
  ]
  return { host, catalog, bases, states, plan, past, notices }
}

/** Files are checked, and their contents hidden, as their manifests say. */
function asManifestsSay(catalog: Catalog, current: Pick<Catalog, 'resources'>): Catalog {
  const declared = new Map(current.resources.map((resource) => [resource.ref, resource]))
  return {
    ...catalog,
    resources: catalog.resources.map((resource) => {
      const { desired, sensitive } = declared.get(resource.ref) ?? {}
      if (!desired || !sensitive) return resource
      const validate = 'validate' in desired ? { validate: desired.validate } : {}
      return {
        ...resource,
        desired: { ...resource.desired, ...validate },
        sensitive: new Set([...resource.sensitive, ...sensitive]),
      }
    }),
  }
}

/**
 * What the manifests want of this host: the classes that are named or, where one is a procedure, those that zulip.conf
 * lists. To put back may be the way out where they can't be compiled any more.
 */
async function currentCatalog(options: RoadOptions): Promise<{
  readonly current: Pick<Catalog, 'classes' | 'resources' | 'edges' | 'secrets'>
  readonly settings: Loaded['settings']
  readonly mistakes: readonly Diagnostic[]
}> {
  const { classes } = options
  const library = openLibrary(options)
  const isOfProcedure = classes.some((name) => library.find(name)?.steps !== undefined)
  try {
    const loaded = await load(isOfProcedure ? { ...options, classes: [] } : options)
    const { settings } = loaded
    return { current: compileCatalog(loaded).catalog, settings, mistakes: [] }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const [first] = error.diagnostics
    const whose = isOfProcedure ? 'this host' : 'the run'
    const isZulip = classes.some((name) => name.startsWith('zulip::'))
    const mistake: Diagnostic = {
      ...first,
      severity: 'warning',
      code: 'not-undone',
      message: `services are not restarted by this, for the classes of ${whose} can't be compiled now: ${first?.message}`,
      help: `restart those that read what is put back: ${isZulip ? 'steward restart, or ' : ''}systemctl restart SERVICE`,
    }
    const current = { classes, resources: [], edges: [], secrets: [] }
    return { current, settings: {}, mistakes: [mistake] }
  }
}

function nothingOnRecord(state: string): Diagnostic {
  return {
    severity: 'error',
    code: 'not-found',
    message: `no run is on record in ${state}`,
    help: 'name another state folder with --state, if the runs were recorded there',
  }
}

/** One for all that stay for the same reason. */
function noticesOf(remainder: readonly Remainder[]): Diagnostic[] {
  const reasons = Map.groupBy(remainder, ({ why }) => why).entries()
  return [...reasons].map(([why, all]): Diagnostic => {
    const refs = [...new Set(all.map(({ ref }) => ref))]
    const subject = `${refs.join(', ')} ${refs.length === 1 ? 'is' : 'are'}`
    return { severity: 'notice', code: 'not-undone', message: `${subject} not taken back: ${why}` }
  })
}
