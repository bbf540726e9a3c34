import type { TestHost } from './rig.ts'

/**
 * Path to one line with everything that a write would change: kind, mode, owner,
 * mtime, ctime, size, link target, SHA-256.
 */
export type Snapshot = ReadonlyMap<string, string>

/** Everything on the host's own file systems: the root, /run and /dev/shm; not /proc, /sys and /dev. */
export async function snapshot(host: TestHost): Promise<Snapshot> {
  const roots = '/ /run /dev/shm'
  const metadata = await host.shell(
    `find ${roots} -xdev -printf '%p\\t%y %m %U:%G mtime=%T@ ctime=%C@ size=%s %l\\0' || true`,
  )
  const hashes = await host.shell(
    `find ${roots} -xdev -type f -print0 | xargs -0 sha256sum -z 2>/dev/null || true`,
  )
  const lines = new Map(entries(metadata).map((entry) => cut(entry, '\t')))
  for (const [digest, path] of entries(hashes).map((entry) => cut(entry, '  '))) {
    lines.set(path, `${lines.get(path) ?? ''} ${digest}`)
  }
  return lines
}

/** The paths that are new, gone or different, sorted. */
export function touched(before: Snapshot, after: Snapshot): string[] {
  const paths = new Set([...before.keys(), ...after.keys()])
  return [...paths].filter((path) => before.get(path) !== after.get(path)).sort()
}

function entries(text: string): string[] {
  return text.split('\0').filter((entry) => entry !== '')
}

function cut(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return [text.slice(0, at), text.slice(at + separator.length)]
}
