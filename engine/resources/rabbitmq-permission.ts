import schema from '../../schemas/resources/rabbitmq_permission.json' with { type: 'json' }
import { attributeChanges } from './diff-attributes.ts'
import {
  brokerThings,
  definitions,
  type NoBroker,
  type Permission,
  rabbitmqctl,
  withoutBroker,
} from './rabbitmq.ts'
import type { Resource, ResourceType, Verdict } from './type.ts'

interface RabbitmqPermissionDesired {
  readonly ensure?: 'present' | 'absent'
  readonly configure?: string
  readonly write?: string
  readonly read?: string
}
type RabbitmqPermissionCurrent = NoBroker | { readonly permission: Permission | undefined }

/** What a user may do in a virtual host. Source: RabbitMQ's documentation "Access Control". */
export const rabbitmqPermission: ResourceType<
  RabbitmqPermissionDesired,
  RabbitmqPermissionCurrent
> = {
  name: 'rabbitmq_permission',
  schema,
  check({ ref, title }) {
    if (/^[^-\s]\S*@[^-\s]\S*$/.test(title)) return undefined
    return {
      message: `${ref} names no user and virtual host`,
      help: 'write `user@vhost`: `zulip@/`',
    }
  },
  footprint({ title, desired }) {
    const { user, vhost } = partsOf(title)
    const after = [
      ...brokerThings,
      `rabbitmq_user:${user}` as const,
      `rabbitmq_vhost:${vhost}` as const,
    ]
    return desired.ensure === 'absent' ? { after } : { after: brokerThings, needs: after.slice(-2) }
  },
  async probe(permissions, host) {
    const found = await definitions(host)
    return permissions.map(({ title }) => {
      if (!('permissions' in found)) return found
      const { user, vhost } = partsOf(title)
      const permission = found.permissions.find(
        (each) => each.user === user && each.vhost === vhost,
      )
      return { permission }
    })
  },
  diff: diffPermission,
  async apply({ ref, title, desired }, _changes, host) {
    const { user, vhost } = partsOf(title)
    if (desired.ensure === 'absent') {
      await rabbitmqctl(host, ref, ['clear_permissions', '-p', vhost, user])
      return undefined
    }
    const found = await definitions(host)
    const now =
      'permissions' in found
        ? found.permissions.find((each) => each.user === user && each.vhost === vhost)
        : undefined
    const kinds = (['configure', 'write', 'read'] as const).map(
      (kind) => desired[kind] ?? now?.[kind] ?? nothing,
    )
    await rabbitmqctl(host, ref, ['set_permissions', '-p', vhost, user, ...kinds])
    return undefined
  },
}

/** Matches no name. */
const nothing = '^$'

function diffPermission(
  { ref, desired }: Resource<RabbitmqPermissionDesired>,
  current: RabbitmqPermissionCurrent,
): Verdict {
  const { ensure = 'present', ...wanted } = desired
  if (!('permission' in current)) return withoutBroker(ref, current, ensure === 'absent')
  const found = current.permission === undefined ? 'absent' : 'present'
  const isOther = found !== ensure
  return {
    changes: [
      ...(isOther ? [{ attribute: 'ensure', from: found, to: ensure }] : []),
      ...(ensure === 'absent' ? [] : attributeChanges(wanted, current.permission ?? {})),
    ],
  }
}

/** A virtual host has no `@` where a user may well have one. */
function partsOf(title: string): { readonly user: string; readonly vhost: string } {
  const at = title.lastIndexOf('@')
  return { user: title.slice(0, at), vhost: title.slice(at + 1) }
}
