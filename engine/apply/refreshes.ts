import type { Catalog, CatalogResource } from '../compile/catalog.ts'
import { strongerRefresh } from '../plan.ts'
import type { Change, RefreshKind } from '../resources/type.ts'

/** How a resource is to be refreshed, and whose changes asked for it. */
export interface DueRefresh {
  readonly by: RefreshKind
  readonly from: readonly string[]
}

/** Who listens to whom in a catalog. */
export class Refreshes {
  readonly #catalog: Catalog
  readonly #listens = new Map<number, { readonly from: number; readonly by: RefreshKind }[]>()

  constructor(catalog: Catalog) {
    this.#catalog = catalog
    for (const { from, to, refresh } of catalog.edges) {
      if (!refresh) continue
      const list = this.#listens.get(to)
      if (list) list.push({ from, by: refresh })
      else this.#listens.set(to, [{ from, by: refresh }])
    }
  }

  /**
   * The refresh that a resource is due after the changes of this run, `changed` by index; undefined where
   * none is, or where its own changes have just started, stopped or run it.
   */
  due(
    { index, noop }: CatalogResource,
    changes: readonly Change[],
    changed: Uint8Array,
  ): DueRefresh | undefined {
    if (noop) return undefined
    const starts = changes.some(
      ({ attribute, to }) =>
        attribute === 'run' || (attribute === 'ensure' && (to === 'running' || to === 'stopped')),
    )
    if (starts) return undefined
    let due: { by: RefreshKind; from: string[] } | undefined
    for (const { from, by } of this.#listens.get(index) ?? []) {
      if (!changed[from]) continue
      const { ref } = this.#catalog.resources[from] as CatalogResource
      if (!due) due = { by, from: [ref] }
      else {
        due.by = strongerRefresh(due.by, by)
        if (!due.from.includes(ref)) due.from.push(ref)
      }
    }
    return due
  }
}
