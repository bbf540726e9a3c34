import { describe, expect, test } from 'vitest'
import type { Catalog, CatalogResource } from '../../engine/compile/catalog.ts'
import { exampleFacts } from '../facts/example.ts'
import { catalogOf, content, desired, find, passwords, result } from './catalog.ts'

const classes = ['zulip::secrets', 'zulip::local_secrets']
const written = (catalog: Catalog): CatalogResource[] =>
  catalog.resources.filter(({ type }) => type === 'ini_setting')
const secretOf = (catalog: Catalog, name: string): unknown =>
  desired(catalog, `ini_setting[secret ${name}]`).value

test('every secret that is missing is made, and none of them may be shown', () => {
  const catalog = catalogOf({ classes, secrets: {} })
  const made = Object.fromEntries(
    written(catalog).map(({ desired }) => [
      (desired as { setting: string }).setting,
      (desired as { value: string }).value.length,
    ]),
  )
  expect(made).toEqual({
    secret_key: 50,
    shared_secret: 64,
    avatar_salt: 64,
    camo_key: 64,
    rabbitmq_password: 64,
    zulip_org_id: 36,
    zulip_org_key: 64,
    memcached_password: 64,
    redis_password: 64,
  })
  for (const { sensitive } of written(catalog)) expect([...sensitive]).toEqual(['value'])
})

test('a secret that is there stays, and only the file that holds them is touched', () => {
  const catalog = catalogOf({ classes, secrets: { camo_key: 'mine' } })
  expect(secretOf(catalog, 'camo_key')).toBe('mine')
  expect(desired(catalog, 'file[/etc/zulip/zulip-secrets.conf]')).toMatchObject({
    ensure: 'present',
    owner: 'zulip',
    group: 'zulip',
    mode: '0640',
  })
})

test('a service is given the password that its application is', () => {
  const catalog = catalogOf({ classes: ['zulip::profile::standalone_nodb'], secrets: {} })
  const password = String(secretOf(catalog, 'redis_password'))
  expect(content(catalog, '/etc/redis/zulip-redis.conf')).toContain(password)
  expect(find(catalog, 'file[/etc/sasl2/memcached-zulip-password]')?.desired).toMatchObject({
    content: secretOf(catalog, 'memcached_password'),
  })
})

test.each([
  ['memcached_password', ''],
  ['redis_password', 'päss'],
  ['camo_key', ''],
])('where %s is refused, every sentence says that it is, and not what it is', (name, secret) => {
  const { diagnostics } = result({
    classes: ['zulip::profile::standalone_nodb'],
    secrets: { ...passwords, [name]: secret },
  })
  const refused = diagnostics.filter(({ severity }) => severity === 'error')
  expect(refused.length).toBeGreaterThan(0)
  for (const { message, found } of refused) {
    expect(message).toContain(`, from [secrets] ${name} of zulip-secrets.conf, is not`)
    expect(found).toBe('(secret)')
  }
})

describe('an application server that makes no secrets', () => {
  const of = (name: string, secrets: Record<string, string>, release = exampleFacts.release) =>
    result({ classes: [name], secrets, facts: { release } })
      .diagnostics.map(({ message }) => message)
      .filter((message) => message.includes('/etc/zulip/zulip-secrets.conf'))
  const app = 'zulip::profile::app_frontend'

  test.each([app, 'zulip::profile::docker'])('is told which are missing: %s', (name) => {
    const all = 'secret_key, shared_secret, avatar_salt, camo_key, rabbitmq_password, zulip_org_id'
    for (const release of [exampleFacts.release, null])
      expect(of(name, {}, release)).toEqual([
        expect.stringContaining(`secrets.conf has no ${all}, zulip_org_key, which`),
      ])
    const some = of(name, { shared_secret: 'abc', camo_key: 'def' })
    expect(some).toEqual([expect.stringContaining('has no secret_key, avatar_salt, rabbitmq')])
  })

  test('is told nothing where they are all there, or made', () => {
    const made = catalogOf({ classes, secrets: {} })
    const names = made.resources.flatMap(({ title }) => /^secret (.+)$/.exec(title)?.[1] ?? [])
    expect(names.length).toBeGreaterThan(6)
    expect(of(app, Object.fromEntries(names.map((name) => [name, 'x'])))).toEqual([])
    expect(of('zulip::profile::standalone_nodb', {})).toEqual([])
  })
})
