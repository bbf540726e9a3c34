import { posix } from 'node:path'
import { HostError } from './error.ts'
import type { FileKind, FileStat, Host } from './host.ts'

/** What was at a path just before it is changed: enough to put it back. */
export interface Kept {
  readonly path: string
  readonly kind: FileKind | 'absent'
  /** Whether the thing itself goes, or only its mode or owner changes; then there is no content here. */
  readonly goes: 'all' | 'mode' | 'owner'
  /** 0 where the kind is absent, as are `uid` and `gid`. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Of a file of at most 8 MiB that goes. A fifo, socket or device has no content that can be kept. */
  readonly content?: Buffer
  /** The content of a larger file: to be read before `keep` returns, for then it is gone. */
  readonly pieces?: Iterable<Buffer>
  /** How many bytes these pieces are. */
  readonly size?: number
  /** Of a link. */
  readonly target?: string
}

const largestWhole = 8 * 1024 * 1024

/** How often a file is read that somebody writes to meanwhile. */
const attempts = 10

/**
 * A host that hands what was there to `keep` before each write, removal, or change of mode or
 * owner. Where `keep` throws, nothing is changed. A folder that goes is followed by all that it
 * holds; what a command changes is not seen.
 */
export function keeping(host: Host, keep: (kept: Kept) => void): Host {
  const goes = (path: string, found: FileStat | undefined): void => {
    keep(found === undefined ? absent(path) : whole(host, path, found))
    if (found?.kind !== 'directory') return
    for (const name of host.list(path)) {
      const below = posix.join(path, name)
      goes(below, host.stat(below))
    }
  }
  /** A directory is not replaced, and what it holds does not go: the act itself will refuse. */
  const replaces = (path: string): void => {
    const found = host.stat(path)
    if (found?.kind !== 'directory') goes(path, found)
  }
  const changes = (path: string, what: 'mode' | 'owner'): void => {
    const found = host.stat(path)
    if (found !== undefined) keep({ ...outside(path, found), goes: what })
  }
  return {
    ...host,
    writeFile(path, content, how) {
      replaces(path)
      host.writeFile(path, content, how)
    },
    makeLink(path, target, owner) {
      replaces(path)
      host.makeLink(path, target, owner)
    },
    makeDirectory(path, how) {
      if (host.stat(path) === undefined) keep(absent(path))
      host.makeDirectory(path, how)
    },
    setMode(path, mode) {
      changes(path, 'mode')
      host.setMode(path, mode)
    },
    setOwner(path, owner) {
      changes(path, 'owner')
      host.setOwner(path, owner)
    },
    remove(path, options) {
      const found = options?.isWorthless === true ? undefined : host.stat(path)
      if (found !== undefined) goes(path, found)
      host.remove(path)
    },
  }
}

/**
 * Makes the paths what they were when the first of each was kept, and gives those that could not be, with the reason.
 * What was made goes first, the last made first; then what was there comes back, directories before what they held. A
 * directory that holds something else by now stays.
 */
export function putBack(host: Host, kept: readonly Kept[]): ReadonlyMap<string, string> {
  const failed = new Map<string, string>()
  const attempt = (was: Kept, act: () => void) => {
    try {
      act()
    } catch (error) {
      failed.set(was.path, error instanceof Error ? error.message : String(error))
    }
  }
  const wholes = [...Map.groupBy(kept, ({ path }) => path).values()].map(asFirst)
  const made = wholes.filter(({ kind }) => kind === 'absent')
  for (const was of made.toReversed()) attempt(was, () => unmake(host, was.path))
  for (const was of wholes) if (was.kind !== 'absent') attempt(was, () => remake(host, was))
  return failed
}

/** The content may have been kept only after mode or owner had changed. */
function asFirst(rows: readonly Kept[]): Kept {
  const [first] = rows as readonly [Kept]
  const whole = rows.find(({ goes }) => goes === 'all')
  if (first.goes === 'all' || !whole) return first
  const { mode, uid, gid } = first
  return { ...whole, mode, uid, gid }
}

function unmake(host: Host, path: string): void {
  const found = host.stat(path)
  const isFull = found?.kind === 'directory' && host.list(path).length > 0
  if (found !== undefined && !isFull) host.remove(path)
}

function remake(host: Host, was: Kept): void {
  const { path, kind, goes, mode, uid, gid, content, target } = was
  if (goes === 'all') clear(host, was)
  if (goes !== 'all') {
    host.setOwner(path, { uid, gid })
    if (kind !== 'link') host.setMode(path, mode)
  } else if (kind === 'link') host.makeLink(path, target ?? '', { uid, gid })
  else if (kind === 'directory') {
    if (host.stat(path)?.kind !== 'directory') host.makeDirectory(path, { mode, uid, gid })
  } else if (kind === 'file' && content) host.writeFile(path, content, { mode, uid, gid })
  else throw new Error(`a ${kind} can't be kept`)
}

/** What took the place of a directory goes, and so does an empty directory that took the place of something else. */
function clear(host: Host, { path, kind }: Kept): void {
  const found = host.stat(path)
  if (found !== undefined && (found.kind === 'directory') !== (kind === 'directory'))
    unmake(host, path)
}

function absent(path: string): Kept {
  return { path, kind: 'absent', goes: 'all', mode: 0, uid: 0, gid: 0 }
}

function outside(path: string, { kind, mode, uid, gid }: FileStat): Omit<Kept, 'goes'> {
  return { path, kind, mode, uid, gid }
}

function whole(host: Host, path: string, found: FileStat): Kept {
  const kept: Kept = { ...outside(path, found), goes: 'all' }
  if (found.kind === 'link') return { ...kept, target: host.readLink(path) }
  if (found.kind !== 'file') return kept
  if (found.size > largestWhole)
    return { ...kept, pieces: unchanging(host, path, found), size: found.size }
  // Somebody may be writing to it: what was read then is a part of one content and a part of another.
  let before = found
  for (let left = attempts; left > 0; left--) {
    const content = host.read(path)
    const after = host.stat(path)
    if (after === undefined) throw new HostError('ENOENT', path)
    if (isSame(before, after)) return { ...outside(path, after), goes: 'all', content }
    if (after.kind !== 'file') return whole(host, path, after)
    before = after
  }
  throw beingWritten(path)
}

/** The pieces of a file, as long as nobody writes to it meanwhile. */
function* unchanging(host: Host, path: string, found: FileStat): Generator<Buffer, void> {
  yield* host.readPieces(path)
  const after = host.stat(path)
  if (!after || !isSame(found, after)) throw beingWritten(path)
}

function isSame(before: FileStat, after: FileStat): boolean {
  return (['kind', 'ino', 'size', 'mtimeMs', 'ctimeMs'] as const).every(
    (what) => before[what] === after[what],
  )
}

function beingWritten(path: string): HostError {
  return new HostError('EAGAIN', path, 'somebody wrote to it each time it was read')
}
