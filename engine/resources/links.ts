import type { FileStat, HostReader } from '../host/host.ts'
import { joinPath, parentPath } from './path.ts'

/** Where a path leads once its links are followed, or the sentence that says why it can't be. */
export type Followed =
  | { readonly path: string; readonly stat: FileStat | undefined }
  | { readonly blocked: string; readonly help?: string }

/** How many links Linux follows in one path. Source: path_resolution(7). */
const mostLinks = 40

/**
 * Follows a path to where it leads, one part at a time, inside the managed tree. A link counts only where neither
 * it nor a folder above it belongs to, or can be written by, somebody unprivileged: whoever may place a link
 * could have root write anywhere. `stat` is undefined where nothing is at the end, through a link
 * among the parents or none; a link as the last part that leads nowhere is blocked.
 */
export function followLinks(path: string, host: HostReader): Followed {
  const trusted = new Map<string, boolean>()
  const rest = parts(path)
  let at = '/'
  let stat = host.stat(at)
  let hops = 0
  let isLinkItself = false
  while (stat !== undefined) {
    const part = rest.shift()
    if (part === undefined) break
    if (stat.kind !== 'directory') {
      return { blocked: `${at} is a ${stat.kind} where a directory is needed` }
    }
    const next = part === '..' ? parentPath(at) : joinPath(at, part)
    stat = host.stat(next)
    if (stat?.kind !== 'link') {
      at = next
      continue
    }
    if (!isSafe(stat) || !isTrustedFolder(at, host, trusted)) {
      return {
        blocked: `${next} is a link that somebody without privileges could have placed, so it is not followed`,
        help: 'Give the path that it should lead to, or let root own the link and the folders above it.',
      }
    }
    hops += 1
    if (hops > mostLinks) return { blocked: `${path} leads through a loop of links` }
    isLinkItself ||= rest.length === 0
    const target = host.readLink(next)
    if (target.startsWith('/')) at = '/'
    stat = host.stat(at)
    rest.unshift(...parts(target))
  }
  if (stat === undefined) at = joinPath(at, rest.join('/'))
  if (stat === undefined && isLinkItself) {
    return {
      blocked: `${path} is a link to ${at}, where nothing is`,
      help: `Make ${at} first, or set links: manage to act on the link itself.`,
    }
  }
  return { path: at, stat }
}

/** Whether nobody but root, or whoever runs, could have placed or replaced what lies in the folder. */
function isTrustedFolder(folder: string, host: HostReader, known: Map<string, boolean>): boolean {
  const before = known.get(folder)
  if (before !== undefined) return before
  const stat = host.stat(folder)
  // In a sticky folder (/tmp) only its owner and that of an entry can replace the entry. Source: unlink(2).
  const isOurs = stat !== undefined && isSafe(stat) && (!isWritable(stat) || isSticky(stat))
  const isTrusted = isOurs && (folder === '/' || isTrustedFolder(parentPath(folder), host, known))
  known.set(folder, isTrusted)
  return isTrusted
}

function isSafe({ uid }: FileStat): boolean {
  return uid === 0 || uid === process.geteuid?.()
}

/** By somebody besides its owner and root's own group. */
function isWritable({ mode, gid }: FileStat): boolean {
  const isOwnGroup = gid === 0 || gid === process.getegid?.()
  return (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && !isOwnGroup)
}

function isSticky({ mode, uid }: FileStat): boolean {
  return (mode & 0o1000) !== 0 && uid === 0
}

function parts(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.')
}
