import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { Refusal } from '../diagnostics/diagnostic.ts'

/** How often who waits looks again. */
const pollMs = 100

/** Who holds the lock, as the holder wrote it beside the lock. */
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
 * Takes the lock that lets one run at a time change a host: that of an empty SQLite database, which is there for
 * nothing else. The kernel keeps such a lock for this process alone, so it goes when the process does, however
 * that ends, can't go stale, and is no child's. It would also go where this process closed the file after opening
 * it by itself: so what the holder says of itself is in a file beside it, `PATH.json`. Throws a Refusal, `lock-held`.
 */
export async function acquireLock(
  path: string,
  options: LockOptions,
): Promise<{ readonly release: () => void }> {
  const { waitMs, run, signal } = options
  const said = `${path}.json`
  let database: DatabaseSync | undefined
  try {
    // Nobody else's to lock. Closed only before there is a lock, which that would take away.
    if (!existsSync(path)) closeSync(openSync(path, 'w', 0o600))
    database = new DatabaseSync(path)
    const until = Date.now() + waitMs
    if (!isTaken(database)) {
      if (waitMs > 0) options.onWait?.(readHolder(said))
      do {
        if (Date.now() >= until) throw new Refusal(held(readHolder(said), waitMs))
        await pause(pollMs, undefined, { signal })
      } while (!isTaken(database))
    }
    writeHolder(said, { pid: process.pid, run, since: new Date().toISOString() })
    return { release: () => database?.close() }
  } catch (error) {
    database?.close()
    if (error instanceof Refusal || signal?.aborted) throw error
    throw new Refusal(
      {
        severity: 'error',
        code: 'state',
        message: `the run lock ${path} can not be taken: ${(error as Error).message}`,
        help: isOfDisk(error)
          ? 'free space on its disk or mend it, or name another folder with --state'
          : 'run steward as root, or name another state folder, on a local disk, with --state',
      },
      { cause: error },
    )
  }
}

/** Who holds the lock now; undefined where nobody does. For who only looks: it makes nothing, and takes nothing. */
export function lockHolder(path: string): Partial<Holder> | undefined {
  if (!existsSync(path)) return undefined
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    return isTaken(database, 'SELECT 1 FROM sqlite_schema')
      ? undefined
      : (readHolder(`${path}.json`) ?? {})
  } finally {
    database.close()
  }
}

/** Source: sqlite.org, "Result Codes": SQLITE_BUSY is 5. */
function isTaken(database: DatabaseSync, by = 'BEGIN EXCLUSIVE'): boolean {
  try {
    database.exec(by)
    return true
  } catch (error) {
    if ((error as { errcode?: number }).errcode === 5) return false
    throw error
  }
}

/** Source: sqlite.org, "Result Codes": SQLITE_READONLY is 8, SQLITE_IOERR 10, SQLITE_FULL 13, also in the low byte. */
function isOfDisk(error: unknown): boolean {
  const { code, errcode = 0 } = error as { code?: string; errcode?: number }
  const isSystems = ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO'].includes(code ?? '')
  return isSystems || [8, 10, 13].includes(errcode & 0xff)
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

function writeHolder(path: string, holder: Holder): void {
  writeFileSync(path, `${JSON.stringify(holder)}\n`, { mode: 0o600 })
}

/** Undefined where it has not yet said so. */
function readHolder(path: string): Holder | undefined {
  try {
    const { pid, run, since } = JSON.parse(readFileSync(path, 'utf8')) as Partial<Holder>
    if (pid === undefined || run === undefined || since === undefined) return undefined
    return { pid, run, since }
  } catch {
    return undefined
  }
}
