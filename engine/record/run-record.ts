import type { Keeper } from '../apply/keeper.ts'
import type { Catalog } from '../compile/catalog.ts'
import type { Event, Summary } from '../events.ts'
import type { GivenOwner, HostReader, NewFile } from '../host/host.ts'
import type { Kept } from '../host/keeping.ts'
import type { States } from '../probe.ts'
import { type FileRow, NO_BASE } from './file-records.ts'
import { inSyncFiles, unchangedBases } from './in-sync-files.ts'
import { keepNewVersions } from './new-versions.ts'
import type { Store } from './store.ts'

/**
 * One run in the state folder: what it means to do, what it overwrites, what it wrote and
 * what happened. Contents that are about to go are committed before they do; everything else
 * waits for the end of a window of changes.
 */
export class RunRecord implements Keeper {
  readonly id: string
  readonly #store: Store
  readonly #isSensitive: (ref: string) => boolean
  readonly #isPartial: (ref: string) => boolean
  /** Files that hold a secret, or held one when steward last wrote them. */
  readonly #secretPaths: Set<string>
  readonly #bases: ReadonlyMap<string, string | undefined>
  /** What was on record of each path when it was first kept. */
  readonly #before = new Map<string, FileRow | undefined>()
  /** The last that was in the bucket when that began. */
  #since = 0

  constructor(
    store: Store,
    options: {
      readonly command: readonly string[]
      readonly classes: readonly string[]
      /** Whether the content of a resource holds a secret. */
      readonly isSensitive: (ref: string) => boolean
      /** Whether a resource keeps only a part of the files that it writes. */
      readonly isPartial?: (ref: string) => boolean
      /**
       * For files that are put back: the hash of the version of the manifests that they had gone in with, undefined
       * where they were on no record.
       */
      readonly bases?: ReadonlyMap<string, string | undefined>
    },
  ) {
    this.#store = store
    this.#isSensitive = options.isSensitive
    this.#isPartial = options.isPartial ?? (() => false)
    this.#secretPaths = store.files.secretPaths()
    this.#bases = options.bases ?? new Map()
    this.id = store.runs.start(options)
  }

  intend(resources: Parameters<Keeper['intend']>[0]): void {
    this.#store.begin()
    for (const { ref, action, listeners } of resources) {
      this.#store.runs.intend(this.id, ref, action)
      for (const { ref: listener, by } of listeners)
        this.#store.runs.owe({ listener, source: ref, by, run: this.id })
    }
    this.#store.commit()
  }

  unchanged(ref: string): void {
    this.#store.begin()
    this.#store.runs.oweNothingFor(ref, this.id)
  }

  paid(ref: string): void {
    this.#store.begin()
    this.#store.runs.oweNothingTo(ref)
  }

  keep(ref: string, kept: Kept): void {
    const { path, kind, goes, mode, uid, gid, content, pieces, size = 0, target } = kept
    this.#store.begin()
    const sensitive = this.#isSensitive(ref) || this.#secretPaths.has(path)
    const hash = content
      ? this.#store.contents.put(content, { sensitive })
      : pieces
        ? this.#store.contents.putPieces(pieces, size)
        : undefined
    if (!this.#before.has(path)) this.#before.set(path, this.#store.files.find(path))
    const base = kind === 'file' ? this.#before.get(path)?.base : undefined
    this.#store.bucket.keep({
      run: this.id,
      ref,
      path,
      kind,
      goes,
      mode,
      uid,
      gid,
      hash,
      target,
      base,
    })
    // What was not there needs no copy, and the intent says already that something is made.
    if (kind !== 'absent') this.#store.commit()
  }

  wrote(
    ref: string,
    path: string,
    content: Uint8Array,
    { mode, uid, gid, pristine, stewards }: NewFile,
  ): void {
    this.#store.begin()
    if (this.#bases.has(path) && this.#bases.get(path) === undefined) {
      this.#store.files.forget(path)
      return
    }
    const sensitive = this.#isSensitive(ref)
    if (sensitive) this.#secretPaths.add(path)
    else this.#secretPaths.delete(path)
    const written = this.#store.contents.put(content, { sensitive })
    // Of a file of which only a part is kept, the rest is nobody's version.
    const base = this.#isPartial(ref)
      ? (this.#store.files.find(path)?.base ?? NO_BASE)
      : pristine && this.#store.contents.put(pristine, { sensitive })
    this.#store.files.record({
      path,
      ref,
      written,
      base: this.#bases.get(path) ?? base ?? written,
      mode,
      uid,
      gid,
      ...stewards,
      run: this.id,
      sensitive,
    })
  }

  adopt(catalog: Catalog, states: States, host: HostReader): void {
    const isSettled = this.#store.files.settled()
    for (const found of inSyncFiles(catalog, states, host, isSettled)) {
      const { ref, path, content, digest, how } = found
      const row = this.#store.files.find(path)
      // What is put back and is there already gets back its base, whichever that has become.
      const isPutBack = this.#bases.has(path)
      if (isPutBack || row?.base !== digest || row.written !== digest)
        this.wrote(ref, path, content, how)
      else {
        this.#store.begin()
        this.#store.files.seen(path, this.id)
      }
    }
    for (const { path, content } of unchangedBases(states)) this.#rebase(path, content)
    const isSecret = (ref: string, path: string) =>
      this.#isSensitive(ref) || this.#secretPaths.has(path)
    keepNewVersions(this.#store, this.id, { catalog, states, host, isSecret })
  }

  /** The file holds this version beside edits. */
  #rebase(path: string, content: Uint8Array): void {
    const row = this.#store.files.find(path)
    if (!row) return
    this.#store.begin()
    const base = this.#store.contents.put(content, { sensitive: row.sensitive })
    this.#store.files.record({ ...row, base })
  }

  gave(path: string, attributes: { readonly mode: number } | GivenOwner): void {
    this.#store.begin()
    this.#store.files.recordAttributes(path, attributes)
  }

  removed(path: string): void {
    this.#store.begin()
    this.#store.files.forget(path)
  }

  tookBack(ref: string, sources: readonly string[]): void {
    this.#store.begin()
    for (const source of sources) this.#store.runs.oweNothingMore(ref, source, this.id)
  }

  mark(): void {
    this.#before.clear()
    this.#since = this.#store.bucket.lastId()
  }

  keptOf(refs: readonly string[]): (Kept & { readonly ref: string })[] {
    const rows = this.#store.bucket
      .of(this.id)
      .filter(({ id, ref }) => id > this.#since && refs.includes(ref))
    return rows.map(({ hash, target, ...row }) => {
      const kept = row as typeof row & Kept
      const content = hash === undefined ? undefined : this.#store.contents.get(hash)
      return { ...kept, ...(content && { content }), ...(target !== undefined && { target }) }
    })
  }

  wroteBack(path: string): void {
    const row = this.#before.get(path)
    this.#store.begin()
    if (row) this.#store.files.record(row)
    else this.#store.files.forget(path)
  }

  settle(): void {
    this.#store.commit()
  }

  /** Takes an event before the next one is asked for. */
  take(event: Event): void {
    if (event.type === 'resource_started') return
    if (
      event.type === 'resource_finished' &&
      event.outcome === 'unchanged' &&
      event.note === undefined
    )
      return
    this.#store.begin()
    this.#store.runs.addEvent(this.id, event)
  }

  finish(summary: Summary): void {
    this.#store.begin()
    this.#store.runs.finish(this.id, summary)
    this.#store.commit()
  }
}
