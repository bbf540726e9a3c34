import { expect, test } from 'vitest'
import type { Catalog, CatalogResource } from '../../engine/compile/catalog.ts'
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
