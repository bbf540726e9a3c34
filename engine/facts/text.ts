import type { HostReader } from '../host/host.ts'
import { tracePath } from '../host/trust.ts'

/** A file as text, its links followed; empty where there is none. */
export function textOf(host: HostReader, path: string): string {
  const { path: real, stat } = tracePath(host, path)
  return stat ? host.read(real).toString('utf8') : ''
}
