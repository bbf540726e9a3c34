import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  type Stats,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { posix } from 'node:path'
import { keepAttributes } from './attributes.ts'
import { systemPath } from './bytes.ts'
import { errorCode, HostError, hostError } from './error.ts'
import { inFolder, openFolder, openRoot, thingFlags } from './folder.ts'
import type { Host } from './host.ts'
import { kindOf, listPath } from './read.ts'

/** The acts of a `Host` that change files, and what makes them last. */
export type Writer = Pick<
  Host,
  'writeFile' | 'makeDirectory' | 'makeLink' | 'setMode' | 'setOwner' | 'remove' | 'sync'
> & {
  /** Forgets the folders at hand: something else may have moved them. */
  forget(): void
}

const createFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
const temporary = /^\.steward-(\d+)-\d+$/

/**
 * Of ten thousand files in a hundred folders, in turns, each folder is looked up and synced once and not a
 * hundred times. Node raises its limit of open files to the hard one, which Debian sets far above this.
 */
const mostOpen = 500

/**
 * Writes below a root. The folders of the last writes stay open for the next ones, and are synced when `sync`
 * asks or they are closed: ten thousand files in one folder cost one sync of it.
 */
export function writer(root: string): Writer {
  let rootFd: number | undefined
  const folders = new Map<string, Folder>()
  let nextTemporary = 1
  const swept = new Set<string>()

  const sync = (): void => {
    for (const [path, folder] of folders) syncFolder(folder, path)
  }
  const forget = (): void => {
    for (const [path, folder] of folders) {
      folders.delete(path)
      try {
        syncFolder(folder, path)
      } finally {
        closeSync(folder.fd)
      }
    }
  }
  const open = (path: string) => {
    const known = folders.get(path)
    if (known && fstatSync(known.fd).nlink > 0) return known
    if (known || folders.size === mostOpen) forget()
    rootFd ??= openRoot(root)
    const folder = { fd: openFolder(rootFd, path, 'trusted'), unsynced: false }
    folders.set(path, folder)
    if (!swept.has(path)) {
      swept.add(path)
      sweep(folder.fd)
    }
    return folder
  }
  /**
   * Does something to the thing at the path, which is named by its open folder. `change` gives true where it
   * took something away that a later path may lead through: a folder with what it holds, or a link.
   */
  const act = (
    path: string,
    change: (place: string, folderFd: number) => boolean | undefined,
  ): void => {
    try {
      const name = posix.basename(path)
      if (!path.startsWith('/') || name === '..' || name === '.') {
        throw new HostError('EINVAL', path, 'is no absolute path to a file')
      }
      const folder = open(posix.dirname(path))
      const tookAway = change(inFolder(folder.fd, name === '' ? '.' : name), folder.fd)
      folder.unsynced = true
      if (tookAway === true) forget()
    } catch (error) {
      throw hostError(error, path)
    }
  }
  /**
   * Makes a thing under a name that no one has, then puts it in place; nothing is left of it when that fails.
   */
  const replace = (place: string, folderFd: number, make: (temporary: string) => void): void => {
    for (;;) {
      const made = inFolder(folderFd, `.steward-${process.pid}-${nextTemporary++}`)
      try {
        make(made)
        renameSync(made, systemPath(place))
        return
      } catch (error) {
        // Taken: by a steward of the same number in another container, or long ago.
        if (errorCode(error) === 'EEXIST') continue
        removeQuietly(made)
        throw error
      }
    }
  }

  return {
    writeFile(path, content, { mode, uid, gid }) {
      act(path, (place, folderFd) => {
        const old = lstatSync(systemPath(place), { throwIfNoEntry: false })
        refuseDirectory(old, path)
        replace(place, folderFd, (made) => {
          const fd = openSync(made, createFlags, 0o600)
          try {
            writeAll(fd, content)
            fchownSync(fd, uid, gid)
            // After the owner: a change of owner takes setuid and capabilities away.
            if (old?.isFile() === true) keepAttributes(place, fd, path)
            fchmodSync(fd, mode)
            fsyncSync(fd)
          } finally {
            closeSync(fd)
          }
        })
        return old?.isSymbolicLink()
      })
    },

    makeDirectory(path, { mode, uid, gid }) {
      act(path, (place) => {
        mkdirSync(systemPath(place), 0o700)
        const fd = openSync(systemPath(place), constants.O_DIRECTORY | constants.O_NOFOLLOW)
        try {
          const found = fstatSync(fd)
          // The folder's owner could have put another one in its place.
          if (found.uid !== process.geteuid?.() || listPath(inFolder(fd, '.')).length > 0) {
            throw new HostError('EBUSY', path, 'was exchanged while it was being made')
          }
          fchownSync(fd, uid, gid)
          fchmodSync(fd, mode)
          fsyncSync(fd)
        } finally {
          closeSync(fd)
        }
      })
    },

    makeLink(path, target, owner) {
      act(path, (place, folderFd) => {
        const old = lstatSync(systemPath(place), { throwIfNoEntry: false })
        refuseDirectory(old, path)
        replace(place, folderFd, (made) => {
          symlinkSync(systemPath(target), made)
          if (owner === undefined) return
          onThing(made, (thing, { mode }) => {
            if (kindOf(mode) !== 'link') throw new HostError('EBUSY', path, 'was exchanged')
            chownSync(thing, owner.uid, owner.gid)
          })
        })
        return old?.isSymbolicLink()
      })
    },

    setMode(path, mode) {
      act(path, (place) => {
        onThing(place, (thing, found) => {
          if (found.isSymbolicLink()) throw new HostError('ELOOP', path, 'is a symbolic link')
          chmodSync(thing, mode)
        })
        syncThing(place)
      })
    },

    setOwner(path, { uid, gid }) {
      act(path, (place) => {
        onThing(place, (thing) => chownSync(thing, uid, gid))
        syncThing(place)
      })
    },

    remove(path) {
      if (posix.normalize(path) === '/') throw new HostError('EBUSY', path, 'is the root')
      act(path, (place) => {
        removePlace(place, path)
        return true
      })
    },

    sync,
    forget,
  }
}

/** A folder that is at hand, as a place (O_PATH). */
interface Folder {
  readonly fd: number
  /** Whether names in it were changed that would not last through a loss of power. */
  unsynced: boolean
}

function syncFolder(folder: Folder, path: string): void {
  if (!folder.unsynced) return
  try {
    // Its own descriptor can't be synced.
    syncPlace(inFolder(folder.fd, '.'), constants.O_DIRECTORY)
  } catch (error) {
    throw hostError(error, path)
  }
  folder.unsynced = false
}

function writeAll(fd: number, content: Uint8Array): void {
  for (let done = 0; done < content.length; ) {
    done += writeSync(fd, content, done, content.length - done)
  }
}

function refuseDirectory(found: Stats | undefined, path: string): void {
  if (found?.isDirectory() === true) throw new HostError('EISDIR', path)
}

/** Acts on the very thing that was looked at, be it a link: nothing can be put in its place in between. */
function onThing(place: string, change: (thing: string, found: Stats) => void): void {
  const fd = openSync(systemPath(place), thingFlags)
  try {
    change(`/proc/self/fd/${fd}`, fstatSync(fd))
  } finally {
    closeSync(fd)
  }
}

/** Mode and owner of a file or folder, made to last; of other kinds they last with their folder. */
function syncThing(place: string): void {
  const found = lstatSync(systemPath(place), { throwIfNoEntry: false })
  if (found?.isFile() === true || found?.isDirectory() === true) {
    syncPlace(place, constants.O_NOFOLLOW | constants.O_NONBLOCK)
  }
}

function syncPlace(place: string, flags: number): void {
  let fd: number
  try {
    fd = openSync(systemPath(place), constants.O_RDONLY | flags)
  } catch (error) {
    // What steward may change but not read can't be synced by name; only a non-root steward meets that.
    if (errorCode(error) === 'EACCES') return
    throw error
  }
  try {
    fsyncSync(fd)
  } catch (error) {
    // Some file systems (FUSE, 9p) have no sync for folders.
    if (errorCode(error) !== 'EINVAL') throw error
  } finally {
    closeSync(fd)
  }
}

/** Removes a thing with all that it holds. A mount point stops it before anything below that is gone. */
function removePlace(place: string, path: string): void {
  const found = lstatSync(systemPath(place))
  if (!found.isDirectory()) {
    unlinkSync(systemPath(place))
    return
  }
  const fd = openSync(systemPath(place), constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    for (const name of listPath(inFolder(fd, '.'))) {
      const child = inFolder(fd, name)
      const below = posix.join(path, name)
      if (lstatSync(systemPath(child)).dev !== found.dev) {
        throw new HostError('EBUSY', below, 'is a mount point')
      }
      removePlace(child, below)
    }
  } finally {
    closeSync(fd)
  }
  rmdirSync(systemPath(place))
}

/** Clears away what a steward that was killed left unfinished in this folder. */
function sweep(folderFd: number): void {
  let names: string[]
  try {
    names = listPath(inFolder(folderFd, '.'))
  } catch {
    // A steward that is not root may write in folders that it can't list.
    return
  }
  for (const name of names) {
    const pid = temporary.exec(name)?.[1]
    if (pid !== undefined && !isAlive(Number(pid))) removeQuietly(inFolder(folderFd, name))
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errorCode(error) !== 'ESRCH'
  }
}

function removeQuietly(place: string): void {
  try {
    unlinkSync(place)
  } catch {
    // It was never made, or is gone; the error that led here is the one to tell.
  }
}
