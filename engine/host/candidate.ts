import {
  closeSync,
  constants,
  fstatSync,
  mkdtempSync,
  openSync,
  rmdirSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join, posix } from 'node:path'
import { inFolder, openFolder, openRoot } from './folder.ts'
import type { Host } from './host.ts'
import { listPath } from './read.ts'

/** As mkdtemp(3) ends it. */
const folderName = /^steward-[A-Za-z0-9]{6}$/
const staleMs = 24 * 60 * 60 * 1000

/**
 * A content for a program to look at, in the /tmp of a root: the folder's name is new, so nobody can have placed
 * anything there. Clears away what a steward that was killed left there a day ago or earlier.
 */
export function makeCandidate(
  root: string,
  name: string,
  content: Uint8Array,
): ReturnType<Host['candidate']> {
  const rootFd = openRoot(root)
  const tmp = openTmp(rootFd)
  try {
    sweep(tmp)
    const folder = mkdtempSync(inFolder(tmp, 'steward-'))
    const remove = (): void => {
      rmSync(folder, { recursive: true, force: true })
      closeSync(tmp)
    }
    try {
      writeFileSync(join(folder, name), content, { mode: 0o600, flag: 'wx' })
    } catch (error) {
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
    return { path: join('/tmp', posix.basename(folder), name), remove }
  } catch (error) {
    closeSync(tmp)
    throw error
  }
}

/** Where a link in its place leads is found as the program will find it: never outside the root. */
function openTmp(rootFd: number): number {
  try {
    return openFolder(rootFd, '/tmp', 'trusted')
  } finally {
    closeSync(rootFd)
  }
}

/** Only what is without doubt such a folder goes: root's, that nobody else can read, with nothing but files in it. */
function sweep(tmp: number): void {
  for (const name of listPath(inFolder(tmp, '.')).filter((each) => folderName.test(each))) {
    try {
      const fd = openSync(inFolder(tmp, name), constants.O_DIRECTORY | constants.O_NOFOLLOW)
      try {
        const { uid, mode, mtimeMs } = fstatSync(fd)
        const isStale = Date.now() - mtimeMs > staleMs
        if (uid !== 0 || (mode & 0o7777) !== 0o700 || !isStale) continue
        for (const file of listPath(inFolder(fd, '.'))) unlinkSync(inFolder(fd, file))
      } finally {
        closeSync(fd)
      }
      rmdirSync(inFolder(tmp, name))
    } catch {
      // What can't be cleared away is in nobody's way.
    }
  }
}
