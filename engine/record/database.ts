import { closeSync, constants, existsSync, openSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { Refusal } from '../diagnostics/diagnostic.ts'
import { HostError } from '../host/error.ts'

export type Row = Record<string, SQLOutputValue>
type Value = string | number | Uint8Array | null

const FILE = 'state.db'
/** Beside the database once it was found damaged, which may be seen only in the middle of a run. */
const DAMAGED = 'state.db-is-damaged'

/** What makes a layout of the one before it; those that were released are never changed. */
const LAYOUTS: readonly string[] = [
  `
CREATE TABLE run (id TEXT PRIMARY KEY, started TEXT NOT NULL, finished TEXT, status TEXT NOT NULL, command TEXT NOT NULL, classes TEXT NOT NULL, summary TEXT) STRICT;
CREATE TABLE event (sequence INTEGER PRIMARY KEY, run TEXT NOT NULL, at TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE INDEX event_run ON event (run);
CREATE TABLE intent (id INTEGER PRIMARY KEY, run TEXT NOT NULL, ref TEXT NOT NULL, action TEXT NOT NULL) STRICT;
CREATE TABLE object (hash TEXT PRIMARY KEY, size INTEGER NOT NULL, body BLOB) STRICT;
CREATE TABLE kept (id INTEGER PRIMARY KEY, run TEXT NOT NULL, ref TEXT NOT NULL, path TEXT NOT NULL, kind TEXT NOT NULL, goes TEXT NOT NULL, mode INTEGER NOT NULL, uid INTEGER NOT NULL, gid INTEGER NOT NULL, hash TEXT, target TEXT) STRICT;
CREATE INDEX kept_run ON kept (run);
CREATE TABLE file (path TEXT PRIMARY KEY, ref TEXT NOT NULL, written TEXT NOT NULL, base TEXT NOT NULL, mode INTEGER NOT NULL, uid INTEGER NOT NULL, gid INTEGER NOT NULL, run TEXT NOT NULL, sensitive INTEGER NOT NULL) STRICT;
CREATE TABLE procedure (run TEXT PRIMARY KEY, name TEXT NOT NULL, arguments TEXT NOT NULL, state TEXT NOT NULL, progress TEXT NOT NULL) STRICT;
`,
  `
CREATE TABLE owed (listener TEXT NOT NULL, source TEXT NOT NULL, kind TEXT NOT NULL, run TEXT NOT NULL, PRIMARY KEY (listener, source)) STRICT;
ALTER TABLE kept ADD COLUMN base TEXT;
CREATE TABLE adopted (id INTEGER PRIMARY KEY, path TEXT NOT NULL, base TEXT NOT NULL, edited TEXT NOT NULL, at TEXT NOT NULL) STRICT;
`,
  `
CREATE TABLE managed (ref TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE noted (coverage TEXT PRIMARY KEY, digest TEXT NOT NULL, dropped TEXT NOT NULL) STRICT;
`,
  `
CREATE TABLE link (path TEXT PRIMARY KEY, target TEXT NOT NULL) STRICT;
ALTER TABLE kept ADD COLUMN given TEXT;
`,
]

/** The SQLite database of a state folder. Every commit is synced before it returns. */
export class Database {
  readonly folder: string
  /** How many of the layouts it has; 0 where whoever was making it was cut off before it held anything. */
  readonly layout: number
  #db: DatabaseSync
  readonly isReadOnly: boolean
  readonly #statements = new Map<string, StatementSync>()
  #isOpen = false

  static exists(folder: string): boolean {
    return existsSync(join(folder, FILE))
  }

  /**
   * Opens it for writing and brings it up to date; makes it where there is none. One that is damaged is set aside, and
   * a new one begun: `setAside` is then what became of it.
   */
  static open(folder: string): { readonly database: Database; readonly setAside?: string } {
    const isKnown = existsSync(join(folder, DAMAGED))
    try {
      if (!isKnown) return { database: new Database(folder, { readOnly: false }) }
    } catch (error) {
      if (!isDamage(error)) throw error
    }
    const setAside = moveAway(folder)
    return { database: new Database(folder, { readOnly: false }), setAside }
  }

  constructor(folder: string, { readOnly }: { readonly readOnly: boolean }) {
    this.folder = folder
    this.isReadOnly = readOnly
    const file = join(folder, FILE)
    if (!readOnly && !existsSync(file))
      closeSync(openSync(file, constants.O_CREAT | constants.O_WRONLY, 0o600))
    this.#db = new DatabaseSync(file, { readOnly })
    // It is kept in WAL from its first moment on, and only who writes may roll back a journal of the other kind: whoever
    // was making it was cut off.
    if (readOnly && existsSync(`${file}-journal`)) {
      this.layout = 0
      return
    }
    try {
      this.layout = this.#prepare(readOnly)
    } catch (error) {
      this.#db.close()
      // On a read-only file system there is no place for what SQLite keeps beside a database that it reads.
      if (!readOnly || !isUnopened(error) || existsSync(`${file}-wal`)) throw error
      this.#db = new DatabaseSync(immutable(file), { readOnly })
      this.layout = this.#prepare(readOnly)
    }
  }

  /** Gives the layout that it has by then. */
  #prepare(readOnly: boolean): number {
    this.#db.exec('PRAGMA busy_timeout = 10000')
    const { user_version: layout } = this.#db.prepare('PRAGMA user_version').get() as {
      user_version: number
    }
    const newest = LAYOUTS.length
    if (layout > newest)
      throw new Refusal({
        severity: 'error',
        code: 'state',
        message: `the record in ${this.folder} is of a newer steward: it has layout ${layout}, and this one knows ${newest}`,
        help: 'install that steward again, or one that came after it; or name another folder with --state',
      })
    if (readOnly) return layout
    if (layout === 0) this.#db.exec('PRAGMA journal_mode = WAL')
    if (layout < newest) {
      const steps = LAYOUTS.slice(layout).join('')
      this.#db.exec(`BEGIN; ${steps} PRAGMA user_version = ${newest}; COMMIT`)
    }
    this.#db.exec('PRAGMA synchronous = FULL')
    return newest
  }

  close(): void {
    try {
      this.commit()
    } finally {
      this.#db.close()
    }
  }

  /** Everything from here to `commit` is one transaction; nested calls join it. */
  begin(): void {
    if (this.#isOpen) return
    this.#use(() => this.#db.exec('BEGIN IMMEDIATE'))
    this.#isOpen = true
  }

  /** Makes all that was written since `begin` durable. Does nothing where there is nothing. */
  commit(): void {
    if (!this.#isOpen) return
    this.#use(() => this.#db.exec('COMMIT'))
    this.#isOpen = false
  }

  /** Acts on files beside the database; what goes wrong is told as of the state folder. */
  beside<T>(act: () => T): T {
    try {
      return act()
    } catch (error) {
      throw unusable(this.folder, error)
    }
  }

  run(sql: string, ...values: Value[]): number {
    return this.#use(() => Number(this.#statement(sql).run(...values).changes))
  }

  get(sql: string, ...values: Value[]): Row | undefined {
    return this.#read(() => this.#statement(sql).get(...values))
  }

  all(sql: string, ...values: Value[]): Row[] {
    return this.#read(() => this.#statement(sql).all(...values))
  }

  #read<T>(act: () => T): T {
    try {
      return act()
    } catch (error) {
      throw this.#failed(error)
    }
  }

  /**
   * Where the database fails (a full disk), what was not committed is given
   * up, as SQLite itself may have done already.
   */
  #use<T>(act: () => T): T {
    try {
      return act()
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      this.#isOpen = false
      throw this.#failed(error)
    }
  }

  /** The next run is to set it aside where it is damaged. */
  #failed(error: unknown): Error {
    if (isDamage(error) && !this.isReadOnly)
      closeSync(openSync(join(this.folder, DAMAGED), constants.O_CREAT | constants.O_WRONLY, 0o600))
    return unusable(this.folder, error)
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.#db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}

/** Source: sqlite.org, "Result Codes": SQLITE_CORRUPT is 11, SQLITE_NOTADB 26, both also in the low byte of others. */
function isDamage(error: unknown): boolean {
  const { errcode } = error as { errcode?: number }
  return errcode !== undefined && [11, 26].includes(errcode & 0xff)
}

/** Source: sqlite.org, "Result Codes": SQLITE_CANTOPEN is 14. */
function isUnopened(error: unknown): boolean {
  return (error as { errcode?: number }).errcode === 14
}

/** A database that nobody changes meanwhile. Source: sqlite.org, "Uniform Resource Identifiers". */
function immutable(file: string): URL {
  const url = pathToFileURL(file)
  url.searchParams.set('immutable', '1')
  return url
}

/** Gives the database another name, with what SQLite keeps beside it. */
function moveAway(folder: string): string {
  const away = `${FILE}.damaged-${new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}`
  for (const suffix of ['-wal', '-shm', '']) {
    const file = join(folder, FILE + suffix)
    if (existsSync(file)) renameSync(file, join(folder, away + suffix))
  }
  rmSync(join(folder, DAMAGED), { force: true })
  return join(folder, away)
}

/**
 * SQLite's text is UTF-8: a path whose bytes are not (a lone surrogate for each) is stored as
 * JSON has it, which begins as no other does.
 */
export function textOfPath(path: string): string {
  return path.isWellFormed() && !path.startsWith('"') ? path : JSON.stringify(path)
}

export function pathOfText(text: string): string {
  return text.startsWith('"') ? String(JSON.parse(text)) : text
}

/** What is told of an error of the state folder. */
export function unusable(folder: string, error: unknown): Error {
  // A content that can't be read is not the state folder's fault; a refusal says all that there is to say.
  if (error instanceof HostError || error instanceof Refusal) return error
  const { code, message } = error as { code?: string; message: string }
  const isDenied = code === 'EACCES' || code === 'EPERM'
  if (isDamage(error))
    return new Refusal(
      {
        severity: 'error',
        code: 'state',
        message: `the record in ${folder} is damaged: ${message}`,
        help: 'steward apply sets it aside and begins a new one; what it owed and kept is told no more',
      },
      { cause: error },
    )
  return new Refusal(
    {
      severity: 'error',
      code: 'state',
      message: `the state folder ${folder} can't be used: ${message}`,
      help: isDenied
        ? 'run steward as root, or name another folder with --state'
        : 'free space on its disk or mend it, or name another folder with --state',
    },
    { cause: error },
  )
}
