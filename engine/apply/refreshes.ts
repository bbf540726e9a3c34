import { Carriers } from '../compile/carriers.ts'
import type { Catalog, CatalogResource, Edge } from '../compile/catalog.ts'
import { type DueRefresh, type OwedRefresh, withOwed, withSource } from '../due-refreshes.ts'
import type { Change, RefreshKind, ResourceType } from '../resources/type.ts'

/** A resource that is to be refreshed when another changes. */
export interface Listener {
  readonly ref: string
  readonly by: RefreshKind
}

const NOBODY: readonly Listener[] = []

/**
 * What a change comes to for others; 0 stands for none. What STAYS_READ need not be read anew by those who read it, nor
 * what is TAKEN_BACK by those who have not come to it yet.
 */
export const CHANGED = 1
export const STAYS_READ = 2
export const TAKEN_BACK = 3

/** Who listens to whom in a catalog, and what earlier runs owe. */
export class Refreshes {
  readonly #catalog: Catalog
  readonly #types: ReadonlyMap<string, ResourceType>
  readonly #carriers: Carriers
  readonly #listensTo = new Map<number, (Edge & { readonly refresh: RefreshKind })[]>()
  readonly #listeners = new Map<number, (Listener & { readonly index: number })[]>()
  /** By index of who runs under another, those whose changes in this run have it started anew by that. */
  readonly #startedAnewFor = new Map<number, number[]>()
  readonly #owed: ReadonlyMap<string, readonly OwedRefresh[]>
  /** Who was started or restarted in this run. */
  readonly #restarted = new Set<number>()

  constructor(
    catalog: Catalog,
    types: ReadonlyMap<string, ResourceType>,
    owed: readonly OwedRefresh[],
  ) {
    this.#catalog = catalog
    this.#types = types
    this.#carriers = new Carriers(catalog)
    this.#owed = Map.groupBy(owed, ({ listener }) => listener)
    for (const edge of catalog.edges) {
      const { from, to, refresh: by } = edge
      const { ref, type } = catalog.resources[to] as CatalogResource
      if (!by || !types.get(type)?.refresh) continue
      push(this.#listensTo, to, { ...edge, refresh: by })
      push(this.#listeners, from, { ref, by, index: to })
    }
  }

  /** Who is owed a refresh once this resource has changed. */
  listeners(index: number): readonly Listener[] {
    return this.#listeners.get(index) ?? NOBODY
  }

  /** Whether an earlier run owes a resource its refresh. */
  isOwed({ ref }: CatalogResource): boolean {
    return this.#owed.size > 0 && this.#owed.has(ref)
  }

  /** To be called when a resource was changed: takes down who is started anew for that by what it runs under. */
  changed(index: number, changes: readonly Change[]): void {
    for (const listener of this.#listeners.get(index) ?? []) {
      for (const carried of this.#carriers.under(listener.index)) {
        const resource = this.#catalog.resources[carried] as CatalogResource
        const type = this.#types.get(resource.type)
        if (type?.isStartedAnewBy?.(resource, changes)) push(this.#startedAnewFor, carried, index)
      }
    }
  }

  /** Who runs under a resource, and reads or is defined by what changed in this run. */
  affectedUnder(carrier: number, changed: Uint8Array): CatalogResource[] {
    return this.#carriers
      .under(carrier)
      .map((index) => this.#catalog.resources[index] as CatalogResource)
      .filter(({ index }) => this.sourcesOf(index, changed).length > 0)
  }

  /** By reference, what a resource reads or is defined by of all that changed in this run. */
  sourcesOf(index: number, changed: Uint8Array): string[] {
    const read = (this.#listensTo.get(index) ?? []).map(({ from }) => from)
    const all = new Set([...read, ...(this.#startedAnewFor.get(index) ?? [])])
    return [...all]
      .filter((source) => changed[source] === CHANGED)
      .map((source) => (this.#catalog.resources[source] as CatalogResource).ref)
  }

  /** What a resource runs under, and how that takes up a change of these sources; undefined where it does not. */
  carrierOf(
    index: number,
    sources: readonly string[],
  ): { readonly carrier: CatalogResource; readonly by: RefreshKind } | undefined {
    const of = this.#carriers.of(index)
    if (of === undefined) return undefined
    const carrier = this.#catalog.resources[of] as CatalogResource
    let due: DueRefresh | undefined
    for (const { from, refresh } of this.#listensTo.get(of) ?? []) {
      const { ref } = this.#catalog.resources[from] as CatalogResource
      if (sources.includes(ref)) due = withSource(due, refresh, ref)
    }
    return due && { carrier, by: due.by }
  }

  /** To be called when a resource was started or restarted. */
  restarted(index: number): void {
    this.#restarted.add(index)
  }

  /**
   * The refresh that a resource is due after the changes of this run, `changed` by index, and of earlier ones;
   * undefined where none is. `isSettled` says that nothing is owed any more although there were such changes.
   */
  due(
    { index, ref }: CatalogResource,
    changed: Uint8Array,
  ): { readonly due: DueRefresh | undefined; readonly isSettled: boolean } {
    const isFresh = (from: number) =>
      this.#carriers.isFresh(index, from, (carrier) => this.#restarted.has(carrier))
    let due: DueRefresh | undefined
    let isSettled = false
    for (const debt of this.#owed.get(ref) ?? []) {
      if (isFresh(-1)) isSettled = true
      else due = withOwed(due, debt)
    }
    for (const { from, kind, refresh } of this.#listensTo.get(index) ?? []) {
      if (!changed[from]) continue
      const isOld = changed[from] === TAKEN_BACK
      if (isOld || (kind === 'reads' && changed[from] === STAYS_READ) || isFresh(from))
        isSettled = true
      else due = withSource(due, refresh, this.#catalog.resources[from]?.ref ?? '')
    }
    return { due, isSettled: isSettled && due === undefined }
  }
}

function push<Item>(lists: Map<number, Item[]>, key: number, item: Item): void {
  const list = lists.get(key)
  if (list) list.push(item)
  else lists.set(key, [item])
}
