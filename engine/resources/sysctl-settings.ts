import { posix } from 'node:path'
import type { HostReader } from '../host/host.ts'

export interface BootSetting {
  /** The file, under the name that it is sorted by. */
  readonly path: string
  /** Below /proc/sys, such as `net/core/somaxconn`. */
  readonly key: string
  readonly value: string
}

/** A file in an earlier folder hides one of the same name in a later one. Source: sysctl.d(5). */
const folders = ['/etc/sysctl.d', '/run/sysctl.d', '/usr/local/lib/sysctl.d', '/usr/lib/sysctl.d']

/**
 * A key as its path below /proc/sys. Whichever of `.` and `/` comes first separates; when it is the dot, a
 * slash stands for a dot in a name, as in `net.ipv4.conf.eth0/100.forwarding`. Source: sysctl.d(5).
 */
export function keyPath(key: string): string {
  if (/[./]/.exec(key)?.[0] !== '.') return key
  return key.replace(/[./]/g, (separator) => (separator === '.' ? '/' : '.'))
}

/**
 * What is set at boot, in the order in which it is set: a later one wins.
 * Globs are left out. Source: sysctl.d(5).
 */
export function bootSettings(host: HostReader): BootSetting[] {
  const pathByName = new Map<string, string>()
  for (const folder of folders) {
    if (host.stat(folder)?.kind !== 'directory') continue
    for (const name of host.list(folder)) {
      if (name.endsWith('.conf') && !pathByName.has(name)) pathByName.set(name, `${folder}/${name}`)
    }
  }
  const paths = [...pathByName].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path)
  return paths.flatMap((path) => parse(textOf(host, path)).map((line) => ({ path, ...line })))
}

/** Debian keeps 99-sysctl.conf as a link to /etc/sysctl.conf; a link to /dev/null hides a file. */
function textOf(host: HostReader, path: string): string {
  const isLink = host.stat(path)?.kind === 'link'
  const file = isLink ? posix.resolve(posix.dirname(path), host.readLink(path)) : path
  return host.stat(file)?.kind === 'file' ? host.read(file).toString() : ''
}

function parse(text: string): { key: string; value: string }[] {
  return text.split('\n').flatMap((line) => {
    const [, key, value] = /^\s*-?([^#;=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    return key === undefined || value === undefined ? [] : [{ key: keyPath(key), value }]
  })
}
