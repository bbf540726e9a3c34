import { parentPath } from '../path.ts'
import type { ProbeContext, Thing } from '../type.ts'

/** The paths that resources of their own declare, and the directories that lead to them. */
export interface Declared {
  readonly has: (path: string) => boolean
  /** Whether something declared lies below the path. */
  readonly isBelow: (path: string) => boolean
}

/** The context is only asked where it matters, and the second set only made where a directory purges. */
export function declaredPaths(context: ProbeContext | undefined): Declared {
  let parents: Set<string> | undefined
  return {
    has: (path) => context?.declared.has(`path:${path}`) === true,
    isBelow(path) {
      parents ??= parentsOf(context?.declared ?? new Set())
      return parents.has(path)
    },
  }
}

function parentsOf(things: ReadonlySet<Thing>): Set<string> {
  const parents = new Set<string>()
  for (const thing of things) {
    if (!thing.startsWith('path:/')) continue
    let at = parentPath(thing.slice('path:'.length))
    while (!parents.has(at)) {
      parents.add(at)
      at = parentPath(at)
    }
  }
  return parents
}
