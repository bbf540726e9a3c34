import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Facts } from '../../engine/facts/schema.ts'
import { shippedFolder } from '../../engine/shipped.ts'
import { exampleFacts } from '../facts/example.ts'
import { type Case, catalogOf, content, desired, find, result } from './catalog.ts'
import { library } from './every-class.ts'

const path = '/etc/postgresql/15/main/conf.d/zulip.conf'
const signal = 'file[/var/lib/postgresql/15/main/standby.signal]'
const ten = { version: '10.0', major: 10, minor: 0, tree: '/home/zulip/deployments/10', node: null }
const systems = {
  debian: { ...exampleFacts.os },
  jammy: { ...exampleFacts.os, id: 'ubuntu', version: '22.04', codename: 'jammy' },
  noble: { ...exampleFacts.os, id: 'ubuntu', version: '24.04', codename: 'noble' },
} as unknown as Record<string, Facts['os']>

const server = (conf = '', options: Case = {}) =>
  catalogOf({
    classes: ['zulip::profile::postgresql'],
    conf: `[postgresql]\nversion = 15\n${conf}`,
    secrets: {},
    ...options,
  })
/** Settings of a file of PostgreSQL's. */
function settings(text: string): Record<string, string> {
  const lines = text.split('\n').flatMap((line) => {
    const [, name, value] = /^(\w+) = (.*)$/.exec(line) ?? []
    return name === undefined || value === undefined ? [] : [[name, value] as const]
  })
  return Object.fromEntries(lines)
}
const settingsOf = (conf?: string, options?: Case) => settings(content(server(conf, options), path))
const refused = (conf: string, options: Case = {}) =>
  result({ classes: ['zulip::profile::postgresql'], conf, secrets: {}, ...options })
    .diagnostics.filter(({ severity }) => severity === 'error')
    .map(({ message }) => message)

describe('the settings', () => {
  test.each([
    [1984, 3, 248, 620, 62],
    [3600, 7, 450, 1125, 112],
    [3815, 7, 476, 1192, 119],
    [7950, 15, 993, 2484, 248],
    [16_000, 31, 2000, 5000, 500],
    [32_000, 62, 4000, 10_000, 1000],
  ])('by memory, of %i MiB', (total_mb, work, shared, cache, maintenance) => {
    expect(settingsOf('', { facts: { memory: { total_mb } } })).toMatchObject({
      work_mem: `${work}MB`,
      shared_buffers: `${shared}MB`,
      effective_cache_size: `${cache}MB`,
      maintenance_work_mem: `${maintenance}MB`,
    })
  })

  test('are valid on a machine that is far too small', () => {
    expect(settingsOf('', { facts: { memory: { total_mb: 300 } } }).work_mem).toBe('1MB')
  })

  test('that do not depend on the machine', () => {
    expect(settingsOf()).toMatchObject({
      max_connections: '1000',
      wal_buffers: '4MB',
      checkpoint_completion_target: '0.7',
      autovacuum_freeze_max_age: '2000000000',
      vacuum_freeze_min_age: '1000000000',
      vacuum_freeze_table_age: '1800000000',
      default_text_search_config: "'zulip.english_us_search'",
      logging_collector: 'on',
      log_directory: "'/var/log/postgresql'",
      log_rotation_age: '7d',
      log_rotation_size: '100MB',
      log_min_duration_statement: '500',
      log_autovacuum_min_duration: '100',
      log_checkpoints: 'on',
      log_lock_waits: 'on',
      log_temp_files: '0',
    })
  })

  test('that zulip.conf may add are left out where it does not', () => {
    const added = [
      'listen_addresses',
      'random_page_cost',
      'effective_io_concurrency',
      'ssl_cert_file',
      'ssl_ca_file',
      'archive_mode',
      'primary_conninfo',
    ]
    expect(Object.keys(settingsOf())).toEqual(expect.not.arrayContaining(added))
    const conf = `random_page_cost = 1.1\neffective_io_concurrency = 0
ssl_cert_file = /etc/ssl/a.pem\nssl_key_file = /etc/ssl/a.key\nssl_ca_file = /etc/ssl/ca.pem\n`
    expect(settingsOf(conf)).toMatchObject({
      random_page_cost: '1.1',
      effective_io_concurrency: '0',
      ssl_cert_file: "'/etc/ssl/a.pem'",
      ssl_key_file: "'/etc/ssl/a.key'",
      ssl_ca_file: "'/etc/ssl/ca.pem'",
    })
  })

  test.each(['*', "'*'", 'localhost, 192.0.2.7', "'localhost, 192.0.2.7'"])(
    'quote the addresses %s once',
    (addresses) => {
      const bare = addresses.replaceAll("'", '')
      expect(settingsOf(`listen_addresses = ${addresses}\n`).listen_addresses).toBe(`'${bare}'`)
    },
  )

  test.each([
    ["listen_addresses = x'; fsync = off", 'listen_addresses'],
    ['random_page_cost = cheap', 'random_page_cost'],
    ['effective_io_concurrency = -1', 'effective_io_concurrency'],
    ['ssl_cert_file = cert.pem', 'ssl_cert_file'],
    ['ssl_mode = maybe\nreplication_primary = a\nreplication_user = b', 'ssl_mode'],
  ])('are refused where they make no sense: %s', (line, name) => {
    expect(refused(`[postgresql]\nversion = 15\n${line}\n`).join()).toContain(name)
  })
})

describe('the version', () => {
  test.each([
    ['debian', '15'],
    ['jammy', '14'],
    ['noble', '16'],
  ])(
    'is on %s that of the distribution, which is told, where zulip.conf says none',
    (os, version) => {
      const { catalog, diagnostics } = result({
        classes: ['zulip::profile::postgresql'],
        secrets: {},
        facts: { os: systems[os] as Facts['os'] },
      })
      expect(catalog && find(catalog, `package[postgresql-${version}]`)).toBeDefined()
      expect(diagnostics.map(({ message }) => message).join()).toContain(`version = ${version}`)
    },
  )

  test('is not guessed where there is a cluster of another', () => {
    const others = { facts: { postgresql_clusters: ['13', '14', '15'] } }
    expect(refused('', others)).toEqual([
      expect.stringMatching(/cluster of 13, 14, 15\. Run "steward conf set postgresql\.version 14/),
    ])
    expect(refused('[postgresql]\nversion = 16\n', others)).toEqual([])
    expect(refused('', { facts: { postgresql_clusters: ['15'] } })).toEqual([])
  })

  test.each([
    [9, '12', true],
    [9, '16', true],
    [9, '17', false],
    [10, '12', false],
    [10, '13', true],
    [10, '17', true],
  ])('goes with the release: Zulip %i and PostgreSQL %s: %s', (major, version, isFine) => {
    const facts = { release: { ...ten, major } }
    const mistakes = refused(`[postgresql]\nversion = ${version}\n`, { facts })
    expect(mistakes).toEqual(isFine ? [] : [expect.stringContaining(`version = ${version}`)])
  })

  test('before 15, postgresql.conf may be one that Zulip wrote whole, so ours is read last', () => {
    const line = 'file_line[include-zulip-settings]'
    const old = catalogOf({
      classes: ['zulip::profile::postgresql'],
      conf: '[postgresql]\nversion = 14\n',
      secrets: {},
    })
    expect(desired(old, line)).toMatchObject({ line: "include_if_exists = 'conf.d/zulip.conf'" })
    expect(find(server(), line)).toBeUndefined()
  })
})

test('each key that a program of the database reads is a setting of a class', () => {
  const folder = join(shippedFolder('manifests'), 'files/postgresql')
  const read = ['env-wal-g', 'pg_backup_and_purge', 'process_fts_updates'].flatMap((name) =>
    [...readFileSync(join(folder, name), 'utf8').matchAll(/"(postgresql|secrets)", "(\w+)"/g)].map(
      ([, section, key]) => `${section}.${key}`,
    ),
  )
  expect(read.length).toBeGreaterThan(10)
  const declared = ['zulip::wal_archive', 'zulip::process_fts_updates'].flatMap((name) =>
    Object.values(library.read(name)?.parameters ?? {}).map(({ from }) => from),
  )
  expect(declared).toEqual(expect.arrayContaining(read))
})

describe('backups', () => {
  const bucket = { secrets: { s3_backups_bucket: 'zulip-backups' } }
  const folder = 'backups_directory = /srv/pg-backups\n'
  test.each([
    ['a bucket', '', bucket],
    ['a folder', folder, {}],
  ])('to %s: the log is archived too', (_name, conf, options) => {
    const catalog = server(conf, options)
    expect(settings(content(catalog, path))).toMatchObject({
      archive_mode: 'on',
      archive_command: expect.stringContaining('timeout 10m /usr/local/bin/env-wal-g wal-push'),
      restore_command: expect.stringContaining('/usr/local/bin/env-wal-g wal-fetch'),
    })
    expect(desired(catalog, 'cron[pg_backup_and_purge]').command).toMatch(
      /^\/usr\/local\/bin\/pg_backup_and_purge >\/var\/log\/pg_backup_and_purge\.log 2>&1$/,
    )
  })
  test.each([
    ['backups_incremental = some'],
    ['backups_disk_concurrency = 0'],
    ['backups_compression_method = a b'],
    ['backups_storage_class = a b'],
  ])('refuse "%s", which their programs cannot use', (line) => {
    expect(refused(`[postgresql]\n${folder}${line}\n`)).toHaveLength(1)
  })
  test('are switched on once their program is there', () => {
    const catalog = server(folder)
    const [settingsFile, ...program] = [
      `file[${path}]`,
      'download[/srv/zulip-wal-g-3.0.0]',
      'file[/usr/local/bin/wal-g]',
    ].map((ref) => find(catalog, ref)?.index)
    const needed = catalog.edges.filter(({ to }) => to === settingsFile).map(({ from }) => from)
    expect(needed).toEqual(expect.arrayContaining(program))
    const options = { classes: ['zulip::profile::postgresql'], secrets: {} }
    const conf = `[downloads]\nenabled = false\n[postgresql]\nversion = 15\n`
    const notices = (more: string) =>
      result({ ...options, conf: conf + more }).diagnostics.map(({ message }) => message)
    expect(notices(folder).join()).toMatch(/Put it at \/srv\/zulip-wal-g-3\.0\.0\/wal-g-pg-ubuntu/)
    expect(notices('').join()).not.toContain('wal-g')
  })
  test.each([
    ['none of its credentials', {}, true],
    ['half of them', { s3_backups_key: 'k' }, true],
    ['both of them', { s3_backups_key: 'k', s3_backups_secret_key: 's' }, false],
  ])('to a bucket with %s', (_name, credentials, isTold) => {
    const { diagnostics } = result({
      classes: ['zulip::profile::postgresql'],
      secrets: { ...bucket.secrets, ...credentials },
    })
    const told = diagnostics.filter(({ message }) => message.includes('s3_backups_secret_key'))
    expect(told).toHaveLength(isTold ? 1 : 0)
  })
  test('are not made where there is no place for them', () => {
    const catalog = server('backups_directory =\n')
    expect(find(catalog, 'download[/srv/zulip-wal-g-3.0.0]')).toBeUndefined()
    expect(desired(catalog, 'file[/etc/cron.d/pg_backup_and_purge]').ensure).toBe('absent')
    expect(refused('', { classes: ['zulip::postgresql_backups'] }).join()).toContain(
      'Backups need a place',
    )
  })
})

describe('a standby', () => {
  const keys = 'replication_primary = db1.example.org\nreplication_user = replicator\n'
  const password = "it's a:secret\\"
  const options: Case = { secrets: { postgresql_replication_password: password } }

  test('has its password in a file of its own that only postgres can read', () => {
    const catalog = server(`${keys}ssl_mode = verify-full\n`, options)
    const passfile = '/var/lib/postgresql/zulip-replication.pgpass'
    expect(settings(content(catalog, path)).primary_conninfo).toBe(
      `'host=db1.example.org user=replicator passfile=${passfile} sslmode=verify-full'`,
    )
    const file = find(catalog, `file[${passfile}]`)
    expect(file?.desired).toMatchObject({
      owner: 'postgres',
      mode: '0600',
      content: "*:*:*:replicator:it's a\\:secret\\\\\n",
    })
    expect(file?.sensitive).toContain('content')
    const elsewhere = catalog.resources.filter((each) => each !== file)
    expect(JSON.stringify(elsewhere.map((each) => each.desired))).not.toContain("it's a")
  })

  test('needs no password', () => {
    expect(settingsOf(keys).primary_conninfo).toBe("'host=db1.example.org user=replicator'")
  })

  test('is one by a file, which stays when the keys go', () => {
    expect(desired(server(keys), signal).ensure).toBe('file')
    const without = server()
    expect(find(without, signal)).toBeUndefined()
    expect(without.resources.filter(({ ref }) => ref.includes('promote'))).toEqual([])
  })

  test('is promoted where zulip.conf says so, while it runs, and before it is started anew', () => {
    const catalog = server('promote = true\n')
    const [promotion, restart] = ['exec[promote-postgresql]', 'service[postgresql@15-main]'].map(
      (ref) => find(catalog, ref),
    )
    const edges = catalog.edges.map(({ from, to }) => `${from} ${to}`)
    expect(edges).toContain(`${promotion?.index} ${restart?.index}`)
    expect(promotion?.desired).toMatchObject({
      onlyif: [
        ['test', '-e', '/var/lib/postgresql/15/main/standby.signal'],
        ['pg_ctlcluster', '15', 'main', 'status'],
      ],
    })
    expect(find(catalog, signal)).toBeUndefined()
    expect(refused(`[postgresql]\nversion = 15\n${keys}promote = true\n`).join()).toContain(
      "can't be promoted and be a standby",
    )
  })

  test('under its former name needs to know its primary', () => {
    const classes = ['zulip_ops::postgres_slave']
    expect(refused('[postgresql]\nversion = 15\n', { classes })).toEqual([
      expect.stringContaining('write replication_primary and replication_user'),
    ])
    expect(refused(`[postgresql]\nversion = 15\n${keys}`, { classes })).toEqual([])
  })

  test('is refused by halves', () => {
    expect(refused('[postgresql]\nversion = 15\nreplication_user = x\n').join()).toContain(
      'needs both replication_primary and replication_user',
    )
  })
})

test('every change of configuration restarts the server', () => {
  const catalog = server()
  const service = find(catalog, 'service[postgresql@15-main]')?.index
  const refreshing = catalog.edges
    .filter(({ to, refresh }) => to === service && refresh)
    .map(({ from }) => catalog.resources[from]?.ref)
  expect(refreshing).toEqual(expect.arrayContaining([`file[${path}]`, 'user[postgres]']))
})

describe('PGroonga', () => {
  const conf = '[machine]\npgroonga = true\n[postgresql]\nversion = 15\n'
  const catalog = catalogOf({ classes: ['zulip::profile::postgresql'], conf, secrets: {} })
  test('is there, and the index of it is kept, where zulip.conf wants it', () => {
    expect(desired(catalog, 'package[postgresql-15-pgdg-pgroonga]')).toEqual({ ensure: 'latest' })
    expect(content(catalog, '/etc/supervisor/conf.d/zulip/zulip_db.conf')).toContain(' --pgroonga')
    expect(find(catalog, 'exec[pgroonga-config]')).toBeDefined()
  })
  test('is not there otherwise', () => {
    const without = server()
    expect(find(without, 'exec[pgroonga-config]')).toBeUndefined()
    expect(content(without, '/etc/supervisor/conf.d/zulip/zulip_db.conf')).not.toContain('pgroonga')
  })
})

describe('the hosts of the application', () => {
  const secrets = { postgres_password: 'pOstgres-5028' }
  const keys = (addresses: string, listen = 'listen_addresses = 192.0.2.7') =>
    `${listen}\nclient_addresses = ${addresses}\n`
  const rules = 'block_in_file[hosts of the application]'

  test('log in over TLS alone, each from its own address, as the role that is made for them', () => {
    const catalog = server(keys('192.0.2.5, 198.51.100.0/24, 2001:db8::5'), { secrets })
    expect(desired(catalog, rules)).toMatchObject({
      ensure: 'present',
      path: '/etc/postgresql/15/main/pg_hba.conf',
      content: [
        'hostssl zulip zulip 192.0.2.5/32 scram-sha-256',
        'hostssl zulip zulip 198.51.100.0/24 scram-sha-256',
        'hostssl zulip zulip 2001:db8::5/128 scram-sha-256',
        '',
      ].join('\n'),
    })
    expect(desired(catalog, 'postgresql_role[zulip]').password).toBe(secrets.postgres_password)
    expect(desired(catalog, 'postgresql_database[zulip]')).toMatchObject({ owner: 'zulip' })
  })
  test('take the names of the role and the database from zulip.conf', () => {
    const own = `${keys('192.0.2.5')}database_name = chat\ndatabase_user = chatter\n`
    const catalog = server(own, { secrets })
    expect(desired(catalog, rules).content).toContain('hostssl chat chatter 192.0.2.5/32 ')
    expect(desired(catalog, 'postgresql_database[chat]')).toMatchObject({ owner: 'chatter' })
  })
  test('are none without the key, and the rule that it made goes', () => {
    const catalog = server()
    expect(desired(catalog, rules).ensure).toBe('absent')
    expect(catalog.resources.filter(({ type }) => type.startsWith('postgresql_'))).toEqual([])
  })
  test.each([
    ['192.0.2.500'],
    ['192.0.2'],
    ['192.0.2.5.5'],
    ['192.0.2.0/33'],
    ['2001:db8::5/129'],
    ['everybody'],
    ['192.0.2.5 trust'],
  ])('are not %s', (address) => {
    const conf = `[postgresql]\nversion = 15\n${keys(`192.0.2.5, ${address}`)}`
    expect(refused(conf, { secrets })).toEqual([
      expect.stringContaining(`client_addresses says ${address}: no address`),
    ])
  })
  test('need a password, and a server that listens to them', () => {
    const conf = (listen?: string) => `[postgresql]\nversion = 15\n${keys('192.0.2.5', listen)}`
    expect(refused(conf())).toEqual([expect.stringContaining('Write postgres_password')])
    expect(refused(conf(''), { secrets })).toEqual([
      expect.stringContaining('listens to this one alone'),
    ])
  })
  test('are let in by a reload, and settings still ask for a restart', () => {
    const { restart_on, reload_on } = desired(server(), 'service[postgresql@15-main]')
    expect(reload_on).toContain('/etc/postgresql/15/main/pg_hba.conf')
    expect(restart_on).toContain('/etc/postgresql/15/main/conf.d/**')
    expect(JSON.stringify(restart_on)).not.toContain('main/**')
  })
})
