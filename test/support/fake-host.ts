import { posix } from 'node:path'
import { accountsOf, parseGroup, parsePasswd } from '../../engine/host/accounts.ts'
import { HostError } from '../../engine/host/error.ts'
import type {
  Accounts,
  CommandOptions,
  CommandResult,
  FileKind,
  FileStat,
  Group,
  Host,
  User,
} from '../../engine/host/host.ts'

/**
 * Text or bytes are a file of root's with mode 0644; everything else is
 * written out. Parents are made: root's, 0755.
 */
export type FakeFile =
  | string
  | Uint8Array
  | {
      /** A link where `target` is given, else a file. */
      readonly kind?: FileKind
      readonly content?: string | Uint8Array
      readonly target?: string
      readonly mode?: number
      readonly uid?: number
      readonly gid?: number
      readonly mtimeMs?: number
    }

/** Text is standard output with exit code 0. */
export type FakeAnswer = string | Partial<CommandResult>
export type FakeCommand =
  | FakeAnswer
  | ((argv: readonly string[], options: CommandOptions) => FakeAnswer)

export interface FakeHostOptions {
  readonly files?: Readonly<Record<string, FakeFile>>
  /** From the argv joined by spaces; a function may change the host, as the real command would. */
  readonly commands?: Readonly<Record<string, FakeCommand>>
  /** In place of /etc/passwd and /etc/group among `files`; with neither there is only root. */
  readonly accounts?: {
    readonly users?: readonly (Partial<User> & { readonly name: string; readonly uid: number })[]
    readonly groups?: readonly (Partial<Group> & { readonly name: string; readonly gid: number })[]
  }
  readonly root?: string
  /** True when absent. */
  readonly hasSystemd?: boolean
  readonly cannotRun?: string
  /** Why no guard can be asked. */
  readonly guardUnavailable?: string
}

export interface Asked {
  readonly argv: readonly string[]
  readonly options: CommandOptions
}
/** A change of the file tree, in the order made. */
export interface Write {
  readonly act: 'writeFile' | 'makeDirectory' | 'makeLink' | 'setMode' | 'setOwner' | 'remove'
  readonly path: string
  readonly content?: string
  readonly target?: string
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
}

export interface FakeHost extends Host {
  /** Commands asked through `query`, as text. */
  readonly queries: string[]
  readonly guards: string[]
  readonly runs: string[]
  /** Every command with its options, whatever it was asked through. */
  readonly asked: Asked[]
  readonly writes: Write[]
  /** The content of a file as text. */
  text(path: string): string
  /** Puts something there without a trace in `writes`: another hand. */
  put(path: string, file: FakeFile): void
}

interface Entry {
  kind: FileKind
  content: Buffer
  target: string
  mode: number
  uid: number
  gid: number
  mtimeMs: number
  ino: number
}

/** A host in memory, for tests of resource types. An unknown command throws with its text. */
export function fakeHost(options: FakeHostOptions = {}): FakeHost {
  const tree = new Map<string, Entry>()
  let nextInode = 2
  tree.set('/', entryOf({ kind: 'directory' }, 1))
  const commands = options.commands ?? {}
  const queries: string[] = []
  const guards: string[] = []
  const runs: string[] = []
  const asked: Asked[] = []
  const writes: Write[] = []
  const shared = new Map<string, CommandResult>()

  const put = (path: string, file: FakeFile): void => {
    for (const parent of parentsOf(path)) {
      if (!tree.has(parent)) tree.set(parent, entryOf({ kind: 'directory' }, nextInode++))
    }
    tree.set(path, entryOf(file, nextInode++))
  }
  for (const [path, file] of Object.entries(options.files ?? {})) put(path, file)

  /** The path with links among its parents resolved; undefined where a parent is missing or no directory. */
  const place = (path: string, hops = 0): string | undefined => {
    if (hops > 40) throw new HostError('ELOOP', path)
    let at = '/'
    const parts = path.split('/').filter((part) => part !== '')
    for (const [index, part] of parts.entries()) {
      at = posix.join(at, part)
      if (index === parts.length - 1) return at
      const entry = tree.get(at)
      if (entry?.kind === 'link') {
        const rest = parts.slice(index + 1)
        return place(posix.resolve(posix.dirname(at), entry.target, ...rest), hops + 1)
      }
      if (entry?.kind !== 'directory') return undefined
    }
    return at
  }
  const find = (path: string): Entry | undefined => {
    const at = place(path)
    return at === undefined ? undefined : tree.get(at)
  }
  const need = (path: string): Entry => {
    const entry = find(path)
    if (entry === undefined) throw new HostError('ENOENT', path)
    return entry
  }
  const target = (path: string): string => {
    const at = place(path)
    if (at === undefined || tree.get(posix.dirname(at))?.kind !== 'directory') {
      throw new HostError('ENOENT', path)
    }
    return at
  }
  const children = (path: string): string[] => {
    const below = path === '/' ? '/' : `${path}/`
    return [...tree.keys()].filter((key) => key !== '/' && key.startsWith(below))
  }

  const answer = (argv: readonly string[], given: CommandOptions = {}): CommandResult => {
    const text = argv.join(' ')
    asked.push({ argv, options: given })
    const command = Object.hasOwn(commands, text) ? commands[text] : undefined
    if (command === undefined) throw new Error(`the fake host knows no command: ${text}`)
    const found = typeof command === 'function' ? command(argv, given) : command
    const result = typeof found === 'string' ? { stdout: found } : found
    const ended = 'startError' in result || 'signal' in result || result.timedOut === true
    return {
      argv,
      ...(ended ? {} : { exitCode: 0 }),
      timedOut: false,
      stdout: '',
      stderr: '',
      durationMs: 1,
      ...result,
    }
  }

  return {
    root: options.root ?? '/',
    hasSystemd: options.hasSystemd ?? true,
    cannotRun: options.cannotRun,
    queries,
    guards,
    runs,
    asked,
    writes,
    put,
    text: (path) => need(path).content.toString(),

    stat(path) {
      const entry = find(path)
      return entry && statOf(entry)
    },
    read(path) {
      const { kind, content } = need(path)
      if (kind !== 'file') throw new HostError(kind === 'directory' ? 'EISDIR' : 'ENXIO', path)
      return Buffer.from(content)
    },
    holds(path, content) {
      return find(path)?.kind === 'file' && this.read(path).equals(content)
    },
    *readPieces(path) {
      yield this.read(path)
    },
    readLink(path) {
      const entry = need(path)
      if (entry.kind !== 'link') throw new HostError('EINVAL', path)
      return entry.target
    },
    list(path) {
      if (need(path).kind !== 'directory') throw new HostError('ENOTDIR', path)
      const at = place(path) ?? path
      return children(at)
        .map((key) => key.slice(at === '/' ? 1 : at.length + 1))
        .filter((name) => !name.includes('/'))
        .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    },
    accounts: () => fakeAccounts(options, (path) => find(path)?.content.toString()),
    async query(argv, given) {
      queries.push(argv.join(' '))
      return answer(argv, given)
    },
    async queryShared(argv, given) {
      const question = JSON.stringify([argv, given])
      const known = shared.get(question)
      if (known !== undefined) return known
      const result = await this.query(argv, given)
      shared.set(question, result)
      return result
    },
    async guard(argv, given) {
      guards.push(argv.join(' '))
      if (options.guardUnavailable !== undefined) return { unavailable: options.guardUnavailable }
      return answer(argv, given)
    },

    writeFile(path, content, { mode, uid, gid }) {
      const at = target(path)
      if (tree.get(at)?.kind === 'directory') throw new HostError('EISDIR', path)
      tree.set(at, entryOf({ content, mode, uid, gid }, nextInode++))
      writes.push({
        act: 'writeFile',
        path,
        content: Buffer.from(content).toString(),
        mode,
        uid,
        gid,
      })
    },
    candidate: (name) => ({ path: `/tmp/candidate/${name}`, remove: () => undefined }),
    makeDirectory(path, { mode, uid, gid }) {
      const at = target(path)
      if (tree.has(at)) throw new HostError('EEXIST', path)
      tree.set(at, entryOf({ kind: 'directory', mode, uid, gid }, nextInode++))
      writes.push({ act: 'makeDirectory', path, mode, uid, gid })
    },
    makeLink(path, to, owner) {
      const at = target(path)
      if (tree.get(at)?.kind === 'directory') throw new HostError('EISDIR', path)
      tree.set(at, entryOf({ target: to, ...owner }, nextInode++))
      writes.push({ act: 'makeLink', path, target: to, ...owner })
    },
    setMode(path, mode) {
      const entry = need(path)
      if (entry.kind === 'link') throw new HostError('ELOOP', path)
      entry.mode = mode
      writes.push({ act: 'setMode', path, mode })
    },
    setOwner(path, { uid, gid }) {
      Object.assign(need(path), { uid, gid })
      writes.push({ act: 'setOwner', path, uid, gid })
    },
    remove(path) {
      need(path)
      const at = target(path)
      for (const child of children(at)) tree.delete(child)
      tree.delete(at)
      writes.push({ act: 'remove', path })
    },
    sync() {},
    async run(argv, given) {
      shared.clear()
      runs.push(argv.join(' '))
      return answer(argv, given)
    },
  }
}

function entryOf(file: FakeFile, ino: number): Entry {
  const given = typeof file === 'string' || file instanceof Uint8Array ? { content: file } : file
  const kind = given.kind ?? (given.target === undefined ? 'file' : 'link')
  const usual = { directory: 0o755, link: 0o777 } as const
  return {
    kind,
    content: Buffer.from(given.content ?? ''),
    target: given.target ?? '',
    mode: given.mode ?? (kind === 'directory' || kind === 'link' ? usual[kind] : 0o644),
    uid: given.uid ?? 0,
    gid: given.gid ?? 0,
    mtimeMs: given.mtimeMs ?? 1_700_000_000_000 + ino,
    ino,
  }
}

function statOf({ kind, mode, uid, gid, mtimeMs, ino, content, target }: Entry): FileStat {
  const size = kind === 'link' ? Buffer.byteLength(target) : content.length
  const times = { mtimeMs, atimeMs: mtimeMs, ctimeMs: mtimeMs }
  return { kind, mode, uid, gid, size, ...times, dev: 1, ino }
}

function parentsOf(path: string): string[] {
  const parents: string[] = []
  for (let at = posix.dirname(path); at !== '/'; at = posix.dirname(at)) parents.unshift(at)
  return parents
}

function fakeAccounts(
  { accounts }: FakeHostOptions,
  text: (path: string) => string | undefined,
): Accounts {
  const passwd = text('/etc/passwd')
  const group = text('/etc/group')
  const users = accounts?.users ?? (passwd === undefined ? [{ name: 'root', uid: 0 }] : undefined)
  const groups = accounts?.groups ?? (group === undefined ? [{ name: 'root', gid: 0 }] : undefined)
  return accountsOf(
    users?.map((user) => ({
      gid: user.uid,
      comment: '',
      home: user.uid === 0 ? '/root' : `/home/${user.name}`,
      shell: '/bin/bash',
      ...user,
    })) ?? parsePasswd(passwd ?? ''),
    groups?.map((item) => ({ members: [], ...item })) ?? parseGroup(group ?? ''),
  )
}
