import { posix } from 'node:path'
import { HostError } from './error.ts'
import type { FileStat, HostReader } from './host.ts'

/** Where a path leads with every link followed, and all that was passed on the way: folders, links, the end. */
export interface Trace {
  readonly path: string
  /** What is there; undefined where nothing is, and `path` is then as far as the way could be followed. */
  readonly stat: FileStat | undefined
  readonly passed: readonly { readonly path: string; readonly stat: FileStat }[]
}

/**
 * Follows a path part by part. Throws HostError (ELOOP) after 40 links,
 * as Linux does. Source: path_resolution(7).
 */
export function tracePath(host: HostReader, path: string): Trace {
  const rest = path.split('/')
  const passed: { path: string; stat: FileStat }[] = []
  let at = '/'
  let stat = host.stat(at)
  let links = 0
  if (stat) passed.push({ path: at, stat })
  while (rest.length > 0) {
    const part = rest.shift() ?? ''
    if (part === '' || part === '.') continue
    const next = posix.join(at, part)
    stat = host.stat(next)
    if (!stat) return { path: posix.join(next, ...rest), stat, passed }
    passed.push({ path: next, stat })
    if (stat.kind !== 'link') {
      at = next
      continue
    }
    links += 1
    if (links > 40) throw new HostError('ELOOP', path)
    const target = host.readLink(next)
    if (target.startsWith('/')) at = '/'
    rest.unshift(...target.split('/'))
  }
  return { path: at, stat: host.stat(at), passed }
}

/**
 * Why what lies at the end could be somebody else's words, as half a sentence such as `/etc/x can be written by
 * others (mode 0777)`; undefined where only root, or whoever runs steward, could have written it or put it
 * there. A sticky folder (/tmp) does no harm. Source: unlink(2).
 */
export function whyUntrusted({ passed }: Trace): string | undefined {
  for (const { path, stat } of passed) {
    if (!isTrustedOwner(stat.uid)) {
      return `${path} belongs to another user (uid ${stat.uid})`
    }
    if (stat.kind === 'link') continue
    const isSticky = stat.kind === 'directory' && (stat.mode & 0o1000) !== 0
    if (canOthersWrite(stat) && !isSticky) {
      return `${path} can be written by others (mode ${stat.mode.toString(8).padStart(4, '0')})`
    }
  }
  return undefined
}

/** Root, and whoever steward runs as: nobody gains by fooling themselves. */
export function isTrustedOwner(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.()
}

/** Whether the mode lets somebody else than the owner write: all, or a group other than root's and our own. */
export function canOthersWrite({
  mode,
  gid,
}: {
  readonly mode: number
  readonly gid: number
}): boolean {
  const isOurGroup = gid === 0 || gid === process.getegid?.()
  return (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && !isOurGroup)
}
