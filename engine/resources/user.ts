import { posix } from 'node:path'
import schema from '../../schemas/resources/user.json' with { type: 'json' }
import { checkAccountName } from './account-names.ts'
import { accountTools } from './account-tools.ts'
import type { Membership, UserValues } from './account-values.ts'
import { attributeChanges } from './diff-attributes.ts'
import { homeToRemove } from './home-directory.ts'
import { ApplyError, type Change, type ResourceType } from './type.ts'

/** An absent attribute is left as it is; without `ensure` the user is somebody else's to make. */
interface Desired {
  readonly ensure?: 'present' | 'absent'
  readonly uid?: number
  /** Primary group: a name, or a number. */
  readonly gid?: string | number
  readonly groups?: readonly string[]
  readonly membership?: Membership
  readonly home?: string
  readonly managehome?: boolean
  readonly shell?: string
  readonly comment?: string
  readonly system?: boolean
}

/** undefined where there is no such user. */
type Current =
  | {
      readonly uid: number
      readonly gid: number
      /** The name of the primary group, or its number where it has none. */
      readonly group: string
      /** Supplementary groups, sorted. */
      readonly groups: readonly string[]
      readonly home: string
      readonly shell: string
      readonly comment: string
    }
  | undefined

/** A user in /etc/passwd, and its groups. */
export const user: ResourceType<Desired, Current> = {
  name: 'user',
  schema,
  check: checkAccountName,
  footprint({ title, desired: { ensure, gid, groups = [], home, managehome } }) {
    const named = [...(typeof gid === 'string' ? [gid] : []), ...groups]
    const inGroups = named.map((name) => `group:${name}` as const)
    // The user's own group can go only after the user, whether or not anybody wrote it down.
    if (ensure === 'absent') {
      return { removes: [`user:${title}`], after: [`group:${title}`, ...inGroups] }
    }
    if (ensure === undefined) {
      const own = `user:${title}` as const
      return { needs: [own, ...inGroups], manages: [own] }
    }
    const ownGroup = gid === undefined ? [`group:${title}` as const] : []
    const ownHome = managehome ? [`path:${home ?? `/home/${title}`}` as const] : []
    // Shell and the home's parents may lack, and may belong to this very user: no need of either.
    return { ensures: [`user:${title}`], needs: inGroups, provides: [...ownGroup, ...ownHome] }
  },
  async probe(users, host) {
    const accounts = host.accounts()
    const groupsOf = new Map<string, string[]>()
    for (const { name, members } of accounts.groups.values()) {
      for (const member of members) groupsOf.set(member, [...(groupsOf.get(member) ?? []), name])
    }
    return users.map(({ title }) => {
      const found = accounts.users.get(title)
      if (found === undefined) return undefined
      const groups = (groupsOf.get(title) ?? []).toSorted()
      return { ...found, group: accounts.groupName(found.gid), groups }
    })
  },
  diff({ desired }, current) {
    const { ensure, uid, gid, comment, home, shell } = desired
    const found = { ...current, ensure: current ? 'present' : 'absent' }
    if (ensure === 'absent') return { changes: attributeChanges({ ensure }, found) }
    return {
      changes: [
        ...attributeChanges(
          { ensure, uid, gid },
          { ...found, gid: primaryGroup(desired, current) },
        ),
        ...groupChanges(desired, current),
        ...attributeChanges(
          { comment, home, shell },
          {
            ...current,
            comment: unlessSame(comment, current?.comment, withoutTrailingCommas),
            home: unlessSame(home, current?.home, (path) => posix.resolve(path)),
          },
        ),
      ],
    }
  },
  async apply({ ref, title, desired }, changes, host) {
    const { ensure, system = false, managehome = false } = desired
    const tools = accountTools(ref, host)
    if (ensure === 'absent') {
      const home = managehome ? homeToRemove(host, title) : {}
      await tools.removeUser(title)
      if (home.path !== undefined) host.remove(home.path)
      return home.kept === undefined ? undefined : { note: home.kept }
    }
    const changed = new Set(changes.map(({ attribute }) => attribute))
    if (changed.has('ensure')) {
      await tools.addUser(title, valuesOf(desired), { system, home: managehome })
      return undefined
    }
    if (!host.accounts().users.has(title)) {
      throw new ApplyError(`${ref} does not exist, and this resource does not make it`, {
        help: 'write `ensure: present`, or declare the package that brings the user',
      })
    }
    const declared = Object.entries(valuesOf(desired))
    const values = Object.fromEntries(declared.filter(([attribute]) => changed.has(attribute)))
    await tools.changeUser(title, values, { moveHome: managehome })
    return undefined
  },
}

function valuesOf({ uid, gid, comment, home, shell, groups, membership }: Desired): UserValues {
  return {
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
    ...(comment !== undefined && { comment }),
    ...(home !== undefined && { home }),
    ...(shell !== undefined && { shell }),
    ...(groups && { groups: { names: groups, membership: membership ?? 'minimum' } }),
  }
}

/**
 * What stands on the host, put in the words of the manifest where it means the same: `===` can then compare.
 */
function unlessSame(
  desired: string | undefined,
  found: string | undefined,
  meaning: (value: string) => string,
): string | undefined {
  const isSame = desired !== undefined && found !== undefined && meaning(desired) === meaning(found)
  return isSame ? desired : found
}

/**
 * Debian's adduser fills the fields of room and telephones by commas;
 * Puppet set such a comment again on every run.
 */
function withoutTrailingCommas(comment: string): string {
  return comment.replace(/,+$/, '')
}

/** As number or name, whichever the manifest uses. */
function primaryGroup({ gid }: Desired, current: Current): string | number | undefined {
  return typeof gid === 'number' ? current?.gid : current?.group
}

function groupChanges({ gid, groups, membership }: Desired, current: Current): Change[] {
  if (groups === undefined) return []
  const from = current?.groups ?? []
  // The primary group needs no entry of its own, and one that is there does no harm.
  const primary = gid ?? current?.group
  const missing = groups.filter((name) => !from.includes(name) && name !== primary)
  const extra = from.filter((name) => !groups.includes(name) && name !== primary)
  const leaves = membership === 'inclusive' ? extra : []
  if (missing.length + leaves.length === 0) return []
  const to = [...from.filter((name) => !leaves.includes(name)), ...missing].toSorted()
  return [{ attribute: 'groups', from: current && from, to }]
}
