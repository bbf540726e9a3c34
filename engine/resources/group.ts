import schema from '../../schemas/resources/group.json' with { type: 'json' }
import { checkAccountName } from './account-names.ts'
import { accountTools } from './account-tools.ts'
import type { Membership } from './account-values.ts'
import { attributeChanges } from './diff-attributes.ts'
import { ApplyError, type Change, type ResourceType } from './type.ts'

/** An absent attribute is left as it is; without `ensure` the group is somebody else's to make. */
interface Desired {
  readonly ensure?: 'present' | 'absent'
  readonly gid?: number
  readonly members?: readonly string[]
  readonly membership?: Membership
  readonly system?: boolean
}
/** undefined where there is no such group. */
type Current = { readonly gid: number; readonly members: readonly string[] } | undefined

/** A group in /etc/group. */
export const group: ResourceType<Desired, Current> = {
  name: 'group',
  schema,
  check: checkAccountName,
  footprint({ title, desired }) {
    if (desired.ensure === 'absent') return { removes: [`group:${title}`] }
    const needs = (desired.members ?? []).map((member) => `user:${member}` as const)
    return desired.ensure === 'present'
      ? { ensures: [`group:${title}`], needs }
      : { needs: [`group:${title}`, ...needs] }
  },
  async probe(groups, host) {
    const accounts = host.accounts()
    return groups.map(({ title }) => accounts.groups.get(title))
  },
  diff({ desired }, current) {
    const { ensure, gid } = desired
    const found = { ensure: current ? 'present' : 'absent', ...current }
    if (ensure === 'absent') return { changes: attributeChanges({ ensure }, found) }
    return {
      changes: [
        ...attributeChanges({ ensure, gid }, found),
        ...memberChanges(desired, current?.members),
      ],
    }
  },
  async apply({ ref, title, desired }, changes, host) {
    const tools = accountTools(ref, host)
    const { ensure, gid, system = false } = desired
    if (ensure === 'absent') {
      await tools.removeGroup(title)
      return undefined
    }
    const changed = new Set(changes.map(({ attribute }) => attribute))
    if (changed.has('ensure')) await tools.addGroup(title, { gid, system })
    const found = host.accounts().groups.get(title)
    if (found === undefined) {
      throw new ApplyError(`${ref} does not exist, and this resource does not make it`, {
        help: 'write `ensure: present`, or declare what brings the group',
      })
    }
    if (gid !== undefined && gid !== found.gid) await tools.changeGroup(title, gid)
    if (changed.has('members')) await tools.setMembers(title, membersAfter(desired, found.members))
    return undefined
  },
}

function memberChanges(desired: Desired, current: readonly string[] = []): Change[] {
  const after = membersAfter(desired, current)
  const isSame = after.length === current.length && after.every((name) => current.includes(name))
  return isSame ? [] : [{ attribute: 'members', from: current, to: after }]
}

function membersAfter(
  { members, membership = 'minimum' }: Desired,
  current: readonly string[],
): readonly string[] {
  if (members === undefined) return current
  return [...new Set([...(membership === 'minimum' ? current : []), ...members])]
}
