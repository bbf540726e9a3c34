import schema from '../../schemas/resources/postgresql_cluster.json' with { type: 'json' }
import { mustRun } from './must-run.ts'
import { configFile, setting } from './postgresql.ts'
import type { Footprint, Resource, ResourceType, Verdict } from './type.ts'

interface PostgresqlClusterDesired {
  readonly ensure?: 'present' | 'absent'
  readonly port?: number
  readonly locale?: string
  readonly encoding?: string
  readonly data_checksums?: boolean
  readonly force?: boolean
}
type Cluster = Resource<PostgresqlClusterDesired>

type PostgresqlClusterCurrent =
  | { readonly cannotRun: string }
  /** The port is undefined where the main file names none. */
  | { readonly isThere: boolean; readonly port: number | undefined }

/** A cluster as Debian's postgresql-common keeps them. Source: pg_createcluster(1), pg_conftool(1). */
export const postgresqlCluster: ResourceType<PostgresqlClusterDesired, PostgresqlClusterCurrent> = {
  name: 'postgresql_cluster',
  schema,
  check({ ref, title }) {
    if (/^[0-9]+(\.[0-9]+)?\/[A-Za-z0-9_.-]+$/.test(title)) return undefined
    const help = 'write version, slash, name: `15/main`'
    return { message: `${ref} is no name of a cluster`, help }
  },
  footprint: footprintOf,
  async probe(clusters, host) {
    const cannotRun = host.root === '/' ? host.cannotRun : 'not possible under --root'
    return clusters.map(({ title }) => {
      if (cannotRun !== undefined) return { cannotRun }
      const isThere = host.stat(configFile(title))?.kind === 'file'
      const port = isThere ? setting(title, 'port', host) : undefined
      return { isThere, port: port === undefined ? undefined : Number(port) }
    })
  },
  diff: diffCluster,
  async apply({ ref, title, desired }, changes, host) {
    const [version = '', name = ''] = title.split('/')
    const { port, locale, encoding, data_checksums } = desired
    const argv =
      desired.ensure === 'absent'
        ? ['pg_dropcluster', '--stop', version, name]
        : changes.some(({ attribute }) => attribute === 'ensure')
          ? [
              'pg_createcluster',
              ...(port === undefined ? [] : ['--port', String(port)]),
              ...(locale === undefined ? [] : ['--locale', locale]),
              ...(encoding === undefined ? [] : ['--encoding', encoding]),
              version,
              name,
              ...(data_checksums === true ? ['--', '--data-checksums'] : []),
            ]
          : ['pg_conftool', version, name, 'set', 'port', String(port)]
    await mustRun(host, ref, argv)
    return undefined
  },
}

function footprintOf({ title, desired }: Cluster): Footprint {
  const [version = '', name = ''] = title.split('/')
  const cluster = `postgresql_cluster:${title}` as const
  if (desired.ensure === 'absent') return { removes: [cluster] }
  return {
    needs: ['command:pg_createcluster'],
    after: [`package:postgresql-${version}`, `path:/usr/lib/postgresql/${version}/bin`],
    ensures: [cluster],
    provides: [
      `unit:postgresql@${version}-${name}.service`,
      `path:/etc/postgresql/${title}`,
      `path:/etc/postgresql/${title}/conf.d`,
      `path:/var/lib/postgresql/${title}`,
    ],
    writes: [configFile(title)],
  }
}

function diffCluster({ ref, desired }: Cluster, current: PostgresqlClusterCurrent): Verdict {
  if ('cannotRun' in current) return { changes: [], note: current.cannotRun, leftAlone: true }
  const { ensure = 'present', port } = desired
  const found = current.isThere ? 'present' : 'absent'
  if (found !== ensure) {
    if (ensure === 'absent' && !desired.force) {
      return {
        blocked: `${ref}: what a cluster holds can't be kept when it is removed`,
        help: 'dump it (pg_dumpall), and write `force: true`',
      }
    }
    return { changes: [{ attribute: 'ensure', from: found, to: ensure }] }
  }
  if (ensure === 'absent' || port === undefined || port === (current.port ?? 5432)) {
    return { changes: [] }
  }
  const note = 'holds once it is restarted'
  return { changes: [{ attribute: 'port', from: current.port ?? 5432, to: port, note }] }
}
