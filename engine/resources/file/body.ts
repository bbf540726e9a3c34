import type { FileStat, HostReader } from '../../host/host.ts'
import type { Body } from './compare.ts'

/** The wanted bytes beside those that are there; undefined where they are the same. Only what differs is kept in memory. */
export function differingBody(
  to: Buffer,
  path: string,
  stat: FileStat | undefined,
  host: HostReader,
): Body | undefined {
  if (stat?.kind !== 'file') return { from: undefined, to }
  const from = host.read(path)
  return from.equals(to) ? undefined : { from, to }
}
