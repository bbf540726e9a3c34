import schema from '../../schemas/resources/postgresql_database.json' with { type: 'json' }
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
import { type DatabaseState, serverStates } from './postgresql-state.ts'
import type { Change, Footprint, Resource, ResourceType, Verdict } from './type.ts'

interface PostgresqlDatabaseDesired {
  readonly ensure?: 'present' | 'absent'
  /** Such as `15/main`; the only one there is when absent. */
  readonly cluster?: string
  readonly owner?: string
  readonly encoding?: string
  readonly locale?: string
  readonly template?: string
  readonly force?: boolean
}
type Database = Resource<PostgresqlDatabaseDesired>

type PostgresqlDatabaseCurrent =
  | NoServer
  | { readonly standby: boolean; readonly database: DatabaseState | undefined }

/** A database of a PostgreSQL cluster. Source: PostgreSQL's documentation of CREATE DATABASE. */
export const postgresqlDatabase: ResourceType<
  PostgresqlDatabaseDesired,
  PostgresqlDatabaseCurrent
> = {
  name: 'postgresql_database',
  schema,
  footprint: footprintOf,
  async probe(databases, host) {
    const states = await serverStates(
      databases.map(({ desired }) => desired.cluster),
      host,
    )
    return states.map((state, index) =>
      'databases' in state
        ? { standby: state.standby, database: state.databases[databases[index]?.title ?? ''] }
        : state,
    )
  },
  diff: diffDatabase,
  async apply({ ref, title, desired }, changes, host) {
    const isChanged = (attribute: string) =>
      changes.some((change) => change.attribute === attribute)
    const server = findServer(desired.cluster, host)
    const sql: string[] = []
    if (desired.ensure === 'absent') sql.push(`DROP DATABASE ${quoted(title)};`)
    else if (isChanged('ensure')) sql.push(creation(title, desired))
    else if (desired.owner !== undefined) {
      sql.push(`ALTER DATABASE ${quoted(title)} OWNER TO ${quoted(desired.owner)};`)
    }
    await runSql(ref, server, sql, host)
    return undefined
  },
}

function footprintOf({ title, desired }: Database): Footprint {
  const { ensure, cluster, owner, template } = desired
  const database = `postgresql_database:${inCluster(cluster, title)}` as const
  const after = clusterThings(cluster)
  if (owner !== undefined) after.push(`postgresql_role:${inCluster(cluster, owner)}`)
  if (template !== undefined) after.push(`postgresql_database:${inCluster(cluster, template)}`)
  return { after, ...(ensure === 'absent' ? { removes: [database] } : { ensures: [database] }) }
}

function diffDatabase({ ref, desired }: Database, current: PostgresqlDatabaseCurrent): Verdict {
  const { ensure = 'present', owner } = desired
  if (!('standby' in current)) return withoutServer(ref, current, ensure === 'absent')
  const { database, standby } = current
  const found = database === undefined ? 'absent' : 'present'
  const changes: Change[] = []
  if (found !== ensure) changes.push({ attribute: 'ensure', from: found, to: ensure })
  if (ensure === 'present' && owner !== undefined && database?.owner !== owner) {
    changes.push({ attribute: 'owner', from: database?.owner, to: owner })
  }
  if (changes.length > 0 && standby) return onStandby
  if (ensure === 'absent') {
    if (changes.length === 0 || desired.force) return { changes }
    return {
      blocked: `${ref}: what a database holds can't be kept when it is removed`,
      help: 'dump it (pg_dump), and write `force: true`',
    }
  }
  if (database === undefined) return { changes }
  const fixed = otherwise(desired, database)
  if (fixed === undefined) return { changes }
  return {
    blocked: `${ref}: its ${fixed}, which is decided when a database is made`,
    help: 'leave the attribute out, or dump the database and make it anew',
  }
}

/** What is not as declared of that which can't be changed later. */
function otherwise(
  { encoding, locale }: PostgresqlDatabaseDesired,
  found: DatabaseState,
): string | undefined {
  if (encoding !== undefined && plain(encoding) !== plain(found.encoding)) {
    return `encoding is ${found.encoding}, not ${encoding}`
  }
  const other = [found.collate, found.ctype].find(
    (each) => locale !== undefined && plain(each) !== plain(locale),
  )
  return other === undefined ? undefined : `locale is ${other}, not ${locale}`
}

/** `UTF8` and `utf-8`, `C.UTF-8` and `C.utf8` are the same. */
function plain(text: string): string {
  return text.toLowerCase().replaceAll('-', '')
}

function creation(title: string, desired: PostgresqlDatabaseDesired): string {
  const { owner, encoding, locale } = desired
  // Another encoding or locale than that of template1 can only be had from the empty one.
  const isOther = encoding !== undefined || locale !== undefined
  const template = desired.template ?? (isOther ? 'template0' : undefined)
  const words = [
    owner === undefined ? '' : ` OWNER ${quoted(owner)}`,
    template === undefined ? '' : ` TEMPLATE ${quoted(template)}`,
    encoding === undefined ? '' : ` ENCODING ${literal(encoding)}`,
    locale === undefined ? '' : ` LC_COLLATE ${literal(locale)} LC_CTYPE ${literal(locale)}`,
  ]
  return `CREATE DATABASE ${quoted(title)}${words.join('')};`
}
