import { describe, expect, test } from 'vitest'
import type { CommandOptions } from '../../engine/host/host.ts'
import { findServer } from '../../engine/resources/postgresql.ts'
import { postgresqlCluster } from '../../engine/resources/postgresql-cluster.ts'
import { postgresqlDatabase } from '../../engine/resources/postgresql-database.ts'
import { postgresqlExtension } from '../../engine/resources/postgresql-extension.ts'
import { passwordMatches, scramVerifier } from '../../engine/resources/postgresql-password.ts'
import { postgresqlRole } from '../../engine/resources/postgresql-role.ts'
import {
  ApplyError,
  type Resource,
  type ResourceType,
  type Verdict,
} from '../../engine/resources/type.ts'
import { type FakeAnswer, type FakeFile, type FakeHost, fakeHost } from '../support/fake-host.ts'

/** Recorded on Debian 12 with PostgreSQL 15: what matters of the files of a running cluster. */
function clusterFiles(cluster: string, port = 5432): Record<string, FakeFile> {
  const data = `/var/lib/postgresql/${cluster}`
  return {
    [`/etc/postgresql/${cluster}/postgresql.conf`]: `data_directory = '${data}'\t\t# use data in another directory\nport = ${port}\t\t\t# (change requires restart)\n#port = 1\n`,
    [`${data}/postmaster.pid`]: {
      uid: 102,
      content: `64\n${data}\n1795354969\n${port}\n/var/run/postgresql\nlocalhost\n  2171455         0\nready   \n`,
    },
    '/proc/64': { kind: 'directory' },
  }
}
const accounts = {
  users: [
    { name: 'root', uid: 0 },
    { name: 'postgres', uid: 102 },
  ],
  groups: [],
}
const call =
  '/usr/lib/postgresql/15/bin/psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --set=VERBOSITY=terse --host=/var/run/postgresql --port=5432 --dbname='
const verifier = scramVerifier('sekret', Buffer.from('0123456789abcdef'))
const role = {
  login: true,
  superuser: false,
  createdb: false,
  createrole: false,
  replication: false,
  connection_limit: -1,
  verifier,
}
const state = {
  standby: false,
  roles: { zulip: role, bare: { ...role, verifier: null } },
  databases: {
    zulip: { owner: 'zulip', encoding: 'UTF8', collate: 'C.UTF-8', ctype: 'C.UTF-8' },
  },
}
const extension = { standby: false, extensions: { pg_trgm: { latest: '1.6' } } }
const installed = {
  ...extension,
  extensions: { pg_trgm: { latest: '1.6', version: '1.5', schema: 'public' } },
}
const extensionRows = [
  { database: 'postgres', ...extension },
  { database: 'zulip', ...installed },
  { database: 'test', ...extension },
]

/** A host with the cluster 15/main, which answers what is recorded. */
function server(
  more: { readonly answer?: FakeAnswer; readonly files?: Record<string, FakeFile> } = {},
) {
  const answer = (_argv: readonly string[], { stdin = '' }: CommandOptions) =>
    stdin.includes('pg_authid')
      ? `${JSON.stringify(state)}\n`
      : `${extensionRows.map((row) => JSON.stringify(row)).join('\n')}\n`
  return fakeHost({
    accounts,
    files: more.files ?? clusterFiles('15/main'),
    commands: {
      [`${call}postgres --file=-`]: more.answer ?? answer,
      [`${call}zulip --file=-`]: '',
    },
  })
}
const onStandby = { answer: `${JSON.stringify({ ...state, standby: true })}\n` }

function declared<D extends object>(type: string, title: string, desired: D): Resource<D> {
  return { ref: `${type}[${title}]`, type, title, desired }
}
async function verdict<D extends object, C>(
  type: ResourceType<D, C>,
  title: string,
  desired: D,
  host: FakeHost = server(),
): Promise<Verdict> {
  const resource = declared(type.name, title, desired)
  const [current] = await type.probe([resource], host)
  if (current === undefined) throw new Error('the probe gave nothing')
  return type.diff(resource, current)
}
/** The SQL that the changes come to. */
async function sql<D extends object, C>(type: ResourceType<D, C>, title: string, desired: D) {
  const host = server()
  const found = await verdict(type, title, desired, host)
  if (!('changes' in found)) throw new Error(JSON.stringify(found))
  host.asked.length = 0
  await type.apply(declared(type.name, title, desired), found.changes ?? [], host)
  const [asked] = host.asked
  expect(asked?.options.user).toBe('postgres')
  return asked?.options.stdin?.split('\n').filter((line) => line !== '' && !line.startsWith('SET '))
}
const attributes = (found: Verdict) =>
  'changes' in found ? found.changes?.map(({ attribute }) => attribute) : found
const absent = { ensure: 'absent' } as const

describe('a cluster', () => {
  const running = clusterFiles('15/main')
  test('that runs is found by its files, also where it is the only one and nobody names it', () => {
    const found = {
      cluster: '15/main',
      version: '15',
      user: 'postgres',
      port: '5432',
      socketFolder: '/var/run/postgresql',
    }
    expect(findServer('15/main', server())).toEqual(found)
    expect(findServer(undefined, server())).toEqual(found)
  })
  test.each<[string, string | undefined, Record<string, FakeFile>, string]>([
    ['none', undefined, {}, 'there is no PostgreSQL cluster'],
    ['no such', '13/main', running, 'there is no PostgreSQL cluster 13/main'],
    [
      'several',
      undefined,
      { ...running, ...clusterFiles('13/main', 5433) },
      'there are several PostgreSQL clusters: 13/main, 15/main',
    ],
    [
      'one that was killed',
      '15/main',
      Object.fromEntries(Object.entries(running).filter(([path]) => path !== '/proc/64')),
      'the PostgreSQL cluster 15/main does not run',
    ],
    [
      'one that is starting',
      '15/main',
      { ...running, '/var/lib/postgresql/15/main/postmaster.pid': '64\n/x\n1\n5432\n\n' },
      'the PostgreSQL cluster 15/main is starting',
    ],
  ])('%s is told', (_, cluster, files, missing) => {
    expect(findServer(cluster, server({ files }))).toMatchObject({ missing })
  })

  test.each<[string, string, object, Verdict]>([
    ['is there', '15/main', { port: 5432 }, { changes: [] }],
    [
      'is made',
      '15/test',
      {},
      { changes: [{ attribute: 'ensure', from: 'absent', to: 'present' }] },
    ],
    [
      'gets another port',
      '15/main',
      { port: 5433 },
      {
        changes: [{ attribute: 'port', from: 5432, to: 5433, note: 'holds once it is restarted' }],
      },
    ],
    ['that is gone stays so', '15/test', absent, { changes: [] }],
    [
      'is removed',
      '15/main',
      { ...absent, force: true },
      { changes: [{ attribute: 'ensure', from: 'present', to: 'absent' }] },
    ],
  ])('%s', async (_, title, desired, expected) => {
    expect(await verdict(postgresqlCluster, title, desired)).toEqual(expected)
  })
  test('is not removed without force', async () => {
    expect(await verdict(postgresqlCluster, '15/main', absent)).toHaveProperty('blocked')
  })
  test('is made as it is declared', async () => {
    const command =
      'pg_createcluster --port 5433 --locale C.UTF-8 --encoding UTF8 15 test -- --data-checksums'
    const host = fakeHost({ commands: { [command]: '' } })
    const desired = { port: 5433, locale: 'C.UTF-8', encoding: 'UTF8', data_checksums: true }
    const made = { attribute: 'ensure', from: 'absent', to: 'present' }
    await postgresqlCluster.apply(declared('postgresql_cluster', '15/test', desired), [made], host)
    expect(host.runs).toEqual([command])
  })
})

describe('a password', () => {
  /** What PostgreSQL 15 made of "sekret". */
  const madeByServer = {
    md5: 'md53dd03102b36438efd2937172e7454a20',
    scram:
      'SCRAM-SHA-256$4096:wiR18o/I+ct88VxRZ0Gv0A==$R/4ApTQsnTMXL0snGR9s3KnBjXjHGYaKQWMl92E7XhU=:cOJ215w3/zn9a17tcItNxwcST0LnSfUL6WoLAVfDdpc=',
  }
  test('is kept as PostgreSQL itself keeps it', () => {
    const salt = Buffer.from('wiR18o/I+ct88VxRZ0Gv0A==', 'base64')
    expect(scramVerifier('sekret', salt)).toBe(madeByServer.scram)
  })
  test('is known by what the server keeps of it', () => {
    expect(passwordMatches('sekret', 'zulip', verifier)).toBe(true)
    expect(passwordMatches('Sekret', 'zulip', verifier)).toBe(false)
    expect(passwordMatches('sekret', 'scramer', madeByServer.scram)).toBe(true)
    expect(passwordMatches('other', 'scramer', madeByServer.scram)).toBe(false)
    expect(passwordMatches('sekret', 'md5er', madeByServer.md5)).toBe(true)
    expect(passwordMatches('sekret', 'scramer', madeByServer.md5)).toBe(false)
    expect(passwordMatches('sekret', 'zulip', undefined)).toBe(false)
  })
})

test('roles and databases are asked for by one command', async () => {
  const host = server()
  await postgresqlRole.probe([declared('postgresql_role', 'a', {})], host)
  await postgresqlDatabase.probe([declared('postgresql_database', 'a', {})], host)
  expect(host.queries).toHaveLength(1)
})

describe('a role', () => {
  test.each<[string, string, object, unknown]>([
    ['is there', 'zulip', { password: 'sekret', login: true }, []],
    ['is made', 'new', { superuser: false }, ['ensure', 'superuser']],
    ['has another password', 'zulip', { password: 'other' }, ['password']],
    ['has no password', 'bare', { password: 'other' }, ['password']],
    ['differs', 'zulip', { createdb: true, connection_limit: 5 }, ['createdb', 'connection_limit']],
    ['is removed', 'zulip', absent, ['ensure']],
    ['that is gone stays so', 'new', absent, []],
  ])('%s', async (_, title, desired, expected) => {
    expect(attributes(await verdict(postgresqlRole, title, desired))).toEqual(expected)
  })

  test('shows neither password nor verifier', async () => {
    const shown = await verdict(postgresqlRole, 'zulip', { password: 'brandnew' })
    expect(JSON.stringify(shown)).not.toMatch(/brandnew|SCRAM/)
  })

  test.each<[string, string, object, string]>([
    [
      'is made to log in',
      'new "one"',
      { superuser: true, createrole: false },
      'CREATE ROLE "new ""one""" SUPERUSER NOCREATEROLE LOGIN;',
    ],
    ['is made for others to be in', 'new', { login: false }, 'CREATE ROLE "new" NOLOGIN;'],
    [
      'is changed in what differs',
      'zulip',
      { login: true, replication: true, connection_limit: 5 },
      'ALTER ROLE "zulip" REPLICATION CONNECTION LIMIT 5;',
    ],
    ['is removed', 'zulip', absent, 'DROP ROLE "zulip";'],
  ])('%s', async (_, title, desired, expected) => {
    expect(await sql(postgresqlRole, title, desired)).toEqual([expected])
  })

  test('gets a verifier in place of its password', async () => {
    const [statement = ''] = (await sql(postgresqlRole, 'zulip', { password: 'other' })) ?? []
    const [, made] = /^ALTER ROLE "zulip" PASSWORD '(.*)';$/.exec(statement) ?? []
    expect(passwordMatches('other', 'zulip', made)).toBe(true)
  })

  test('that PostgreSQL refuses is told by its words', async () => {
    const host = server({
      answer: {
        exitCode: 3,
        stderr:
          'psql:<stdin>:4: ERROR:  role "zulip" cannot be dropped because some objects depend on it\n',
      },
    })
    const failure = await postgresqlRole
      .apply(declared('postgresql_role', 'zulip', absent), [], host)
      .catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(ApplyError)
    expect(failure).toHaveProperty(
      'message',
      'postgresql_role[zulip]: PostgreSQL refused: ERROR:  role "zulip" cannot be dropped because some objects depend on it',
    )
  })
})

describe('a database', () => {
  const whole = { owner: 'zulip', encoding: 'utf-8', locale: 'C.utf8' }
  test.each<[string, string, object, unknown]>([
    ['is there, in whatever spelling', 'zulip', whole, []],
    ['is made', 'new', whole, ['ensure', 'owner']],
    ['belongs to somebody else', 'zulip', { owner: 'bare' }, ['owner']],
    ['is removed with force', 'zulip', { ...absent, force: true }, ['ensure']],
    ['that is gone stays so', 'new', absent, []],
    [
      'is not removed without force',
      'zulip',
      absent,
      expect.objectContaining({ blocked: expect.stringContaining("can't be kept") }),
    ],
    [
      'gets no other encoding',
      'zulip',
      { encoding: 'LATIN1' },
      expect.objectContaining({ blocked: expect.stringContaining('encoding is UTF8, not LATIN1') }),
    ],
    [
      'gets no other locale',
      'zulip',
      { locale: 'de_DE.UTF-8' },
      expect.objectContaining({ blocked: expect.stringContaining('locale is C.UTF-8') }),
    ],
  ])('%s', async (_, title, desired, expected) => {
    expect(attributes(await verdict(postgresqlDatabase, title, desired))).toEqual(expected)
  })

  test.each<[string, string, object, string]>([
    [
      'is made from the empty one where it is to differ',
      'new',
      { owner: 'zulip', encoding: 'UTF8', locale: 'C.UTF-8' },
      `CREATE DATABASE "new" OWNER "zulip" TEMPLATE "template0" ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8';`,
    ],
    ['is made as the usual one is', 'new', {}, 'CREATE DATABASE "new";'],
    ['changes hands', 'zulip', { owner: 'bare' }, 'ALTER DATABASE "zulip" OWNER TO "bare";'],
    ['is removed', 'zulip', { ...absent, force: true }, 'DROP DATABASE "zulip";'],
  ])('%s', async (_, title, desired, expected) => {
    expect(await sql(postgresqlDatabase, title, desired)).toEqual([expected])
  })

  test('comes after its owner and its cluster', () => {
    const desired = { owner: 'zulip', cluster: '15/main' }
    expect(
      postgresqlDatabase.footprint(declared('postgresql_database', 'zulip', desired)),
    ).toMatchObject({
      ensures: ['postgresql_database:zulip@15/main'],
      after: expect.arrayContaining([
        'postgresql_role:zulip@15/main',
        'postgresql_cluster:15/main',
        'service:postgresql@15-main.service',
      ]),
    })
  })
})

describe('an extension', () => {
  const inZulip = { database: 'zulip' } as const
  test('has a database', () => {
    const bare = declared('postgresql_extension', 'pg_trgm', {})
    expect(postgresqlExtension.check?.(bare)?.message).toBe(
      'postgresql_extension[pg_trgm] has no database',
    )
  })
  test.each<[string, string, object, unknown]>([
    ['is there', 'pg_trgm', inZulip, []],
    ['is not the latest', 'pg_trgm', { ...inZulip, ensure: 'latest' }, ['version']],
    ['is to be elsewhere', 'pg_trgm', { ...inZulip, schema: 'zulip' }, ['schema']],
    ['is made', 'pg_trgm', { database: 'test' }, ['ensure']],
    [
      'is meant by another name',
      'for test',
      { database: 'test', extension: 'pg_trgm' },
      ['ensure'],
    ],
    ['is removed', 'pg_trgm', { ...inZulip, ...absent }, ['ensure']],
    ['that is gone stays so', 'pg_trgm', { database: 'nosuch', ...absent }, []],
    [
      'has no database to be in',
      'pg_trgm',
      { database: 'nosuch' },
      expect.objectContaining({ blocked: expect.stringContaining('no database nosuch') }),
    ],
    [
      'is not known to the server',
      'pgroonga',
      inZulip,
      expect.objectContaining({ blocked: expect.stringContaining('no extension pgroonga') }),
    ],
  ])('%s', async (_, title, desired, expected) => {
    expect(attributes(await verdict(postgresqlExtension, title, desired))).toEqual(expected)
  })
  test('is asked for in all databases by one command, which passes over those that are not there', async () => {
    const host = server()
    const wanted = ['zulip', 'test', 'nosuch'].map((database) =>
      declared('postgresql_extension', 'pg_trgm', { database }),
    )
    await postgresqlExtension.probe(wanted, host)
    expect(host.queries).toHaveLength(1)
    expect(host.asked[0]?.options.stdin?.match(/\\if :is_there/g)).toHaveLength(3)
  })
  test.each<[object, string[]]>([
    [
      { ...inZulip, ensure: 'latest', schema: 'zulip' },
      ['ALTER EXTENSION "pg_trgm" UPDATE;', 'ALTER EXTENSION "pg_trgm" SET SCHEMA "zulip";'],
    ],
    [{ ...inZulip, ...absent }, ['DROP EXTENSION "pg_trgm";']],
  ])('%j', async (desired, expected) => {
    expect(await sql(postgresqlExtension, 'pg_trgm', desired)).toEqual(expected)
  })
})

describe('without a server', () => {
  test.each<[ResourceType, object]>([
    [postgresqlRole, {}],
    [postgresqlDatabase, {}],
    [postgresqlExtension, { database: 'x' }],
  ])(
    'nothing is done, and only in a cluster that is not there is nothing',
    async (type, desired) => {
      const host = server({ files: {} })
      expect(await verdict(type, 'x', desired, host)).toMatchObject({
        blocked: `${type.name}[x]: there is no PostgreSQL cluster`,
      })
      expect(await verdict(type, 'x', { ...desired, ...absent }, host)).toEqual({ changes: [] })
      const silent = server({ answer: { exitCode: 2, stderr: 'psql: error: FATAL:  no entry\n' } })
      expect(await verdict(type, 'x', desired, silent)).toMatchObject({
        blocked: expect.stringContaining('does not answer: psql: error: FATAL:  no entry'),
      })
      expect(await verdict(type, 'x', { ...desired, ...absent }, silent)).toHaveProperty('blocked')
    },
  )
})

test.each<[ResourceType, object]>([
  [postgresqlRole, { password: 'other' }],
  [postgresqlDatabase, { owner: 'bare' }],
])('a standby is left to its primary', async (type, desired) => {
  expect(await verdict(type, 'zulip', desired, server(onStandby))).toEqual({
    changes: [],
    note: 'left to the primary, for this is a standby',
    leftAlone: true,
  })
})
