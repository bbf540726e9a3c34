import { hash, randomBytes } from 'node:crypto'
import { closeSync, constants, existsSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite'
import { Refusal } from '../diagnostics/diagnostic.ts'
import type { Summary } from '../events.ts'
import { HostError } from '../host/error.ts'
import type { OwedRefresh } from '../plan.ts'
import type { Adopted, Recorded, RefreshKind } from '../resources/type.ts'
import { ObjectFiles } from './object-files.ts'

/**
 * The state folder: one SQLite database, and `objects/` for contents that are too large for it. Every commit is
 * synced before it returns, so what was kept or meant is there after a kill or a power cut at any instant.
 */

/** Contents up to this size live in the database, where many are synced at once. Bytes. */
const LARGEST_IN_DATABASE = 100_000

export interface RunRow {
  readonly id: string
  /** ISO 8601, UTC. */
  readonly started: string
  /** Absent for a run that is going on or was cut off. */
  readonly finished: string | undefined
  readonly status: 'running' | Summary['status']
  readonly command: readonly string[]
  readonly classes: readonly string[]
  readonly summary: Summary | undefined
}

export interface EventRow {
  readonly sequence: number
  readonly at: string
  readonly event: unknown
}

/** What steward last wrote at a path, and the pristine version that it went in with. */
export interface FileRow {
  readonly path: string
  readonly ref: string
  /** SHA-256 of the contents, in hex. */
  readonly written: string
  readonly base: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly run: string
  /** Whether the content holds a secret, and so is not shown either when another takes its place. */
  readonly sensitive: boolean
}

/** Something that was overwritten or removed, or whose mode or owner was changed. */
export interface KeptRow {
  readonly id: number
  readonly run: string
  readonly ref: string
  readonly path: string
  readonly kind: string
  readonly goes: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly hash: string | undefined
  readonly target: string | undefined
  /** Of a file: the version of the manifests that it had gone in with; undefined where that was on no record. */
  readonly base: string | undefined
}

export class Store {
  readonly folder: string
  readonly #db: DatabaseSync
  readonly #objects: ObjectFiles
  readonly #statements = new Map<string, StatementSync>()
  readonly #version: number
  #isOpen = false
  /** What `saveProcedure` last wrote beside the database. */
  #lastSecret: string | undefined
  /** Whether anything on the host was about to be changed since this was opened. */
  hasMeant = false

  /** Opens the state for writing; makes it where there is none. */
  static open(folder: string): Store {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      return new Store(folder, false)
    } catch (error) {
      throw unusable(folder, error)
    }
  }

  /** Opens the state for reading; undefined where there is none. */
  static read(folder: string): Store | undefined {
    if (!existsSync(join(folder, FILE))) return undefined
    try {
      const store = new Store(folder, true)
      if (store.#version > 0) return store
      // Whoever was making it was cut off before it held anything.
      store.close()
      return undefined
    } catch (error) {
      throw unusable(folder, error)
    }
  }

  /** Does something with the state, open for reading; undefined where there is none. */
  static reading<T>(folder: string, act: (store: Store) => T): T | undefined {
    const store = Store.read(folder)
    if (!store) return undefined
    try {
      return act(store)
    } finally {
      store.close()
    }
  }

  private constructor(folder: string, readOnly: boolean) {
    this.folder = folder
    this.#objects = new ObjectFiles(folder)
    const file = join(folder, FILE)
    if (!readOnly && !existsSync(file))
      closeSync(openSync(file, constants.O_CREAT | constants.O_WRONLY, 0o600))
    this.#db = new DatabaseSync(file, { readOnly })
    this.#db.exec('PRAGMA busy_timeout = 10000')
    const { user_version: version } = this.#db.prepare('PRAGMA user_version').get() as {
      user_version: number
    }
    this.#version = readOnly ? version : LAYOUTS.length
    const newest = LAYOUTS.length
    if (version > newest)
      throw new Error(
        `it was made by a newer steward (layout ${version}, this one knows ${newest})`,
      )
    if (readOnly) return
    if (version === 0) this.#db.exec('PRAGMA journal_mode = WAL')
    if (version < newest) {
      const steps = LAYOUTS.slice(version).join('')
      this.#db.exec(`BEGIN; ${steps} PRAGMA user_version = ${newest}; COMMIT`)
    }
    this.#db.exec('PRAGMA synchronous = FULL')
    this.#objects.sweep((run) => this.#isOpenProcedure(run))
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
      throw unusable(this.folder, error)
    }
  }

  startRun(options: {
    readonly command: readonly string[]
    readonly classes: readonly string[]
  }): string {
    const now = new Date().toISOString()
    const id = `${now.slice(0, 19).replace(/[-:]/g, '').replace('T', '-')}-${randomBytes(2).toString('hex')}`
    this.#run(
      'INSERT INTO run (id, started, status, command, classes) VALUES (?, ?, ?, ?, ?)',
      id,
      now,
      'running',
      JSON.stringify(options.command),
      JSON.stringify(options.classes),
    )
    return id
  }

  finishRun(id: string, summary: Summary): void {
    this.#run(
      'UPDATE run SET finished = ?, status = ?, summary = ? WHERE id = ?',
      new Date().toISOString(),
      summary.status,
      JSON.stringify(summary),
      id,
    )
  }

  /** Marks the runs that never came to their end as interrupted, and gives them. For who holds the host. */
  closeCutOff(): RunRow[] {
    const rows = this.#db
      .prepare("UPDATE run SET status = 'interrupted' WHERE status = 'running' RETURNING *")
      .all()
    return rows.map(runRow)
  }

  addEvent(run: string, event: unknown): void {
    this.#run(
      'INSERT INTO event (run, at, body) VALUES (?, ?, ?)',
      run,
      new Date().toISOString(),
      JSON.stringify(event),
    )
  }

  /** Says before the change which resource is about to be changed. */
  intend(run: string, ref: string, action: string): void {
    this.hasMeant = true
    this.#run('INSERT INTO intent (run, ref, action) VALUES (?, ?, ?)', run, ref, action)
  }

  /** Says before a change who is owed a refresh by it. What an earlier run owes for the same stays that run's. */
  owe({ listener, source, by, run }: OwedRefresh): void {
    this.#run(
      'INSERT INTO owed (listener, source, kind, run) VALUES (?, ?, ?, ?) ON CONFLICT (listener, source) DO UPDATE SET kind = excluded.kind',
      listener,
      source,
      by,
      run,
    )
  }

  /** Takes back what a run would owe for a change that was not made. */
  oweNothingFor(source: string, run: string): void {
    this.#run('DELETE FROM owed WHERE source = ? AND run = ?', source, run)
  }

  /** Whoever this is has been refreshed, or is not to be any more. */
  oweNothingTo(listener: string): void {
    this.#run('DELETE FROM owed WHERE listener = ?', listener)
  }

  /** The refreshes that are owed, the oldest first. */
  owed(): OwedRefresh[] {
    // A state that an earlier steward made, and that is only read, has no such table yet.
    if (this.#version === 1) return []
    return this.#db
      .prepare('SELECT listener, source, kind, run FROM owed ORDER BY run, rowid')
      .all()
      .map(({ listener, source, kind, run }) => ({
        listener: String(listener),
        source: String(source),
        by: kind as RefreshKind,
        run: String(run),
      }))
  }

  /**
   * Stores a content and gives its SHA-256 in hex. A large one is a file, synced before this returns; so is one
   * that holds a secret, which the database, journal of all runs, is not to hold.
   */
  putObject(content: Uint8Array, { sensitive }: { readonly sensitive: boolean }): string {
    const digest = hash('sha256', content)
    const isFile = content.length > LARGEST_IN_DATABASE || sensitive
    if (isFile) this.#store(() => this.#objects.put(digest, content))
    this.#run(
      'INSERT OR IGNORE INTO object (hash, size, body) VALUES (?, ?, ?)',
      digest,
      content.length,
      isFile ? null : content,
    )
    return digest
  }

  /** As `putObject`, for a content that comes in pieces and need not fit into memory. */
  putPieces(pieces: Iterable<Uint8Array>): string {
    const { hash, size } = this.#store(() => this.#objects.putPieces(pieces))
    this.#run('INSERT OR IGNORE INTO object (hash, size, body) VALUES (?, ?, NULL)', hash, size)
    return hash
  }

  /** The content with this hash; undefined where it was never stored or has been collected. */
  getObject(hash: string): Buffer | undefined {
    const row = this.#get('SELECT body FROM object WHERE hash = ?', hash) as
      | { body: Uint8Array | null }
      | undefined
    if (!row) return undefined
    if (row.body) return Buffer.from(row.body)
    return this.#objects.read(hash)
  }

  /**
   * The same as `getObject`, or the file that holds it where it may be large. What is not in the database
   * may be secret.
   */
  contentOf(
    hash: string,
  ):
    | (({ readonly bytes: Buffer } | { readonly file: string }) & { readonly isSecret: boolean })
    | undefined {
    const row = this.#get('SELECT size, body FROM object WHERE hash = ?', hash) as
      | { size: number; body: Uint8Array | null }
      | undefined
    if (!row) return undefined
    if (row.body) return { bytes: Buffer.from(row.body), isSecret: false }
    if (row.size > LARGEST_IN_DATABASE) return { file: this.#objects.path(hash), isSecret: true }
    return { bytes: this.#objects.read(hash), isSecret: true }
  }

  keep(row: Omit<KeptRow, 'id'>): void {
    this.#run(
      'INSERT INTO kept (run, ref, path, kind, goes, mode, uid, gid, hash, target, base) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      row.run,
      row.ref,
      textOfPath(row.path),
      row.kind,
      row.goes,
      row.mode,
      row.uid,
      row.gid,
      row.hash ?? null,
      row.target === undefined ? null : textOfPath(row.target),
      row.base ?? null,
    )
  }

  recordFile(row: FileRow): void {
    this.#run(
      'INSERT INTO file (path, ref, written, base, mode, uid, gid, run, sensitive) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET ref = excluded.ref, written = excluded.written, base = excluded.base, mode = excluded.mode, uid = excluded.uid, gid = excluded.gid, run = excluded.run, sensitive = excluded.sensitive',
      textOfPath(row.path),
      row.ref,
      row.written,
      row.base,
      row.mode,
      row.uid,
      row.gid,
      row.run,
      row.sensitive ? 1 : 0,
    )
  }

  /** What steward itself gave to a file that is on record. */
  recordAttributes(
    path: string,
    attributes: { readonly mode: number } | { readonly uid: number; readonly gid: number },
  ): void {
    if ('mode' in attributes)
      this.#run('UPDATE file SET mode = ? WHERE path = ?', attributes.mode, textOfPath(path))
    else
      this.#run(
        'UPDATE file SET uid = ?, gid = ? WHERE path = ?',
        attributes.uid,
        attributes.gid,
        textOfPath(path),
      )
  }

  /** What is said of a path, and of all below it, is over: steward removed it. */
  forgetFile(path: string): void {
    const text = textOfPath(path)
    this.#run(
      "DELETE FROM file WHERE path = ? OR path > ? || '/' AND path < ? || '0'",
      text,
      text,
      text,
    )
  }

  /** Paths of files that are on record: those that went in without edits, or those that hold a secret. */
  recordedPaths(which: 'pristine' | 'sensitive'): Set<string> {
    // As one text: 4 ms of CPU for ten thousand paths instead of 11 with a row each.
    const sql = `SELECT json_group_array(path) AS paths FROM file WHERE ${which === 'pristine' ? 'base = written' : 'sensitive'}`
    const texts: string[] = JSON.parse(String(this.#get(sql)?.paths))
    return new Set(texts.map(pathOfText))
  }

  file(path: string): FileRow | undefined {
    const row = this.#get('SELECT * FROM file WHERE path = ?', textOfPath(path))
    return row && ({ ...row, path, sensitive: row.sensitive === 1 } as FileRow)
  }

  /** The same for who probes. */
  recorded(path: string): Recorded | undefined {
    const row = this.file(path)
    return row && { ...row, baseContent: () => this.getObject(row.base) }
  }

  /** Has an edit belong to every later version of a file: what it was made in, and what that became, by hash. */
  adopt(path: string, { base, edited }: { readonly base: string; readonly edited: string }): void {
    const at = new Date().toISOString()
    this.#run(
      'INSERT INTO adopted (path, base, edited, at) VALUES (?, ?, ?, ?)',
      textOfPath(path),
      base,
      edited,
      at,
    )
  }

  /** Gives up what was adopted of a file; whether there was anything. */
  dropAdopted(path: string): boolean {
    return (
      this.#use(() => this.#statement('DELETE FROM adopted WHERE path = ?').run(textOfPath(path)))
        .changes > 0
    )
  }

  /** The edits that were adopted, by path. */
  adopted(): ReadonlyMap<string, readonly Adopted[]> {
    const found = new Map<string, Adopted[]>()
    if (this.#version === 1) return found
    for (const { path, base, edited } of this.#db
      .prepare('SELECT path, base, edited FROM adopted ORDER BY id')
      .all()) {
      const key = pathOfText(String(path))
      const item = {
        base: this.#content(String(base), key),
        edited: this.#content(String(edited), key),
      }
      found.set(key, [...(found.get(key) ?? []), item])
    }
    return found
  }

  #content(hash: string, path: string): Buffer {
    const content = this.getObject(hash)
    if (content) return content
    throw unusable(this.folder, new Error(`the content of an edit of ${path} is gone`))
  }

  /** How long each resource last took to change, by `ref`, in milliseconds. */
  lastDurations(): ReadonlyMap<string, number> {
    const rows = this.#db
      .prepare(
        "SELECT json_extract(body, '$.ref') AS ref, json_extract(body, '$.durationMs') AS ms FROM event WHERE json_extract(body, '$.type') = 'resource_finished' AND json_extract(body, '$.outcome') IN ('changed', 'refreshed') ORDER BY sequence DESC LIMIT 5000",
      )
      .all() as { ref: string; ms: number }[]
    const durations = new Map<string, number>()
    for (const { ref, ms } of rows) if (!durations.has(ref)) durations.set(ref, ms)
    return durations
  }

  /** Runs, the newest first. */
  runs(limit = 100): RunRow[] {
    return this.#db
      .prepare('SELECT * FROM run ORDER BY started DESC, id DESC LIMIT ?')
      .all(limit)
      .map(runRow)
  }

  /** The run whose id is `id` or begins with it, where there is just one. */
  run(id: string): RunRow | undefined {
    const rows = this.#db
      .prepare('SELECT * FROM run WHERE id = ? OR id LIKE ? LIMIT 2')
      .all(id, `${id.replace(/[%_]/g, '')}%`)
    const exact = rows.find((row) => row.id === id) ?? (rows.length === 1 ? rows[0] : undefined)
    return exact && runRow(exact)
  }

  events(run: string): EventRow[] {
    return this.#db
      .prepare('SELECT sequence, at, body FROM event WHERE run = ? ORDER BY sequence')
      .all(run)
      .map((row) => ({
        sequence: Number(row.sequence),
        at: String(row.at),
        event: JSON.parse(String(row.body)),
      }))
  }

  /** What a run kept, in its order. */
  kept(run: string): KeptRow[] {
    return this.#db.prepare('SELECT * FROM kept WHERE run = ? ORDER BY id').all(run).map(keptRow)
  }

  /** What the bucket holds, the newest first: of all that ever was at a path, or at any. */
  bucket(path?: string): KeptRow[] {
    const all = "SELECT * FROM kept WHERE kind <> 'absent'"
    return path === undefined
      ? this.#db.prepare(`${all} ORDER BY id DESC`).all().map(keptRow)
      : this.#db.prepare(`${all} AND path = ? ORDER BY id DESC`).all(textOfPath(path)).map(keptRow)
  }

  /**
   * Forgets what was kept before an instant (ISO 8601), beyond so many of a path, or, the oldest first, until
   * all contents take no more than so many bytes; never the newest of a path, and no content that a file on record
   * went in with. Gives how much is gone.
   */
  collect({
    before,
    keep,
    maxBytes,
  }: {
    readonly before?: string
    readonly keep?: number
    readonly maxBytes?: number
  }): { readonly rows: number; readonly contents: number; readonly bytes: number } {
    this.begin()
    const older = this.#db
      .prepare(
        `SELECT kept.id, rank, started FROM (SELECT id, run, row_number() OVER (PARTITION BY path ORDER BY id DESC) AS rank FROM kept) AS kept JOIN run ON run.id = kept.run WHERE rank > 1 ORDER BY kept.id`,
      )
      .all() as { id: number; rank: number; started: string }[]
    const gone = { rows: 0, contents: 0, bytes: 0 }
    const forget = (id: number) => {
      this.#run('DELETE FROM kept WHERE id = ?', id)
      gone.rows++
    }
    const left = older.filter(({ id, rank, started }) => {
      const goes = (before !== undefined && started < before) || (keep !== undefined && rank > keep)
      if (goes) forget(id)
      return !goes
    })
    const sweep = () => {
      const orphans = this.#db
        .prepare(
          'DELETE FROM object WHERE hash NOT IN (SELECT hash FROM kept WHERE hash IS NOT NULL UNION SELECT base FROM kept WHERE base IS NOT NULL UNION SELECT written FROM file UNION SELECT base FROM file UNION SELECT base FROM adopted UNION SELECT edited FROM adopted) RETURNING hash, size',
        )
        .all() as { hash: string; size: number }[]
      for (const { size } of orphans) gone.bytes += size
      gone.contents += orphans.length
      return orphans
    }
    const orphans = sweep()
    if (maxBytes !== undefined) {
      const size = () =>
        Number(this.#get('SELECT coalesce(sum(size), 0) AS size FROM object')?.size)
      for (const { id } of left) {
        if (size() <= maxBytes) break
        forget(id)
        orphans.push(...sweep())
      }
    }
    this.commit()
    // Only what the database names no more: a kill in between leaves a file too many, and never one too few.
    for (const { hash } of orphans) this.#objects.remove(hash)
    return gone
  }

  keptBy(id: number): KeptRow | undefined {
    const row = this.#get('SELECT * FROM kept WHERE id = ?', id)
    return row && keptRow(row)
  }

  /** The runs of procedures that are neither done nor given up, without what of them is secret. */
  openProcedures(): ProcedureRow[] {
    return this.#db
      .prepare("SELECT * FROM procedure WHERE state = 'open' ORDER BY run")
      .all()
      .map(procedureRow)
  }

  /** The run of a procedure that is neither done nor given up. */
  openProcedure(name: string): ProcedureRow | undefined {
    const row = this.#get(
      "SELECT * FROM procedure WHERE name = ? AND state = 'open' ORDER BY run DESC LIMIT 1",
      name,
    )
    if (!row) return undefined
    const secret = this.#store(() => this.#objects.readOpen(String(row.run)))
    return { ...procedureRow(row), ...(secret ? { secret: JSON.parse(secret.toString()) } : {}) }
  }

  /**
   * Durable when it returns. What is secret is a file beside the database until the run
   * is closed, and is there before a row that goes with it.
   */
  saveProcedure(row: ProcedureRow): void {
    const secret = row.secret === undefined ? undefined : JSON.stringify(row.secret)
    if (row.state === 'open' && secret !== undefined && secret !== this.#lastSecret) {
      this.#store(() => this.#objects.putOpen(row.run, Buffer.from(secret)))
      this.#lastSecret = secret
    }
    this.begin()
    this.#run(
      'INSERT INTO procedure (run, name, arguments, state, progress) VALUES (?, ?, ?, ?, ?) ON CONFLICT (run) DO UPDATE SET state = excluded.state, progress = excluded.progress',
      row.run,
      row.name,
      JSON.stringify(row.arguments),
      row.state,
      JSON.stringify(row.progress),
    )
    this.commit()
    if (row.state !== 'open') this.#store(() => this.#objects.removeOpen(row.run))
  }

  #isOpenProcedure(run: string): boolean {
    return this.#get("SELECT 1 FROM procedure WHERE run = ? AND state = 'open'", run) !== undefined
  }

  /** Acts on the files of objects, beside the database. */
  #store<T>(act: () => T): T {
    try {
      return act()
    } catch (error) {
      throw unusable(this.folder, error)
    }
  }
  #run(sql: string, ...values: (string | number | Uint8Array | null)[]): void {
    this.#use(() => this.#statement(sql).run(...values))
  }
  #get(sql: string, ...values: (string | number)[]): Record<string, SQLOutputValue> | undefined {
    return this.#statement(sql).get(...values)
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

/** How far a procedure has come. `progress` is the procedure's own affair. */
export interface ProcedureRow {
  readonly run: string
  readonly name: string
  readonly arguments: Readonly<Record<string, unknown>>
  readonly state: 'open' | 'done' | 'failed' | 'abandoned'
  readonly progress: unknown
  /** What of arguments and progress is secret, and so is not in the database. Absent where nothing is. */
  readonly secret?: unknown
}

const FILE = 'state.db'

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
]

/**
 * SQLite's text is UTF-8: a path whose bytes are not (a lone surrogate for each) is stored as
 * JSON has it, which begins as no other does.
 */
function textOfPath(path: string): string {
  return path.isWellFormed() && !path.startsWith('"') ? path : JSON.stringify(path)
}

function pathOfText(text: string): string {
  return text.startsWith('"') ? String(JSON.parse(text)) : text
}

function runRow(row: Record<string, SQLOutputValue>): RunRow {
  return {
    id: String(row.id),
    started: String(row.started),
    finished: row.finished === null ? undefined : String(row.finished),
    status: row.status as RunRow['status'],
    command: JSON.parse(String(row.command)),
    classes: JSON.parse(String(row.classes)),
    summary: row.summary === null ? undefined : JSON.parse(String(row.summary)),
  }
}

function keptRow(row: Record<string, SQLOutputValue>): KeptRow {
  return {
    ...row,
    path: pathOfText(String(row.path)),
    hash: row.hash ?? undefined,
    target: row.target === null ? undefined : pathOfText(String(row.target)),
    base: row.base ?? undefined,
  } as unknown as KeptRow
}

function procedureRow(row: Record<string, SQLOutputValue>): ProcedureRow {
  return {
    run: String(row.run),
    name: String(row.name),
    arguments: JSON.parse(String(row.arguments)),
    state: row.state as ProcedureRow['state'],
    progress: JSON.parse(String(row.progress)),
  }
}

function unusable(folder: string, error: unknown): Error {
  // A content that can't be read is not the state folder's fault.
  if (error instanceof HostError) return error
  const { code, message } = error as { code?: string; message: string }
  const isDenied = code === 'EACCES' || code === 'EPERM'
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
