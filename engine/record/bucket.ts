import type { Attributes } from '../host/host.ts'
import { type Database, pathOfText, type Row, textOfPath } from './database.ts'
import type { ObjectFiles } from './object-files.ts'

/** Something that was overwritten or removed, or whose mode or owner was changed. */
export interface KeptRow {
  readonly id: number
  readonly run: string
  readonly ref: string
  readonly path: string
  readonly kind: string
  /** What of it goes: `all`, `mode` or `owner`; `NEW_VERSION` where it is no thing that was there. */
  readonly goes: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly hash: string | undefined
  readonly target: string | undefined
  /**
   * Of a file: the version of the manifests that it had gone in with; undefined where that was on no record. Of a link
   * of steward's own: `NO_BASE`.
   */
  readonly base: string | undefined
  /** Of a file on record: mode and owner that steward had given it, which somebody may have changed since. */
  readonly given?: Attributes | undefined
  /** When the run began that kept it: ISO 8601, UTC. Only in what `list` gives. */
  readonly at?: string
}

/** What a collection forgot, and what it left; of the rows, those that `list` gives. */
export interface Collected {
  readonly rows: number
  readonly contents: number
  readonly bytes: number
  readonly left: number
}

/** What may be forgotten: `rank` counts the runs that kept something of its path, from the newest on. */
interface Older {
  readonly id: number
  readonly kind: string
  readonly rank: number
  readonly started: string
}

/** Of a version of the manifests that an edit keeps out of its file. */
export const NEW_VERSION = 'new'

/** What was overwritten or removed, the mode and owner of what only got others, and versions that edits keep out. */
export class Bucket {
  readonly #db: Database
  readonly #objects: ObjectFiles

  constructor(database: Database, objects: ObjectFiles) {
    this.#db = database
    this.#objects = objects
  }

  keep(row: Omit<KeptRow, 'id'>): void {
    this.#db.run(
      'INSERT INTO kept (run, ref, path, kind, goes, mode, uid, gid, hash, target, base, given) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
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
      row.given ? JSON.stringify(row.given) : null,
    )
  }

  /** The number of the newest row; 0 where there is none. */
  lastId(): number {
    return Number(this.#db.get('SELECT coalesce(max(id), 0) AS id FROM kept')?.id)
  }

  /** What a run kept of what was there, in its order. */
  of(run: string): KeptRow[] {
    const sql = 'SELECT * FROM kept WHERE run = ? AND goes <> ? ORDER BY id'
    return this.#db.all(sql, run, NEW_VERSION).map(keptRow)
  }

  /** What the bucket holds, the newest first: of all that ever was at a path, or at any. */
  list(path?: string): KeptRow[] {
    const all =
      "SELECT kept.*, run.started AS at FROM kept JOIN run ON run.id = kept.run WHERE kind <> 'absent'"
    return path === undefined
      ? this.#db.all(`${all} ORDER BY kept.id DESC`).map(keptRow)
      : this.#db.all(`${all} AND path = ? ORDER BY kept.id DESC`, textOfPath(path)).map(keptRow)
  }

  /** Files that a run or one after it overwrote or removed: what the first of these kept of each. */
  filesBefore(run: string): KeptRow[] {
    const sql =
      "SELECT * FROM kept WHERE id IN (SELECT min(id) FROM kept WHERE goes = 'all' AND run IN (SELECT id FROM run WHERE rowid >= (SELECT rowid FROM run WHERE id = ?)) GROUP BY path) AND kind = 'file' ORDER BY path"
    return this.#db.all(sql, run).map(keptRow)
  }

  /** The newest run before which a link led there, and after whose first change elsewhere. */
  runThatMoved(link: string, target: string): string | undefined {
    const sql =
      "SELECT run FROM kept WHERE id IN (SELECT min(id) FROM kept WHERE path = ? GROUP BY run) AND kind = 'link' AND target = ? ORDER BY id DESC LIMIT 1"
    const row = this.#db.get(sql, textOfPath(link), textOfPath(target))
    return row && String(row.run)
  }

  /** Whether a path was not there before steward made it. */
  wasMade(path: string): boolean {
    const sql = "SELECT 1 FROM kept WHERE path = ? AND kind = 'absent' LIMIT 1"
    return this.#db.get(sql, textOfPath(path)) !== undefined
  }

  /** The paths that a resource made. */
  madeBy(ref: string): string[] {
    return this.#db
      .all("SELECT DISTINCT path FROM kept WHERE ref = ? AND kind = 'absent'", ref)
      .map(({ path }) => pathOfText(String(path)))
  }

  find(id: number): KeptRow | undefined {
    const row = this.#db.get('SELECT * FROM kept WHERE id = ?', id)
    return row && keptRow(row)
  }

  /**
   * Forgets what was kept before an instant (ISO 8601), by more than so many runs of a path, or, the oldest first,
   * until all contents take no more than so many bytes; never what the last of these runs kept of it, contents apart
   * from modes, owners, links and versions, and no content that a file on record went in with.
   */
  collect({
    before,
    keep,
    maxBytes,
  }: {
    readonly before?: string
    readonly keep?: number
    readonly maxBytes?: number
  }): Collected {
    this.#db.begin()
    const older = this.#db.all(
      "SELECT id, kind, rank, started FROM (SELECT kept.id, kind, run.started, dense_rank() OVER (PARTITION BY path, goes, kind = 'absent', hash IS NULL ORDER BY run.rowid DESC) AS rank FROM kept JOIN run ON run.id = kept.run) WHERE rank > 1 ORDER BY id",
    ) as unknown as Older[]
    const gone = { rows: 0, contents: 0, bytes: 0 }
    const forget = ({ id, kind }: Older) => {
      this.#db.run('DELETE FROM kept WHERE id = ?', id)
      if (kind !== 'absent') gone.rows++
    }
    const left = older.filter((row) => {
      const { rank, started } = row
      const goes = (before !== undefined && started < before) || (keep !== undefined && rank > keep)
      if (goes) forget(row)
      return !goes
    })
    const sweep = () => {
      const orphans = this.#db.all(
        'DELETE FROM object WHERE hash NOT IN (SELECT hash FROM kept WHERE hash IS NOT NULL UNION SELECT base FROM kept WHERE base IS NOT NULL UNION SELECT written FROM file UNION SELECT base FROM file UNION SELECT base FROM adopted UNION SELECT edited FROM adopted) RETURNING hash, size',
      ) as { hash: string; size: number }[]
      for (const { size } of orphans) gone.bytes += size
      gone.contents += orphans.length
      return orphans
    }
    const orphans = sweep()
    if (maxBytes !== undefined) {
      const size = () =>
        Number(this.#db.get('SELECT coalesce(sum(size), 0) AS size FROM object')?.size)
      for (const row of left) {
        if (size() <= maxBytes) break
        forget(row)
        orphans.push(...sweep())
      }
    }
    const rest = this.#db.get("SELECT count(*) AS count FROM kept WHERE kind <> 'absent'")
    this.#db.commit()
    // Only what the database names no more: a kill in between leaves a file too many, and never one too few.
    for (const { hash } of orphans) this.#objects.remove(hash)
    return { ...gone, left: Number(rest?.count) }
  }
}

function keptRow(row: Row): KeptRow {
  return {
    ...row,
    path: pathOfText(String(row.path)),
    hash: row.hash ?? undefined,
    target: row.target === null ? undefined : pathOfText(String(row.target)),
    base: row.base ?? undefined,
    given: typeof row.given === 'string' ? JSON.parse(row.given) : undefined,
  } as unknown as KeptRow
}
