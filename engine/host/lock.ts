import { spawn, spawnSync } from 'node:child_process'
import { closeSync, constants, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { Refusal } from '../diagnostics/diagnostic.ts'
import { hostError } from './error.ts'

/** Who holds the lock, as the holder wrote it into the lock's file. */
export interface Holder {
  readonly pid: number
  /** The run's id. */
  readonly run: string
  /** When the lock was taken: ISO 8601, UTC. */
  readonly since: string
}

export interface LockOptions {
  /** How long to wait for another holder; 0 refuses at once. */
  readonly waitMs: number
  readonly run: string
  /** Called once, before waiting; undefined where the holder has not yet said who it is. */
  readonly onWait?: (holder: Holder | undefined) => void
  /** Gives up waiting; the promise is then rejected with its AbortError. */
  readonly signal?: AbortSignal
}

/**
 * Takes the lock that lets one run at a time change a host. The kernel keeps it on our own open file: flock(1)
 * sets it on the descriptor that it inherits and ends. So it goes with this process, however that ends, and
 * can't go stale. No other child inherits it: Node opens files close-on-exec. Throws a Refusal, `lock-held`.
 */
export async function acquireLock(
  path: string,
  options: LockOptions,
): Promise<{ readonly release: () => void }> {
  const fd = openLock(path)
  try {
    if (!tryLock(fd)) {
      if (options.waitMs > 0) options.onWait?.(readHolder(fd))
      if (!(options.waitMs > 0 && (await waitForLock(fd, options)))) {
        throw new Refusal(held(readHolder(fd), options.waitMs))
      }
    }
    writeHolder(fd, { pid: process.pid, run: options.run, since: new Date().toISOString() })
  } catch (error) {
    closeSync(fd)
    throw error
  }
  return {
    release() {
      ftruncateSync(fd, 0)
      closeSync(fd)
    },
  }
}

function openLock(path: string): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
  } catch (error) {
    throw new Refusal(
      {
        severity: 'error',
        code: 'state',
        message: `the run lock can not be opened: ${hostError(error, path).message}`,
        help: 'run steward as root, or name another state folder with --state',
      },
      { cause: error },
    )
  }
}

function tryLock(fd: number): boolean {
  const { status, error } = spawnSync('flock', ['-xn', '3'], { stdio: stdio(fd) })
  return verdict(status, error)
}

/** Waits in the kernel's queue: who came first gets it first. */
function waitForLock(fd: number, { waitMs, signal }: LockOptions): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn('flock', ['-x', '-w', String(waitMs / 1000), '3'], {
      stdio: stdio(fd),
      // Not in our group: a Ctrl-C ends the wait by `signal`, not behind our back.
      detached: true,
      ...(signal === undefined ? {} : { signal }),
    })
    child.once('error', reject)
    child.once('exit', (status) => {
      try {
        resolve(verdict(status))
      } catch (error) {
        reject(error)
      }
    })
  })
}

function stdio(fd: number): ['ignore', 'ignore', 'ignore', number] {
  return ['ignore', 'ignore', 'ignore', fd]
}

function verdict(status: number | null, error?: Error): boolean {
  if (status === 0) return true
  if (status === 1) return false
  throw new Refusal(
    {
      severity: 'error',
      code: 'state',
      message: 'the run lock can not be taken',
      found: error?.message ?? `flock ended with ${status ?? 'a signal'}`,
      help: 'check that flock (package util-linux) is installed and the state folder is on a local disk',
    },
    { cause: error },
  )
}

function held(
  holder: Holder | undefined,
  waitMs: number,
): ConstructorParameters<typeof Refusal>[0] {
  const who =
    holder === undefined
      ? 'another run'
      : `run ${holder.run} (process ${holder.pid}) since ${holder.since}`
  const waited = waitMs > 0 ? ` after ${Math.round(waitMs / 1000)} s` : ''
  return {
    severity: 'error',
    code: 'lock-held',
    message: `another run holds the lock of this host${waited}`,
    expected: 'one run at a time',
    found: who,
    help: 'wait for it to end, or give --wait SECONDS',
  }
}

function writeHolder(fd: number, holder: Holder): void {
  ftruncateSync(fd, 0)
  writeSync(fd, `${JSON.stringify(holder)}\n`, 0)
}

function readHolder(fd: number): Holder | undefined {
  const room = Buffer.alloc(1000)
  const text = room.toString('utf8', 0, readSync(fd, room, 0, room.length, 0))
  try {
    const { pid, run, since } = JSON.parse(text) as Partial<Holder>
    if (pid === undefined || run === undefined || since === undefined) return undefined
    return { pid, run, since }
  } catch {
    // Empty for the moment between taking the lock and writing here.
    return undefined
  }
}
