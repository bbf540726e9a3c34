import { closeSync, constants, fstatSync, lstatSync, openSync, type Stats } from 'node:fs'
import { systemPath } from './bytes.ts'
import { errorCode, HostError } from './error.ts'
import { readLinkPath } from './read.ts'
import { canOthersWrite, isTrustedOwner } from './trust.ts'

/**
 * Opens folders one step at a time, each by the descriptor of the one above, as openat(2) would: whoever
 * owns a folder on the way can't swap a link in between a look and an act, and nothing leads out of the
 * root. Node has no openat, but `/proc/self/fd/N/NAME` is the same thing.
 */

/** Not among Node's constants. Source: open(2), fcntl.h; the same on x86-64 and arm64. */
const O_PATH = 0o10000000
// Numbers of O_DIRECTORY and O_NOFOLLOW differ between architectures; Node knows those of this one.
const folderFlags = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW
export const thingFlags: number = O_PATH | constants.O_NOFOLLOW

/** As many as the kernel follows. Source: path_resolution(7). */
const mostLinks = 40

/**
 * Whether a link found on the way may be followed: all of them (reads in a root), or those that only
 * somebody trusted can have made (writes).
 */
export type LinkRule = 'any' | 'trusted'

/** A path by an open folder, good for every call of `node:fs`. */
export function inFolder(fd: number, name: string): string {
  return `/proc/self/fd/${fd}/${name}`
}

export function openRoot(root: string): number {
  const fd = openSync(root, O_PATH | constants.O_DIRECTORY)
  if (lstatSync(`/proc/self/fd/${fd}`, { throwIfNoEntry: false }) === undefined) {
    closeSync(fd)
    throw new HostError('ENOENT', '/proc', 'is not mounted, and steward writes by way of it')
  }
  return fd
}

/** The folder at an absolute path seen from the root; the caller closes it. Throws ENOENT, ENOTDIR, ELOOP. */
export function openFolder(root: number, path: string, rule: LinkRule): number {
  // Every folder on the way stays open until the end: ".." goes back
  // along this list and so never above the root.
  const way: number[] = []
  const here = (): number => way.at(-1) ?? root
  const leave = (): void => {
    for (const fd of way.splice(0)) closeSync(fd)
  }
  const todo = path.split('/').reverse()
  let links = 0
  try {
    for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
      if (part === '' || part === '.') continue
      if (part === '..') {
        const last = way.pop()
        if (last !== undefined) closeSync(last)
        continue
      }
      const next = openStep(inFolder(here(), part), path)
      if (next !== undefined) {
        way.push(next)
        continue
      }
      const target = followable(here(), part, path, rule)
      if (++links > mostLinks) throw new HostError('ELOOP', path, 'goes round in symbolic links')
      if (target.startsWith('/')) leave()
      todo.push(...target.split('/').reverse())
    }
    return way.pop() ?? openSync(inFolder(root, '.'), folderFlags)
  } finally {
    leave()
  }
}

/** Undefined where the step is no directory: most likely a link. */
function openStep(place: string, path: string): number | undefined {
  try {
    return openSync(systemPath(place), folderFlags)
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOTDIR' || code === 'ELOOP') return undefined
    throw code === 'ENOENT' ? new HostError('ENOENT', path, undefined, error) : error
  }
}

/** The target of the link `name`. Throws where it is none or may not be followed. */
function followable(folder: number, name: string, path: string, rule: LinkRule): string {
  const place = inFolder(folder, name)
  const link = lstatSync(systemPath(place), { throwIfNoEntry: false })
  if (link === undefined) throw new HostError('ENOENT', path)
  if (!link.isSymbolicLink()) throw new HostError('ENOTDIR', path)
  if (rule === 'trusted' && !(isTrustedOwner(link.uid) && isGuarded(fstatSync(folder)))) {
    throw new HostError(
      'ELOOP',
      path,
      `goes through the symbolic link "${name}", which somebody unprivileged could have placed`,
    )
  }
  return readLinkPath(place)
}

/**
 * Whether only somebody trusted can exchange what lies in it: in a sticky
 * folder others can't touch what is not theirs.
 */
function isGuarded(folder: Stats): boolean {
  const isSticky = (folder.mode & 0o1000) !== 0
  return isTrustedOwner(folder.uid) && (isSticky || !canOthersWrite(folder))
}
