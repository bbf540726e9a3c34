import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  globSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { Host } from '../../engine/host/host.ts'
import { localHost } from '../../engine/host/local.ts'
import { group } from '../../engine/resources/group.ts'
import type { ResourceType } from '../../engine/resources/type.ts'
import { user } from '../../engine/resources/user.ts'

/*
 * shadow's own tools are the oracle of what account-files.ts writes: the same changes are made in two trees,
 * in one by the files, in the other by the real commands, which see that tree's /etc and /home as their own.
 */

const inTree = 'mount --bind "$0/etc" /etc && mount --bind "$0/home" /home && exec "$@"'
const unshare = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', inTree]
const canUnshare = spawnSync('unshare', ['--mount', 'true']).status === 0
const why = canUnshare ? '' : ' (skipped: mount namespaces are not allowed here)'

const files = {
  'etc/passwd':
    'root:x:0:0:root:/root:/bin/bash\npostgres:x:110:115:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash\nzulip:x:1000:1000::/home/zulip:/bin/bash\n',
  'etc/group':
    'root:x:0:\nadm:x:4:postgres\nssl-cert:x:114:\npostgres:x:115:\nzulip:x:1000:\nold:x:2000:\n',
  'etc/shadow': 'root:*:19000:0:99999:7:::\npostgres:!:19000::::::\nzulip:!:19000::::::\n',
  'etc/gshadow': 'root:*::\nadm:*::postgres\nssl-cert:!::\npostgres:!::\nzulip:!::\nold:!::\n',
  'etc/login.defs': `${readFileSync('/etc/login.defs', 'utf8')}HOME_MODE 0750\n`,
  'etc/default/useradd': '# SHELL=/bin/dash\nSHELL=/bin/sh\n',
  'etc/skel/.profile': '# read at login\n',
  'etc/skel/.config/settings': 'a=b\n',
  'home/zulip/keep': '',
}

const trees: string[] = []
afterEach(() => {
  for (const tree of trees.splice(0)) rmSync(tree, { recursive: true, force: true })
})

function makeTree(): string {
  const tree = mkdtempSync(join(tmpdir(), 'steward-accounts-'))
  trees.push(tree)
  for (const folder of ['etc/default', 'etc/skel/.config', 'home/zulip']) {
    mkdirSync(join(tree, folder), { recursive: true })
  }
  for (const [path, content] of Object.entries(files)) writeFileSync(join(tree, path), content)
  for (const path of ['etc/shadow', 'etc/gshadow']) chmodSync(join(tree, path), 0o640)
  return tree
}

/** A machine whose accounts are those of the tree. */
function machineOf(tree: string): Host {
  const machine = localHost()
  return {
    ...localHost({ root: tree }),
    root: '/',
    cannotRun: undefined,
    run: (argv) => machine.run([...unshare, tree, ...argv]),
  }
}

/** The accounts and homes of a tree, without what only a clock or a default of password ageing tells. */
function stateOf(tree: string) {
  const lines = (path: string) =>
    readFileSync(join(tree, path), 'utf8').trimEnd().split('\n').toSorted()
  const homes = globSync('home/**', { cwd: tree }).toSorted()
  return {
    passwd: lines('etc/passwd'),
    group: lines('etc/group'),
    gshadow: lines('etc/gshadow'),
    shadow: lines('etc/shadow').map((line) => line.split(':').slice(0, 2).join(':')),
    homes: homes.map((path) => {
      const { uid, gid, mode } = lstatSync(join(tree, path))
      return `${path} ${uid}:${gid} ${mode.toString(8)}`
    }),
  }
}

type Step = readonly [ResourceType, string, object]

async function make(host: Host, steps: readonly Step[]): Promise<void> {
  for (const [type, title, desired] of steps) {
    const resource = { ref: `${type.name}[${title}]`, type: type.name, title, desired }
    const [before] = await type.probe([resource], host)
    const verdict = type.diff(resource, before)
    if (!('changes' in verdict)) throw new Error(`${resource.ref} has no changes`)
    await type.apply(resource, verdict.changes ?? [], host)
    const [after] = await type.probe([resource], host)
    expect(type.diff(resource, after)).toEqual({ changes: [] })
  }
}

const present = { ensure: 'present' } as const
const absent = { ensure: 'absent' } as const
const cases: readonly [string, readonly Step[]][] = [
  [
    'a group and its user, with a home',
    [
      [group, 'web', present],
      [
        user,
        'web',
        { ...present, gid: 'web', managehome: true, shell: '/bin/bash', comment: 'The Web' },
      ],
    ],
  ],
  [
    'a user with a group of its own',
    [[user, 'new', { ...present, managehome: true, groups: ['adm', 'ssl-cert'] }]],
  ],
  ['a user whose group was there', [[user, 'old', present]]],
  [
    'a system user and group',
    [
      [group, 'sys', { ...present, system: true }],
      [
        user,
        'sys',
        { ...present, gid: 'sys', system: true, home: '/var/lib/sys', shell: '/usr/sbin/nologin' },
      ],
      [user, 'sys2', { ...present, system: true, home: '/nonexistent', shell: '/bin/false' }],
    ],
  ],
  [
    'numbers as given',
    [
      [group, 'nagios', { ...present, gid: 1050 }],
      [user, 'nagios', { ...present, uid: 1050, gid: 1050, shell: '/bin/sh' }],
      [user, 'next', present],
    ],
  ],
  [
    'groups added and taken',
    [
      [user, 'postgres', { groups: ['ssl-cert', 'zulip'] }],
      [user, 'zulip', { groups: ['adm'], membership: 'inclusive' }],
      [user, 'postgres', { groups: ['zulip'], membership: 'inclusive' }],
    ],
  ],
  [
    'fields changed',
    [
      [
        user,
        'zulip',
        {
          shell: '/bin/sh',
          comment: 'Zulip, the server',
          home: '/srv/zulip',
          uid: 1234,
          gid: 'old',
        },
      ],
    ],
  ],
  [
    'a group with another number and members',
    [
      [group, 'zulip', { gid: 3000, members: ['postgres'] }],
      [group, 'adm', { members: ['zulip'], membership: 'inclusive' }],
      [group, 'adm', { members: [], membership: 'inclusive' }],
    ],
  ],
  [
    'removal',
    [
      [user, 'zulip', { ...absent }],
      [group, 'old', absent],
      [user, 'postgres', absent],
    ],
  ],
]

describe.skipIf(!canUnshare)(`files are written as the tools of shadow do${why}`, () => {
  test.each(cases)('%s', async (_title, steps) => {
    const [byFiles, byTools] = [makeTree(), makeTree()]
    await make(localHost({ root: byFiles }), steps)
    await make(machineOf(byTools), steps)
    expect(stateOf(byFiles)).toEqual(stateOf(byTools))
  })

  test('a home moves with its user, and goes with it', async () => {
    const tree = makeTree()
    const host = machineOf(tree)
    await make(host, [[user, 'zulip', { home: '/home/moved', managehome: true }]])
    expect(host.stat('/home/zulip')).toBeUndefined()
    expect(host.stat('/home/moved/keep')).toBeDefined()
    host.setOwner('/home/moved', { uid: 1000, gid: 1000 })
    await make(host, [[user, 'zulip', { ...absent, managehome: true }]])
    expect(host.stat('/home/moved')).toBeUndefined()
  })
})
