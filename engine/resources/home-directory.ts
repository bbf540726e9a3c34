import { posix } from 'node:path'
import type { Host, Ownership } from '../host/host.ts'

/**
 * Makes a home as `useradd --create-home` does: parents where they lack, and a copy of
 * /etc/skel. One that is there stays as it is.
 */
export function makeHome(
  host: Host,
  home: string,
  owner: Ownership & { readonly mode: number },
): void {
  if (host.stat(home) !== undefined) return
  makeParents(host, posix.dirname(home))
  host.makeDirectory(home, owner)
  copyInto(host, '/etc/skel', home, { uid: owner.uid, gid: owner.gid })
}

/** The home that may go with its user, or why it stays; asked while the account is still there. */
export function homeToRemove(
  host: Host,
  name: string,
): { readonly path?: string; readonly kept?: string } {
  const { users } = host.accounts()
  const user = users.get(name)
  const stat = user && host.stat(user.home)
  if (user === undefined || stat === undefined) return {}
  const path = user.home
  if (stat.kind !== 'directory') return { kept: `${path} is not a directory and stays` }
  if (stat.uid !== user.uid) return { kept: `${path} belongs to somebody else and stays` }
  const isOrHolds = `${posix.resolve(path, '.')}/`.replace('//', '/')
  for (const other of users.values()) {
    if (other.name === name || !`${other.home}/`.startsWith(isOrHolds)) continue
    return { kept: `${path} is or holds the home of ${other.name} and stays` }
  }
  return { path }
}

function makeParents(host: Host, path: string): void {
  if (host.stat(path) !== undefined) return
  makeParents(host, posix.dirname(path))
  host.makeDirectory(path, { uid: 0, gid: 0, mode: 0o755 })
}

function copyInto(host: Host, from: string, to: string, owner: Ownership): void {
  if (host.stat(from)?.kind !== 'directory') return
  for (const name of host.list(from)) {
    const source = posix.join(from, name)
    const target = posix.join(to, name)
    const stat = host.stat(source)
    if (stat?.kind === 'file') {
      host.writeFile(target, host.read(source), { ...owner, mode: stat.mode })
    } else if (stat?.kind === 'link') {
      host.makeLink(target, host.readLink(source), owner)
    } else if (stat?.kind === 'directory') {
      host.makeDirectory(target, { ...owner, mode: stat.mode })
      copyInto(host, source, target, owner)
    }
  }
}
