import type { Accounts } from '../../host/host.ts'

/**
 * The number of a user or group; undefined where the host does not know the
 * name. Root is root in an empty tree, too.
 */
export function accountId(
  accounts: Accounts,
  kind: 'user' | 'group',
  name: string | number,
): number | undefined {
  const id = kind === 'user' ? accounts.uid(name) : accounts.gid(name)
  return id ?? (name === 'root' ? 0 : undefined)
}
