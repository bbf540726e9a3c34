import schema from '../../schemas/resources/postgresql_extension.json' with { type: 'json' }
import type { HostReader } from '../host/host.ts'
import {
  askSql,
  clusterThings,
  findServer,
  inCluster,
  literal,
  type NoServer,
  onStandby,
  quoted,
  runSql,
  type Server,
  withoutServer,
} from './postgresql.ts'
import type { Change, Footprint, Resource, ResourceType, Verdict } from './type.ts'

interface PostgresqlExtensionDesired {
  readonly ensure?: 'present' | 'absent' | 'latest'
  /** Such as `15/main`; the only one there is when absent. */
  readonly cluster?: string
  readonly database?: string
  /** The title when absent. */
  readonly extension?: string
  readonly schema?: string
}
type Extension = Resource<PostgresqlExtensionDesired>

interface Found {
  /** Undefined where it is not in the database. */
  readonly version?: string
  readonly schema?: string
  /** The version that the server would install; undefined where it has no such extension. */
  readonly latest?: string
}
type PostgresqlExtensionCurrent =
  | NoServer
  | { readonly standby: boolean; readonly hasDatabase: boolean; readonly found: Found }

/** An extension in a database. Source: PostgreSQL's documentation of CREATE EXTENSION. */
export const postgresqlExtension: ResourceType<
  PostgresqlExtensionDesired,
  PostgresqlExtensionCurrent
> = {
  name: 'postgresql_extension',
  schema,
  check({ ref, desired }) {
    if (desired.database !== undefined) return undefined
    return { attribute: 'database', message: `${ref} has no database` }
  },
  footprint: footprintOf,
  probe: probeExtensions,
  diff: diffExtension,
  async apply(resource, changes, host) {
    const { ref, desired } = resource
    const isChanged = (attribute: string) =>
      changes.some((change) => change.attribute === attribute)
    const server = findServer(desired.cluster, host)
    const extension = quoted(extensionOf(resource))
    const into = desired.schema === undefined ? '' : ` SCHEMA ${quoted(desired.schema)}`
    const sql: string[] = []
    if (desired.ensure === 'absent') sql.push(`DROP EXTENSION ${extension};`)
    else if (isChanged('ensure')) sql.push(`CREATE EXTENSION ${extension}${into};`)
    else {
      if (isChanged('version')) sql.push(`ALTER EXTENSION ${extension} UPDATE;`)
      if (isChanged('schema')) sql.push(`ALTER EXTENSION ${extension} SET${into};`)
    }
    await runSql(ref, server, sql, host, desired.database)
    return undefined
  },
}

function footprintOf(resource: Extension): Footprint {
  const { cluster, database = '' } = resource.desired
  const after = clusterThings(cluster)
  after.push(`postgresql_database:${inCluster(cluster, database)}`)
  const [version] = cluster?.split('/') ?? []
  // The package that brings it, where packages tell their files.
  const control = `/usr/share/postgresql/${version}/extension/${extensionOf(resource)}.control`
  if (version !== undefined) after.push(`path:${control}`)
  return { after }
}

async function probeExtensions(
  resources: readonly Extension[],
  host: HostReader,
): Promise<PostgresqlExtensionCurrent[]> {
  const byCluster = Map.groupBy(resources, ({ desired }) => desired.cluster)
  const answers = new Map<Extension, PostgresqlExtensionCurrent>()
  for (const [cluster, asked] of byCluster) {
    const server = findServer(cluster, host)
    const rows = 'cluster' in server ? await askSql<Row>(server, question(asked), host) : server
    for (const resource of asked) answers.set(resource, currentOf(resource, rows))
  }
  return resources.map((resource) => answers.get(resource) as PostgresqlExtensionCurrent)
}

/** Of one database. */
interface Row {
  readonly database: string
  readonly standby: boolean
  readonly extensions: Readonly<Record<string, Found>> | null
}

function currentOf(
  resource: Extension,
  rows: Row[] | Exclude<ReturnType<typeof findServer>, Server>,
): PostgresqlExtensionCurrent {
  if (!Array.isArray(rows)) return rows
  const row = rows.find(({ database }) => database === resource.desired.database)
  const found = row?.extensions?.[extensionOf(resource)] ?? {}
  return { standby: rows[0]?.standby ?? false, hasDatabase: row !== undefined, found }
}

/** One script for all databases: psql goes from one to the next, and past those that are not there. */
function question(resources: readonly Extension[]): string {
  const names = [...new Set(resources.map(extensionOf))].map(literal).join(', ')
  const databases = new Set(resources.map(({ desired }) => desired.database ?? ''))
  const row = `SELECT json_build_object('database', current_database(), 'standby', pg_is_in_recovery(),
    'extensions', (SELECT json_object_agg(available.name, json_strip_nulls(json_build_object(
      'latest', available.default_version, 'version', extension.extversion,
      'schema', (SELECT nspname FROM pg_namespace WHERE oid = extension.extnamespace))))
    FROM pg_available_extensions available
    LEFT JOIN pg_extension extension ON extension.extname = available.name
    WHERE available.name IN (${names})))::jsonb;`
  const parts = [...databases].map(
    (
      database,
    ) => `SELECT count(*) > 0 AS is_there FROM pg_database WHERE datname = ${literal(database)} \\gset
\\if :is_there
\\connect ${quoted(database)}
${row}
\\endif`,
  )
  return `${row}\n${parts.join('\n')}\n`
}

function diffExtension(resource: Extension, current: PostgresqlExtensionCurrent): Verdict {
  const { ref, desired } = resource
  const { ensure = 'present' } = desired
  if (!('standby' in current)) return withoutServer(ref, current, ensure === 'absent')
  const { found, hasDatabase, standby } = current
  const state = found.version === undefined ? 'absent' : 'present'
  if (ensure === 'absent') {
    const gone = { attribute: 'ensure', from: 'present', to: 'absent' }
    return { changes: state === 'absent' ? [] : [gone] }
  }
  if (!hasDatabase) {
    const help = `declare it: - { postgresql_database: ${desired.database} }`
    return { blocked: `${ref}: there is no database ${desired.database}`, help }
  }
  if (found.latest === undefined && found.version === undefined) {
    const help = 'declare the package that brings it'
    return { blocked: `${ref}: PostgreSQL has no extension ${extensionOf(resource)}`, help }
  }
  const changes: Change[] = []
  if (state === 'absent') changes.push({ attribute: 'ensure', from: 'absent', to: 'present' })
  else {
    if (ensure === 'latest' && found.latest !== undefined && found.version !== found.latest) {
      changes.push({ attribute: 'version', from: found.version, to: found.latest })
    }
    if (desired.schema !== undefined && desired.schema !== found.schema) {
      changes.push({ attribute: 'schema', from: found.schema, to: desired.schema })
    }
  }
  if (changes.length > 0 && standby) return onStandby
  return { changes }
}

function extensionOf({ title, desired }: Extension): string {
  return desired.extension ?? title
}
