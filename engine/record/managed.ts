import { hash } from 'node:crypto'
import type { Catalog, CatalogResource } from '../compile/catalog.ts'
import type { FileKind, HostReader } from '../host/host.ts'
import type { States } from '../probe.ts'
import { followLinks } from '../resources/links.ts'
import { normalPath } from '../resources/path.ts'
import type { Database } from './database.ts'

/** Something that a catalog declared when a run was made of it. */
export interface Managed {
  readonly ref: string
  /** Whether a run made it, or started it: what was there before steward is not to go with it. */
  readonly isMade: boolean
  /** The paths that it is or writes whole; none of a package and the like. */
  readonly paths: readonly ManagedPath[]
  /** Set for a directory whose contents came along. */
  readonly recurses?: true
}

interface ManagedPath {
  readonly path: string
  readonly kind: FileKind
  /** Of a link. */
  readonly target?: string
}

/** Which classes a run is of. */
export interface Coverage {
  /** What it can speak for: names of classes, and `ZULIP_CONF` where it has all that this lists. */
  readonly speaksFor: ReadonlySet<string>
  /** What stands for it on record. */
  readonly noted: readonly string[]
  /** Whether other classes, which were left out, may declare what these do not. */
  readonly isPartial: boolean
}

/** Stands for the classes that zulip.conf lists, whichever these are. */
const ZULIP_CONF = 'zulip.conf'

/** `named` are the classes that were named, none where they are those of zulip.conf; `listed` are the latter. */
export function coverageOf(named: readonly string[], listed: readonly string[]): Coverage {
  const isPartial = named.length > 0 && listed.some((name) => !named.includes(name))
  if (named.length === 0)
    return { speaksFor: new Set([ZULIP_CONF, ...listed]), noted: [ZULIP_CONF], isPartial: false }
  const hasAll = listed.length > 0 && !isPartial
  return {
    speaksFor: new Set(hasAll ? [ZULIP_CONF, ...named] : named),
    noted: named.map((name) => (listed.includes(name) ? ZULIP_CONF : name)),
    isPartial,
  }
}

interface Body extends Omit<Managed, 'ref'> {
  /** The classes of the runs that declared it. */
  readonly by: readonly string[]
}

/** What leaves nothing that is its own, or answers a question that is asked once. */
const LASTS_NOT = new Set(['exec', 'tidy', 'debconf', 'download', 'archive', 'supervisor_program'])

/** What runs of steward declared, so that what is declared no more can be told. */
export class ManagedRecords {
  readonly #db: Database

  constructor(database: Database) {
    this.#db = database
  }

  /** Takes down what a run is of, as far as it was asked about; what nobody declares any more stays. */
  note(catalog: Catalog, states: States, host: HostReader, coverage: Coverage): void {
    const { speaksFor, noted } = coverage
    const digest = digestOf(catalog)
    if (this.#known(digest, coverage)) return
    this.#db.begin()
    // What one run takes down may be what another goes by.
    this.#db.run('DELETE FROM noted')
    const bodies = this.#bodies()
    let isWhole = true
    for (const resource of catalog.resources) {
      const state = states[resource.index]
      if (!state) isWhole = false
      if (!state || !lasts(resource)) continue
      const before = bodies.get(resource.ref)
      const others = before?.by.filter((name) => !speaksFor.has(name)) ?? []
      const body: Body = {
        by: [...new Set([...others, ...noted])].sort(),
        isMade: before?.isMade ?? isToBeMade(state),
        paths: pathsOf(resource, host),
        ...('recurse' in resource.desired && resource.desired.recurse === true
          ? { recurses: true as const }
          : {}),
      }
      const text = JSON.stringify(body)
      if (!before || text !== JSON.stringify(before))
        this.#db.run('INSERT OR REPLACE INTO managed (ref, body) VALUES (?, ?)', resource.ref, text)
      bodies.set(resource.ref, body)
    }
    if (!isWhole) return
    const dropped = JSON.stringify(droppedOf(bodies, catalog, coverage))
    const sql = 'INSERT INTO noted (coverage, digest, dropped) VALUES (?, ?, ?)'
    this.#db.run(sql, keyOf(coverage), digest, dropped)
  }

  /** What was declared once and is not by this catalog, as far as its classes can tell. */
  dropped(catalog: Catalog, coverage: Coverage): Managed[] {
    if (this.#db.layout < 3) return []
    const known = this.#known(digestOf(catalog), coverage)
    return known ? JSON.parse(known) : droppedOf(this.#bodies(), catalog, coverage)
  }

  /** Of a catalog that was noted and is the same since: what was dropped by then, as JSON. */
  #known(digest: string, coverage: Coverage): string | undefined {
    const sql = 'SELECT dropped FROM noted WHERE coverage = ? AND digest = ?'
    const found = this.#db.get(sql, keyOf(coverage), digest)
    return found && String(found.dropped)
  }

  /** Something is not to be named any more; whether it was on record. */
  forget(ref: string): boolean {
    this.#db.run('DELETE FROM noted')
    return this.#db.run('DELETE FROM managed WHERE ref = ?', ref) > 0
  }

  /** As one text: a row each would take thrice as long. */
  #bodies(): Map<string, Body> {
    const sql = 'SELECT json_group_object(ref, json(body)) AS bodies FROM managed'
    return new Map(Object.entries(JSON.parse(String(this.#db.get(sql)?.bodies))))
  }
}

function lasts({ type, desired, noop, footprint }: CatalogResource): boolean {
  if (LASTS_NOT.has(type) || noop) return false
  const { ensure, enable } = desired as Readonly<Record<string, unknown>>
  switch (type) {
    case 'file':
      return footprint.ensures !== undefined
    case 'service':
      return ensure === 'running' || enable === true
    // Without `ensure` it only adds to what somebody else makes.
    case 'user':
    case 'group':
      return ensure === 'present'
    default:
      return ensure !== 'absent' && ensure !== 'purged'
  }
}

function pathsOf(resource: CatalogResource, host: HostReader): ManagedPath[] {
  const { type, title, footprint } = resource
  const desired = resource.desired as {
    readonly ensure?: string
    readonly target?: string
    readonly links?: string
  }
  const ensured = (footprint.ensures ?? [])
    .filter((thing) => thing.startsWith('path:'))
    .map((thing) => thing.slice('path:'.length))
  if (type !== 'file') return ensured.map((path) => ({ path, kind: 'file' }))
  if (ensured.length === 0) return []
  const path = normalPath(title)
  if (desired.target !== undefined) return [{ path, kind: 'link', target: desired.target }]
  const kind = desired.ensure === 'directory' ? 'directory' : 'file'
  if (desired.links !== 'follow' || host.stat(path)?.kind !== 'link') return [{ path, kind }]
  const followed = followLinks(path, host)
  return [{ path: 'path' in followed ? followed.path : path, kind }]
}

/** Whether this run is about to make or start it. */
function isToBeMade(state: NonNullable<States[number]>): boolean {
  if (state.kind === 'later') return true
  if (!('changes' in state.verdict)) return false
  return (state.verdict.changes ?? []).some(
    ({ attribute, from }) =>
      (attribute === 'ensure' && (from === 'absent' || from === undefined || from === 'stopped')) ||
      (attribute === 'enable' && from === false),
  )
}

function droppedOf(
  bodies: ReadonlyMap<string, Body>,
  catalog: Catalog,
  { speaksFor, noted, isPartial }: Coverage,
): Managed[] {
  if (isPartial) return []
  const declared = new Set(catalog.resources.map(({ ref }) => ref))
  const isOurs = ({ by }: Body): boolean => by.every((name) => speaksFor.has(name))
  // Classes that were only ever named say nothing of what else there is on the host.
  if (!noted.includes(ZULIP_CONF) && !bodies.values().every(isOurs)) return []
  return [...bodies].flatMap(([ref, body]) =>
    !declared.has(ref) && isOurs(body) ? [{ ref, ...body }] : [],
  )
}

function keyOf({ speaksFor }: Coverage): string {
  return [...speaksFor].join(' ')
}

function digestOf(catalog: Catalog): string {
  const lines = catalog.resources.map((resource) => {
    const { ensure, target, recurse } = resource.desired as Readonly<Record<string, unknown>>
    return [resource.ref, ensure, target, recurse].map(String).join('\t')
  })
  return hash('sha1', lines.join('\n'))
}
