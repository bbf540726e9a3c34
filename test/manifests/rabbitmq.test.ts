import { describe, expect, test } from 'vitest'
import { type Case, catalogOf, content, desired, find, result } from './catalog.ts'

const classes = ['zulip::profile::rabbitmq']
const server = (options: Case = {}) =>
  catalogOf({ classes, secrets: { rabbitmq_password: 'of "rabbit"' }, ...options })

/** Where a resource comes in the order of a run. */
function place(catalog: ReturnType<typeof server>, ref: string): number {
  const resource = find(catalog, ref)
  if (resource === undefined) throw new Error(`no ${ref}`)
  return catalog.order.indexOf(resource.index)
}

describe('nobody else reaches it', () => {
  test('its ports are those of loopback', () => {
    const config = content(server(), '/etc/rabbitmq/rabbitmq.config')
    expect(config).toMatch(/\{tcp_listeners, \[\{"127\.0\.0\.1", 5672\}\]\}/)
    expect(config).toMatch(/\{inet_dist_use_interface, \{127, 0, 0, 1\}\}/)
    const socket = content(server(), '/etc/systemd/system/epmd.socket.d/zulip.conf')
    expect(socket.split('\n').filter((line) => line.startsWith('Listen'))).toEqual([
      'ListenStream=',
      'ListenStream=127.0.0.1:4369',
    ])
  })

  test.each([
    ['/etc/rabbitmq/rabbitmq.config', 'rabbitmq-server'],
    ['/etc/rabbitmq/rabbitmq-env.conf', 'rabbitmq-server'],
    ['/etc/systemd/system/epmd.socket.d/zulip.conf', 'erlang-base'],
  ])('%s is there before the package %s', (path, name) => {
    const catalog = server()
    expect(place(catalog, `file[${path}]`)).toBeLessThan(place(catalog, `package[${name}]`))
    expect(catalog.dropped.map(({ thing }) => thing)).not.toContain(
      'path:/etc/rabbitmq/rabbitmq.config',
    )
  })
})

test('the node has a name that no other host name changes', () => {
  // Zulip's own scripts look for this line.
  expect(content(server(), '/etc/rabbitmq/rabbitmq-env.conf').split('\n')).toContain(
    'NODENAME=zulip@localhost',
  )
})

describe('the application', () => {
  test('authenticates with the secret, and may do everything', () => {
    const catalog = server()
    expect(desired(catalog, 'rabbitmq_user[zulip]')).toMatchObject({
      password: 'of "rabbit"',
      user_tags: ['administrator'],
    })
    expect(desired(catalog, 'rabbitmq_permission[zulip@/]')).toMatchObject({
      configure: '.*',
      write: '.*',
      read: '.*',
    })
  })

  test('may have another name and virtual host, which the site file says', () => {
    const site = { 'zulip::profile::rabbitmq': { user: 'chat', vhost: 'chat' } }
    const catalog = server({ site })
    expect(find(catalog, 'rabbitmq_vhost[chat]')).toBeDefined()
    expect(find(catalog, 'rabbitmq_permission[chat@chat]')).toBeDefined()
  })

  test('has no user without the secret, and that is said', () => {
    const { catalog, diagnostics } = result({ classes, secrets: {} })
    expect(catalog?.resources.map(({ ref }) => ref)).not.toContain('rabbitmq_user[zulip]')
    expect(diagnostics.map(({ message }) => message)).toContainEqual(
      expect.stringContaining('no rabbitmq_password'),
    )
  })

  test('alone knows the broker: who comes with the package goes', () => {
    expect(desired(server(), 'rabbitmq_user[guest]')).toEqual({ ensure: 'absent' })
  })
})
