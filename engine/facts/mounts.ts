import { statfsSync } from 'node:fs'
import type { HostReader } from '../host/host.ts'
import type { Mount } from './schema.ts'
import { textOf } from './text.ts'

/** Sizes in MiB; undefined where the file system does not answer. */
type SizeOf = (path: string) => { readonly size_mb: number; readonly free_mb: number } | undefined

export function readMounts(machine: HostReader): Mount[] {
  return parseMounts(textOf(machine, '/proc/self/mounts'), statfs)
}

/**
 * The file systems that hold files. What another machine or a program serves is listed but never asked for its
 * size, for that could hang without end. Source: proc_pid_mounts(5), fstab(5).
 */
export function parseMounts(text: string, sizeOf: SizeOf): Mount[] {
  const mounts = new Map<string, Mount>()
  for (const line of text.split('\n')) {
    const [device, path, type] = line.split(' ').map(withoutEscapes)
    if (device === undefined || path === undefined || type === undefined) continue
    const isServed = served.has(type) || type.startsWith('fuse.')
    const isOwn = ownTypes.has(type) || (device.startsWith('/') && type !== 'autofs')
    if (!isServed && !isOwn) continue
    const size = isServed ? undefined : sizeOf(path)
    // What is mounted over another hides it.
    mounts.delete(path)
    mounts.set(path, {
      path,
      device,
      type,
      size_mb: size?.size_mb ?? null,
      free_mb: size?.free_mb ?? null,
    })
  }
  return [...mounts.values()]
}

const served = new Set(['nfs', 'nfs4', 'cifs', 'smb3', 'ceph', 'glusterfs', 'afs', '9p', 'fuse'])
/** Hold files though their device is only a name. */
const ownTypes = new Set(['tmpfs', 'overlay', 'zfs', 'virtiofs'])

/** Blanks, tabs, newlines and backslashes stand as three octal digits. */
function withoutEscapes(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  )
}

const statfs: SizeOf = (path) => {
  try {
    const { bsize, blocks, bavail } = statfsSync(path)
    const mib = (count: number) => Math.floor((count * bsize) / 1024 ** 2)
    return { size_mb: mib(blocks), free_mb: mib(bavail) }
  } catch {
    // Not for this user to see, or gone by now: its size is unknown, its being there is not.
    return undefined
  }
}
