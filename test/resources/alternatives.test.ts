import { describe, expect, test } from 'vitest'
import { alternatives } from '../../engine/resources/alternatives.ts'
import type { Resource } from '../../engine/resources/type.ts'
import { type FakeHostOptions, fakeHost } from '../support/fake-host.ts'

type Desired = Parameters<typeof alternatives.footprint>[0]['desired']

/** As dpkg 1.21 writes it: two names go along, of which one choice has only the first. */
const editor = `manual
/usr/bin/editor
editor.1.gz
/usr/share/man/man1/editor.1.gz
editor.de.1.gz
/usr/share/man/de/man1/editor.1.gz

/bin/nano
40
/usr/share/man/man1/nano.1.gz

/usr/bin/vim
30
/usr/share/man/man1/vim.1.gz
/usr/share/man/de/man1/vim.1.gz

`
function declared(desired: Desired, title = 'editor'): Resource<Desired> {
  return { ref: `alternatives[${title}]`, type: 'alternatives', title, desired }
}
function machine(options: FakeHostOptions = {}) {
  return fakeHost({
    files: {
      '/var/lib/dpkg/alternatives/editor': editor,
      '/etc/alternatives/editor': { target: '/bin/nano' },
    },
    ...options,
  })
}
async function verdictOn(host: ReturnType<typeof fakeHost>, resource: Resource<Desired>) {
  const [current] = await alternatives.probe([resource], host)
  if (current === undefined) throw new Error('no state')
  return alternatives.diff(resource, current)
}

const own = { path: '/opt/ed', link: '/usr/bin/editor', priority: 5 }

describe('what is to be done', () => {
  test.each<readonly [string, Desired, string, readonly unknown[], readonly string[]]>([
    ['nothing in sync', { path: '/bin/nano' }, 'editor', [], []],
    [
      'another choice',
      { path: '/usr/bin/vim' },
      'editor',
      [['path', '/bin/nano', '/usr/bin/vim']],
      ['--set editor /usr/bin/vim'],
    ],
    [
      'the best choice',
      { mode: 'auto' },
      'editor',
      [['mode', 'manual', 'auto']],
      ['--auto editor'],
    ],
    [
      'a new choice',
      own,
      'editor',
      [
        ['ensure', 'absent', 'present'],
        ['path', '/bin/nano', '/opt/ed'],
      ],
      ['--install /usr/bin/editor editor /opt/ed 5', '--set editor /opt/ed'],
    ],
    [
      'a new choice that need not be taken',
      { ...own, mode: 'auto' },
      'editor',
      [
        ['ensure', 'absent', 'present'],
        ['mode', 'manual', 'auto'],
      ],
      ['--install /usr/bin/editor editor /opt/ed 5', '--auto editor'],
    ],
    [
      'another priority',
      { path: '/bin/nano', link: '/usr/bin/editor', priority: 50 },
      'editor',
      [['priority', 40, 50]],
      ['--install /usr/bin/editor editor /bin/nano 50'],
    ],
    [
      'a new name',
      own,
      'ed',
      [
        ['ensure', 'absent', 'present'],
        ['path', undefined, '/opt/ed'],
        ['mode', 'auto', 'manual'],
      ],
      ['--install /usr/bin/editor ed /opt/ed 5', '--set ed /opt/ed'],
    ],
    [
      'a choice less',
      { ensure: 'absent', path: '/bin/nano' },
      'editor',
      [['ensure', 'present', 'absent']],
      ['--remove editor /bin/nano'],
    ],
    ['nothing for what is no choice', { ensure: 'absent', path: '/opt/ed' }, 'editor', [], []],
    ['nothing for what is no name', { ensure: 'absent', path: '/opt/ed' }, 'ed', [], []],
  ])('is %s', async (_title, desired, title, changes, runs) => {
    const commands = runs.map((run) => [`update-alternatives ${run}`, ''])
    const host = machine({
      files: {
        '/var/lib/dpkg/alternatives/editor': editor,
        '/etc/alternatives/editor': { target: '/bin/nano' },
      },
      commands: Object.fromEntries(commands),
    })
    const resource = declared(desired, title)
    const verdict = await verdictOn(host, resource)
    if (!('changes' in verdict) || verdict.changes === undefined) throw new Error('no changes')
    expect(verdict.changes.map(({ attribute, from, to }) => [attribute, from, to])).toEqual(changes)
    if (verdict.changes.length > 0) await alternatives.apply(resource, verdict.changes, host)
    expect(host.runs).toEqual(commands.map(([command]) => command))
  })
})

test('a path that is no choice, and a name that is not there, wait for what brings them', async () => {
  expect(await verdictOn(machine(), declared({ path: '/opt/ed' }))).toMatchObject({
    blocked:
      'alternatives[editor]: /opt/ed is none of the choices, which are /bin/nano, /usr/bin/vim',
  })
  expect(await verdictOn(machine(), declared({ path: '/opt/ed' }, 'ed'))).toMatchObject({
    blocked: 'alternatives[ed]: there are no alternatives ed',
  })
})

test('nothing is done in a tree that can’t run commands', async () => {
  const host = machine({ cannotRun: 'not possible under --root' })
  expect(await verdictOn(host, declared({ path: '/usr/bin/vim' }))).toEqual({
    changes: [],
    note: 'not possible under --root',
    leftAlone: true,
  })
})

test.each<readonly [Desired, string]>([
  [{}, 'path'],
  [{ ensure: 'absent', mode: 'auto' }, 'path'],
  [{ path: '/a', link: '/b' }, 'priority'],
  [{ path: '/a', priority: 1 }, 'link'],
  [{ mode: 'auto', link: '/b', priority: 1 }, 'path'],
])('check refuses %j', (desired, attribute) => {
  expect(alternatives.check?.(declared(desired))?.attribute).toBe(attribute)
})

test('what brings the program comes first', () => {
  expect(alternatives.footprint(declared({ path: '/usr/bin/vim' }))).toEqual({
    after: ['path:/usr/bin/vim'],
    writes: ['/etc/alternatives/editor'],
  })
  expect(alternatives.footprint(declared(own))).toMatchObject({
    needs: ['path:/opt/ed'],
    provides: ['path:/usr/bin/editor'],
  })
})
