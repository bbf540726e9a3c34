import type { HostReader } from '../host/host.ts'
import { tracePath } from '../host/trust.ts'
import type { Facts } from './schema.ts'

/** Where Debian keeps the configuration of clusters, by version and name. Source: pg_lsclusters(1). */
const folder = '/etc/postgresql'

/** Versions from 9.6 backwards have a dot. */
export function readPostgresqlClusters(host: HostReader): Facts['postgresql_clusters'] {
  const { path, stat } = tracePath(host, folder)
  if (stat?.kind !== 'directory') return []
  return host
    .list(path)
    .filter((name) => /^\d+(\.\d+)?$/.test(name) && tracePath(host, `${path}/${name}/main`).stat)
    .sort((one, other) => Number(one) - Number(other))
}
