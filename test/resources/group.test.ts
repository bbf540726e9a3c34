import { describe, expect, test } from 'vitest'
import { group } from '../../engine/resources/group.ts'
import type { Resource } from '../../engine/resources/type.ts'
import { type FakeHostOptions, fakeHost } from '../support/fake-host.ts'

type Desired = Parameters<typeof group.footprint>[0]['desired']

const files = {
  '/etc/passwd': 'root:x:0:0::/root:/bin/sh\nzulip:x:1000:1000::/home/zulip:/bin/sh\n',
  '/etc/group': 'root:x:0:\nadm:x:4:root\nzulip:x:1000:\n',
}

function declared(title: string, desired: Desired): Resource<Desired> {
  return { ref: `group[${title}]`, type: 'group', title, desired }
}
function tree(more: FakeHostOptions['files'] = {}) {
  return fakeHost({
    root: '/tree',
    cannotRun: 'not possible under --root',
    files: { ...files, ...more },
  })
}
async function converge(host: ReturnType<typeof fakeHost>, resource: Resource<Desired>) {
  const [before] = await group.probe([resource], host)
  const verdict = group.diff(resource, before)
  if (!('changes' in verdict)) throw new Error('blocked')
  await group.apply(resource, verdict.changes, host)
  const [after] = await group.probe([resource], host)
  return group.diff(resource, after)
}

test('a name that would be taken for a number is refused', () => {
  expect(group.check?.(declared('1000', {}))?.message).toBe(
    'group[1000] has no name that a group can have',
  )
})

describe('footprint', () => {
  test.each<[Desired, object]>([
    [
      { ensure: 'present', members: ['a'] },
      { ensures: ['group:g'], needs: ['user:a'] },
    ],
    [{ members: ['a'] }, { needs: ['group:g', 'user:a'] }],
    [{ ensure: 'absent', members: ['a'] }, { removes: ['group:g'] }],
  ])('of %j', (desired, footprint) => {
    expect(group.footprint(declared('g', desired))).toEqual(footprint)
  })
})

describe('diff', () => {
  const current = { gid: 4, members: ['root', 'syslog'] }
  test.each<[string, Desired, object[]]>([
    ['leaves undeclared attributes alone', { ensure: 'present', system: true }, []],
    ['keeps members that others brought', { members: ['root'] }, []],
    [
      'adds members',
      { members: ['zulip'] },
      [{ attribute: 'members', from: ['root', 'syslog'], to: ['root', 'syslog', 'zulip'] }],
    ],
    ['does not mind their order', { members: ['syslog', 'root'], membership: 'inclusive' }, []],
    [
      'removes members when inclusive',
      { members: ['root'], membership: 'inclusive' },
      [{ attribute: 'members', from: ['root', 'syslog'], to: ['root'] }],
    ],
    [
      'removes all members',
      { members: [], membership: 'inclusive' },
      [{ attribute: 'members', from: ['root', 'syslog'], to: [] }],
    ],
    ['leaves the members alone where none are named', { membership: 'inclusive' }, []],
    ['shows another number', { gid: 5 }, [{ attribute: 'gid', from: 4, to: 5 }]],
    [
      'removes',
      { ensure: 'absent', gid: 5 },
      [{ attribute: 'ensure', from: 'present', to: 'absent' }],
    ],
  ])('%s', (_title, desired, changes) => {
    expect(group.diff(declared('adm', desired), current)).toEqual({ changes })
  })
})

describe('apply with commands', () => {
  test.each<[string, Desired, readonly string[]]>([
    [
      'adm',
      { gid: 40, members: ['zulip'] },
      ['groupmod --gid 40 adm', 'gpasswd --members root,zulip adm'],
    ],
    ['adm', { ensure: 'absent' }, ['groupdel adm']],
  ])('changes %s to %j', async (name, desired, commands) => {
    const host = fakeHost({ files, commands: Object.fromEntries(commands.map((c) => [c, ''])) })
    await converge(host, declared(name, desired))
    expect(host.runs).toEqual(commands)
  })
  test('a new group with its number is one command', async () => {
    const command = 'groupadd --gid 990 --system new'
    const host = fakeHost({
      files,
      commands: {
        [command]: () => {
          host.put('/etc/group', `${files['/etc/group']}new:x:990:\n`)
          return ''
        },
      },
    })
    const resource = declared('new', { ensure: 'present', gid: 990, system: true })
    expect(await converge(host, resource)).toEqual({ changes: [] })
    expect(host.runs).toEqual([command])
  })
  test('a group that nothing made is named with the way out', async () => {
    const failed = converge(fakeHost({ files }), declared('ssl-cert', { members: ['zulip'] }))
    await expect(failed).rejects.toThrow('group[ssl-cert] does not exist')
  })
})

describe('apply in a tree', () => {
  test('runs the tools where the tree has them', async () => {
    const resource = declared('adm', { ensure: 'absent' })
    const changes = [{ attribute: 'ensure', from: 'present', to: 'absent' }]
    const options = { root: '/tree', commands: { 'groupdel adm': '' } }
    const full = fakeHost({ ...options, files: { ...files, '/usr/sbin/useradd': '' } })
    const bare = fakeHost({ ...options, files })
    for (const host of [full, bare]) await group.apply(resource, changes, host)
    expect([full.runs, full.writes]).toEqual([['groupdel adm'], []])
    expect([bare.runs, bare.writes]).toMatchObject([[], [{ path: '/etc/group' }]])
  })
  test.each<[string, Desired, string]>([
    ['new', { ensure: 'present' }, 'new:x:1001:'],
    ['new', { ensure: 'present', system: true, members: ['zulip'] }, 'new:x:999:zulip'],
    ['new', { ensure: 'present', gid: 77 }, 'new:x:77:'],
    ['adm', { members: ['zulip'] }, 'adm:x:4:root,zulip'],
  ])('%s with %j', async (name, desired, line) => {
    const host = tree()
    expect(await converge(host, declared(name, desired))).toEqual({ changes: [] })
    expect(host.text('/etc/group').split('\n')).toContain(line)
  })
  test('users keep their primary group when its number changes', async () => {
    const host = tree()
    await converge(host, declared('zulip', { gid: 2000 }))
    expect(host.text('/etc/group')).toContain('zulip:x:2000:\n')
    expect(host.text('/etc/passwd')).toContain('zulip:x:1000:2000::/home/zulip:/bin/sh\n')
  })
  test('removes a group from both files', async () => {
    const host = tree({ '/etc/gshadow': 'adm:*::root\nzulip:!::\n' })
    await converge(host, declared('adm', { ensure: 'absent' }))
    expect(host.text('/etc/group')).toBe('root:x:0:\nzulip:x:1000:\n')
    expect(host.text('/etc/gshadow')).toBe('zulip:!::\n')
  })
  test('a primary group is not removed', async () => {
    const failed = converge(tree(), declared('zulip', { ensure: 'absent' }))
    await expect(failed).rejects.toThrow(
      'group[zulip] is the primary group of user zulip and stays',
    )
  })
})
