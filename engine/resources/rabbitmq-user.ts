import schema from '../../schemas/resources/rabbitmq_user.json' with { type: 'json' }
import {
  brokerThings,
  type Definitions,
  definitions,
  hasPassword,
  type NoBroker,
  rabbitmqctl,
  withoutBroker,
} from './rabbitmq.ts'
import type { Change, Resource, ResourceType, Verdict } from './type.ts'

interface RabbitmqUserDesired {
  readonly ensure?: 'present' | 'absent'
  readonly password?: string
  readonly user_tags?: readonly string[]
}
type RabbitmqUserCurrent =
  | NoBroker
  | { readonly user: Definitions['users'][number] | undefined; readonly passwordMatches: boolean }

/** A user of RabbitMQ's own user database. */
export const rabbitmqUser: ResourceType<RabbitmqUserDesired, RabbitmqUserCurrent> = {
  name: 'rabbitmq_user',
  schema,
  check({ ref, title }) {
    if (/^[^-\s]\S*$/.test(title)) return undefined
    return { message: `${ref} is no name of a user`, help: 'no spaces, and no - at its beginning' }
  },
  footprint({ title, desired }) {
    const user = `rabbitmq_user:${title}` as const
    return {
      after: brokerThings,
      ...(desired.ensure === 'absent' ? { removes: [user] } : { ensures: [user] }),
    }
  },
  async probe(users, host) {
    const found = await definitions(host)
    return users.map(({ title, desired: { password } }) => {
      if (!('users' in found)) return found
      const user = found.users.find(({ name }) => name === title)
      const isSame = user !== undefined && password !== undefined && hasPassword(password, user)
      return { user, passwordMatches: isSame }
    })
  },
  diff: diffUser,
  async apply({ ref, title, desired }, changes, host) {
    const isChanged = (attribute: string) =>
      changes.some((change) => change.attribute === attribute)
    if (desired.ensure === 'absent') {
      await rabbitmqctl(host, ref, ['delete_user', title])
      return undefined
    }
    if (isChanged('password')) {
      const verb = isChanged('ensure') ? 'add_user' : 'change_password'
      await rabbitmqctl(host, ref, [verb, title], { stdin: `${desired.password}\n` })
    }
    if (isChanged('user_tags')) {
      await rabbitmqctl(host, ref, ['set_user_tags', title, ...(desired.user_tags ?? [])])
    }
    return undefined
  },
}

function diffUser(
  { ref, desired }: Resource<RabbitmqUserDesired>,
  current: RabbitmqUserCurrent,
): Verdict {
  const { ensure = 'present', password, user_tags } = desired
  if (!('passwordMatches' in current)) return withoutBroker(ref, current, ensure === 'absent')
  const { user } = current
  const found = user === undefined ? 'absent' : 'present'
  const changes: Change[] = []
  if (found !== ensure) changes.push({ attribute: 'ensure', from: found, to: ensure })
  if (ensure === 'absent') return { changes }
  if (user === undefined && password === undefined) {
    return { blocked: `${ref} is not there, and there is no password to make it with` }
  }
  if (password !== undefined && !current.passwordMatches) {
    // Only that it differs is shown; neither password nor hash.
    const from = user === undefined ? undefined : 'another'
    changes.push({ attribute: 'password', from, to: 'the one declared' })
  }
  const has = [user?.tags ?? []]
    .flat()
    .flatMap((tag) => tag.split(','))
    .filter((tag) => tag !== '')
  if (user_tags !== undefined && has.toSorted().join() !== user_tags.toSorted().join()) {
    changes.push({ attribute: 'user_tags', from: user && has, to: user_tags })
  }
  return { changes }
}
