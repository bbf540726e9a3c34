import { describe, expect, test } from 'vitest'
import { dpkgDivert } from '../../engine/resources/dpkg-divert.ts'
import type { Resource } from '../../engine/resources/type.ts'
import { type FakeHostOptions, fakeHost } from '../support/fake-host.ts'

type Desired = Parameters<typeof dpkgDivert.footprint>[0]['desired']

const diversions = '/bin/sh\n/bin/sh.distrib\ndash\n/etc/tool\n/etc/tool.off\n:\n'

const divert = 'dpkg-divert --quiet'

function declared(desired: Desired, title = '/etc/tool'): Resource<Desired> {
  return { ref: `dpkg_divert[${title}]`, type: 'dpkg_divert', title, desired }
}
function machine(options: FakeHostOptions = {}) {
  return fakeHost({ files: { '/var/lib/dpkg/diversions': diversions }, ...options })
}
async function verdictOn(host: ReturnType<typeof fakeHost>, resource: Resource<Desired>) {
  const [current] = await dpkgDivert.probe([resource], host)
  if (current === undefined) throw new Error('no state')
  return dpkgDivert.diff(resource, current)
}

describe('what is to be done', () => {
  const created = ['ensure', 'absent', 'present']
  test.each<readonly [string, Desired, string, readonly unknown[], readonly string[]]>([
    ['nothing in sync', { divert: '/etc//tool.off' }, '/etc/tool/', [], []],
    ['nothing for a package’s diversion', { package: 'dash' }, '/bin/sh', [], []],
    [
      'a new diversion',
      {},
      '/etc/new',
      [created, ['divert', undefined, '/etc/new.distrib']],
      [`${divert} --local --divert /etc/new.distrib --rename --add /etc/new`],
    ],
    [
      'a new diversion for a package that moves nothing',
      { package: 'zulip', divert: '/etc/x', rename: false },
      '/etc/new',
      [created, ['divert', undefined, '/etc/x']],
      [`${divert} --package zulip --divert /etc/x --no-rename --add /etc/new`],
    ],
    [
      'another name, to which the file goes',
      { divert: '/etc/x' },
      '/etc/tool',
      [['divert', '/etc/tool.off', '/etc/x']],
      [
        'mv -T /etc/tool.off /etc/x',
        `${divert} --local --divert /etc/tool.off --no-rename --remove /etc/tool`,
        `${divert} --local --divert /etc/x --no-rename --add /etc/tool`,
      ],
    ],
    [
      'another name, to which the file does not go',
      { divert: '/etc/x', rename: false },
      '/etc/tool',
      [['divert', '/etc/tool.off', '/etc/x']],
      [
        `${divert} --local --divert /etc/tool.off --no-rename --remove /etc/tool`,
        `${divert} --local --divert /etc/x --no-rename --add /etc/tool`,
      ],
    ],
    [
      'a local diversion for that of a package',
      {},
      '/bin/sh',
      [['package', 'dash', undefined]],
      [
        `${divert} --package dash --divert /bin/sh.distrib --no-rename --remove /bin/sh`,
        `${divert} --local --divert /bin/sh.distrib --no-rename --add /bin/sh`,
      ],
    ],
    [
      'an end of one',
      { ensure: 'absent' },
      '/etc/tool',
      [['ensure', 'present', 'absent']],
      [`${divert} --local --divert /etc/tool.off --rename --remove /etc/tool`],
    ],
    ['nothing where there is none', { ensure: 'absent' }, '/etc/new', [], []],
  ])('is %s', async (_title, desired, title, changes, runs) => {
    const commands = runs.map((run) => [run, ''])
    const files = { '/var/lib/dpkg/diversions': diversions, '/etc/tool.off': 'diverted' }
    const host = machine({ files, commands: Object.fromEntries(commands) })
    const resource = declared(desired, title)
    const verdict = await verdictOn(host, resource)
    if (!('changes' in verdict) || verdict.changes === undefined) throw new Error('no changes')
    expect(verdict.changes.map(({ attribute, from, to }) => [attribute, from, to])).toEqual(changes)
    if (verdict.changes.length > 0) await dpkgDivert.apply(resource, verdict.changes, host)
    expect(host.runs).toEqual(commands.map(([command]) => command))
  })
})

test('a tree without dpkg has no diversions, and one that can’t run commands is left alone', async () => {
  expect(await verdictOn(fakeHost({}), declared({ ensure: 'absent' }))).toEqual({ changes: [] })
  const host = machine({ cannotRun: 'not possible under --root' })
  expect(await verdictOn(host, declared({}))).toEqual({
    changes: [],
    note: 'not possible under --root',
    leftAlone: true,
  })
})

test('check', () => {
  expect(dpkgDivert.check?.(declared({ divert: '/etc/./tool' }))?.attribute).toBe('divert')
  expect(dpkgDivert.check?.(declared({ divert: '/../x' }))?.attribute).toBe('divert')
  expect(dpkgDivert.check?.(declared({}, 'tool'))?.message).toContain('is not an absolute path')
})

test('it comes before what takes the place of the file', () => {
  expect(dpkgDivert.footprint(declared({ divert: '/opt/tool' }))).toEqual({
    after: ['path:/opt'],
    before: ['path:/etc/tool'],
    writes: ['/etc/tool', '/opt/tool'],
  })
})

test('a diverted file is not moved over another', async () => {
  const files = { '/var/lib/dpkg/diversions': diversions, '/etc/tool.off': '', '/etc/x': '' }
  const applied = dpkgDivert.apply(declared({ divert: '/etc/x' }), [], fakeHost({ files }))
  await expect(applied).rejects.toThrow("/etc/tool.off can't be moved to /etc/x, which is there")
})

test('what has taken the place of a file goes, and is kept, when the file comes back', async () => {
  const files = { '/var/lib/dpkg/diversions': diversions, '/etc/tool.off': '', '/etc/tool': '' }
  const command = `${divert} --local --divert /etc/tool.off --rename --remove /etc/tool`
  const host = fakeHost({ files, commands: { [command]: '' } })
  await dpkgDivert.apply(declared({ ensure: 'absent' }), [], host)
  expect(host.writes).toEqual([{ act: 'remove', path: '/etc/tool' }])
  expect(host.runs).toEqual([command])
})
