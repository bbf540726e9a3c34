import type { Catalog } from '../compile/catalog.ts'
import type { OwedRefresh } from '../due-refreshes.ts'
import type { Runs } from './runs.ts'

/**
 * What is owed to resources that are not declared any more, one for each of them. A listener that only other classes
 * than those of this run declare is none of them: it is paid when these are applied.
 */
export function departedListeners(
  owed: readonly OwedRefresh[],
  catalog: Catalog,
  runs: Pick<Runs, 'find'>,
): readonly OwedRefresh[] {
  if (owed.length === 0) return []
  const declared = new Set(catalog.resources.map(({ ref }) => ref))
  const classes = new Set(catalog.classes)
  const gone = owed.filter(
    ({ listener, run }) =>
      !declared.has(listener) && runs.find(run)?.classes.every((name) => classes.has(name)),
  )
  return [...new Map(gone.map((debt) => [debt.listener, debt])).values()]
}
