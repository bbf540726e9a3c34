import type { Host } from '../host/host.ts'
import type { AccountTools, UserValues } from './account-values.ts'
import { makeHome } from './home-directory.ts'
import { ApplyError } from './type.ts'

/**
 * What useradd and its like do, for a tree in which no command can run: entries in up to four files,
 * written through the host and so kept like any other file. The shadow files are written only where the
 * tree has them. Source: passwd(5), group(5), shadow(5), gshadow(5).
 */
export function accountFiles(ref: string, host: Host): AccountTools {
  const groupId = (group: string | number) => {
    const gid = host.accounts().gid(group)
    if (gid === undefined) throw new ApplyError(`${ref}: there is no group ${group}`)
    return gid
  }
  const addGroup = (name: string, values: { gid?: number | undefined; system: boolean }) => {
    const gid = values.gid ?? freeId(ref, host, 'GID', values.system)
    setEntry(host, '/etc/group', name, () => [name, 'x', `${gid}`, ''])
    if (host.stat('/etc/gshadow')) setEntry(host, '/etc/gshadow', name, () => [name, '!', '', ''])
    return gid
  }
  return {
    async addUser(name, values, how) {
      const uid = values.uid ?? freeId(ref, host, 'UID', how.system)
      const { groups } = host.accounts()
      const free = [...groups.values()].some(({ gid }) => gid === uid) ? undefined : uid
      const own = () => groups.get(name)?.gid ?? addGroup(name, { gid: free, system: how.system })
      const gid = values.gid === undefined ? own() : groupId(values.gid)
      const defaults = settingsOf(host, '/etc/default/useradd', /=/)
      const home = values.home ?? `${defaults.get('HOME') ?? '/home'}/${name}`
      const shell = values.shell ?? defaults.get('SHELL') ?? '/bin/bash'
      const entry = [name, 'x', uid, gid, values.comment ?? '', home, shell]
      setEntry(host, '/etc/passwd', name, () => entry.map(raw))
      if (host.stat('/etc/shadow')) {
        // No password fits "!". The day of its last change stays empty: two builds give the same bytes.
        setEntry(host, '/etc/shadow', name, () => [name, '!', '', '', '', '', '', '', ''])
      }
      joinGroups(host, name, values.groups)
      if (how.home) makeHome(host, home, { uid, gid, mode: homeMode(host) })
    },
    async changeUser(name, values, { moveHome }) {
      const old = host.accounts().users.get(name)?.home
      if (moveHome && values.home !== undefined && old && host.stat(old) !== undefined) {
        throw new ApplyError(`${ref}: a home can be moved only on the machine itself`, {
          help: `move ${old} to ${values.home} by hand, or leave \`managehome\` out`,
        })
      }
      const gid = values.gid === undefined ? undefined : groupId(values.gid)
      changeEntry(host, name, { ...values, gid })
      joinGroups(host, name, values.groups)
    },
    async removeUser(name) {
      for (const file of ['/etc/passwd', '/etc/shadow']) dropEntry(host, file, name)
      joinGroups(host, name, { names: [], membership: 'inclusive' })
      const { users, groups } = host.accounts()
      const own = groups.get(name)
      const isPrimary = [...users.values()].some(({ gid }) => gid === own?.gid)
      if (own?.members.length === 0 && !isPrimary) dropGroup(host, name)
    },
    async addGroup(name, values) {
      addGroup(name, values)
    },
    async changeGroup(name, gid) {
      const { groups, users } = host.accounts()
      const old = groups.get(name)?.gid
      for (const user of users.values()) if (user.gid === old) changeEntry(host, user.name, { gid })
      setEntry(host, '/etc/group', name, ([, password, , members] = []) => [
        name,
        password ?? 'x',
        `${gid}`,
        members ?? '',
      ])
    },
    async setMembers(name, members) {
      setMembers(host, name, members)
    },
    async removeGroup(name) {
      const { groups, users } = host.accounts()
      const gid = groups.get(name)?.gid
      const user = [...users.values()].find((other) => other.gid === gid)
      if (user) throw new ApplyError(`${ref} is the primary group of user ${user.name} and stays`)
      dropGroup(host, name)
    },
  }
}

/** Makes the user a member of the groups named and, when inclusive, of no others. */
function joinGroups(host: Host, user: string, wanted: UserValues['groups']): void {
  if (wanted === undefined) return
  for (const { name, members } of host.accounts().groups.values()) {
    const isMember = members.includes(user)
    if (wanted.names.includes(name) && !isMember) setMembers(host, name, [...members, user])
    const leaves = wanted.membership === 'inclusive' && !wanted.names.includes(name)
    if (leaves && isMember) {
      setMembers(
        host,
        name,
        members.filter((member) => member !== user),
      )
    }
  }
}

function setMembers(host: Host, group: string, members: readonly string[]): void {
  for (const file of ['/etc/group', '/etc/gshadow']) {
    setEntry(host, file, group, (old) => old && [...old.slice(0, 3), members.join(',')])
  }
}

function dropGroup(host: Host, name: string): void {
  for (const file of ['/etc/group', '/etc/gshadow']) dropEntry(host, file, name)
}

/** Rewrites fields of a user's line in /etc/passwd; the rest of the line keeps its bytes. */
function changeEntry(
  host: Host,
  name: string,
  values: Omit<UserValues, 'gid'> & { readonly gid?: number | undefined },
): void {
  const fields = [undefined, undefined, values.uid, values.gid, values.comment, values.home]
  setEntry(host, '/etc/passwd', name, (old) =>
    old?.map((field, index) => {
      const value = [...fields, values.shell][index]
      return value === undefined ? field : raw(value)
    }),
  )
}

/** Files are read one byte a character, so that what is not UTF-8 stays; new text is put in that form too. */
function raw(value: string | number): string {
  return Buffer.from(String(value)).toString('latin1')
}

/** Rewrites the entry of that name in place, or adds one at the end; `undefined` leaves the file alone. */
function setEntry(
  host: Host,
  path: string,
  name: string,
  change: (fields: readonly string[] | undefined) => readonly string[] | undefined,
): void {
  const lines = readLines(host, path)
  const index = lines.findIndex((line) => line.startsWith(`${name}:`))
  const entry = change(index === -1 ? undefined : lines[index]?.split(':'))?.join(':')
  if (entry === undefined) return
  if (index === -1) lines.push(entry)
  else lines[index] = entry
  writeLines(host, path, lines)
}

function dropEntry(host: Host, path: string, name: string): void {
  const lines = readLines(host, path)
  const kept = lines.filter((line) => !line.startsWith(`${name}:`))
  if (kept.length < lines.length) writeLines(host, path, kept)
}

function readLines(host: Host, path: string): string[] {
  if (host.stat(path) === undefined) return []
  const lines = host.read(path).toString('latin1').split('\n')
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines
}

function writeLines(host: Host, path: string, lines: readonly string[]): void {
  const { mode, uid, gid } = host.stat(path) ?? { mode: 0o644, uid: 0, gid: 0 }
  const text = lines.map((line) => `${line}\n`).join('')
  host.writeFile(path, Buffer.from(text, 'latin1'), { mode, uid, gid })
}

/**
 * The number that useradd and groupadd take: below the lowest system account in use, or above
 * the highest of the others, and a gap where that end of the range is reached. Source:
 * login.defs(5), and the tools themselves.
 */
function freeId(ref: string, host: Host, kind: 'UID' | 'GID', system: boolean): number {
  const { users, groups } = host.accounts()
  const ids =
    kind === 'UID' ? users.values().map(({ uid }) => uid) : groups.values().map(({ gid }) => gid)
  const taken = new Set(ids)
  const setting = settingsOf(host, '/etc/login.defs', /\s+/)
  const number = (name: string, fallback: number) => Number(setting.get(name) ?? fallback)
  const least = number(`${kind}_MIN`, 1000)
  const first = system ? number(`SYS_${kind}_MIN`, 101) : least
  const last = system ? number(`SYS_${kind}_MAX`, least - 1) : number(`${kind}_MAX`, 60_000)
  const used = [...taken].filter((id) => id >= first && id <= last)
  const next = system ? Math.min(last + 1, ...used) - 1 : Math.max(first - 1, ...used) + 1
  if (next >= first && next <= last) return next
  const all = Array.from({ length: last - first + 1 }, (_, n) => (system ? last - n : first + n))
  const gap = all.find((id) => !taken.has(id))
  if (gap !== undefined) return gap
  throw new ApplyError(`${ref}: every ${kind} from ${first} to ${last} is taken`, {
    help: `give one with \`${kind.toLowerCase()}:\`, or widen the range in /etc/login.defs`,
  })
}

/** Source: login.defs(5), HOME_MODE and UMASK. */
function homeMode(host: Host): number {
  const setting = settingsOf(host, '/etc/login.defs', /\s+/)
  const mode = setting.get('HOME_MODE')
  if (mode !== undefined) return Number.parseInt(mode, 8)
  return 0o777 & ~Number.parseInt(setting.get('UMASK') ?? '022', 8)
}

/** A file of names and values; the last line of a name counts. One that is missing is empty. */
function settingsOf(host: Host, path: string, separator: RegExp): ReadonlyMap<string, string> {
  return new Map(
    readLines(host, path).flatMap((line) => {
      const [name, value] = line.trim().split(separator)
      return name !== undefined && value !== undefined ? [[name, value] as const] : []
    }),
  )
}
