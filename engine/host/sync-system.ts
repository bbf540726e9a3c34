import { posix } from 'node:path'
import { runCommand } from './command.ts'
import { HostError } from './error.ts'
import type { Accounts, Host } from './host.ts'

/** Where the file systems of a system are mounted; others may be slow ones of the network. */
const systemFolders = ['/', '/boot', '/etc', '/home', '/opt', '/root', '/srv', '/usr', '/var']

/** Has what commands wrote written to the disk: nothing tells where they wrote. */
export async function syncSystem(
  root: string,
  { stat, accounts }: Pick<Host, 'stat'> & { readonly accounts: Accounts },
): Promise<void> {
  const places = new Map<number, string>()
  for (const folder of systemFolders) {
    const found = stat(folder)
    if (found?.kind === 'directory' && !places.has(found.dev)) places.set(found.dev, folder)
  }
  const paths = [...places.values()].map((folder) => posix.join(root, folder))
  const synced = await runCommand(['sync', '--file-system', ...paths], {}, { root: '/', accounts })
  // No coreutils: what was written lasts as soon as the kernel has come round to it.
  if (synced.startError !== undefined || synced.exitCode === 0) return
  throw new HostError(
    'EIO',
    root,
    `what the command wrote can't be synced: ${synced.stderr.trim()}`,
  )
}
