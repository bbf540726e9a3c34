import type { Accounts, Group, User } from './host.ts'

/**
 * /etc/passwd as users, in file order; a line that is none (comment, NIS entry, too
 * few fields) is left out. Source: passwd(5).
 */
export function parsePasswd(text: string): User[] {
  const users: User[] = []
  for (const line of text.split('\n')) {
    const [name, , uid, gid, comment, home, shell] = line.split(':')
    if (!name || !isNumber(uid) || !isNumber(gid) || shell === undefined) continue
    users.push({
      name,
      uid: Number(uid),
      gid: Number(gid),
      comment: comment ?? '',
      home: home ?? '',
      shell,
    })
  }
  return users
}

/** /etc/group as groups, in file order. Source: group(5). */
export function parseGroup(text: string): Group[] {
  const groups: Group[] = []
  for (const line of text.split('\n')) {
    const [name, , gid, members] = line.split(':')
    if (!name || !isNumber(gid) || members === undefined) continue
    groups.push({ name, gid: Number(gid), members: members.split(',').filter((m) => m !== '') })
  }
  return groups
}

/** Where two entries share a name or a number, the first one counts, as in getpwnam(3) and getpwuid(3). */
export function accountsOf(users: readonly User[], groups: readonly Group[]): Accounts {
  const userByName = firstBy(users, (user) => user.name)
  const groupByName = firstBy(groups, (group) => group.name)
  const userById = firstBy(users, (user) => user.uid)
  const groupById = firstBy(groups, (group) => group.gid)
  return {
    users: userByName,
    groups: groupByName,
    uid: (name) => numberOf(name) ?? userByName.get(String(name))?.uid,
    gid: (name) => numberOf(name) ?? groupByName.get(String(name))?.gid,
    userName: (uid) => userById.get(uid)?.name ?? String(uid),
    groupName: (gid) => groupById.get(gid)?.name ?? String(gid),
  }
}

/** The gids of every group that lists the user, and the primary one first: what initgroups(3) sets. */
export function groupIdsOf(user: User, accounts: Accounts, primary: number = user.gid): number[] {
  const ids = new Set([primary])
  for (const group of accounts.groups.values()) {
    if (group.members.includes(user.name)) ids.add(group.gid)
  }
  return [...ids]
}

function numberOf(name: string | number): number | undefined {
  if (typeof name === 'number') return name
  return isNumber(name) ? Number(name) : undefined
}

function isNumber(text: string | undefined): text is string {
  return text !== undefined && /^[0-9]+$/.test(text)
}

function firstBy<T, K>(items: readonly T[], key: (item: T) => K): Map<K, T> {
  const map = new Map<K, T>()
  for (const item of items) if (!map.has(key(item))) map.set(key(item), item)
  return map
}
