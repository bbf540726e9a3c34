import { mkdirSync } from 'node:fs'
import { Bucket } from './bucket.ts'
import { Contents } from './contents.ts'
import { Database, unusable } from './database.ts'
import { FileRecords } from './file-records.ts'
import { ManagedRecords } from './managed.ts'
import { ObjectFiles } from './object-files.ts'
import { Procedures } from './procedures.ts'
import { Runs } from './runs.ts'

/**
 * The state folder: one SQLite database, and `objects/` for contents that are too large for it or secret. What
 * was kept or meant is there after a kill or a power cut at any instant.
 */
export class Store {
  readonly runs: Runs
  readonly contents: Contents
  readonly bucket: Bucket
  readonly files: FileRecords
  readonly managed: ManagedRecords
  readonly procedures: Procedures
  /** Where the record lies that was found damaged when this was opened, and set aside. */
  readonly setAside: string | undefined
  readonly isReadOnly: boolean
  readonly #database: Database

  /** Opens the state for writing; makes it where there is none. */
  static open(folder: string): Store {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      const objects = new ObjectFiles(folder)
      const { database, setAside } = Database.open(folder)
      const store = new Store(database, objects, setAside)
      objects.sweep((run) => store.procedures.isOpen(run))
      return store
    } catch (error) {
      throw unusable(folder, error)
    }
  }

  /** Opens the state for reading; undefined where there is none. */
  static read(folder: string): Store | undefined {
    if (!Database.exists(folder)) return undefined
    try {
      const database = new Database(folder, { readOnly: true })
      if (database.layout > 0) return new Store(database, new ObjectFiles(folder))
      database.close()
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

  private constructor(database: Database, objects: ObjectFiles, setAside?: string) {
    this.setAside = setAside
    this.isReadOnly = database.isReadOnly
    this.#database = database
    this.runs = new Runs(database)
    this.contents = new Contents(database, objects)
    this.bucket = new Bucket(database, objects)
    this.files = new FileRecords(database, this.contents)
    this.managed = new ManagedRecords(database)
    this.procedures = new Procedures(database, objects)
  }

  close(): void {
    this.#database.close()
  }

  /** Everything from here to `commit` is one transaction; nested calls join it. */
  begin(): void {
    this.#database.begin()
  }

  /** Makes all that was written since `begin` durable. Does nothing where there is nothing. */
  commit(): void {
    this.#database.commit()
  }
}
