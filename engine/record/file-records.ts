import type { Attributes, GivenOwner } from '../host/host.ts'
import type { Adopted, Recorded } from '../resources/type.ts'
import type { Contents } from './contents.ts'
import { type Database, pathOfText, textOfPath, unusable } from './database.ts'

/** What steward last wrote at a path, and the pristine version that it went in with. */
export interface FileRow {
  readonly path: string
  readonly ref: string
  /** SHA-256 of the contents, in hex; the base is `NO_BASE` where no version of the manifests ever went in. */
  readonly written: string
  readonly base: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly run: string
  /** Whether the content holds a secret, and so is not shown either when another takes its place. */
  readonly sensitive: boolean
}

export const NO_BASE = ''

/** The kernel takes the time of a change from its last tick, which is up to a hundredth of a second old. */
const CTIME_GRAIN_MS = 20

/** What steward last left in files, and the edits of them that were adopted. */
export class FileRecords {
  readonly #db: Database
  readonly #contents: Contents

  constructor(database: Database, contents: Contents) {
    this.#db = database
    this.#contents = contents
  }

  record(row: FileRow): void {
    this.#db.run('DELETE FROM link WHERE path = ?', textOfPath(row.path))
    this.#db.run(
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
    attributes: Attributes | { readonly mode: number } | GivenOwner,
  ): void {
    if ('mode' in attributes)
      this.#db.run('UPDATE file SET mode = ? WHERE path = ?', attributes.mode, textOfPath(path))
    if ('uid' in attributes) {
      const { uid, gid } = { ...attributes, ...('stewards' in attributes && attributes.stewards) }
      this.#db.run('UPDATE file SET uid = ?, gid = ? WHERE path = ?', uid, gid, textOfPath(path))
    }
  }

  /** A link is where steward put one, or found it as declared, and leads there. */
  recordLink(path: string, target: string): void {
    this.forgetAlone(path)
    this.#db.run(
      'INSERT INTO link (path, target) VALUES (?, ?)',
      textOfPath(path),
      textOfPath(target),
    )
  }

  /** Where a link that is on record leads. */
  link(path: string): string | undefined {
    // A state that an earlier steward made, and that is only read, has no such table yet.
    if (this.#db.layout < 4) return undefined
    const row = this.#db.get('SELECT target FROM link WHERE path = ?', textOfPath(path))
    return row && pathOfText(String(row.target))
  }

  /** What is said of a path is over; what is said of others below it, as behind a link, holds. */
  forgetAlone(path: string): void {
    for (const table of ['file', 'link'])
      this.#db.run(`DELETE FROM ${table} WHERE path = ?`, textOfPath(path))
  }

  /** What is said of a path, and of all below it, is over: steward removed it. */
  forget(path: string): void {
    const text = textOfPath(path)
    for (const table of ['file', 'link'])
      this.#db.run(
        `DELETE FROM ${table} WHERE path = ? OR path > ? || '/' AND path < ? || '0'`,
        text,
        text,
        text,
      )
  }

  /**
   * Tells whether a file, by its path and ctime, is as a finished run found it with a version of the manifests and
   * nothing beside that. Worked out when it is first asked. The time of the run's beginning counts: while it went on,
   * others may have written too.
   */
  settled(): (path: string, ctimeMs: number) => boolean {
    let beginnings: ReadonlyMap<string, number> | undefined
    return (path, ctimeMs) => {
      beginnings ??= this.#beginningsOfRuns()
      return ctimeMs < (beginnings.get(path) ?? Number.NEGATIVE_INFINITY) - CTIME_GRAIN_MS
    }
  }

  /** By path of the files that hold their version as it is, when the run began that is on record for them: ms. */
  #beginningsOfRuns(): ReadonlyMap<string, number> {
    // As two texts: ten thousand rows would take three times the CPU.
    const files = 'SELECT json_group_object(path, run) AS found FROM file WHERE written = base'
    const runs = 'SELECT json_group_object(id, started) AS found FROM run WHERE finished NOT NULL'
    const [ofFiles, ofRuns] = [files, runs].map(
      (sql): Record<string, string> => JSON.parse(String(this.#db.get(sql)?.found)),
    ) as [Record<string, string>, Record<string, string>]
    const beginnings = new Map(Object.entries(ofRuns).map(([id, at]) => [id, Date.parse(at)]))
    return new Map(
      Object.entries(ofFiles).map(([path, run]) => [
        pathOfText(path),
        beginnings.get(run) ?? Number.NEGATIVE_INFINITY,
      ]),
    )
  }

  /** Has it on record that a run found in a file what was there before. */
  seen(path: string, run: string): void {
    this.#db.run('UPDATE file SET run = ? WHERE path = ?', run, textOfPath(path))
  }

  /** The paths of files on record that hold a secret. */
  secretPaths(): Set<string> {
    const sql = 'SELECT json_group_array(path) AS paths FROM file WHERE sensitive'
    const texts: string[] = JSON.parse(String(this.#db.get(sql)?.paths))
    return new Set(texts.map(pathOfText))
  }

  /** The paths on record that a resource wrote last. */
  pathsOf(ref: string): string[] {
    return this.#db
      .all('SELECT path FROM file WHERE ref = ?', ref)
      .map(({ path }) => pathOfText(String(path)))
  }

  find(path: string): FileRow | undefined {
    const row = this.#db.get('SELECT * FROM file WHERE path = ?', textOfPath(path))
    return row && ({ ...row, path, sensitive: row.sensitive === 1 } as FileRow)
  }

  /** The same for who probes. */
  recorded(path: string): Recorded | undefined {
    const row = this.find(path)
    if (!row || row.base === NO_BASE) return undefined
    return { ...row, baseContent: () => this.#contents.get(row.base) }
  }

  /** Has an edit belong to every later version of a file: what it was made in, and what that became, by hash. */
  adopt(path: string, { base, edited }: { readonly base: string; readonly edited: string }): void {
    const at = new Date().toISOString()
    this.#db.run(
      'INSERT INTO adopted (path, base, edited, at) VALUES (?, ?, ?, ?)',
      textOfPath(path),
      base,
      edited,
      at,
    )
  }

  /** Gives up what was adopted of a file; whether there was anything. */
  dropAdopted(path: string): boolean {
    return this.#db.run('DELETE FROM adopted WHERE path = ?', textOfPath(path)) > 0
  }

  /** The edits that were adopted, by path. */
  adopted(): ReadonlyMap<string, readonly Adopted[]> {
    const found = new Map<string, Adopted[]>()
    if (this.#db.layout === 1) return found
    for (const { path, base, edited } of this.#db.all(
      'SELECT path, base, edited FROM adopted ORDER BY id',
    )) {
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
    const content = this.#contents.get(hash)
    if (content) return content
    throw unusable(this.#db.folder, new Error(`the content of an edit of ${path} is gone`))
  }
}
