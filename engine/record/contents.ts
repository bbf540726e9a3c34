import { hash } from 'node:crypto'
import type { Database } from './database.ts'
import type { ObjectFiles } from './object-files.ts'

/** Contents up to this size live in the database, where many are synced at once. Bytes. */
const LARGEST_IN_DATABASE = 100_000

/** Contents by their SHA-256: small ones in the database, large and secret ones in files beside it. */
export class Contents {
  readonly #db: Database
  readonly #objects: ObjectFiles

  constructor(database: Database, objects: ObjectFiles) {
    this.#db = database
    this.#objects = objects
  }

  /**
   * Stores a content and gives its SHA-256 in hex. A large one is a file, synced before this returns; so is one
   * that holds a secret, which the database, journal of all runs, is not to hold.
   */
  put(content: Uint8Array, { sensitive }: { readonly sensitive: boolean }): string {
    const digest = hash('sha256', content)
    const isFile = content.length > LARGEST_IN_DATABASE || sensitive
    if (isFile) this.#db.beside(() => this.#objects.put(digest, content))
    this.#db.run(
      'INSERT OR IGNORE INTO object (hash, size, body) VALUES (?, ?, ?)',
      digest,
      content.length,
      isFile ? null : content,
    )
    return digest
  }

  /** As `put`, for a content of about so many bytes that comes in pieces and need not fit into memory. */
  putPieces(pieces: Iterable<Uint8Array>, sizeToCome = 0): string {
    const { hash, size } = this.#db.beside(() => {
      this.#objects.mustHaveRoom(sizeToCome)
      return this.#objects.putPieces(pieces)
    })
    this.#db.run('INSERT OR IGNORE INTO object (hash, size, body) VALUES (?, ?, NULL)', hash, size)
    return hash
  }

  /** The content with this hash; undefined where it was never stored or has been collected. */
  get(hash: string): Buffer | undefined {
    const row = this.#db.get('SELECT body FROM object WHERE hash = ?', hash) as
      | { body: Uint8Array | null }
      | undefined
    if (!row) return undefined
    if (row.body) return Buffer.from(row.body)
    return this.#objects.read(hash)
  }

  /**
   * The same as `get`, or the file that holds it where it may be large. What is not in the database
   * may be secret.
   */
  of(
    hash: string,
  ):
    | (({ readonly bytes: Buffer } | { readonly file: string }) & { readonly isSecret: boolean })
    | undefined {
    const row = this.#db.get('SELECT size, body FROM object WHERE hash = ?', hash) as
      | { size: number; body: Uint8Array | null }
      | undefined
    if (!row) return undefined
    if (row.body) return { bytes: Buffer.from(row.body), isSecret: false }
    if (row.size > LARGEST_IN_DATABASE) return { file: this.#objects.path(hash), isSecret: true }
    return { bytes: this.#objects.read(hash), isSecret: true }
  }
}
