import { describe, expect, test } from 'vitest'
import { rabbitmqPermission } from '../../engine/resources/rabbitmq-permission.ts'
import { rabbitmqUser } from '../../engine/resources/rabbitmq-user.ts'
import { rabbitmqVhost } from '../../engine/resources/rabbitmq-vhost.ts'
import type { Change, Resource, ResourceType, Verdict } from '../../engine/resources/type.ts'
import { type FakeAnswer, type FakeHost, fakeHost } from '../support/fake-host.ts'

const question = 'rabbitmqctl --quiet export_definitions -'
/** Recorded on Debian 12 with RabbitMQ 3.10.8; the password of zulip is "sekret123". */
const recorded = `{"bindings":[],"exchanges":[],"permissions":[{"configure":".*","read":".*","user":"guest","vhost":"/","write":".*"},{"configure":".*","read":".*","user":"zulip","vhost":"/","write":".*"}],"policies":[],"queues":[],"rabbit_version":"3.10.8","topic_permissions":[],"users":[{"hashing_algorithm":"rabbit_password_hashing_sha256","limits":{},"name":"zulip","password_hash":"aTzgg6DzOzw20pLMcRAwE/Org3j91vRU4ZE28OvFUjQ8sASa","tags":["administrator"]},{"hashing_algorithm":"rabbit_password_hashing_sha256","limits":{},"name":"guest","password_hash":"+reD4hlB+yFChBQZlG+moYAEOdDUcnYO1vrf+Tt5klh6krAT","tags":["administrator"]}],"vhosts":[{"limits":[],"metadata":{"description":"Default virtual host","tags":[]},"name":"/"},{"limits":[],"metadata":{"description":"","tags":""},"name":"v1"}]}`
/** What rabbitmqctl says where nobody listens, with exit code 69. */
const silent = {
  exitCode: 69,
  stderr:
    "Error: unable to perform an operation on node 'zulip@localhost'. Please see diagnostics information and suggestions below.\n\nMost common reasons for this are:\n",
}

function declared<D extends object>(type: string, title: string, desired: D): Resource<D> {
  return { ref: `${type}[${title}]`, type, title, desired }
}
function broker(
  answer: FakeAnswer = recorded,
  commands: Record<string, FakeAnswer> = {},
): FakeHost {
  return fakeHost({ commands: { [question]: answer, ...commands } })
}
async function verdict<D extends object, C>(
  type: ResourceType<D, C>,
  title: string,
  desired: D,
  host: FakeHost = broker(),
): Promise<Verdict> {
  const resource = declared(type.name, title, desired)
  const [current] = await type.probe([resource], host)
  if (current === undefined) throw new Error('the probe gave nothing')
  return type.diff(resource, current)
}
const change = (attribute: string, from: Change['from'], to: Change['to']) => ({
  attribute,
  from,
  to,
})
const absent = { ensure: 'absent' } as const

test('users, virtual hosts and permissions are asked for by one command', async () => {
  const host = broker()
  await rabbitmqUser.probe([declared('rabbitmq_user', 'a', {})], host)
  await rabbitmqVhost.probe([declared('rabbitmq_vhost', 'a', {})], host)
  await rabbitmqPermission.probe([declared('rabbitmq_permission', 'a@/', {})], host)
  expect(host.queries).toEqual([question])
})

describe('a user', () => {
  test.each<[string, string, Parameters<typeof rabbitmqUser.footprint>[0]['desired'], Change[]]>([
    ['with the password that is there is in sync', 'zulip', { password: 'sekret123' }, []],
    [
      'with another password gets it, and neither is shown',
      'zulip',
      { password: 'other' },
      [change('password', 'another', 'the one declared')],
    ],
    ['that is there needs no password', 'zulip', { user_tags: ['administrator'] }, []],
    [
      'has the tags that are declared and no others',
      'zulip',
      { user_tags: [] },
      [change('user_tags', ['administrator'], [])],
    ],
    [
      'is made',
      'new',
      { password: 'x', user_tags: ['management'] },
      [
        change('ensure', 'absent', 'present'),
        change('password', undefined, 'the one declared'),
        change('user_tags', undefined, ['management']),
      ],
    ],
    ['is removed', 'guest', absent, [change('ensure', 'present', 'absent')]],
    ['that is gone stays so', 'new', absent, []],
  ])('%s', async (_, title, desired, changes) => {
    expect(await verdict(rabbitmqUser, title, desired)).toEqual({ changes })
  })

  test('is not made without a password', async () => {
    expect(await verdict(rabbitmqUser, 'new', {})).toEqual({
      blocked: 'rabbitmq_user[new] is not there, and there is no password to make it with',
    })
  })

  test.each<[string, Partial<Change>[], string[]]>([
    [
      'is made',
      [{ attribute: 'ensure' }, { attribute: 'password' }, { attribute: 'user_tags' }],
      ['rabbitmqctl --quiet add_user zulip', 'rabbitmqctl --quiet set_user_tags zulip a b'],
    ],
    [
      'gets another password',
      [{ attribute: 'password' }],
      ['rabbitmqctl --quiet change_password zulip'],
    ],
  ])('%s with the password on standard input alone', async (_, changes, runs) => {
    const host = broker(recorded, Object.fromEntries(runs.map((run) => [run, ''])))
    const user = declared('rabbitmq_user', 'zulip', { password: 'sekret', user_tags: ['a', 'b'] })
    await rabbitmqUser.apply(user, changes as Change[], host)
    expect(host.runs).toEqual(runs)
    expect(host.asked[0]?.options.stdin).toBe('sekret\n')
  })
})

describe('a virtual host', () => {
  test.each<[string, string, object, object]>([
    ['is there', '/', {}, { changes: [] }],
    ['is made', 'zulip', {}, { changes: [change('ensure', 'absent', 'present')] }],
    ['is removed only with force', 'v1', absent, { blocked: expect.stringContaining('messages') }],
    [
      'is removed',
      'v1',
      { ...absent, force: true },
      { changes: [change('ensure', 'present', 'absent')] },
    ],
  ])('%s', async (_, title, desired, expected) => {
    expect(await verdict(rabbitmqVhost, title, desired)).toMatchObject(expected)
  })
})

describe('a permission', () => {
  const all = { configure: '.*', write: '.*', read: '.*' }
  test.each<[string, string, object, Change[]]>([
    ['is there', 'zulip@/', all, []],
    ['differs', 'zulip@/', { ...all, configure: '^$' }, [change('configure', '.*', '^$')]],
    [
      'is given',
      'zulip@v1',
      { read: '.*' },
      [change('ensure', 'absent', 'present'), change('read', undefined, '.*')],
    ],
    ['is taken', 'guest@/', absent, [change('ensure', 'present', 'absent')]],
    ['that is gone stays so', 'guest@v1', absent, []],
  ])('%s', async (_, title, desired, changes) => {
    expect(await verdict(rabbitmqPermission, title, desired)).toEqual({ changes })
  })

  test('keeps what is not declared, and allows nothing of its own', async () => {
    const runs = [
      'rabbitmqctl --quiet set_permissions -p / zulip ^$ .* .*',
      'rabbitmqctl --quiet set_permissions -p v1 zulip ^$ ^$ .*',
    ]
    const host = broker(recorded, Object.fromEntries(runs.map((run) => [run, ''])))
    const [kept, fresh] = [{ configure: '^$' }, { read: '.*' }]
    await rabbitmqPermission.apply(declared('rabbitmq_permission', 'zulip@/', kept), [], host)
    await rabbitmqPermission.apply(declared('rabbitmq_permission', 'zulip@v1', fresh), [], host)
    expect(host.runs).toEqual(runs)
  })

  test('comes after its user and its virtual host', () => {
    const { needs } = rabbitmqPermission.footprint(declared('rabbitmq_permission', 'a@b@/x', {}))
    expect(needs).toEqual(['rabbitmq_user:a@b', 'rabbitmq_vhost:/x'])
  })
})

describe('without an answer', () => {
  test.each([
    [silent, "unable to perform an operation on node 'zulip@localhost'"],
    [{ startError: 'ENOENT' }, 'it is not installed'],
    ['[1048 bytes left out]\n"x"}', 'its definitions are too many'],
  ])('nothing is done (%#)', async (answer, reason) => {
    const found = await verdict(rabbitmqVhost, 'v1', {}, broker(answer))
    expect(found).toEqual({
      blocked: expect.stringContaining('rabbitmq_vhost[v1]: RabbitMQ does not answer: '),
      help: 'declare it: - { service: rabbitmq-server, ensure: running }',
    })
    expect(found).toHaveProperty('blocked', expect.stringContaining(reason))
  })
  test('what is to be absent is so only where RabbitMQ is not installed', async () => {
    const missing = broker({ startError: 'ENOENT' })
    expect(await verdict(rabbitmqUser, 'x', absent, missing)).toMatchObject({ changes: [] })
    expect(await verdict(rabbitmqUser, 'x', absent, broker(silent))).toHaveProperty('blocked')
  })
})
