import { bytesOf } from '../host/bytes.ts'
import type { HostReader } from '../host/host.ts'

const info = '/var/lib/dpkg/info'

/**
 * Which package owns each of some paths, by path; nothing of those that none owns. Source: dpkg-query(1), whose lists
 * name what a package brought, a path a line; deb-conffiles(5) for what stays when a package is removed.
 */
export function owningPackages(
  paths: readonly string[],
  host: HostReader,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  if (paths.length === 0 || host.stat(info)?.kind !== 'directory') return found
  const lines = paths.map((path) => [path, bytesOf(`\n${path}\n`)] as const)
  for (const name of host.list(info)) {
    if (!name.endsWith('.list')) continue
    const list = host.read(`${info}/${name}`)
    for (const [path, line] of lines)
      if (list.includes(line)) found.set(path, name.slice(0, -'.list'.length).replace(/:.*$/, ''))
  }
  return found
}
