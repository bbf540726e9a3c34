/** A read or write of the host that the system, or the host's own rules, refused. */
export class HostError extends Error {
  /** An errno name such as EACCES; ELOOP also where a link can't be trusted. */
  readonly code: string
  /** As the caller named it, seen from the managed tree. */
  readonly path: string
  /** The one next step, where the system's reason says what that is. */
  readonly help: string | undefined
  constructor(code: string, path: string, reason: string = meaning(code), cause?: unknown) {
    super(`${path}: ${reason}`, cause === undefined ? undefined : { cause })
    this.name = 'HostError'
    this.code = code
    this.path = path
    this.help = waysOut[code]
  }
}

/** The errno name of anything that was thrown, where it has one. */
export function errorCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}

/** For reads that know no better name of what they read than Node does. */
export function failure(code: string): Error {
  return Object.assign(new Error(code), { code })
}

/**
 * Gives what Node throws the path that the caller knows: Node's own message may name a descriptor under /proc.
 */
export function hostError(error: unknown, path: string): HostError {
  if (error instanceof HostError) return error
  const code = errorCode(error)
  if (code === undefined) throw error
  return new HostError(code, path, meaning(code), error)
}

const meanings: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EBUSY: 'in use by the system (a mount point?)',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'something is there already',
  EFBIG: 'is larger than 64 MiB, and no file for steward to look into',
  EINVAL: 'not possible for this kind of file',
  EIO: 'the disk or file system reports an error',
  EISDIR: 'is a directory',
  ELOOP: 'is a symbolic link, or a loop of them',
  ENAMETOOLONG: 'the name is too long',
  ENOENT: 'no such file or directory',
  ENOSPC: 'no space left on the file system',
  ENOTDIR: 'a part of the path is not a directory',
  ENOTEMPTY: 'the directory is not empty',
  ENXIO: 'is not a regular file',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
}

const waysOut: Readonly<Record<string, string>> = {
  EACCES:
    'run steward as a user who may do that; where root may not, see how the file system is mounted',
  EAGAIN: 'lsof or fuser tells who writes to it; wait until that has ended, then apply again',
  EDQUOT: 'free space or raise the quota, then apply again',
  EFBIG: 'look at what it holds, and put it away',
  EIO: 'journalctl --dmesg shows what the disk reports; mend it, then apply again',
  ENOSPC: 'free space or inodes there (df, df -i), then apply again',
  EPERM: 'where lsattr shows an i or a for it, chattr -i -a lets it be changed; then apply again',
  EROFS: 'journalctl --dmesg may show why it is read-only; mount it writable, then apply again',
}

function meaning(code: string): string {
  const text = meanings[code]
  return text === undefined ? code : `${text} (${code})`
}
