import { describe, expect, test } from 'vitest'
import { ApplyError, type Resource } from '../../engine/resources/type.ts'
import { user } from '../../engine/resources/user.ts'
import { type FakeHostOptions, fakeHost } from '../support/fake-host.ts'

type Desired = Parameters<typeof user.footprint>[0]['desired']

const passwd = [
  'root:x:0:0:root:/root:/bin/bash',
  'postgres:x:110:115:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash',
  'zulip:x:1000:1000::/home/zulip:/bin/bash',
].join('\n')
const group = [
  'root:x:0:',
  'ssl-cert:x:114:',
  'postgres:x:115:',
  'adm:x:4:postgres',
  'zulip:x:1000:',
].join('\n')
const accounts = { '/etc/passwd': `${passwd}\n`, '/etc/group': `${group}\n` }

function declared(title: string, desired: Desired): Resource<Desired> {
  return { ref: `user[${title}]`, type: 'user', title, desired }
}

/** A tree in which no command can run. */
function tree(files: FakeHostOptions['files'] = {}) {
  return fakeHost({
    root: '/tree',
    cannotRun: 'not possible under --root',
    files: { ...accounts, ...files },
  })
}

async function converge(host: ReturnType<typeof fakeHost>, resource: Resource<Desired>) {
  const [before] = await user.probe([resource], host)
  const verdict = user.diff(resource, before)
  if (!('changes' in verdict)) throw new Error('blocked')
  const outcome = await user.apply(resource, verdict.changes, host)
  const [after] = await user.probe([resource], host)
  return { changes: verdict.changes, outcome, left: user.diff(resource, after) }
}

const inSync = { changes: [] }

describe('check', () => {
  test.each(['1000', '-x', 'a:b', 'a b', '', 'a'.repeat(33), 'x/y'])(
    'refuses the name %j',
    (title) => {
      expect(user.check?.(declared(title, {}))?.message).toContain(
        'has no name that a user can have',
      )
    },
  )
  test.each(['zulip', '_apt', 'systemd-network', 'host$', 'a.b', 'x'])(
    'takes the name %j',
    (title) => {
      expect(user.check?.(declared(title, {}))).toBeUndefined()
    },
  )
})

describe('footprint', () => {
  test('a user needs its groups and brings its home', () => {
    const zulip = { ensure: 'present', gid: 'zulip', groups: ['ssl'], managehome: true } as const
    expect(user.footprint(declared('zulip', zulip))).toEqual({
      ensures: ['user:zulip'],
      needs: ['group:zulip', 'group:ssl'],
      provides: ['path:/home/zulip'],
    })
  })
  test('a user without a primary group of the manifest brings its own', () => {
    const { provides } = user.footprint(declared('a', { ensure: 'present' }))
    expect(provides).toEqual(['group:a'])
  })
  test('without ensure it needs the user itself', () => {
    const { needs, ensures } = user.footprint(declared('postgres', { groups: ['zulip'] }))
    expect(needs).toEqual(['user:postgres', 'group:zulip'])
    expect(ensures).toBeUndefined()
  })
})

describe('probe', () => {
  test('reads the accounts once for all users', async () => {
    const host = tree()
    let reads = 0
    const accounts = () => {
      reads += 1
      return host.accounts()
    }
    const counting = { ...host, accounts }
    const states = await user.probe([declared('postgres', {}), declared('nobody', {})], counting)
    expect(states).toMatchObject([{ uid: 110, group: 'postgres', groups: ['adm'] }, undefined])
    expect(reads).toBe(1)
  })
})

describe('diff', () => {
  const current = {
    uid: 110,
    gid: 115,
    group: 'postgres',
    groups: ['adm'],
    home: '/var/lib/postgresql',
    shell: '/bin/bash',
    comment: 'PostgreSQL administrator,,,',
  }
  test.each<[string, Desired, object[]]>([
    ['leaves undeclared attributes alone', { ensure: 'present' }, []],
    ['takes trailing commas of a comment for nothing', { comment: 'PostgreSQL administrator' }, []],
    ['compares paths by meaning', { home: '/var/lib//postgresql/' }, []],
    ['takes the primary group by name', { gid: 'postgres' }, []],
    ['takes the primary group by number', { gid: 115 }, []],
    ['takes the primary group for a membership', { groups: ['postgres'] }, []],
    [
      'adds groups and keeps others',
      { groups: ['zulip', 'ssl-cert'] },
      [{ attribute: 'groups', from: ['adm'], to: ['adm', 'ssl-cert', 'zulip'] }],
    ],
    [
      'removes other groups when inclusive',
      { groups: ['zulip'], membership: 'inclusive' },
      [{ attribute: 'groups', from: ['adm'], to: ['zulip'] }],
    ],
    [
      'counts what was the primary group as one that lacks when another is chosen',
      { gid: 'zulip', groups: ['postgres'] },
      [
        { attribute: 'gid', from: 'postgres', to: 'zulip' },
        { attribute: 'groups', from: ['adm'], to: ['adm', 'postgres'] },
      ],
    ],
    [
      'shows a changed shell',
      { shell: '/bin/sh' },
      [{ attribute: 'shell', from: '/bin/bash', to: '/bin/sh' }],
    ],
    [
      'removes',
      { ensure: 'absent', uid: 7 },
      [{ attribute: 'ensure', from: 'present', to: 'absent' }],
    ],
  ])('%s', (_title, desired, changes) => {
    expect(user.diff(declared('postgres', desired), current)).toEqual({ changes })
  })
  test('a user that is missing is made with what is declared', () => {
    const verdict = user.diff(declared('a', { ensure: 'present', uid: 7 }), undefined)
    expect(verdict).toEqual({
      changes: [
        { attribute: 'ensure', from: 'absent', to: 'present' },
        { attribute: 'uid', from: undefined, to: 7 },
      ],
    })
  })
  test('a user that is missing and to be absent is in sync', () => {
    expect(user.diff(declared('a', { ensure: 'absent', shell: '/bin/sh' }), undefined)).toEqual(
      inSync,
    )
  })
})

describe('apply with commands', () => {
  test.each<[string, string, Desired, string]>([
    [
      'a new user with everything',
      'nagios',
      {
        ensure: 'present',
        uid: 1050,
        gid: 'zulip',
        groups: ['adm', 'ssl-cert'],
        home: '/var/lib/nagios',
        managehome: true,
        shell: '/bin/bash',
        comment: 'Nagios user',
      },
      'useradd --gid zulip --create-home --home-dir /var/lib/nagios --uid 1050 --comment Nagios user --shell /bin/bash --groups adm,ssl-cert nagios',
    ],
    [
      'a new system user gets a group of its own',
      'smokescreen',
      { ensure: 'present', system: true },
      'useradd --user-group --no-create-home --system smokescreen',
    ],
    [
      'a new user takes the group of its name that is there',
      'adm',
      { ensure: 'present' },
      'useradd --gid adm --no-create-home adm',
    ],
    [
      'groups are added to those there are',
      'postgres',
      { groups: ['ssl-cert', 'zulip'] },
      'usermod --append --groups ssl-cert,zulip postgres',
    ],
    [
      'only what differs is changed',
      'zulip',
      { uid: 1000, shell: '/bin/sh', groups: [], membership: 'inclusive' },
      'usermod --shell /bin/sh zulip',
    ],
    [
      'a managed home moves',
      'zulip',
      { home: '/srv/zulip', managehome: true },
      'usermod --home /srv/zulip --move-home zulip',
    ],
  ])('%s', async (_title, name, desired, command) => {
    const host = fakeHost({ files: accounts, commands: { [command]: '' } })
    await converge(host, declared(name, desired))
    expect(host.runs).toEqual([command])
  })

  test('a failure says what ran and what it printed', async () => {
    const host = fakeHost({
      files: accounts,
      commands: {
        'usermod --uid 0 zulip': { exitCode: 4, stderr: "usermod: UID '0' already exists\n" },
      },
    })
    const failed = converge(host, declared('zulip', { uid: 0 }))
    await expect(failed).rejects.toThrow(
      "user[zulip]: usermod failed: usermod: UID '0' already exists",
    )
    await expect(failed).rejects.toMatchObject({ ran: { exit: 'exit code 4' } })
  })

  test('a user that nothing made is named with the way out', async () => {
    const failed = converge(fakeHost({ files: accounts }), declared('nobody', { groups: ['adm'] }))
    await expect(failed).rejects.toThrow(ApplyError)
    await expect(failed).rejects.toMatchObject({ help: expect.stringContaining('ensure: present') })
  })

  test('a managed home goes through the host, which keeps it, and not through userdel', async () => {
    const host = fakeHost({
      files: {
        ...accounts,
        '/home/zulip': { kind: 'directory', uid: 1000 },
        '/home/zulip/a': 'text',
      },
      commands: { 'userdel zulip': '' },
    })
    await converge(host, declared('zulip', { ensure: 'absent', managehome: true }))
    expect(host.runs).toEqual(['userdel zulip'])
    expect(host.writes).toEqual([{ act: 'remove', path: '/home/zulip' }])
  })
})

describe('apply in a tree', () => {
  test('makes a user with its own group, in its groups, with a home from /etc/skel', async () => {
    const host = tree({
      '/etc/shadow': { content: 'root:*:19000:0:99999:7:::\n', mode: 0o640, gid: 42 },
      '/etc/gshadow': { content: 'root:*::\nadm:*::postgres\n', mode: 0o640, gid: 42 },
      '/etc/skel/.bashrc': 'alias ll=ls\n',
      '/etc/skel/.config': { kind: 'directory', mode: 0o700 },
      '/etc/skel/.link': { target: '.bashrc' },
    })
    const desired = {
      ensure: 'present',
      groups: ['adm'],
      managehome: true,
      comment: 'Größe',
    } as const
    const { left } = await converge(host, declared('new', desired))
    expect(left).toEqual(inSync)
    expect(host.text('/etc/passwd')).toBe(
      `${accounts['/etc/passwd']}new:x:1001:1001:Größe:/home/new:/bin/bash\n`,
    )
    expect(host.text('/etc/group')).toContain('adm:x:4:postgres,new\n')
    expect(host.text('/etc/group')).toMatch(/\nnew:x:1001:\n$/)
    expect(host.text('/etc/shadow')).toBe('root:*:19000:0:99999:7:::\nnew:!:::::::\n')
    expect(host.text('/etc/gshadow')).toBe('root:*::\nadm:*::postgres,new\nnew:!::\n')
    expect(host.stat('/etc/shadow')).toMatchObject({ mode: 0o640, gid: 42 })
    const owner = { uid: 1001, gid: 1001 }
    expect(host.stat('/home/new')).toMatchObject({ kind: 'directory', mode: 0o755, ...owner })
    expect(host.stat('/home/new/.bashrc')).toMatchObject({ kind: 'file', mode: 0o644, ...owner })
    expect(host.stat('/home/new/.config')).toMatchObject({
      kind: 'directory',
      mode: 0o700,
      ...owner,
    })
    expect(host.readLink('/home/new/.link')).toBe('.bashrc')
  })

  test('needs no file but passwd and group, and makes no shadow', async () => {
    const host = tree()
    await converge(host, declared('sys', { ensure: 'present', system: true, gid: 'adm' }))
    expect(host.text('/etc/passwd')).toContain('sys:x:109:4::/home/sys:/bin/bash\n')
    expect(host.stat('/etc/shadow')).toBeUndefined()
    expect(host.stat('/home/sys')).toBeUndefined()
  })

  test('keeps to the ranges of login.defs', async () => {
    const host = tree({ '/etc/login.defs': '# UID_MIN 5\nUID_MIN\t\t 500\nSYS_UID_MAX 105\n' })
    await converge(host, declared('s', { ensure: 'present', system: true, gid: 0 }))
    await converge(host, declared('u', { ensure: 'present', gid: 0 }))
    expect(host.accounts().users.get('s')?.uid).toBe(105)
    expect(host.accounts().users.get('u')?.uid).toBe(1001)
  })

  test('says which range is used up', async () => {
    const host = tree({ '/etc/login.defs': 'UID_MIN 1000\nUID_MAX 1000\n' })
    const failed = converge(host, declared('u', { ensure: 'present', gid: 0 }))
    await expect(failed).rejects.toThrow('user[u]: every UID from 1000 to 1000 is taken')
  })

  test('changes only the fields that differ, and keeps bytes that are not UTF-8', async () => {
    const odd = Buffer.from(
      'odd:x:50:0:M\xfcller:/odd:/bin/sh\nzulip:x:1000:1000:caf\xe9:/home/zulip:/bin/bash\n',
      'latin1',
    )
    const host = tree({ '/etc/passwd': odd })
    await converge(host, declared('zulip', { shell: '/bin/zsh', groups: ['adm'] }))
    const changed = odd.toString('latin1').replace('/bin/bash', '/bin/zsh')
    expect(host.read('/etc/passwd').toString('latin1')).toBe(changed)
    expect(host.text('/etc/group')).toContain('adm:x:4:postgres,zulip\n')
  })

  test('inclusive takes the user out of other groups', async () => {
    const host = tree()
    const { left } = await converge(
      host,
      declared('postgres', { groups: ['ssl-cert'], membership: 'inclusive' }),
    )
    expect(left).toEqual(inSync)
    expect(host.text('/etc/group')).toContain('adm:x:4:\n')
    expect(host.text('/etc/group')).toContain('ssl-cert:x:114:postgres\n')
  })

  test('removes a user with its lines, memberships, group and home', async () => {
    const host = tree({
      '/etc/shadow': 'root:*:::::::\nzulip:!:::::::\n',
      '/etc/group': 'root:x:0:zulip\nzulip:x:1000:\n',
      '/home/zulip': { kind: 'directory', uid: 1000 },
    })
    const resource = declared('zulip', { ensure: 'absent', managehome: true })
    expect((await converge(host, resource)).left).toEqual(inSync)
    expect(host.text('/etc/passwd')).not.toContain('zulip')
    expect(host.text('/etc/shadow')).toBe('root:*:::::::\n')
    expect(host.text('/etc/group')).toBe('root:x:0:\n')
    expect(host.stat('/home/zulip')).toBeUndefined()
  })

  test.each([
    ['belongs to somebody else', { '/home/zulip': { kind: 'directory', uid: 0 } }],
    [
      'is or holds the home of web',
      {
        '/home/zulip': { kind: 'directory', uid: 1000 },
        '/etc/passwd': 'zulip:x:1000:0::/home/zulip:/bin/sh\nweb:x:5:0::/home/zulip/web:/bin/sh\n',
      },
    ],
    ['is not a directory', { '/home/zulip': { target: '/' } }],
  ] as const)('keeps a home that %s', async (reason, files) => {
    const host = tree(files)
    const resource = declared('zulip', { ensure: 'absent', managehome: true })
    const { outcome } = await converge(host, resource)
    expect(outcome?.note).toContain(reason)
    expect(host.stat('/home/zulip')).toBeDefined()
  })

  test('refuses to move a home', async () => {
    const host = tree({ '/home/zulip': { kind: 'directory', uid: 1000 } })
    const failed = converge(host, declared('zulip', { home: '/srv/zulip', managehome: true }))
    await expect(failed).rejects.toThrow('a home can be moved only on the machine itself')
    expect(host.writes).toEqual([])
  })
})
