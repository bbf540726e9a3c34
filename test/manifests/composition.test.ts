import { describe, expect, test } from 'vitest'
import type { Catalog } from '../../engine/compile/catalog.ts'
import { openLibrary } from '../../engine/index.ts'
import { exampleFacts } from '../facts/example.ts'
import { type Case, catalogOf, content, desired, find, result } from './catalog.ts'

const postgresql = '[postgresql]\nversion = 15\n'
const of = (classes: readonly string[], options: Case = {}): Catalog =>
  catalogOf({ classes, conf: postgresql, ...options })
const titles = (catalog: Catalog, type: string): string[] =>
  catalog.resources.flatMap((each) => (each.type === type ? [each.title] : []))
const nine = { release: { version: '9.4', major: 9 } } as Case['facts']
const ten = { release: { version: '10.1', major: 10 } } as Case['facts']

describe('zulip::voyager', () => {
  const catalog = of(['zulip::voyager'])
  test('gives way in no order that follows from what things need, but for a package that waits for its settings', () => {
    const giving = catalog.dropped.map(({ from }) => catalog.resources[from]?.ref)
    expect(new Set(giving)).toEqual(new Set(['package[rabbitmq-server]']))
  })
  test('is a server with everything, and what a build from git needs', () => {
    expect(titles(catalog, 'service')).toEqual(
      expect.arrayContaining([
        'memcached',
        'nginx',
        'rabbitmq-server',
        'redis-server',
        'supervisor',
      ]),
    )
    expect(titles(catalog, 'package')).toEqual(expect.arrayContaining(['postgresql-15', 'gettext']))
  })
  test('is a name of its own, and no word for another', () => {
    const library = openLibrary({ manifests: [], state: '/nonexistent', mayKeep: false })
    expect(library.find('zulip::voyager')?.name).toBe('zulip::voyager')
  })
  test('shows none of its passwords', () => {
    const holders = catalog.resources.filter(({ desired }) =>
      /of-(memcached|\\\\*"redis)/.test(JSON.stringify(desired)),
    )
    expect(holders.length).toBeGreaterThan(2)
    for (const { ref, sensitive } of holders) expect([ref, sensitive.size > 0]).toEqual([ref, true])
  })
  test.each([nine, ten])('compiles for each release on each system', (facts) => {
    for (const [id, version] of [
      ['debian', '12'],
      ['ubuntu', '22.04'],
      ['ubuntu', '24.04'],
    ] as const) {
      const os = { ...exampleFacts.os, id, version }
      expect(() => of(['zulip::voyager'], { facts: { ...facts, os } })).not.toThrow()
    }
  })
})

describe('a server on two hosts', () => {
  const application = of(['zulip::profile::standalone_nodb'])
  const database = of(['zulip::profile::postgresql'])
  test('has the programs of the application on one, and no database', () => {
    expect(titles(application, 'package')).toContain('postgresql-client-15')
    expect(titles(application, 'package')).not.toContain('postgresql-15')
    expect(titles(application, 'file')).not.toContain('/etc/supervisor/conf.d/zulip/zulip_db.conf')
  })
  test('has the database on the other, with the search that works there, and no web server', () => {
    expect(titles(database, 'package')).toContain('postgresql-15')
    expect(titles(database, 'file')).toContain('/etc/supervisor/conf.d/zulip/zulip_db.conf')
    for (const name of ['nginx', 'redis-server', 'memcached', 'rabbitmq-server'])
      expect(titles(database, 'service')).not.toContain(name)
  })
  test('needs no version of PostgreSQL where the database is elsewhere', () => {
    const without = of(['zulip::profile::standalone_nodb'], { conf: '' })
    expect(titles(without, 'package')).toContain('postgresql-client')
  })
  test('can have each service on a host of its own', () => {
    for (const name of ['app_frontend', 'memcached', 'rabbitmq', 'redis', 'smokescreen'])
      expect(() => of([`zulip::profile::${name}`])).not.toThrow()
  })
})

describe('several servers in front of one database', () => {
  test('follow a load balancer, which may speak plain HTTP with them', () => {
    const conf = `${postgresql}[loadbalancer]\nips = 192.0.2.7\n[application_server]\nhttp_only = true\n`
    const catalog = of(['zulip::profile::standalone'], { conf, ...(ten && { facts: ten }) })
    expect(content(catalog, '/etc/nginx/sites-available/zulip-enterprise')).not.toContain('ssl')
    expect(
      desired(catalog, 'file[/etc/nginx/zulip-include/app.d/accept-loadbalancer.conf]').ensure,
    ).toBe('file')
  })
  test('have scheduled jobs on the first alone', () => {
    const further = of(['zulip::app_frontend_base'])
    expect(titles(further, 'cron')).not.toContain('send-digest-emails')
    expect(titles(of(['zulip::profile::app_frontend']), 'cron')).toContain('send-digest-emails')
  })
})

test('several organizations need no setting: the site answers to any name', () => {
  const site = content(of(['zulip::voyager']), '/etc/nginx/sites-available/zulip-enterprise')
  expect(site).not.toMatch(/server_name\s+[^_;]/)
})

test.each([
  ['zulip::base', 'zulip::profile::base'],
  ['zulip::app_frontend', 'zulip::profile::app_frontend'],
  ['zulip::postgres_appdb_tuned', 'zulip::profile::postgresql'],
  ['zulip::postgres_appdb_base', 'zulip::postgresql_base'],
  ['zulip::postgres_common', 'zulip::postgresql_common'],
  ['zulip::postgres_backups', 'zulip::postgresql_backups'],
  ['zulip::memcached', 'zulip::profile::memcached'],
  ['zulip::rabbit', 'zulip::profile::rabbitmq'],
  ['zulip::redis', 'zulip::profile::redis'],
  ['zulip::dockervoyager', 'zulip::profile::docker'],
  ['zulip_ops::postgres_master', 'zulip::profile::postgresql'],
  ['zulip_ops::postgres_slave', 'zulip::profile::postgresql'],
  ['zulip_ops::postgres_appdb', 'zulip::profile::postgresql'],
  ['zulip_ops::postgres_common', 'zulip::postgresql_common'],
])('%s is %s', (old, today) => {
  const standby = 'replication_primary = db1.example.org\nreplication_user = replicator\n'
  const conf = `${postgresql}backups_directory = /srv/backups\n${standby}`
  const [former, modern] = [of([old], { conf }), of([today], { conf })]
  expect(former.resources.map(({ ref }) => ref)).toEqual(modern.resources.map(({ ref }) => ref))
})

test.each([
  ['zulip::nagios', 'since 5.0'],
  ['zulip::zulip_org', 'zulip.org'],
  ['zulip::yum_repository', 'apt'],
])('%s is known, holds nothing and says so', (name, why) => {
  const { catalog, diagnostics } = result({ classes: [name] })
  expect(catalog?.resources).toEqual([])
  expect(diagnostics).toMatchObject([{ severity: 'notice' }])
  const [{ message } = { message: '' }] = diagnostics
  expect(message).toContain(why)
  expect(message).toContain(`steward conf remove machine.puppet_classes ${name}`)
})

test('zulip::thumbor makes nothing, for there is no image server any more', () => {
  expect(of(['zulip::thumbor']).resources).toEqual([])
  expect(
    find(of(['zulip::voyager']), 'file[/etc/supervisor/conf.d/thumbor.conf]')?.desired,
  ).toMatchObject({ ensure: 'absent' })
})
