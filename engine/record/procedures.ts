import type { Database, Row } from './database.ts'
import type { ObjectFiles } from './object-files.ts'

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

/** How far procedures have come. */
export class Procedures {
  readonly #db: Database
  readonly #objects: ObjectFiles
  /** What `save` last wrote beside the database. */
  #lastSecret: { readonly run: string; readonly text: string } | undefined

  constructor(database: Database, objects: ObjectFiles) {
    this.#db = database
    this.#objects = objects
  }

  /** The run of a procedure that is neither done nor given up. */
  open(name: string): ProcedureRow | undefined {
    const row = this.#db.get(
      "SELECT * FROM procedure WHERE name = ? AND state = 'open' ORDER BY rowid DESC LIMIT 1",
      name,
    )
    if (!row) return undefined
    const secret = this.#db.beside(() => this.#objects.readOpen(String(row.run)))
    return { ...procedureRow(row), ...(secret ? { secret: JSON.parse(secret.toString()) } : {}) }
  }

  /** The runs of procedures that are neither done nor given up, without what of them is secret. */
  allOpen(): ProcedureRow[] {
    return this.#db
      .all("SELECT * FROM procedure WHERE state = 'open' ORDER BY rowid")
      .map(procedureRow)
  }

  /**
   * Durable when it returns. What is secret is a file beside the database until the run
   * is closed, and is there before a row that goes with it.
   */
  save(row: ProcedureRow): void {
    const { run } = row
    const text = row.secret === undefined ? undefined : JSON.stringify(row.secret)
    const last = this.#lastSecret
    const isNew = last?.run !== run || last.text !== text
    if (row.state === 'open' && text !== undefined && isNew) {
      this.#db.beside(() => this.#objects.putOpen(run, Buffer.from(text)))
      this.#lastSecret = { run, text }
    }
    this.#db.begin()
    this.#db.run(
      'INSERT INTO procedure (run, name, arguments, state, progress) VALUES (?, ?, ?, ?, ?) ON CONFLICT (run) DO UPDATE SET state = excluded.state, progress = excluded.progress',
      row.run,
      row.name,
      JSON.stringify(row.arguments),
      row.state,
      JSON.stringify(row.progress),
    )
    this.#db.commit()
    if (row.state !== 'open') this.#db.beside(() => this.#objects.removeOpen(row.run))
  }

  isOpen(run: string): boolean {
    return (
      this.#db.get("SELECT 1 FROM procedure WHERE run = ? AND state = 'open'", run) !== undefined
    )
  }
}

function procedureRow(row: Row): ProcedureRow {
  return {
    run: String(row.run),
    name: String(row.name),
    arguments: JSON.parse(String(row.arguments)),
    state: row.state as ProcedureRow['state'],
    progress: JSON.parse(String(row.progress)),
  }
}
