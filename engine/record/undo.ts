import type { Catalog } from '../compile/catalog.ts'
import type { Event } from '../events.ts'
import { textOf } from '../host/bytes.ts'
import type { HostReader } from '../host/host.ts'
import { formatMode } from '../resources/mode.ts'
import { partsOf } from '../resources/ref.ts'
import type { ResourceType, Shown } from '../resources/type.ts'
import type { KeptRow } from './bucket.ts'
import type { Contents } from './contents.ts'
import type { Bases } from './run-record.ts'
import { type Declared, undoCatalog } from './undo-catalog.ts'

/** What a run did that no undo takes back, and why. */
export interface Remainder {
  readonly ref: string
  readonly why: string
}

export interface Undo {
  /** The resources that put things back, and whoever reads what they change. */
  readonly catalog: Catalog
  readonly remainder: readonly Remainder[]
  readonly bases: Bases
}

export interface UndoInput {
  /** What was kept before it went, the oldest first. */
  readonly kept: readonly KeptRow[]
  /** What became of resources. */
  readonly events: readonly Event[]
  readonly contents: Pick<Contents, 'of'>
  readonly host: HostReader
  readonly types: ReadonlyMap<string, ResourceType>
  /** What the host is to be by its manifests: services of it that read what is put back are refreshed. */
  readonly current: Pick<Catalog, 'classes' | 'resources' | 'edges' | 'secrets'>
  /** Whether packages that the run installed are removed. */
  readonly withPackages: boolean
}

/** What takes a run back, or a part of it, as resources in an order. */
export function undoOf(input: UndoInput): Undo {
  const { kept, events } = input
  const remainder: Remainder[] = []
  const declared: Declared[] = []
  for (const rows of Map.groupBy(kept, ({ path }) => path).values()) {
    const back = pathBack(rows, kept, input)
    if ('why' in back) remainder.push(back)
    else declared.push(back)
  }
  const written = new Set(kept.map(({ ref }) => ref))
  for (const event of inOne(events)) {
    const back = resourceBack(event, input)
    if (back && 'why' in back) remainder.push(back)
    else if (back) declared.push(back)
    else if (wasChanged(event) && !written.has(event.ref) && !isOfList(event.ref, written))
      remainder.push({
        ref: event.ref,
        why: event.ref.startsWith('file[')
          ? 'what was there before is not in the bucket any more'
          : 'what it does is not taken back by steward',
      })
  }
  return { catalog: undoCatalog(declared, input), remainder, bases: basesOf(kept) }
}

/** What became of each resource: a procedure may come to one again, and what it was first is what it was before. */
function inOne(events: readonly Event[]): Finished[] {
  const found = new Map<string, Finished>()
  for (const event of events) {
    if (event.type !== 'resource_finished') continue
    const first = found.get(event.ref)
    if (!first || !wasChanged(first)) found.set(event.ref, event)
    else if (wasChanged(event)) found.set(event.ref, joined(first, event))
  }
  return [...found.values()]
}

function joined(first: Finished, then: Finished): Finished {
  const known = new Set(first.changes.map(({ attribute }) => attribute))
  const others = then.changes.filter(({ attribute }) => !known.has(attribute))
  return { ...first, changes: [...first.changes, ...others] }
}

/** What was on record of files and links by the first that was kept of each. */
function basesOf(kept: readonly KeptRow[]): Bases {
  const firsts = [...kept].reverse().map((row) => [row.path, row] as const)
  return new Map(
    [...new Map(firsts).values()]
      .filter(({ kind }) => kind === 'file' || kind === 'link')
      .map(({ path, base: hash, given }) => [
        path,
        hash === undefined ? undefined : { hash, given },
      ]),
  )
}

/** A path as it was before the run: by the first that was kept of it, which tells all but the content for sure. */
function pathBack(
  rows: readonly KeptRow[],
  all: readonly KeptRow[],
  { contents, host }: UndoInput,
): Declared | Remainder {
  const [first] = rows as readonly [KeptRow]
  const { ref, path, kind, mode, uid, gid } = first
  const file = (desired: object, isSensitive = false): Declared => ({
    type: 'file',
    title: path,
    desired,
    of: ref,
    isSensitive,
  })
  const owned = { owner: uid, group: gid, mode: formatMode(mode) }
  if (kind === 'absent') {
    if (host.stat(path)?.kind !== 'directory') return file({ ensure: 'absent' })
    const stranger = strangerIn(path, host, new Set(all.map((row) => row.path)))
    if (stranger === undefined) return file({ ensure: 'absent', force: true })
    return { ref, why: `${path} holds what the run did not make: ${stranger}` }
  }
  const whole = rows.find(({ goes }) => goes === 'all')
  if (kind === 'directory') return file({ ensure: 'directory', ...owned, force: true })
  if (!whole) return file(owned)
  if (kind === 'link')
    return file({ ensure: 'link', target: whole.target ?? '', owner: uid, group: gid, force: true })
  const content = whole.hash === undefined ? undefined : contents.of(whole.hash)
  if (kind !== 'file') return { ref, why: `${path} was a ${kind}, which can't be kept` }
  if (!content) return { ref, why: `the bucket holds the content of ${path} no more` }
  const body = 'file' in content ? { source: content.file } : { content: textOf(content.bytes) }
  return file({ ensure: 'file', ...body, ...owned, force: true }, content.isSecret)
}

/** Something below a directory that is not in the list of paths. */
function strangerIn(
  directory: string,
  host: HostReader,
  known: ReadonlySet<string>,
): string | undefined {
  for (const name of host.list(directory)) {
    const path = `${directory}/${name}`
    const stranger =
      host.stat(path)?.kind === 'directory' ? strangerIn(path, host, known) : undefined
    if (stranger !== undefined) return stranger
    if (!known.has(path)) return path
  }
  return undefined
}

type Finished = Extract<Event, { type: 'resource_finished' }>

function wasChanged({ outcome, changes }: Finished): boolean {
  return outcome === 'changed' || (outcome === 'failed' && changes.length > 0)
}

/** Users, groups, packages and services by what the run said that it changed; undefined for all others. */
function resourceBack(
  event: Finished,
  { withPackages }: UndoInput,
): Declared | Remainder | undefined {
  if (!wasChanged(event)) return undefined
  const { ref, changes } = event
  const { type, title } = partsOf(ref)
  const before = new Map(changes.map(({ attribute, from }) => [attribute, from]))
  const ensure = before.get('ensure')
  const wasMade = ensure === 'absent' || (before.has('ensure') && ensure === undefined)
  switch (type) {
    case 'user':
    case 'group':
      return wasMade
        ? { type, title, desired: { ensure: 'absent' }, of: ref }
        : { ref, why: `a ${type} that was there keeps what it was given` }
    case 'package':
      if (isGone(changes)) return { type, title, desired: { ensure: 'present' }, of: ref }
      if (!wasMade) return { ref, why: 'the version that was there is not brought back' }
      return withPackages
        ? { type, title, desired: { ensure: 'absent' }, of: ref }
        : { ref, why: 'what was installed stays; --packages removes it' }
    case 'service': {
      // Of one that neither starts at boot nor is kept from it, systemd's own words are told.
      const enable = before.get('enable')
      const desired = {
        ...(before.has('ensure') ? { ensure: wasUp(ensure) ? 'running' : 'stopped' } : {}),
        ...(typeof enable === 'boolean' || enable === 'mask' ? { enable } : {}),
      }
      return { type, title, desired, of: ref }
    }
    case 'supervisor_program':
      if (!before.has('ensure')) return undefined
      return { type, title, desired: { ensure: wasUp(ensure) ? 'running' : 'stopped' }, of: ref }
    default:
      return undefined
  }
}

/** What is told of one that runs may have a time behind it. */
function wasUp(ensure: Shown): boolean {
  return /^(running|starting)/.test(String(ensure))
}

function isGone(changes: Finished['changes']): boolean {
  return changes.some(({ attribute, to }) => {
    return attribute === 'ensure' && (to === 'absent' || to === 'purged')
  })
}

/** Whether a resource shared a transaction with one whose writes were kept in the name of all. */
function isOfList(ref: string, written: ReadonlySet<string>): boolean {
  return [...written].some((list) => list.split(', ').includes(ref))
}
