import type { Keeper } from '../apply/keeper.ts'
import type { Catalog } from '../compile/catalog.ts'
import type { Event, Summary } from '../events.ts'
import type { Attributes, GivenOwner, HostReader, NewFile } from '../host/host.ts'
import type { Kept } from '../host/keeping.ts'
import type { States } from '../probe.ts'
import { type FileRow, NO_BASE } from './file-records.ts'
import { inSyncFiles, inSyncLinks, unchangedBases } from './in-sync-files.ts'
import { keepNewVersions } from './new-versions.ts'
import type { Store } from './store.ts'

/** By path, what was on record of what is put back: `KeptRow` has it; undefined where that was nothing. */
export type Bases = ReadonlyMap<
  string,
  { readonly hash: string; readonly given?: Attributes | undefined } | undefined
>

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
  readonly #bases: Bases
  /** What was on record of each path when it was first kept: of a file, or where a link led. */
  readonly #before = new Map<string, { readonly row?: FileRow; readonly link?: string }>()
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
      /** For files and links that are put back. */
      readonly bases?: Bases
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
    const { row, link } = this.#wasOnRecord(path)
    const given = row && { mode: row.mode, uid: row.uid, gid: row.gid }
    const known = kind === 'file' && row ? { base: row.base, given } : { base: undefined }
    const isOwnLink = kind === 'link' && link !== undefined && link === target
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
      ...(isOwnLink ? { base: NO_BASE } : known),
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
    if (this.#isNobodys(path)) {
      this.#store.files.forget(path)
      return
    }
    const putBack = this.#bases.get(path)
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
      base: putBack?.hash ?? base ?? written,
      mode,
      uid,
      gid,
      ...stewards,
      ...putBack?.given,
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
    const links = inSyncLinks(catalog, states)
    for (const { path, target } of links) {
      const isPutBack = this.#bases.has(path)
      if (isPutBack || this.#store.files.link(path) !== target) this.#foundLink(path, target)
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
    const putBack = this.#bases.get(path)?.given
    if (this.#isNobodys(path)) this.#store.files.forget(path)
    else this.#store.files.recordAttributes(path, putBack ?? attributes)
  }

  linked(path: string, target: string): void {
    this.#store.begin()
    this.#store.files.forget(path)
    if (!this.#isNobodys(path)) this.#store.files.recordLink(path, target)
  }

  /** It was there already, and files that are on record may lie behind it. */
  #foundLink(path: string, target: string): void {
    this.#store.begin()
    if (this.#isNobodys(path)) this.#store.files.forgetAlone(path)
    else this.#store.files.recordLink(path, target)
  }

  /** Whether it is put back and was on no record. */
  #isNobodys(path: string): boolean {
    return this.#bases.has(path) && this.#bases.get(path) === undefined
  }

  #wasOnRecord(path: string): { readonly row?: FileRow; readonly link?: string } {
    const known = this.#before.get(path)
    if (known) return known
    const row = this.#store.files.find(path)
    const link = row ? undefined : this.#store.files.link(path)
    const before = { ...(row && { row }), ...(link !== undefined && { link }) }
    this.#before.set(path, before)
    return before
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
    const { row, link } = this.#before.get(path) ?? {}
    this.#store.begin()
    if (row) this.#store.files.record(row)
    else if (link !== undefined) this.#store.files.recordLink(path, link)
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
