import type { Catalog, CatalogResource } from './compile/catalog.ts'
import { type ContentDiff, contentDiff } from './content-diff.ts'
import {
  type DueRefresh,
  isLeftAlone,
  type OwedRefresh,
  type PlannedRefreshes,
  plannedRefreshes,
} from './due-refreshes.ts'
import { neighbours, pairs, successors } from './graph.ts'
import type { States } from './probe.ts'
import { redactor, SECRET } from './redactor.ts'
import type { Change, FileHistory, ResourceType, Shown, Verdict } from './resources/type.ts'

/** What earlier runs left. */
export interface Past {
  /** Files whose contents held a secret when steward wrote them. */
  readonly secretPaths: ReadonlySet<string>
  readonly owed: readonly OwedRefresh[]
  readonly files: FileHistory
  /** What was managed once and is not any more; absent where nobody asked. */
  readonly orphans?: PlannedOrphans
}

/** How many things are there still that were managed once, those that this plan removes aside. */
export interface PlannedOrphans {
  readonly left: number
  /** Those of them that were edited here. */
  readonly edited: number
  /** Set where it removes those that may go, and which. */
  readonly removes?: 'files' | 'packages'
}

/** What a plan has in mind for a resource. */
export type Action =
  | 'create'
  | 'change'
  | 'remove'
  | 'run'
  | 'refresh'
  | 'later'
  | 'blocked'
  | 'unknown'

export interface PlannedChange {
  readonly attribute: string
  readonly from: Shown
  readonly to: Shown
  readonly diff?: ContentDiff
  readonly note?: string
  /** Every path that is gone after it, where that is not just the resource's own. */
  readonly removes?: readonly string[]
  /** What somebody did here that goes with the change. */
  readonly edit?: string
  /** Where what was edited lies, where the resource names a link to it. */
  readonly at?: string
}

/** A resource with which something is to happen, or of which something is to be told. Holds no secret. */
export interface PlannedResource {
  readonly index: number
  readonly ref: string
  readonly type: string
  readonly title: string
  readonly action: Action
  readonly changes: readonly PlannedChange[]
  readonly refresh?: DueRefresh
  /** For `later`: the resource that must come first. For `blocked` and `unknown`: the reason. */
  readonly because?: string
  readonly help?: string
  /** For `blocked`: the lines in which a local edit and a new version contradict each other; empty where they are secret or too many. */
  readonly conflict?: string
  readonly note?: string
  readonly noop?: true
}

/** What an apply would do, in its order. A value that can be saved and compared. */
export interface Plan {
  readonly classes: readonly string[]
  readonly resources: readonly PlannedResource[]
  /** How many resources were asked about, and how many of them need nothing. */
  readonly total: number
  readonly inSync: number
  /** How many may differ and are left as they are, for nothing can be done about them in this tree; none where absent. */
  readonly leftAlone?: number
  /** How many are as somebody edited them here, which is kept; none where absent. */
  readonly edited?: number
  /** In sync, with something to say: "kept", "it runs only on a refresh". */
  readonly notes: readonly { readonly ref: string; readonly note: string }[]
  /** How many commands of manifests had to be run to know (guards). */
  readonly asked?: number
  /**
   * Why commands can't run on this tree ("not possible under --root"), so that
   * packages, services and commands are left alone.
   */
  readonly cannotRun?: string
  readonly orphans?: PlannedOrphans
  /**
   * How many resources each action is meant for, `noop` ones aside. Of what goes, each path below a directory counts
   * too, and a directory that only loses what is below it is not changed itself.
   */
  readonly counts: Readonly<Record<Action, number>>
}

export interface PlanInput {
  readonly catalog: Catalog
  readonly states: States
  readonly types: ReadonlyMap<string, ResourceType>
  /** Why commands can't run on the host, where they can't. */
  readonly cannotRun?: string | undefined
  /** What earlier runs still owe; nothing when absent. */
  readonly owed?: readonly OwedRefresh[]
  readonly orphans?: PlannedOrphans | undefined
}

const NO_REFRESHES: PlannedRefreshes = { due: new Map(), open: new Map() }

/** Catalog and states as ordered changes with reasons. Pure. */
export function plan(input: PlanInput): Plan {
  const { catalog, states, types, cannotRun, owed = [], orphans } = input
  const redact = redactor(catalog.secrets)
  // A refresh runs commands, which a tree that can't run any is spared.
  const refreshes =
    cannotRun === undefined ? plannedRefreshes({ catalog, states, types, owed }) : NO_REFRESHES
  const blocked = blockedRoots(catalog, states)
  const planned: PlannedResource[] = []
  const notes: { ref: string; note: string }[] = []
  let total = 0
  let asked = 0
  let leftAlone = 0
  let edited = 0
  for (const index of catalog.order) {
    const resource = catalog.resources[index] as CatalogResource
    const state = states[index]
    if (!state) continue
    total++
    const type = types.get(resource.type)
    if (state.kind === 'known' && cannotRun === undefined && type?.asks?.(resource.desired)) asked++
    const own = plannedResource(catalog, resource, state, {
      refresh: refreshes.due.get(index),
      mayRefresh: catalog.resources[refreshes.open.get(index) ?? -1]?.ref,
      generated: catalog.generated ?? new Map(),
      mayDecline: type?.mayDecline?.(resource.desired) === true,
      redact,
    })
    const item = own && waitingFor(own, blocked[index])
    if (!item && isLeftAlone(state)) leftAlone++
    if (!item && state.kind === 'known' && 'keepsEdit' in state.verdict) edited++
    if (item) planned.push(item)
    else if (
      state.kind === 'known' &&
      'changes' in state.verdict &&
      'note' in state.verdict &&
      state.verdict.note !== undefined
    ) {
      notes.push({ ref: resource.ref, note: redact(state.verdict.note) })
    }
  }
  const counts = {
    create: 0,
    change: 0,
    remove: 0,
    run: 0,
    refresh: 0,
    later: 0,
    blocked: 0,
    unknown: 0,
  }
  for (const item of planned) if (!item.noop) count(item, counts)
  return {
    classes: catalog.classes,
    resources: planned,
    total,
    inSync: total - planned.length - leftAlone - edited,
    ...(leftAlone === 0 ? {} : { leftAlone }),
    ...(edited === 0 ? {} : { edited }),
    notes,
    counts,
    asked,
    ...(cannotRun === undefined ? {} : { cannotRun }),
    ...(orphans && (orphans.left > 0 || orphans.removes) ? { orphans } : {}),
  }
}

function count({ action, changes }: PlannedResource, counts: Record<Action, number>): void {
  const gone = changes.reduce((sum, { removes = [] }) => sum + removes.length, 0)
  const isLoss =
    changes.length > 0 && changes.every(({ to, removes }) => removes && to === 'absent')
  counts.remove += gone
  if (action === 'remove' ? gone === 0 : !isLoss) counts[action]++
}

/** What would be done to a resource is not done while something before it is blocked. */
function waitingFor(item: PlannedResource, root: string | undefined): PlannedResource {
  if (root === undefined || item.action === 'blocked') return item
  const { refresh: _refresh, ...rest } = item
  return { ...rest, action: 'blocked', changes: [], because: `it waits for ${root}` }
}

/** For each resource that comes after a blocked one, the reference of that one. */
function blockedRoots(catalog: Catalog, states: States): readonly (string | undefined)[] {
  const roots: (string | undefined)[] = []
  if (!states.some((state) => state?.kind === 'known' && 'blocked' in state.verdict)) return roots
  const next = successors(catalog.resources.length, pairs(catalog.edges))
  for (const index of catalog.order) {
    const state = states[index]
    const isBlocked = state?.kind === 'known' && 'blocked' in state.verdict
    const root = isBlocked ? catalog.resources[index]?.ref : roots[index]
    if (root === undefined) continue
    for (const other of neighbours(next, index)) roots[other] ??= root
  }
  return roots
}

/** Whether an apply of this plan would change the host. */
export function wouldChange({ counts }: Plan): boolean {
  return (
    counts.create + counts.change + counts.remove + counts.run + counts.refresh + counts.later > 0
  )
}

function plannedResource(
  catalog: Catalog,
  resource: CatalogResource,
  state: NonNullable<States[number]>,
  how: {
    readonly refresh: PlannedResource['refresh']
    /** A resource of which it is known later whether it asks for a refresh. */
    readonly mayRefresh: string | undefined
    readonly mayDecline: boolean
    readonly redact: (text: string) => string
    readonly generated: ReadonlyMap<string, string>
  },
): PlannedResource | undefined {
  const { refresh, mayRefresh, mayDecline, redact, generated } = how
  const { index, ref, type, title } = resource
  if (state.kind === 'known' && !refresh && mayRefresh === undefined && hasNothing(state.verdict))
    return undefined
  const common = {
    index,
    ref,
    type,
    title,
    ...(refresh ? { refresh } : {}),
    ...(resource.noop ? { noop: true as const } : {}),
  }
  if (state.kind === 'later') {
    return {
      ...common,
      action: 'later',
      changes: desiredAsChanges(resource, redact),
      because: catalog.resources[state.on]?.ref ?? '',
    }
  }
  const { verdict } = state
  if ('blocked' in verdict) {
    return {
      ...common,
      action: 'blocked',
      changes: [],
      because: redact(verdict.blocked),
      ...(verdict.help ? { help: redact(verdict.help) } : {}),
      ...conflictOf(resource, verdict, redact),
    }
  }
  if ('unknown' in verdict) {
    return {
      ...common,
      action: 'unknown',
      changes: plannedChanges(resource, verdict.changes ?? [], redact, generated),
      because: redact(verdict.unknown),
    }
  }
  if (verdict.changes.length === 0 && (!refresh || mayDecline)) {
    return {
      ...common,
      action: 'later',
      changes: [],
      because: refresh?.from[0] ?? mayRefresh ?? '',
    }
  }
  if (verdict.changes.length === 0)
    return { ...common, action: type === 'exec' ? 'run' : 'refresh', changes: [] }
  return {
    ...common,
    action: actionOf(verdict.changes),
    changes: plannedChanges(resource, verdict.changes, redact, generated),
    ...noteOf(resource, verdict, redact),
  }
}

function noteOf(
  { why }: CatalogResource,
  { note }: { readonly note?: string },
  redact: (text: string) => string,
): { readonly note?: string } {
  const notes = [why, note && redact(note)].filter((each) => each !== undefined)
  return notes.length === 0 ? {} : { note: notes.join('; ') }
}

/** What a conflict shows; nothing of a file that holds a secret. */
export function conflictOf(
  { sensitive }: CatalogResource,
  { conflict }: { readonly conflict?: string },
  redact: (text: string) => string,
): { readonly conflict?: string } {
  if (conflict === undefined) return {}
  return { conflict: sensitive.has('*') || sensitive.has('content') ? '' : redact(conflict) }
}

function hasNothing(verdict: Verdict): boolean {
  return 'changes' in verdict && !('unknown' in verdict) && verdict.changes?.length === 0
}

/** The kind of act that changes amount to. */
export function actionOf(changes: readonly Change[]): Action {
  if (changes.some(({ attribute }) => attribute === 'run')) return 'run'
  const ensure = changes.find(({ attribute }) => attribute === 'ensure')
  if (ensure?.from === 'absent' || (ensure && ensure.from === undefined)) return 'create'
  if (ensure?.to === 'absent' || ensure?.to === 'purged') return 'remove'
  return 'change'
}

/**
 * Changes as people may see them: without secrets, with a diff of what is replaced. `generated` are the secrets that
 * only the apply makes, if this is its plan.
 */
export function plannedChanges(
  resource: CatalogResource,
  changes: readonly Change[],
  redact: (text: string) => string,
  generated: ReadonlyMap<string, string> = new Map(),
): PlannedChange[] {
  return changes.map((change) => {
    const { attribute, from, to, content, note, removes, edit, at } = change
    const isSecret = resource.sensitive.has('*') || resource.sensitive.has(attribute)
    const said = {
      ...(note === undefined ? {} : { note: redact(note) }),
      ...(removes === undefined ? {} : { removes: removes.map(redact) }),
      ...(edit === undefined ? {} : { edit }),
      ...(at === undefined ? {} : { at }),
    }
    if (isSecret)
      return {
        attribute,
        from: from === undefined ? undefined : SECRET,
        to: to === undefined ? undefined : holdsAny(generated, resource, change) ? LATER : SECRET,
        ...said,
      }
    // What is made anew is told by its name and size; a diff is for what is there and differs.
    const diff =
      content?.from && content.to
        ? contentDiff(content.from, content.to, resource.title)
        : undefined
    return {
      attribute,
      from: redactShown(from, redact),
      to: redactShown(to, redact),
      ...(diff ? { diff: 'text' in diff ? { ...diff, text: redact(diff.text) } : diff } : {}),
      ...said,
    }
  })
}

/** What stands for a secret that there is not before the apply that makes it. */
export const LATER = '(known after apply)'

/** Whether a change puts one of the secrets somewhere, alone or inside of a text. */
function holdsAny(
  secrets: ReadonlyMap<string, string>,
  { desired }: CatalogResource,
  { attribute, to, content }: Change,
): boolean {
  if (secrets.size === 0) return false
  const wanted = (desired as Record<string, unknown>)[attribute]
  const text = content?.to
    ? Buffer.from(content.to).toString('latin1')
    : JSON.stringify([to, wanted])
  return secrets.keys().some((secret) => text.includes(secret))
}

function redactShown(value: Shown, redact: (text: string) => string): Shown {
  if (typeof value === 'string') return redact(value)
  return Array.isArray(value) ? value.map(redact) : value
}

/** What a resource that can't be looked at yet is meant to become. */
function desiredAsChanges(
  resource: CatalogResource,
  redact: (text: string) => string,
): PlannedChange[] {
  const changes: PlannedChange[] = []
  for (const attribute of ['ensure', 'enable', 'owner', 'group', 'mode']) {
    const value = (resource.desired as Record<string, unknown>)[attribute]
    if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') {
      changes.push({
        attribute,
        from: undefined,
        to: typeof value === 'string' ? redact(value) : value,
      })
    }
  }
  return changes
}
