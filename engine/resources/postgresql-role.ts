import schema from '../../schemas/resources/postgresql_role.json' with { type: 'json' }
import { attributeChanges } from './diff-attributes.ts'
import {
  clusterThings,
  findServer,
  inCluster,
  literal,
  type NoServer,
  onStandby,
  quoted,
  runSql,
  withoutServer,
} from './postgresql.ts'
import { passwordMatches, scramVerifier } from './postgresql-password.ts'
import { type RoleState, serverStates } from './postgresql-state.ts'
import type { Change, Resource, ResourceType, Verdict } from './type.ts'

interface PostgresqlRoleDesired {
  readonly ensure?: 'present' | 'absent'
  /** Such as `15/main`; the only one there is when absent. */
  readonly cluster?: string
  readonly password?: string
  readonly login?: boolean
  readonly superuser?: boolean
  readonly createdb?: boolean
  readonly createrole?: boolean
  readonly replication?: boolean
  /** -1: no limit. */
  readonly connection_limit?: number
}
type Role = Resource<PostgresqlRoleDesired>

type PostgresqlRoleCurrent =
  | NoServer
  | {
      readonly standby: boolean
      readonly role: RoleState | undefined
      readonly passwordMatches: boolean
    }

/** A role of a PostgreSQL cluster. Source: PostgreSQL's documentation of CREATE ROLE. */
export const postgresqlRole: ResourceType<PostgresqlRoleDesired, PostgresqlRoleCurrent> = {
  name: 'postgresql_role',
  schema,
  footprint({ title, desired: { ensure, cluster } }) {
    const role = `postgresql_role:${inCluster(cluster, title)}` as const
    return {
      after: clusterThings(cluster),
      ...(ensure === 'absent' ? { removes: [role] } : { ensures: [role] }),
    }
  },
  async probe(roles, host) {
    const states = await serverStates(
      roles.map(({ desired }) => desired.cluster),
      host,
    )
    return states.map((state, index) => {
      const { title, desired } = roles[index] as Role
      if (!('roles' in state)) return state
      const role = state.roles[title]
      const isRight =
        desired.password !== undefined &&
        passwordMatches(desired.password, title, role?.verifier ?? undefined)
      return { standby: state.standby, role, passwordMatches: isRight }
    })
  },
  diff: diffRole,
  async apply({ ref, title, desired }, changes, host) {
    const changed = new Set(changes.map(({ attribute }) => attribute))
    const server = findServer(desired.cluster, host)
    await runSql(ref, server, statements(title, desired, changed), host)
    return undefined
  },
}

function diffRole({ ref, desired }: Role, current: PostgresqlRoleCurrent): Verdict {
  const { ensure = 'present', cluster: _, password, ...attributes } = desired
  if (!('standby' in current)) return withoutServer(ref, current, ensure === 'absent')
  const { role, standby } = current
  const changes: Change[] = []
  const found = role === undefined ? 'absent' : 'present'
  if (found !== ensure) changes.push({ attribute: 'ensure', from: found, to: ensure })
  if (ensure === 'present') {
    const { ensure: __, ...wanted } = { ...attributes, ensure }
    const { verifier: ___, ...has } = role ?? { verifier: null }
    changes.push(...attributeChanges(wanted, has))
    if (password !== undefined && !current.passwordMatches) {
      // Only that it differs is shown; neither password nor what the server keeps of one.
      const from = role === undefined ? undefined : role.verifier === null ? 'none' : 'another'
      changes.push({ attribute: 'password', from, to: 'the one declared' })
    }
  }
  if (changes.length > 0 && standby) return onStandby
  return { changes }
}

const options = ['login', 'superuser', 'createdb', 'createrole', 'replication'] as const

function statements(
  title: string,
  desired: PostgresqlRoleDesired,
  changed: ReadonlySet<string>,
): string[] {
  const role = quoted(title)
  if (desired.ensure === 'absent') return [`DROP ROLE ${role};`]
  const words: string[] = []
  for (const option of options) {
    const value = desired[option]
    if (value !== undefined && changed.has(option)) {
      words.push(`${value ? '' : 'NO'}${option.toUpperCase()}`)
    }
  }
  if (changed.has('connection_limit')) words.push(`CONNECTION LIMIT ${desired.connection_limit}`)
  if (changed.has('password') && desired.password !== undefined) {
    words.push(`PASSWORD ${literal(scramVerifier(desired.password))}`)
  }
  if (!changed.has('ensure')) return [`ALTER ROLE ${role} ${words.join(' ')};`]
  // A role that nobody says anything of is there to log in with.
  if (desired.login === undefined) words.push('LOGIN')
  return [`CREATE ROLE ${role} ${words.join(' ')};`]
}
