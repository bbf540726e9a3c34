import type { HostReader } from '../host/host.ts'
import { askSql, findServer, type NoServer } from './postgresql.ts'

/** What a server says of all its roles and databases. */
interface ServerState {
  readonly standby: boolean
  readonly roles: Readonly<Record<string, RoleState>>
  readonly databases: Readonly<Record<string, DatabaseState>>
}
export interface RoleState {
  readonly login: boolean
  readonly superuser: boolean
  readonly createdb: boolean
  readonly createrole: boolean
  readonly replication: boolean
  readonly connection_limit: number
  /** What the server keeps instead of the password. */
  readonly verifier: string | null
}
export interface DatabaseState {
  readonly owner: string
  readonly encoding: string
  readonly collate: string
  readonly ctype: string
}

/** One question for all roles and databases. Source: PostgreSQL's documentation of pg_authid and pg_database. */
const stateQuery = `SELECT json_build_object(
  'standby', pg_is_in_recovery(),
  'roles', (SELECT json_object_agg(rolname, json_build_object(
    'login', rolcanlogin, 'superuser', rolsuper, 'createdb', rolcreatedb,
    'createrole', rolcreaterole, 'replication', rolreplication,
    'connection_limit', rolconnlimit, 'verifier', rolpassword)) FROM pg_authid),
  'databases', (SELECT json_object_agg(datname, json_build_object(
    'owner', pg_get_userbyid(datdba), 'encoding', pg_encoding_to_char(encoding),
    'collate', datcollate, 'ctype', datctype)) FROM pg_database))::jsonb;
`

/** All roles and databases of the cluster that each resource means. */
export async function serverStates(
  wanted: readonly (string | undefined)[],
  host: HostReader,
): Promise<(ServerState | NoServer)[]> {
  const found = new Map<string | undefined, Promise<ServerState | NoServer>>()
  const ask = async (cluster: string | undefined): Promise<ServerState | NoServer> => {
    const server = findServer(cluster, host)
    if (!('cluster' in server)) return server
    const answer = await askSql<ServerState>(server, stateQuery, host)
    if ('missing' in answer) return answer
    return answer[0] ?? { missing: 'PostgreSQL gave no answer', help: 'try again' }
  }
  return Promise.all(
    wanted.map((cluster) => {
      const known = found.get(cluster) ?? ask(cluster)
      found.set(cluster, known)
      return known
    }),
  )
}
