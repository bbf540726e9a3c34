import schema from '../../schemas/resources/rabbitmq_vhost.json' with { type: 'json' }
import { brokerThings, definitions, type NoBroker, rabbitmqctl, withoutBroker } from './rabbitmq.ts'
import type { ResourceType } from './type.ts'

interface RabbitmqVhostDesired {
  readonly ensure?: 'present' | 'absent'
  readonly force?: boolean
}
type RabbitmqVhostCurrent = NoBroker | { readonly isThere: boolean }

/** A virtual host of RabbitMQ: queues, exchanges and permissions of their own. */
export const rabbitmqVhost: ResourceType<RabbitmqVhostDesired, RabbitmqVhostCurrent> = {
  name: 'rabbitmq_vhost',
  schema,
  check({ ref, title }) {
    if (/^[^-\s]\S*$/.test(title)) return undefined
    const help = 'no spaces, and no - at its beginning'
    return { message: `${ref} is no name of a virtual host`, help }
  },
  footprint({ title, desired }) {
    const vhost = `rabbitmq_vhost:${title}` as const
    return {
      after: brokerThings,
      ...(desired.ensure === 'absent' ? { removes: [vhost] } : { ensures: [vhost] }),
    }
  },
  async probe(vhosts, host) {
    const found = await definitions(host)
    return vhosts.map(({ title }) =>
      'vhosts' in found ? { isThere: found.vhosts.some(({ name }) => name === title) } : found,
    )
  },
  diff({ ref, desired: { ensure = 'present', force } }, current) {
    if (!('isThere' in current)) return withoutBroker(ref, current, ensure === 'absent')
    const found = current.isThere ? 'present' : 'absent'
    if (found === ensure) return { changes: [] }
    if (ensure === 'absent' && !force) {
      return {
        blocked: `${ref}: the messages of its queues can't be kept when it is removed`,
        help: 'write `force: true` where they may go',
      }
    }
    return { changes: [{ attribute: 'ensure', from: found, to: ensure }] }
  },
  async apply({ ref, title, desired }, _changes, host) {
    const verb = desired.ensure === 'absent' ? 'delete_vhost' : 'add_vhost'
    await rabbitmqctl(host, ref, [verb, title])
    return undefined
  },
}
