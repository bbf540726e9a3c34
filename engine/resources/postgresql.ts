import type { Host, HostReader } from '../host/host.ts'
import { howItEnded } from './must-run.ts'
import { ApplyError, type Thing, type Verdict } from './type.ts'

/*
 * What the types of PostgreSQL share: the clusters of Debian's postgresql-common, and questions to a server
 * over its socket, as the user that it runs as.
 */

/** A cluster that runs. */
export interface Server {
  /** Such as `15/main`. */
  readonly cluster: string
  readonly version: string
  /** The user that the server runs as, who needs no password on the socket. */
  readonly user: string
  readonly port: string
  readonly socketFolder: string
}

/** Why there is nobody to ask. */
export type NoServer =
  | { readonly cannotRun: string }
  | {
      readonly missing: string
      readonly help: string
      /** There is no cluster of that name, so nothing is in it. */
      readonly isNowhere?: true
    }

/** What must have come, where it comes at all, before a server is asked for or changed. */
export function clusterThings(cluster: string | undefined): Thing[] {
  const things: Thing[] = ['service:postgresql.service', 'unit:postgresql.service', 'command:psql']
  if (cluster === undefined) return things
  const [version = '', name = ''] = cluster.split('/')
  return [
    ...things,
    `postgresql_cluster:${cluster}`,
    `service:postgresql@${version}-${name}.service`,
    `package:postgresql-${version}`,
  ]
}

/** One name for what lies in a cluster; without a cluster it is the only one's. */
export function inCluster(cluster: string | undefined, name: string): string {
  return `${name}${cluster === undefined ? '' : `@${cluster}`}`
}

/** The running server of a cluster, or of the only one that there is. */
export function findServer(cluster: string | undefined, host: HostReader): Server | NoServer {
  const cannotRun = host.root === '/' ? host.cannotRun : 'not possible under --root'
  if (cannotRun !== undefined) return { cannotRun }
  const known = clusters(host)
  if (cluster === undefined && known.length > 1) {
    const help = `write which: \`cluster: ${known[0]}\``
    return { missing: `there are several PostgreSQL clusters: ${known.join(', ')}`, help }
  }
  const wanted = cluster ?? known[0]
  const [version, name] = wanted?.split('/') ?? []
  if (
    wanted === undefined ||
    version === undefined ||
    name === undefined ||
    !known.includes(wanted)
  ) {
    return {
      missing: `there is no PostgreSQL cluster${cluster === undefined ? '' : ` ${cluster}`}`,
      help: 'declare the package that makes it, such as postgresql-15, or a `postgresql_cluster`',
      isNowhere: true,
    }
  }
  const help = `declare it: - { service: postgresql@${version}-${name}, ensure: running }`
  const path = `${dataFolder(wanted, host)}/postmaster.pid`
  const file = host.stat(path)
  const lines = file?.kind === 'file' ? host.read(path).toString().split('\n') : []
  // Source: PostgreSQL's storage documentation: process, folder, start, port, socket folder, …
  const [pid = '', , , port = '', socketFolder = '', , , status = ''] = lines
  if (file === undefined || pid === '' || host.stat(`/proc/${pid}`) === undefined) {
    return { missing: `the PostgreSQL cluster ${wanted} does not run`, help }
  }
  const state = socketFolder === '' ? 'starting' : status.trim()
  if (state === 'starting' || state === 'stopping') {
    return { missing: `the PostgreSQL cluster ${wanted} is ${state}`, help }
  }
  const user = host.accounts().userName(file.uid)
  return { cluster: wanted, version, user, port, socketFolder }
}

/** `15/main` and the like, as Debian lays them out. Source: pg_lsclusters(1). */
function clusters(host: HostReader): string[] {
  return folders('/etc/postgresql', host).flatMap((version) =>
    folders(`/etc/postgresql/${version}`, host)
      .map((name) => `${version}/${name}`)
      .filter((cluster) => host.stat(configFile(cluster))?.kind === 'file'),
  )
}

function folders(path: string, host: HostReader): string[] {
  if (host.stat(path)?.kind !== 'directory') return []
  return host.list(path).filter((name) => host.stat(`${path}/${name}`)?.kind === 'directory')
}

export function configFile(cluster: string): string {
  return `/etc/postgresql/${cluster}/postgresql.conf`
}

/** A setting of the main file, where Debian's tools put it; undefined where it has none. */
export function setting(cluster: string, name: string, host: HostReader): string | undefined {
  const line = new RegExp(`^\\s*${name}\\s*=?\\s*(?:'([^']*)'|([^\\s#']+))`, 'gm')
  const text = host.read(configFile(cluster)).toString()
  const [, inQuotes, plain] = [...text.matchAll(line)].at(-1) ?? []
  return inQuotes ?? plain
}

function dataFolder(cluster: string, host: HostReader): string {
  return setting(cluster, 'data_directory', host) ?? `/var/lib/postgresql/${cluster}`
}

/** How psql is called, to read a script from its standard input and print bare rows. */
export function psql({ version, port, socketFolder }: Server, database = 'postgres'): string[] {
  return [
    `/usr/lib/postgresql/${version}/bin/psql`,
    '--no-psqlrc',
    '--quiet',
    '--tuples-only',
    '--no-align',
    '--set=ON_ERROR_STOP=1',
    '--set=VERBOSITY=terse',
    `--host=${socketFolder}`,
    `--port=${port}`,
    `--dbname=${database}`,
    '--file=-',
  ]
}

/** Runs SQL. The server does not log it, for it may hold a verifier of a password. */
export async function runSql(
  ref: string,
  server: Server | NoServer,
  sql: readonly string[],
  host: Host,
  database?: string,
): Promise<void> {
  if (!('cluster' in server)) {
    const [message, help] =
      'missing' in server ? [server.missing, server.help] : [server.cannotRun, undefined]
    throw new ApplyError(`${ref}: ${message}`, help === undefined ? {} : { help })
  }
  const quiet = [
    "SET log_statement = 'none';",
    'SET log_min_duration_statement = -1;',
    'SET log_min_error_statement = panic;',
  ]
  const argv = psql(server, database)
  const stdin = `${[...quiet, ...sql].join('\n')}\n`
  const result = await host.run(argv, { user: server.user, stdin })
  if (result.exitCode === 0) return
  const output = result.stderr.trim()
  const reason = output.replace(/^psql:<stdin>:\d+: /gm, '').split('\n')[0] || howItEnded(result)
  throw new ApplyError(`${ref}: PostgreSQL refused: ${reason}`, {
    help: `look into the log of the cluster: /var/log/postgresql/postgresql-${server.cluster.replace('/', '-')}.log`,
    ran: { argv, exit: howItEnded(result), output },
  })
}

/** The answer to a script that prints one JSON value a line. */
export async function askSql<T>(
  server: Server,
  script: string,
  host: HostReader,
): Promise<T[] | { readonly missing: string; readonly help: string }> {
  const result = await host.queryShared(psql(server), { user: server.user, stdin: script })
  if (result.exitCode === 0) {
    const lines = result.stdout.split('\n').filter((line) => line !== '')
    return lines.map((line) => JSON.parse(line) as T)
  }
  const reason = result.stderr.trim().split('\n')[0] || howItEnded(result)
  return {
    missing: `the PostgreSQL cluster ${server.cluster} does not answer: ${reason}`,
    help: `the user ${server.user} must be let in by the line \`local all ${server.user} peer\` of pg_hba.conf`,
  }
}

/** The verdict where there is no server: in a root nothing is done, and in a cluster that is not there nothing is. */
export function withoutServer(ref: string, found: NoServer, isAbsent: boolean): Verdict {
  if ('cannotRun' in found) return { changes: [], note: found.cannotRun, leftAlone: true }
  if (isAbsent && found.isNowhere) return { changes: [] }
  return { blocked: `${ref}: ${found.missing}`, help: found.help }
}

/** The verdict on what differs on a standby: it comes from the primary. */
export const onStandby: Verdict = {
  changes: [],
  note: 'left to the primary, for this is a standby',
  leftAlone: true,
}

/** A name in SQL, whatever it holds. */
export function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`
}

/** A text of SQL. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
