import { closeSync, existsSync } from 'node:fs'
import { posix } from 'node:path'
import { accountsOf, parseGroup, parsePasswd } from './accounts.ts'
import { makeCandidate } from './candidate.ts'
import { runCommand } from './command.ts'
import { errorCode, hostError } from './error.ts'
import { inFolder, openFolder, openRoot } from './folder.ts'
import { guardCommand } from './guard.ts'
import type { Accounts, CommandOptions, CommandResult, FileStat, Host } from './host.ts'
import { holdsPath, listPath, readLinkPath, readPath, readPieces, statPath } from './read.ts'
import { syncSystem } from './sync-system.ts'
import { writer } from './write.ts'

/** For so long an answer is taken for that of another type's same question. */
const sharedMs = 2000

/**
 * The machine that steward runs on or, with another root than "/", a tree on it.
 *
 * Commands run in a root by chroot(1), where steward is root and the tree holds a shell; otherwise `cannotRun`
 * says "not possible under --root". Services and packages are not touched there either way: `hasSystemd` is false.
 */
export function localHost(options: { readonly root?: string } = {}): Host {
  const root = posix.resolve(options.root ?? '/')
  const place = root === '/' ? undefined : placesIn(root)
  /** Reads what a path means: as it stands on the machine itself, below the root otherwise. */
  const reading = <T>(
    path: string,
    read: (place: string) => T,
    what: 'of' | 'folder' = 'of',
  ): T => {
    try {
      return read(place === undefined ? path : place[what](path))
    } catch (error) {
      throw hostError(error, path)
    }
  }
  const writes = writer(root)
  let known: { readonly files: AccountFiles; readonly accounts: Accounts } | undefined

  const stat: Host['stat'] = (path) => {
    try {
      return reading(path, statPath)
    } catch (error) {
      const code = errorCode(error)
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
      throw error
    }
  }
  const read: Host['read'] = (path) => reading(path, readPath)
  const holds: Host['holds'] = (path, content) => {
    try {
      return reading(path, (at) => holdsPath(at, content))
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return false
      throw error
    }
  }
  const accounts = (): Accounts => {
    const files = { passwd: stat('/etc/passwd'), group: stat('/etc/group') }
    const isKnown =
      known && isSame(known.files.passwd, files.passwd) && isSame(known.files.group, files.group)
    if (!known || !isKnown) {
      const passwd = files.passwd ? read('/etc/passwd').toString() : ''
      const group = files.group ? read('/etc/group').toString() : ''
      known = { files, accounts: accountsOf(parsePasswd(passwd), parseGroup(group)) }
    }
    return known.accounts
  }
  const canRun = root === '/' || (process.geteuid?.() === 0 && stat('/bin/sh') !== undefined)
  const cannotRun = canRun ? undefined : 'not possible under --root'
  const command = (argv: readonly string[], given: CommandOptions): Promise<CommandResult> => {
    if (cannotRun !== undefined) throw new Error(`${argv.join(' ')}: ${cannotRun}`)
    return runCommand(argv, given, { root, accounts: accounts() })
  }

  const shared = new Map<string, { answer: Promise<CommandResult>; answeredAt?: number }>()
  const queryShared: Host['queryShared'] = (argv, given = {}) => {
    const question = JSON.stringify([argv, given])
    const known = shared.get(question)
    const ageMs = Date.now() - (known?.answeredAt ?? Date.now())
    if (known !== undefined && ageMs < sharedMs) return known.answer
    const asked: typeof known = { answer: (async () => command(argv, given))() }
    shared.set(question, asked)
    const note = (): void => {
      asked.answeredAt = Date.now()
    }
    void asked.answer.then(note, note)
    return asked.answer
  }

  return {
    root,
    hasSystemd: root === '/' && existsSync('/run/systemd/system'),
    cannotRun,
    stat,
    read,
    holds,
    *readPieces(path) {
      try {
        yield* readPieces(place === undefined ? path : place.of(path))
      } catch (error) {
        throw hostError(error, path)
      }
    },
    readLink: (path) => reading(path, readLinkPath),
    list: (path) => reading(path, listPath, 'folder'),
    accounts,
    query: async (argv, given = {}) => command(argv, given),
    queryShared,
    guard: async (argv, given = {}) =>
      cannotRun === undefined
        ? guardCommand(argv, given, { root, accounts: accounts() })
        : { unavailable: cannotRun },
    ...changing(writes, () => place?.forget()),
    candidate: (name, content) => makeCandidate(root, name, content),
    async run(argv, given = {}) {
      writes.forget()
      try {
        const result = await command(argv, given)
        if (given.lasts === true) await syncSystem(root, { stat, accounts: accounts() })
        return result
      } finally {
        known = undefined
        shared.clear()
        writes.forget()
        place?.forget()
      }
    },
  }
}

/** As they were when the accounts were read. */
type AccountFiles = Readonly<Record<'passwd' | 'group', FileStat | undefined>>

function isSame(a: FileStat | undefined, b: FileStat | undefined): boolean {
  return a?.mtimeMs === b?.mtimeMs && a?.size === b?.size && a?.ino === b?.ino
}

/** The writes, each of which may change what a path means in a root. */
function changing(
  writes: ReturnType<typeof writer>,
  changed: () => void,
): Omit<ReturnType<typeof writer>, 'forget'> {
  return {
    writeFile: (path, content, how) => writes.writeFile(path, content, how),
    makeDirectory: (path, how) => writes.makeDirectory(path, how),
    setMode: (path, mode) => writes.setMode(path, mode),
    setOwner: (path, owner) => writes.setOwner(path, owner),
    sync: () => writes.sync(),
    makeLink(path, target, owner) {
      changed()
      writes.makeLink(path, target, owner)
    },
    remove(path) {
      changed()
      writes.remove(path)
    },
  }
}

/** A file system with more folders than this is read folder by folder, or pays for each change of folder. */
const mostOpen = 128

interface Places {
  /** Where the thing itself is, be it a link. */
  of(path: string): string
  /** Where the folder is, also where the path is that of a link to it. */
  folder(path: string): string
  forget(): void
}

/**
 * Names the things of a tree by their open folder, so that no link leads out of it even while somebody swaps
 * links in. Folders stay open for the reads that follow without a pause; what changes during a pause is seen.
 */
function placesIn(root: string): Places {
  let rootFd: number | undefined
  const folders = new Map<string, number>()
  const forget = (): void => {
    for (const fd of folders.values()) closeSync(fd)
    folders.clear()
  }
  const open = (path: string): number => {
    const known = folders.get(path)
    if (known !== undefined) return known
    if (folders.size === mostOpen) forget()
    if (folders.size === 0) queueMicrotask(forget)
    rootFd ??= openRoot(root)
    const fd = openFolder(rootFd, path, 'any')
    folders.set(path, fd)
    return fd
  }
  return {
    forget,
    of(path) {
      const name = posix.basename(path)
      // The root itself, and what ends in dots, is a folder to go into.
      const whole = name === '' || name === '.' || name === '..'
      const fd = open(whole ? path : posix.dirname(path))
      return inFolder(fd, whole ? '.' : name)
    },
    folder: (path) => inFolder(open(path), '.'),
  }
}
