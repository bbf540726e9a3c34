import { hash, randomBytes } from 'node:crypto'
import type { Catalog, CatalogResource } from './compile/catalog.ts'
import type { DueRefresh } from './due-refreshes.ts'
import type { HostReader } from './host/host.ts'
import type { Plan } from './plan.ts'
import type { State, States } from './probe.ts'
import type { Change } from './resources/type.ts'

/** A plan as it is kept in a file, bound to what it was made from. Holds no secret, and nothing that gives one away. */
export interface SavedPlan {
  readonly format: typeof PLAN_FORMAT
  /** When it was made: ISO 8601, UTC. */
  readonly made: string
  /** The newest run that was on record then; absent where there was none. */
  readonly lastRun?: string
  readonly host: Machine
  /** Hashed with everything, so that nobody can try out what a secret may be on other plans. */
  readonly salt: string
  readonly classes: readonly string[]
  readonly asked: Asked
  /** By reference, what was wanted of each resource and what was found of it, as hashes. */
  readonly resources: Readonly<Record<string, Bound>>
  readonly plan: Plan
}

export const PLAN_FORMAT = 'steward plan 4'

/** Which machine a plan was made on. */
export interface Machine {
  /** Its full name, for people. */
  readonly name: string
  /** A hash of its machine id, which stays when it is renamed. Absent where the tree has none. Source: machine-id(5). */
  readonly id?: string
}

/** What the command line named, which an apply of the plan is of as well. Nothing is named where a list is empty. */
export interface Asked {
  readonly classes: readonly string[]
  readonly tags: readonly string[]
  readonly only: readonly string[]
}

interface Bound {
  readonly wanted: string
  /** One for each change; none where it was in sync. */
  readonly found: readonly string[]
}

export function machineOf(host: HostReader, name: string): Machine {
  const path = '/etc/machine-id'
  const id = host.stat(path)?.kind === 'file' ? host.read(path).toString('latin1').trim() : ''
  return { name, ...(id === '' ? {} : { id: hash('sha256', `steward plan ${id}`) }) }
}

/** A plan bound to the catalog and the states that it was made from. `made` is ISO 8601, UTC. */
export function savedPlan(
  { plan, catalog, states }: { plan: Plan; catalog: Catalog; states: States },
  made: Pick<SavedPlan, 'made' | 'lastRun' | 'host' | 'asked'>,
): SavedPlan {
  const salt = randomBytes(16).toString('hex')
  const resources: Record<string, Bound> = {}
  for (const resource of catalog.resources) {
    const state = states[resource.index]
    if (state) resources[resource.ref] = bound(salt, resource, state, catalog.generated)
  }
  const { classes } = catalog
  return { format: PLAN_FORMAT, ...made, salt, classes, resources, plan }
}

/**
 * By index, why a resource is not as it was when the plan was made; nothing of those that are, of those that the plan
 * has made by now, and of those that it did not know yet.
 */
export function changedSince(
  { salt, resources }: SavedPlan,
  catalog: Catalog,
  states: States,
): ReadonlyMap<number, string> {
  const found = new Map<number, string>()
  for (const resource of catalog.resources) {
    const { index, ref } = resource
    const state = states[index]
    const then = resources[ref]
    if (!state) continue
    if (!then) {
      found.set(index, `${ref} was no part of the plan`)
      continue
    }
    const now = bound(salt, resource, state, catalog.generated)
    if (now.wanted !== then.wanted)
      found.set(
        index,
        `what manifests, zulip.conf and facts want of ${ref} has changed since the plan`,
      )
    else if (!isLeftOf(then.found, now.found) && then.found[0] !== hashed(salt, LATER))
      found.set(index, `what is there of ${ref} has changed since the plan`)
  }
  return found
}

/** Whether nothing is to be done but what was planned, some of which may have been done since. */
function isLeftOf(planned: readonly string[], now: readonly string[]): boolean {
  return now.every((change) => planned.includes(change))
}

/**
 * By index, why a refresh is not the one that was planned: an earlier run owes it only since then, or not any more, or
 * manifests have somebody else ask for it. `now` is the plan as things are, and `refused` those that are not as they
 * were: what only comes of that is not told again. What asks for none because it has been changed by now is done.
 */
export function refreshesChangedSince(
  saved: SavedPlan,
  now: Plan,
  { catalog, refused }: { catalog: Catalog; refused: ReadonlyMap<number, string> },
): ReadonlyMap<number, string> {
  const before = new Map(saved.plan.resources.map((planned) => [planned.ref, planned]))
  const due = new Map(now.resources.map(({ ref, refresh }) => [ref, refresh]))
  const isRefused = new Set<string>()
  for (const index of refused.keys()) isRefused.add(catalog.resources[index]?.ref ?? '')
  const toChange = now.resources.filter(
    ({ changes, action }) => changes.length > 0 || action === 'run',
  )
  const mayAsk = new Set(toChange.map(({ ref }) => ref)).difference(isRefused)
  const found = new Map<number, string>()
  for (const { index, ref } of catalog.resources) {
    const planned = before.get(ref)
    if (!(ref in saved.resources) || isRefused.has(ref) || planned?.action === 'later') continue
    const why = refreshChange(ref, planned?.refresh, due.get(ref), mayAsk)
    if (why !== undefined) found.set(index, why)
  }
  return found
}

function refreshChange(
  ref: string,
  before: DueRefresh | undefined,
  now: DueRefresh | undefined,
  mayAsk: ReadonlySet<string>,
): string | undefined {
  const added = (now?.from ?? []).filter((source) => !before?.from.includes(source))
  const gone = (before?.from ?? []).filter((source) => !now?.from.includes(source))
  if (added.length > 0) {
    const since = now?.owedSince === undefined ? '' : `, which run ${now.owedSince} still owes`
    return `since the plan, ${ref} is due a ${now?.by} for ${added.join(', ')}${since}`
  }
  if (gone.some((source) => mayAsk.has(source)))
    return `since the plan, ${ref} is not due a ${before?.by} for ${gone.join(', ')} any more`
  if (gone.length === 0 && before?.by !== now?.by)
    return `since the plan, ${ref} is due a ${now?.by} in place of a ${before?.by}`
  return undefined
}

/** What the plan names and the catalog does not declare any more. */
export function notDeclared({ plan }: SavedPlan, catalog: Catalog): readonly string[] {
  const declared = new Set(catalog.resources.map(({ ref }) => ref))
  return plan.resources.map(({ ref }) => ref).filter((ref) => !declared.has(ref))
}

/** A secret that each run makes anew, where there is none yet, is bound by its name. */
function bound(
  salt: string,
  { desired }: CatalogResource,
  state: State,
  generated: Catalog['generated'],
): Bound {
  const named = generated && namer(generated)
  const of = (value: unknown) => {
    const text = ordered(value)
    return hashed(salt, named?.(text) ?? text)
  }
  return { wanted: of(desired), found: stateParts(state, named).map(of) }
}

function hashed(salt: string, text: string): string {
  return hash('sha256', `${salt}${text}`)
}

function namer(generated: ReadonlyMap<string, string>): (text: string) => string {
  return (text) =>
    generated.entries().reduce((so, [secret, name]) => so.replaceAll(secret, `(${name})`), text)
}

function stateParts(
  state: State,
  named: ((text: string) => string) | undefined,
): readonly unknown[] {
  if (state.kind === 'later') return ['later']
  const { verdict } = state
  if ('blocked' in verdict) return [['blocked', verdict.blocked]]
  const changes = (verdict.changes ?? []).map((change) => changeParts(change, named))
  return 'unknown' in verdict ? [['unknown', verdict.unknown], ...changes] : changes
}

/** As it is hashed: what was not known yet when a plan was made may be anything by now. */
const LATER = ordered('later')

/** Whether changes are still those that were planned. */
export function areSame(planned: readonly Change[], now: readonly Change[]): boolean {
  const parts = (changes: readonly Change[]) =>
    JSON.stringify(changes.map((change) => changeParts(change)))
  return parts(planned) === parts(now)
}

function changeParts(
  { attribute, from, to, content, removes }: Change,
  named?: (text: string) => string,
): unknown {
  if (!content) return [attribute, from, to, removes]
  const contents = [content.from, content.to].map(
    (bytes) =>
      bytes && hash('sha256', named ? named(Buffer.from(bytes).toString('latin1')) : bytes),
  )
  return [attribute, contents]
}

/** As JSON in which the order of a mapping's keys says nothing. */
function ordered(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each) && !('toJSON' in each)
      ? Object.fromEntries(Object.entries(each).sort(([one], [other]) => (one < other ? -1 : 1)))
      : each,
  )
}
