import type { Catalog } from '../compile/catalog.ts'
import { HostError } from '../host/error.ts'
import type { HostReader } from '../host/host.ts'
import type { Plan } from '../plan.ts'
import { parentPath } from '../resources/path.ts'

/**
 * Tells of the paths that a plan is about whether nothing was there when its run began, so that what is found there later
 * came with the run: a package's script may have made it.
 */
export function newPaths({
  catalog,
  plan,
  host,
}: {
  readonly catalog: Catalog
  readonly plan: Plan
  readonly host: HostReader
}): (path: string) => boolean {
  const absent = new Set<string>()
  for (const { index } of plan.resources) {
    for (const thing of catalog.resources[index]?.footprint.ensures ?? []) {
      const path = thing.startsWith('path:') ? thing.slice('path:'.length) : undefined
      if (path !== undefined && isAbsent(path, host)) absent.add(path)
    }
  }
  return (path) => {
    for (let at = path; at !== '/'; at = parentPath(at)) if (absent.has(at)) return true
    return false
  }
}

/** Of what can't be looked at, nobody can say so. */
function isAbsent(path: string, host: HostReader): boolean {
  try {
    return host.stat(path) === undefined
  } catch (error) {
    if (error instanceof HostError) return false
    throw error
  }
}
