import { spawnSync } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { systemPath } from './bytes.ts'
import { HostError } from './error.ts'

/**
 * Takes ACLs and extended attributes over from the file that is about to be replaced to the one that
 * replaces it. Both are named by open descriptors, so no name can be exchanged meanwhile.
 */
export function keepAttributes(old: string, newFd: number, path: string): void {
  const oldFd = openSync(systemPath(old), constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const place = (fd: number): string => `/proc/${process.pid}/fd/${fd}`
    const copied = spawnSync(
      'cp',
      ['--attributes-only', '--preserve=mode,xattr', '--', place(oldFd), place(newFd)],
      { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' },
    )
    if (copied.status !== 0) {
      const reason = copied.error?.message ?? copied.stderr.trim()
      throw new HostError('ENOTSUP', path, `its ACL or attributes can't be kept: ${reason}`)
    }
  } finally {
    closeSync(oldFd)
  }
}
