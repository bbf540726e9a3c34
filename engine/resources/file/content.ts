import { hash } from 'node:crypto'
import type { FileStat, HostReader } from '../../host/host.ts'
import type { Change, Shown } from '../type.ts'

/** The change from the bytes that are there to those that are wanted; undefined where they are the same. */
export function contentChange(
  to: Buffer,
  path: string,
  stat: FileStat | undefined,
  host: HostReader,
): Change | undefined {
  const from = stat?.kind === 'file' ? host.read(path) : undefined
  if (from?.equals(to) === true) return undefined
  return { attribute: 'content', from: digest(from), to: digest(to), content: { from, to } }
}

/** Contents are compared whole; this only names them for people. */
function digest(content: Buffer | undefined): Shown {
  return content && `sha256:${hash('sha256', content).slice(0, 8)}`
}
