import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Diagnostic } from '../../engine/diagnostics/diagnostic.ts'
import { openLibrary } from '../../engine/index.ts'
import { shippedFolder } from '../../engine/shipped.ts'
import { withSettings } from '../../scripts/settings-text.ts'
import { exampleFacts } from '../facts/example.ts'
import { type Case, catalogOf, content, desired, find, passwords, result } from './catalog.ts'

const mistakes = (diagnostics: readonly Diagnostic[]) =>
  diagnostics.flatMap(({ severity, code }) => (severity === 'error' ? [code] : []))

describe('every class', () => {
  test.each([
    { os: { id: 'debian', version: '12' } },
    { os: { id: 'ubuntu', version: '22.04' } },
    { os: { id: 'ubuntu', version: '24.04' } },
  ])('compiles on $os.id $os.version, with and without secrets', ({ os }) => {
    const facts = { os: { ...exampleFacts.os, ...os } }
    for (const secrets of [passwords, {}]) {
      for (const name of ['base', 'memcached', 'redis']) {
        catalogOf({ facts, secrets, classes: [`zulip::profile::${name}`] })
      }
      catalogOf({ facts, secrets, classes: ['zulip::nginx'] })
      catalogOf({ facts, secrets })
    }
  })
  test('is refused on a system that Zulip does not support', () => {
    const facts = { os: { ...exampleFacts.os, version: '11', name: 'Debian GNU/Linux 11' } }
    const { diagnostics } = result({ facts, classes: ['zulip::timesync', 'zulip::profile::base'] })
    expect(mistakes(diagnostics)).toEqual(['assertion-failed'])
    expect(diagnostics[0]?.message).toContain('this is Debian GNU/Linux 11')
  })
  test('gives way in no order that follows from what things need', () => {
    expect(catalogOf().dropped).toEqual([])
  })
})

describe('secrets', () => {
  test('stand only in files that nobody else may read, and that are never shown', () => {
    const holders = catalogOf().resources.filter(({ desired }) =>
      /of-(memcached|\\\\*"redis)/.test(JSON.stringify(desired)),
    )
    expect(
      holders.map(({ ref, sensitive, desired }) => ({
        ref,
        isHidden: sensitive.has('content'),
        mode: (desired as { mode?: string }).mode,
      })),
    ).toEqual([
      { ref: 'file[/etc/sasl2/memcached-zulip-password]', isHidden: true, mode: '0600' },
      { ref: 'file[/etc/redis/zulip-redis.conf]', isHidden: true, mode: '0640' },
    ])
  })
  test('leave nothing behind when they are taken out', () => {
    const catalog = catalogOf({ secrets: {} })
    expect(desired(catalog, 'file[/etc/sasl2/memcached-zulip-password]').ensure).toBe('absent')
    expect(desired(catalog, 'file[/etc/sasl2/memcached-sasldb2]').ensure).toBe('absent')
    expect(find(catalog, 'file[/etc/redis/zulip-redis.conf]')?.sensitive.has('content')).toBe(true)
  })
})

describe('zulip::profile::memcached', () => {
  const lines = (options: Case) => content(catalogOf(options), '/etc/memcached.conf').split('\n')
  test.each([
    [1984, 248],
    [3600, 450],
    [3815, 476],
    [7950, 993],
    [16_000, 2000],
    [32_000, 4000],
  ])('holds an eighth of %i MiB of memory', (total_mb, held) => {
    expect(lines({ facts: { memory: { total_mb } } })).toContain(`-m ${held}`)
  })
  test('holds what zulip.conf says', () => {
    const facts = { memory: { total_mb: 3815 } }
    expect(lines({ facts, conf: '[memcached]\nmemory = 128' })).toContain('-m 128')
  })
  test('asks for a password where there is one', () => {
    expect(lines({})).toContain('-S')
    expect(lines({ secrets: {} })).not.toContain('-S')
  })
  test('shows its configuration, which holds no secret', () => {
    expect(find(catalogOf(), 'file[/etc/memcached.conf]')?.sensitive.size).toBe(0)
  })
  test('takes a largest item and counting by size', () => {
    const conf = '[memcached]\nmax_item_size = 2m\nsize_reporting = yes'
    expect(lines({ conf })).toEqual(expect.arrayContaining(['-I 2m', '-o track_sizes']))
  })
})

describe('zulip::profile::redis', () => {
  test('quotes the password', () => {
    expect(content(catalogOf(), '/etc/redis/zulip-redis.conf')).toContain(
      String.raw`requirepass "of-\"redis\""`,
    )
  })
})

describe('zulip::timesync', () => {
  const ensured = (conf: string) =>
    Object.fromEntries(
      ['chrony', 'ntpsec', 'ntp'].map((name) => [
        name,
        desired(catalogOf({ conf }), `package[${name}]`).ensure,
      ]),
    )
  test.each([
    ['chrony', { chrony: 'present', ntpsec: 'purged', ntp: 'purged' }],
    ['ntpd', { chrony: 'purged', ntpsec: 'present', ntp: 'purged' }],
    ['none', { chrony: 'purged', ntpsec: 'purged', ntp: 'purged' }],
  ])('with %s keeps just what was chosen', (daemon, packages) => {
    expect(ensured(`[machine]\ntimesync = ${daemon}`)).toEqual(packages)
  })
})

describe('zulip::nginx', () => {
  const site = (conf: string) =>
    content(catalogOf({ conf }), '/etc/nginx/sites-available/zulip-standby')
  test('leads from HTTP to HTTPS, also on another port', () => {
    expect(site('')).toContain('return 301 https://$host$request_uri;')
    expect(site('[application_server]\nnginx_listen_port = 8443')).toContain(
      'return 301 https://$host:8443$request_uri;',
    )
  })
  test('speaks no TLS where a load balancer does', () => {
    const http = site('[application_server]\nhttp_only = true')
    expect(http).toContain('listen 80;')
    expect(http).not.toMatch(/ssl|301/)
  })
  test('refuses TLS on the port that leads to it', () => {
    const { diagnostics } = result({ conf: '[application_server]\nnginx_listen_port = 80' })
    expect(mistakes(diagnostics)).toEqual(['assertion-failed'])
  })
  test('says nothing of owner and mode of a certificate, which may be the administrator’s', () => {
    const catalog = catalogOf()
    for (const path of ['/etc/ssl/certs/zulip.combined-chain.crt', '/etc/ssl/private/zulip.key']) {
      const { target: _target, ...others } = desired(catalog, `file[${path}]`)
      expect(others).toEqual({ replace: false })
    }
  })
  test('believes the load balancers that zulip.conf lists', () => {
    const conf = '[loadbalancer]\nips = 192.0.2.7, 198.51.100.0/24'
    const trusted = content(catalogOf({ conf }), '/etc/nginx/zulip-include/trusted-proto')
    expect(trusted).toMatch(/^ {4}192\.0\.2\.7 1;\n {4}198\.51\.100\.0\/24 1;$/m)
  })
})

describe('README.md', () => {
  test('tells what the manifests say; after a change, run bin/node scripts/zulip-readme.ts', () => {
    const page = readFileSync(join(shippedFolder('manifests'), 'zulip/README.md'), 'utf8')
    const library = openLibrary({ manifests: [], state: '/nonexistent', mayKeep: false })
    expect(page).toBe(withSettings(page, library))
  })
})

describe('the parameters of every class and define', () => {
  const library = openLibrary({ manifests: [], state: '/nonexistent', mayKeep: false })
  const all = library.names().flatMap((name) =>
    Object.entries(library.read(name)?.parameters ?? {}).map(([parameter, decl]) => ({
      name: `${name} ${parameter}`,
      ...decl,
    })),
  )
  test('are described', () => {
    expect(all.filter(({ description }) => description === undefined)).toEqual([])
  })
  test('have each setting of zulip.conf to themselves', () => {
    // Two that read a secret can't understand it differently: it is text, and has no default.
    const settings = all
      .flatMap(({ from }) => from ?? [])
      .filter((from) => !from.startsWith('secrets.'))
    expect(settings).toEqual([...new Set(settings)])
  })
})
