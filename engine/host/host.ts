/**
 * The one door to the machine. Types probe through a `HostReader`, which can't change anything, and apply
 * through a `Host`, which keeps what it overwrites.
 *
 * Paths are absolute and seen from the managed tree (`--root`): implementations resolve them below the
 * root, and no symbolic link leads out of it. Names that are not UTF-8 stay intact: each byte that
 * does not decode is the lone surrogate U+DC00 + byte (PEP 383), and goes back to that byte.
 */

export type FileKind = 'file' | 'directory' | 'link' | 'fifo' | 'socket' | 'device'

/** What lstat(2) says. */
export interface FileStat {
  readonly kind: FileKind
  /** The low twelve bits: permissions, setuid, setgid, sticky. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Bytes. */
  readonly size: number
  readonly mtimeMs: number
  readonly atimeMs: number
  readonly ctimeMs: number
  readonly dev: number
  readonly ino: number
}

export interface User {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly comment: string
  readonly home: string
  readonly shell: string
}
export interface Group {
  readonly name: string
  readonly gid: number
  readonly members: readonly string[]
}
/** /etc/passwd and /etc/group of the managed tree. A lookup of an all-digits name gives that number. */
export interface Accounts {
  readonly users: ReadonlyMap<string, User>
  readonly groups: ReadonlyMap<string, Group>
  uid(name: string | number): number | undefined
  gid(name: string | number): number | undefined
  /** The name, or the number as text where it has none. */
  userName(uid: number): string
  groupName(gid: number): string
}

export interface CommandOptions {
  /** Runs with this user's primary and supplementary groups; absent: as steward runs. */
  readonly user?: string
  /** Instead of the user's primary group. */
  readonly group?: string
  readonly cwd?: string
  /** On top of the clean environment (PATH, HOME, USER, LOGNAME, SHELL, LANG). */
  readonly environment?: Readonly<Record<string, string>>
  /** Octal text such as "022". */
  readonly umask?: string
  readonly stdin?: string
  /** 300 000 when absent; the whole process group ends when it is over. */
  readonly timeoutMs?: number
  /** Called with each whole line of its standard output as it comes, without its end. */
  readonly onLine?: (line: string) => void
  /** Of `run`: whether what it wrote is on the disk, and not only on its way there, when it has ended. */
  readonly lasts?: boolean
  /** For guards: folders over which a private, empty one of the same owner and mode is laid. */
  readonly scratch?: readonly string[]
}

export interface CommandResult {
  readonly argv: readonly string[]
  /** Absent when it was ended by a signal or could not be started. */
  readonly exitCode?: number
  readonly signal?: string
  readonly timedOut: boolean
  /** Why it could not be started, such as ENOENT. */
  readonly startError?: string
  readonly stdout: string
  readonly stderr: string
  readonly durationMs: number
}

export interface HostReader {
  /** The folder that is managed; "/" for the machine itself. */
  readonly root: string
  /** lstat(2); undefined where nothing is or a parent is no directory. Throws on EACCES, EIO. */
  stat(path: string): FileStat | undefined
  /** The bytes of a regular file; follows no link in the last part. Throws where it is none, or above 64 MiB (EFBIG). */
  read(path: string): Buffer
  /** As `read`, in pieces: for a file that may be too large to hold. Each is good until the next is asked for. */
  readPieces(path: string): Iterable<Buffer>
  /** Whether there is a regular file with just these bytes. Cheaper than `read`, for nothing is copied. */
  holds(path: string, content: Uint8Array): boolean
  readLink(path: string): string
  /** Base names in a directory, sorted by their bytes. */
  list(path: string): string[]
  /** Read afresh after anything that may have changed it. */
  accounts(): Accounts
  /** A read that only a command can do, such as `systemctl show`: it must change nothing. */
  query(argv: readonly string[], options?: CommandOptions): Promise<CommandResult>
  /**
   * A query whose answer several types read: the same one is asked anew only when something was run
   * since, or two seconds went by.
   */
  queryShared(argv: readonly string[], options?: CommandOptions): Promise<CommandResult>
  /**
   * A guard or query that a manifest declares: run with the file system read-only and a private /tmp.
   * `unavailable` says why where no such namespace can be had.
   */
  guard(
    argv: readonly string[],
    options?: CommandOptions,
  ): Promise<CommandResult | { readonly unavailable: string }>
  /** Whether systemd is PID 1 of the managed tree: never under a `--root` other than "/". */
  readonly hasSystemd: boolean
  /** Why commands can't run on the managed tree ("not possible under --root"), or undefined where they can. */
  readonly cannotRun: string | undefined
}

export interface Ownership {
  readonly uid: number
  readonly gid: number
}

/** What a file is given besides its content. */
export interface Attributes extends Ownership {
  readonly mode: number
}

/** An owner to be given, of which a part may be what somebody here gave, and not for steward's account. */
export interface GivenOwner extends Ownership {
  /** For the record: what steward gave last, of what somebody here gave since and keeps. */
  readonly stewards?: Partial<Attributes>
}

export interface NewFile extends GivenOwner {
  readonly mode: number
  /** For the record: the version of the manifests, where the content is one that an edit was merged into. */
  readonly pristine?: Uint8Array
}

/**
 * What a write put in place is synced when it returns; the folder that names it is once `sync` returns,
 * so that many writes in one folder cost one sync of it. No write goes through a link
 * that somebody unprivileged could have placed.
 */
export interface Host extends HostReader {
  /** Puts the content in place by rename; what was there is replaced, a directory is not. */
  writeFile(path: string, content: Uint8Array, options: NewFile): void
  /** A copy of a content that only root can read, by this name in a new folder of the managed tree's /tmp. */
  candidate(
    name: string,
    content: Uint8Array,
  ): { readonly path: string; readonly remove: () => void }
  makeDirectory(path: string, options: Ownership & { readonly mode: number }): void
  /** Makes a symbolic link, or replaces a file or link by it in one step. */
  makeLink(path: string, target: string, options?: Ownership): void
  /** Never through a link. */
  setMode(path: string, mode: number): void
  /**
   * Of the thing itself, also where it is a link. Takes setuid and setgid away from a file,
   * as chown(2) does: set the mode after it.
   */
  setOwner(path: string, owner: GivenOwner): void
  /**
   * Removes a file, a link, or a directory with all that it holds. `isWorthless` where the manifest says that
   * nobody will want it back, so that it is not kept.
   */
  remove(path: string, options?: { readonly isWorthless?: boolean }): void
  /**
   * Makes the writes so far last through a loss of power: called before a result is journalled, and by `run`.
   */
  sync(): void
  run(argv: readonly string[], options?: CommandOptions): Promise<CommandResult>
  /** Tells who watches what a long act is at; absent where nobody does. */
  readonly progress?: (doing: string) => void
}
