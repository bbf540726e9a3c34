import type { Catalog, CatalogResource } from '../compile/catalog.ts'
import { type DueRefresh, type OwedRefresh, withOwed, withSource } from '../plan.ts'
import type { RefreshKind, ResourceType } from '../resources/type.ts'

/** A resource that is to be refreshed when another changes. */
export interface Listener {
  readonly ref: string
  readonly by: RefreshKind
}

const NOBODY: readonly Listener[] = []

/** Who listens to whom in a catalog, and what earlier runs owe. */
export class Refreshes {
  readonly #catalog: Catalog
  readonly #listensTo = new Map<number, { readonly from: number; readonly by: RefreshKind }[]>()
  readonly #listeners = new Map<number, Listener[]>()
  readonly #owed: ReadonlyMap<string, readonly OwedRefresh[]>

  constructor(
    catalog: Catalog,
    types: ReadonlyMap<string, ResourceType>,
    owed: readonly OwedRefresh[],
  ) {
    this.#catalog = catalog
    this.#owed = Map.groupBy(owed, ({ listener }) => listener)
    for (const { from, to, refresh: by } of catalog.edges) {
      const { ref, type } = catalog.resources[to] as CatalogResource
      if (!by || !types.get(type)?.refresh) continue
      push(this.#listensTo, to, { from, by })
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

  /**
   * The refresh that a resource is due after the changes of this run, `changed` by index, and of earlier ones;
   * undefined where none is.
   */
  due({ index, ref }: CatalogResource, changed: Uint8Array): DueRefresh | undefined {
    let due: DueRefresh | undefined
    for (const debt of this.#owed.get(ref) ?? []) due = withOwed(due, debt)
    for (const { from, by } of this.#listensTo.get(index) ?? []) {
      if (changed[from]) due = withSource(due, by, this.#catalog.resources[from]?.ref ?? '')
    }
    return due
  }
}

function push<Item>(lists: Map<number, Item[]>, key: number, item: Item): void {
  const list = lists.get(key)
  if (list) list.push(item)
  else lists.set(key, [item])
}
