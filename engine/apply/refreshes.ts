import { Carriers } from '../compile/carriers.ts'
import type { Catalog, CatalogResource, Edge } from '../compile/catalog.ts'
import { type DueRefresh, type OwedRefresh, withOwed, withSource } from '../due-refreshes.ts'
import type { RefreshKind, ResourceType } from '../resources/type.ts'

/** A resource that is to be refreshed when another changes. */
export interface Listener {
  readonly ref: string
  readonly by: RefreshKind
}

const NOBODY: readonly Listener[] = []

/** What a change comes to for others; 0 stands for none. What STAYS_READ need not be read anew by those who read it. */
export const CHANGED = 1
export const STAYS_READ = 2

/** Who listens to whom in a catalog, and what earlier runs owe. */
export class Refreshes {
  readonly #catalog: Catalog
  readonly #carriers: Carriers
  readonly #listensTo = new Map<number, (Edge & { readonly refresh: RefreshKind })[]>()
  readonly #listeners = new Map<number, Listener[]>()
  readonly #owed: ReadonlyMap<string, readonly OwedRefresh[]>
  /** Who was started or restarted in this run. */
  readonly #restarted = new Set<number>()

  constructor(
    catalog: Catalog,
    types: ReadonlyMap<string, ResourceType>,
    owed: readonly OwedRefresh[],
  ) {
    this.#catalog = catalog
    this.#carriers = new Carriers(catalog)
    this.#owed = Map.groupBy(owed, ({ listener }) => listener)
    for (const edge of catalog.edges) {
      const { from, to, refresh: by } = edge
      const { ref, type } = catalog.resources[to] as CatalogResource
      if (!by || !types.get(type)?.refresh) continue
      push(this.#listensTo, to, { ...edge, refresh: by })
      push(this.#listeners, from, { ref, by })
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
      if ((kind === 'reads' && changed[from] === STAYS_READ) || isFresh(from)) isSettled = true
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
