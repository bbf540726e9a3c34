import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  type Stats,
} from 'node:fs'
import { systemPath, textOf } from './bytes.ts'
import { errorCode, failure } from './error.ts'
import type { FileKind, FileStat } from './host.ts'

/** Reads by a path of this process, without a thought for `--root`; `local.ts` decides what that path is. */

// A fifo must not hold steward up, hence O_NONBLOCK.
const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** Shared by all reads of small files: what is read is copied out of it. */
const small = Buffer.allocUnsafeSlow(64 * 1024)
const replacement = '\ufffd'
/** More than any file that is looked at as a whole should have: whoever may write there could fill the memory. */
export const largestRead = 64 * 1024 * 1024

export function statPath(path: string): FileStat | undefined {
  try {
    const found = lstatSync(systemPath(path), { throwIfNoEntry: false })
    return found && fileStat(found)
  } catch (error) {
    // A file where a folder would have to be.
    if (errorCode(error) === 'ENOTDIR') return undefined
    throw error
  }
}

function fileStat(found: Stats): FileStat {
  return {
    kind: kindOf(found.mode),
    mode: found.mode & 0o7777,
    uid: found.uid,
    gid: found.gid,
    size: found.size,
    mtimeMs: found.mtimeMs,
    atimeMs: found.atimeMs,
    ctimeMs: found.ctimeMs,
    dev: found.dev,
    ino: found.ino,
  }
}

export function kindOf(mode: number): FileKind {
  switch (mode & constants.S_IFMT) {
    case constants.S_IFREG:
      return 'file'
    case constants.S_IFDIR:
      return 'directory'
    case constants.S_IFLNK:
      return 'link'
    case constants.S_IFIFO:
      return 'fifo'
    case constants.S_IFSOCK:
      return 'socket'
    default:
      return 'device'
  }
}

export function readPath(path: string): Buffer {
  const fd = openSync(systemPath(path), readFlags)
  try {
    const { size, mode } = fstatSync(fd)
    const kind = kindOf(mode)
    if (kind !== 'file') throw failure(kind === 'directory' ? 'EISDIR' : 'ENXIO')
    if (size > largestRead) throw failure('EFBIG')
    // Files of /proc and /sys say that they are empty.
    if (size === 0 || size > small.length) return readAll(fd, size)
    const length = readSync(fd, small, 0, small.length, null)
    return length === size ? Buffer.from(small.subarray(0, length)) : readAll(fd, size, length)
  } finally {
    closeSync(fd)
  }
}

/** Whether the file holds just these bytes; false where there is none. */
export function holdsPath(path: string, content: Uint8Array): boolean {
  if (content.length >= small.length) return holdsPieces(path, content)
  const fd = openSync(systemPath(path), readFlags)
  try {
    // One byte more than is wanted tells a longer file.
    const length = readSync(fd, small, 0, content.length + 1, 0)
    return length === content.length && small.compare(content, 0, content.length, 0, length) === 0
  } finally {
    closeSync(fd)
  }
}

function holdsPieces(path: string, content: Uint8Array): boolean {
  let done = 0
  for (const piece of readPieces(path)) {
    const end = done + piece.length
    if (end > content.length || piece.compare(content, done, end) !== 0) return false
    done = end
  }
  return done === content.length
}

/** To the end, however long the file says it is; the first `done` bytes lie in `small`. */
function readAll(fd: number, size: number, done = 0): Buffer {
  let room = Buffer.allocUnsafe(Math.max(size + 1, 4096))
  small.copy(room, 0, 0, done)
  for (let length = done; ; ) {
    if (length === room.length) room = Buffer.concat([room], room.length * 2)
    const count = readSync(fd, room, length, room.length - length, null)
    if (count === 0) return room.subarray(0, length)
    length += count
    // It grows as it is read.
    if (length > largestRead) throw failure('EFBIG')
  }
}

/**
 * The file in pieces, for those too large to hold. All of them come in one buffer, of a size that a processor keeps
 * near: fresh memory for each would cost as much as its digest.
 */
export function* readPieces(path: string): Generator<Buffer, void> {
  const fd = openSync(systemPath(path), readFlags)
  try {
    if (kindOf(fstatSync(fd).mode) !== 'file') throw failure('ENXIO')
    const piece = Buffer.allocUnsafeSlow(256 * 1024)
    for (;;) {
      const count = readSync(fd, piece, 0, piece.length, null)
      if (count === 0) return
      yield piece.subarray(0, count)
    }
  } finally {
    closeSync(fd)
  }
}

export function readLinkPath(path: string): string {
  const at = systemPath(path)
  const target = readlinkSync(at)
  return target.includes(replacement) ? textOf(readlinkSync(at, 'buffer')) : target
}

export function listPath(path: string): string[] {
  const at = systemPath(path)
  const names = readdirSync(at)
  // Bytes that do not decode came as U+FFFD, and so did a real U+FFFD.
  if (names.some((name) => name.includes(replacement))) {
    const raw = readdirSync(at, 'buffer')
    return raw.sort((a, b) => Buffer.compare(a, b)).map((name) => textOf(name))
  }
  // The default order is that of UTF-16 units, which differs from that of bytes only behind a surrogate.
  return names.some((name) => /[\ud800-\udfff]/.test(name))
    ? names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    : names.sort()
}
