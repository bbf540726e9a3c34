import { createHash, randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'

/** A file that is yet to be named by the hash of its content. */
const INCOMING = '.incoming-'
/** The file of an open run, before its id. */
const OPEN = 'open-'

/**
 * `objects/` in the state folder: contents as files, named by their SHA-256 in hex and synced before they are there.
 * What fails throws the error of the system.
 */
export class ObjectFiles {
  /** The state folder. */
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Stores a content; does nothing where there is one with this hash. */
  put(hash: string, content: Uint8Array): void {
    if (!existsSync(this.path(hash))) this.#settle(this.#incoming([content]), hash)
  }

  /**
   * Refuses so many bytes before the disk is full of them: a sparse file takes next to no room where it is, and all of
   * it here.
   */
  mustHaveRoom(bytes: number): void {
    const { bavail, bsize } = statfsSync(this.#folder)
    if (bytes < bavail * bsize) return
    const message = `ENOSPC: no room for ${bytes} bytes, of which all must be kept`
    throw Object.assign(new Error(message), { code: 'ENOSPC' })
  }

  /** Stores a content that comes in pieces; gives its hash, and its size in bytes. */
  putPieces(pieces: Iterable<Uint8Array>): { readonly hash: string; readonly size: number } {
    const hash = createHash('sha256')
    let size = 0
    const temporary = this.#incoming(pieces, (piece) => {
      hash.update(piece)
      size += piece.length
    })
    const digest = hash.digest('hex')
    this.#settle(temporary, digest)
    return { hash: digest, size }
  }

  read(hash: string): Buffer {
    return readFileSync(this.path(hash))
  }

  /** Does nothing where there is none. */
  remove(hash: string): void {
    rmSync(this.path(hash), { force: true })
  }

  /** Stores what belongs to an open run alone, in the place of what it had there before. */
  putOpen(run: string, content: Uint8Array): void {
    const temporary = this.#incoming([content])
    renameSync(temporary, join(this.#objects(), `${OPEN}${run}`))
    syncFolder(this.#objects())
  }

  /** That of an open run; undefined where it has none. */
  readOpen(run: string): Buffer | undefined {
    const path = join(this.#folder, 'objects', `${OPEN}${run}`)
    return existsSync(path) ? readFileSync(path) : undefined
  }

  removeOpen(run: string): void {
    rmSync(join(this.#folder, 'objects', `${OPEN}${run}`), { force: true })
  }

  /** Clears away what a run that was killed was about to store, or to remove because it is not open any more. */
  sweep(isOpen: (run: string) => boolean): void {
    const folder = join(this.#folder, 'objects')
    if (!existsSync(folder)) return
    for (const name of readdirSync(folder)) {
      const isStale = name.startsWith(OPEN) && !isOpen(name.slice(OPEN.length))
      if (name.startsWith(INCOMING) || isStale) rmSync(join(folder, name))
    }
  }

  /**
   * A new file with these bytes, synced, which is yet to be named by their
   * hash; nothing is left of it where that fails.
   */
  #incoming(pieces: Iterable<Uint8Array>, onPiece?: (piece: Uint8Array) => void): string {
    const temporary = join(this.#objects(), `${INCOMING}${randomBytes(6).toString('hex')}`)
    try {
      const fd = openSync(temporary, 'wx', 0o600)
      try {
        for (const piece of pieces) {
          onPiece?.(piece)
          for (let done = 0; done < piece.length; ) done += writeSync(fd, piece, done)
        }
        fsyncSync(fd)
      } finally {
        closeSync(fd)
      }
      return temporary
    } catch (error) {
      rmSync(temporary, { force: true })
      throw error
    }
  }

  /** Names such a file; nothing is left of it where that fails. */
  #settle(temporary: string, hash: string): void {
    const path = this.path(hash)
    const folder = join(path, '..')
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      renameSync(temporary, path)
      for (const each of [folder, this.#objects()]) syncFolder(each)
    } catch (error) {
      rmSync(temporary, { force: true })
      throw error
    }
  }

  #objects(): string {
    const folder = join(this.#folder, 'objects')
    if (!existsSync(folder)) {
      mkdirSync(folder, { mode: 0o700 })
      syncFolder(this.#folder)
    }
    return folder
  }

  /** Where the content with this hash lies, where it is one. */
  path(hash: string): string {
    return join(this.#folder, 'objects', hash.slice(0, 2), hash.slice(2))
  }
}

function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
