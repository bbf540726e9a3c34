import { randomBytes } from 'node:crypto'
import type { OwedRefresh } from '../due-refreshes.ts'
import type { Summary } from '../events.ts'
import type { RefreshKind } from '../resources/type.ts'
import type { Database, Row } from './database.ts'

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

/** What runs there were, what each meant to do, and what became of it. */
export class Runs {
  /** Whether anything on the host was about to be changed since the state was opened. */
  hasMeant = false
  readonly #db: Database

  constructor(database: Database) {
    this.#db = database
  }

  start(options: {
    readonly command: readonly string[]
    readonly classes: readonly string[]
  }): string {
    const now = new Date().toISOString()
    const id = `${now.slice(0, 19).replace(/[-:]/g, '').replace('T', '-')}-${randomBytes(2).toString('hex')}`
    this.#db.run(
      'INSERT INTO run (id, started, status, command, classes) VALUES (?, ?, ?, ?, ?)',
      id,
      now,
      'running',
      JSON.stringify(options.command),
      JSON.stringify(options.classes),
    )
    return id
  }

  finish(id: string, summary: Summary): void {
    this.#db.run(
      'UPDATE run SET finished = ?, status = ?, summary = ? WHERE id = ?',
      new Date().toISOString(),
      summary.status,
      JSON.stringify(summary),
      id,
    )
  }

  /** Marks the runs that never came to their end as interrupted, and gives them. For who holds the host. */
  closeCutOff(): RunRow[] {
    const rows = this.#db.all(
      "UPDATE run SET status = 'interrupted' WHERE status = 'running' RETURNING *",
    )
    return rows.map(runRow)
  }

  /** Runs, the newest first: by the order in which they began, for a clock may be set back. */
  list(limit = 100): RunRow[] {
    return this.#db.all('SELECT * FROM run ORDER BY rowid DESC LIMIT ?', limit).map(runRow)
  }

  /** Those that began after a run, the newest first; all where it is not on record. */
  listAfter(run: string | undefined): RunRow[] {
    const sql =
      'SELECT * FROM run WHERE rowid > coalesce((SELECT rowid FROM run WHERE id = ?), 0) ORDER BY rowid DESC'
    return this.#db.all(sql, run ?? null).map(runRow)
  }

  /**
   * The run whose id is `id` or begins with it, where there is just one; `last` is the newest that changed something, or
   * was cut off when it may have.
   */
  find(id: string): RunRow | undefined {
    if (id === 'last') return this.#lastThatChanged()
    const rows = this.#db.all(
      'SELECT * FROM run WHERE id = ? OR id LIKE ? LIMIT 2',
      id,
      `${id.replace(/[%_]/g, '')}%`,
    )
    const exact = rows.find((row) => row.id === id) ?? (rows.length === 1 ? rows[0] : undefined)
    return exact && runRow(exact)
  }

  #lastThatChanged(): RunRow | undefined {
    const changed = "json_extract(summary, '$.changed') + json_extract(summary, '$.refreshed') > 0"
    const kept = 'EXISTS (SELECT 1 FROM kept WHERE kept.run = run.id)'
    const meant = "EXISTS (SELECT 1 FROM intent WHERE intent.run = run.id AND action <> 'check')"
    const row = this.#db.get(
      `SELECT * FROM run WHERE ${changed} OR ${kept} OR (summary IS NULL AND ${meant}) ORDER BY rowid DESC LIMIT 1`,
    )
    return row && runRow(row)
  }

  addEvent(run: string, event: unknown): void {
    this.#db.run(
      'INSERT INTO event (run, at, body) VALUES (?, ?, ?)',
      run,
      new Date().toISOString(),
      JSON.stringify(event),
    )
  }

  events(run: string): EventRow[] {
    return this.#db
      .all('SELECT sequence, at, body FROM event WHERE run = ? ORDER BY sequence', run)
      .map((row) => ({
        sequence: Number(row.sequence),
        at: String(row.at),
        event: JSON.parse(String(row.body)),
      }))
  }

  /** How long each resource last took to change, by `ref`, in milliseconds. */
  lastDurations(): ReadonlyMap<string, number> {
    const rows = this.#db.all(
      "SELECT json_extract(body, '$.ref') AS ref, json_extract(body, '$.durationMs') AS ms FROM event WHERE json_extract(body, '$.type') = 'resource_finished' AND json_extract(body, '$.outcome') IN ('changed', 'refreshed') ORDER BY sequence DESC LIMIT 5000",
    ) as { ref: string; ms: number }[]
    const durations = new Map<string, number>()
    for (const { ref, ms } of rows) if (!durations.has(ref)) durations.set(ref, ms)
    return durations
  }

  /** Says before the change which resource is about to be changed. */
  intend(run: string, ref: string, action: string): void {
    this.hasMeant = true
    this.#db.run('INSERT INTO intent (run, ref, action) VALUES (?, ?, ?)', run, ref, action)
  }

  /** The resources that a run meant to change, whether or not it came to that. */
  meant(run: string): { readonly ref: string; readonly action: string }[] {
    return this.#db
      .all("SELECT DISTINCT ref, action FROM intent WHERE run = ? AND action <> 'check'", run)
      .map(({ ref, action }) => ({ ref: String(ref), action: String(action) }))
  }

  /** The resources that later runs told of, and whether one of them made or removed each. */
  toldSince(run: string): ReadonlyMap<string, boolean> {
    const rows = this.#db.all(
      "SELECT json_extract(body, '$.ref') AS ref, max(json_extract(body, '$.outcome') = 'changed' AND EXISTS (SELECT 1 FROM json_each(body, '$.changes') AS change WHERE json_extract(change.value, '$.attribute') = 'ensure')) AS isMadeOrRemoved FROM event WHERE run IN (SELECT id FROM run WHERE rowid > (SELECT rowid FROM run WHERE id = ?)) AND json_extract(body, '$.type') = 'resource_finished' GROUP BY 1",
      run,
    )
    return new Map(rows.map(({ ref, isMadeOrRemoved }) => [String(ref), isMadeOrRemoved === 1]))
  }

  /**
   * Says before a change who is owed a refresh by it. What an earlier run owes for the same stays that run's; of two
   * ways to refresh the stronger stays.
   */
  owe({ listener, source, by, run }: OwedRefresh): void {
    this.#db.run(
      "INSERT INTO owed (listener, source, kind, run) VALUES (?, ?, ?, ?) ON CONFLICT (listener, source) DO UPDATE SET kind = excluded.kind WHERE kind = 'reload'",
      listener,
      source,
      by,
      run,
    )
  }

  /** Takes back what a run would owe for a change that was not made. */
  oweNothingFor(source: string, run: string): void {
    this.#db.run('DELETE FROM owed WHERE source = ? AND run = ?', source, run)
  }

  /** Whoever this is has been refreshed, or is not to be any more. */
  oweNothingTo(listener: string): void {
    this.#db.run('DELETE FROM owed WHERE listener = ?', listener)
  }

  /** The same for what a run owes a listener because of one change, which was taken back. */
  oweNothingMore(listener: string, source: string, run: string): void {
    this.#db.run(
      'DELETE FROM owed WHERE listener = ? AND source = ? AND run = ?',
      listener,
      source,
      run,
    )
  }

  /** The refreshes that are owed, the oldest first. */
  owed(): OwedRefresh[] {
    // A state that an earlier steward made, and that is only read, has no such table yet.
    if (this.#db.layout === 1) return []
    return this.#db
      .all(
        'SELECT owed.* FROM owed LEFT JOIN run ON run.id = owed.run ORDER BY run.rowid, owed.rowid',
      )
      .map(({ listener, source, kind, run }) => ({
        listener: String(listener),
        source: String(source),
        by: kind as RefreshKind,
        run: String(run),
      }))
  }
}

function runRow(row: Row): RunRow {
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
