import { describe, expect, test } from 'vitest'
import { type PackageDesired, packageType } from '../../engine/resources/package.ts'
import type { ApplyError, Resource, Verdict } from '../../engine/resources/type.ts'
import { aptWorld, type WorldOptions } from '../support/apt-world.ts'
import { type FakeHost, fakeHost } from '../support/fake-host.ts'

function declared(title: string, desired: PackageDesired = {}): Resource<PackageDesired> {
  return { ref: `package[${title}]`, type: 'package', title, desired }
}
async function planAll(
  resources: readonly Resource<PackageDesired>[],
  host: FakeHost | ReturnType<typeof aptWorld>['host'],
) {
  const found = await packageType.probe(resources, host)
  return resources.map((resource, at): Verdict => {
    const current = found[at]
    if (current === undefined) throw new Error('the probe gave too little')
    return packageType.diff(resource, current)
  })
}
async function plan(desired: PackageDesired, options: WorldOptions): Promise<Verdict | undefined> {
  const [verdict] = await planAll([declared('x', desired)], aptWorld(options).host)
  return verdict
}
/** Plans, applies together, and plans again. */
async function converge(resources: readonly Resource<PackageDesired>[], options: WorldOptions) {
  const world = aptWorld(options)
  const verdicts = await planAll(resources, world.host)
  const batch = resources.flatMap((resource, at) => {
    const verdict = verdicts[at]
    const changes = verdict && 'changes' in verdict ? (verdict.changes ?? []) : []
    return changes.length === 0 ? [] : [{ resource, changes }]
  })
  const failures =
    (await packageType.applyTogether?.(batch, world.host)) ?? new Map<string, ApplyError>()
  const acts = world.acts()
  const left = (await planAll(resources, world.host)).map((verdict) =>
    'changes' in verdict ? (verdict.changes ?? []) : [verdict],
  )
  return { world, acts, failures, left: left.flat() }
}
const ensure = (from: string, to: string) => ({ changes: [{ attribute: 'ensure', from, to }] })
const archive = { x: { versions: ['2.0', '1.0'] }, y: { versions: ['1.0'] } }
const at = (version: string, state = 'installed', held = false) => ({ x: { version, state, held } })

describe('check', () => {
  test.each(['nginx', 'g++', 'libstdc++6', 'python3.11', 'libc6:i386', '0ad'])(
    '%s is a name',
    (title) => {
      expect(packageType.check?.(declared(title))).toBeUndefined()
    },
  )
  test.each(['', 'a', 'Nginx', 'nginx*', 'nginx=1.0', '-y', 'a b', 'x/stable'])(
    '"%s" is none',
    (title) => {
      expect(packageType.check?.(declared(title))?.message).toMatch(
        /is no name of a Debian package/,
      )
    },
  )
  test.each<PackageDesired>([{ ensure: 'absent' }, { ensure: 'purged' }, { ensure: 'latest' }])(
    'holding does not go with %j',
    (desired) => {
      expect(packageType.check?.(declared('nginx', { ...desired, hold: true }))?.attribute).toBe(
        'hold',
      )
      expect(packageType.check?.(declared('nginx', { ...desired, hold: false }))).toBeUndefined()
    },
  )
})

describe('footprint', () => {
  test('ensures its name, and comes after repositories', () => {
    expect(packageType.footprint(declared('nosuch:i386'))).toEqual({
      after: ['path:/var/lib/apt/lists'],
      ensures: ['package:nosuch'],
      bringsUnknown: true,
    })
  })
})

describe('probe', () => {
  test('asks nobody when everything is there', async () => {
    const { host } = aptWorld({ archive, status: { x: {}, y: {} } })
    await planAll([declared('x'), declared('y'), declared('z', { ensure: 'absent' })], host)
    expect(host.queries).toEqual([])
  })
  test('asks once about all that is due, and once what that would remove', async () => {
    const { host } = aptWorld({ archive, status: {} })
    await planAll([declared('x'), declared('y', { ensure: 'latest' })], host)
    const options = '-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache='
    expect(host.queries).toEqual([
      `apt-cache ${options} policy x y`,
      `apt-get ${options} --simulate --yes --allow-downgrades --allow-change-held-packages install x y`,
    ])
  })
  test('in a root it reads and asks nobody', async () => {
    const status =
      'Package: y\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\nPackage: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n'
    const host = fakeHost({
      cannotRun: 'not possible under --root',
      files: { '/var/lib/dpkg/status': status },
    })
    expect(await planAll([declared('x'), declared('y')], host)).toEqual([
      { changes: [], note: 'not possible under --root', leftAlone: true },
      { changes: [] },
    ])
    expect(host.asked).toEqual([])
  })
})

describe('diff', () => {
  test('says once of how many packages apt does not know yet', async () => {
    const names = ['one', 'two', 'three']
    const verdicts = await planAll(
      names.map((name) => declared(name)),
      aptWorld({}).host,
    )
    const notes = verdicts.map((verdict) => 'changes' in verdict && verdict.changes?.[0]?.note)
    expect(notes).toEqual([
      'apt does not know it and 2 others yet, and fetches its lists first',
      undefined,
      undefined,
    ])
  })
  test.each<[string, PackageDesired, WorldOptions, object]>([
    ['present, and it is', {}, { status: at('1.0') }, { changes: [] }],
    ['present, and it is not', {}, { archive }, ensure('absent', '2.0')],
    [
      'present, and only its configuration is',
      {},
      { archive, status: at('1.0', 'config-files') },
      ensure('config-files', '2.0'),
    ],
    [
      'present, and apt does not know it',
      {},
      {},
      {
        changes: [
          {
            attribute: 'ensure',
            from: 'absent',
            to: 'present',
            note: 'apt does not know it yet, and fetches its lists first',
          },
        ],
      },
    ],
    [
      'present, and only others provide it',
      {},
      { archive: { x: { versions: [] } } },
      {
        changes: [
          {
            attribute: 'ensure',
            from: 'absent',
            to: 'present',
            note: 'apt has no version of it: others provide it, or its lists are fetched first',
          },
        ],
      },
    ],
    [
      'present, and half there',
      {},
      { archive, status: at('1.0', 'half-configured') },
      {
        changes: [
          {
            attribute: 'ensure',
            from: 'half-configured',
            to: '1.0',
            note: 'dpkg was interrupted and finishes it',
          },
        ],
      },
    ],
    [
      'present, and it waits for a trigger',
      {},
      { status: at('1.0', 'triggers-pending') },
      { changes: [] },
    ],
    ['latest, and it is', { ensure: 'latest' }, { archive, status: at('2.0') }, { changes: [] }],
    [
      'latest, and it is newer',
      { ensure: 'latest' },
      { archive, status: at('2.0+local1') },
      { changes: [] },
    ],
    [
      'latest, and it is older',
      { ensure: 'latest' },
      { archive, status: at('1.0') },
      ensure('1.0', '2.0'),
    ],
    [
      'latest, and it is held',
      { ensure: 'latest' },
      { archive, status: at('1.0', 'installed', true) },
      { changes: [], note: 'held here at 1.0; apt offers 2.0' },
    ],
    ['a version that it has', { ensure: '0:1.0-0' }, { status: at('1.0') }, { changes: [] }],
    ['an older version', { ensure: '1.0' }, { archive, status: at('2.0') }, ensure('2.0', '1.0')],
    [
      'a version of one that is held',
      { ensure: '2.0' },
      { archive, status: at('1.0', 'installed', true) },
      { blocked: 'package[x] is held here at 1.0' },
    ],
    [
      'absent, and it is',
      { ensure: 'absent' },
      { status: at('1.0', 'config-files') },
      { changes: [] },
    ],
    [
      'absent, and it is there',
      { ensure: 'absent' },
      { status: at('1.0') },
      ensure('1.0', 'absent'),
    ],
    [
      'absent, and it is held',
      { ensure: 'absent' },
      { status: at('1.0', 'installed', true) },
      { blocked: 'package[x] is held here at 1.0' },
    ],
    [
      'purged, and only its configuration is there',
      { ensure: 'purged' },
      { status: at('1.0', 'config-files') },
      ensure('config-files', 'purged'),
    ],
    ['purged, and nothing is there', { ensure: 'purged' }, {}, { changes: [] }],
    [
      'hold',
      { hold: true },
      { status: at('1.0') },
      { changes: [{ attribute: 'hold', from: false, to: true }] },
    ],
    [
      'hold, and not there',
      { hold: true },
      { archive },
      {
        changes: [...ensure('absent', '2.0').changes, { attribute: 'hold', from: false, to: true }],
      },
    ],
    [
      'no hold, and held',
      { hold: false, ensure: '2.0' },
      { archive, status: at('1.0', 'installed', true) },
      { changes: [...ensure('1.0', '2.0').changes, { attribute: 'hold', from: true, to: false }] },
    ],
  ])('%s', async (_title, desired, options, verdict) => {
    const found = await plan(desired, options)
    if ('blocked' in verdict) expect(found).toMatchObject(verdict)
    else expect(found).toEqual(verdict)
  })
  test('a virtual package is present when an installed one provides it', async () => {
    const status =
      'Package: postfix\nStatus: install ok installed\nArchitecture: amd64\nProvides: mail-transport-agent\nVersion: 1\n'
    const host = fakeHost({ files: { '/var/lib/dpkg/status': status } })
    expect(await planAll([declared('mail-transport-agent')], host)).toEqual([
      { changes: [], note: 'postfix provides it' },
    ])
  })
  test('what apt would remove besides is told once', async () => {
    const world = { x: { versions: ['2.0'], conflicts: 'z' }, y: { versions: ['1.0'] } }
    const { host } = aptWorld({ archive: world, status: { z: {} } })
    const verdicts = await planAll([declared('x'), declared('y')], host)
    expect(verdicts).toEqual([
      { changes: [{ ...ensure('absent', '2.0').changes[0], note: 'apt also removes z' }] },
      ensure('absent', '1.0'),
    ])
  })
})

describe('applyTogether', () => {
  test('installs and removes all in one transaction, and leaves nothing to do', async () => {
    const resources = [
      declared('x', { ensure: '1.0' }),
      declared('y'),
      declared('z', { ensure: 'absent' }),
    ]
    const { world, acts, failures, left } = await converge(resources, {
      archive,
      status: { z: {} },
    })
    expect(acts).toEqual(['install x=1.0 y z-'])
    expect(world.installed()).toEqual({
      x: '1.0 installed',
      y: '1.0 installed',
      z: '1.0 config-files',
    })
    expect([...failures]).toEqual([])
    expect(left).toEqual([])
  })
  test('keeps edited configuration, asks nobody, waits for the lock', async () => {
    const { world } = await converge([declared('x')], { archive })
    const ran = world.host.asked.find(({ options }) => options.timeoutMs !== undefined)
    expect(ran?.argv.join(' ')).toBe(
      'apt-get --quiet --yes -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold --install-recommends install x',
    )
    expect(ran).toMatchObject({
      options: {
        environment: {
          DEBIAN_FRONTEND: 'noninteractive',
          NEEDRESTART_MODE: 'l',
          UCF_FORCE_CONFFOLD: '1',
        },
      },
    })
  })
  test('one transaction for each set of options', async () => {
    const resources = [
      declared('x', { config_files: 'new', install_recommends: false }),
      declared('y'),
    ]
    const { world, left } = await converge(resources, { archive })
    const installs = world.host.runs.filter((run) => / install /.test(run))
    expect(installs.map((run) => run.replace(/^.*Timeout=300 /, ''))).toEqual([
      '-o Dpkg::Options::=--force-confnew --no-install-recommends install x',
      '-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold --install-recommends install y',
    ])
    expect(left).toEqual([])
  })
  test('purges only what is to be purged, after the transaction', async () => {
    const resources = [
      declared('x'),
      declared('z', { ensure: 'purged' }),
      declared('w', { ensure: 'absent' }),
    ]
    const { world, acts, left } = await converge(resources, { archive, status: { z: {}, w: {} } })
    expect(acts).toEqual(['install x z- w-', 'purge z'])
    expect(world.installed()).toEqual({ x: '2.0 installed', w: '1.0 config-files' })
    expect(left).toEqual([])
  })
  test('goes down only where a version says so', async () => {
    const { world, left } = await converge([declared('x', { ensure: '1.0' })], {
      archive,
      status: at('2.0'),
    })
    expect(world.host.runs.at(-1)).toMatch(/--allow-downgrades install x=1\.0$/)
    expect(left).toEqual([])
  })
  test('holds after and lets go before', async () => {
    const resources = [declared('x', { ensure: '2.0', hold: false }), declared('y', { hold: true })]
    const { acts, left } = await converge(resources, {
      archive,
      status: at('1.0', 'installed', true),
    })
    expect(acts).toEqual(['apt-mark unhold x', 'install x=2.0 y', 'apt-mark hold y'])
    expect(left).toEqual([])
  })
  test('goes through a hold that is its own', async () => {
    const resources = [declared('x', { ensure: '2.0', hold: true })]
    const { world, left } = await converge(resources, {
      archive,
      status: at('1.0', 'installed', true),
    })
    expect(world.host.runs.at(-1)).toMatch(/--allow-change-held-packages install x=2\.0$/)
    expect(world.installed()).toEqual({ x: '2.0 installed held' })
    expect(left).toEqual([])
  })

  describe('apt-get update', () => {
    test('runs where there are no lists', async () => {
      const { acts, left } = await converge([declared('x')], { archive, lists: {} })
      expect(acts).toEqual(['update', 'install x'])
      expect(left).toEqual([])
    })
    test('runs where a source changed since', async () => {
      const later = { content: '', mtimeMs: 1_800_000_000_000 }
      const changed = await converge([declared('x')], {
        archive,
        files: { '/etc/apt/sources.list.d/new.sources': later },
      })
      expect(changed.acts).toEqual(['update', 'install x'])
    })
    test('runs where apt does not know a name or a version', async () => {
      const lists = { y: { versions: ['1.0'] }, x: { versions: ['1.0'] } }
      const resources = [declared('x', { ensure: '2.0' }), declared('y')]
      const { acts, left } = await converge(resources, { archive, lists })
      expect(acts).toEqual(['update', 'install x=2.0 y'])
      expect(left).toEqual([])
    })
    test('runs where the archive has moved on', async () => {
      const { acts, left } = await converge([declared('x')], {
        archive,
        lists: { x: { versions: ['0.9'] } },
      })
      expect(acts).toEqual(['install x', 'update', 'install x'])
      expect(left).toEqual([])
    })
    test('does not run for a removal', async () => {
      const { acts } = await converge([declared('x', { ensure: 'absent' })], { status: at('1.0') })
      expect(acts).toEqual(['install x-'])
    })
  })

  describe('when something fails', () => {
    const messages = (failures: ReadonlyMap<string, ApplyError>) =>
      Object.fromEntries([...failures].map(([ref, { message }]) => [ref, message]))

    test('an unknown package is reported and the others are installed', async () => {
      const { world, acts, failures } = await converge([declared('nosuch'), declared('x')], {
        archive,
      })
      expect(acts).toEqual(['update', 'install x'])
      expect(messages(failures)).toEqual({
        'package[nosuch]': 'package[nosuch]: apt knows no package nosuch',
      })
      expect(world.installed()).toEqual({ x: '2.0 installed' })
    })
    test('lists that could not be fetched are named as the cause', async () => {
      const updateFails = 'E: Failed to fetch http://x/InRelease  Could not connect\n'
      const { failures } = await converge([declared('nosuch')], { archive, updateFails })
      expect(failures.get('package[nosuch]')?.ran).toMatchObject({
        exit: 'exit code 100',
        output: updateFails.trim(),
      })
    })
    test('an unknown version is reported with those that are known', async () => {
      const { failures } = await converge([declared('x', { ensure: '3.0' })], { archive })
      expect(failures.get('package[x]')).toMatchObject({
        message: 'package[x]: apt offers no version 3.0 of x',
        help: 'choose one that it offers: 2.0, 1.0',
      })
    })
    test('one that dpkg can not configure is reported and the others are done', async () => {
      const broken = { ...archive, bad: { versions: ['1'], broken: 'its port is taken' } }
      const { world, failures } = await converge([declared('x'), declared('bad'), declared('y')], {
        archive: broken,
      })
      expect(messages(failures)).toEqual({
        'package[bad]':
          'package[bad]: bad could not be installed: dpkg: error processing package bad (--configure): installed bad package post-installation script subprocess returned error exit status 1',
      })
      expect(failures.get('package[bad]')?.ran?.output.split('\n')).toEqual([
        'Setting up bad (1) ...',
        'bad: its port is taken',
        'dpkg: error processing package bad (--configure):',
        ' installed bad package post-installation script subprocess returned error exit status 1',
        'E: Sub-process /usr/bin/dpkg returned an error code (1)',
      ])
      expect(world.installed()).toMatchObject({ x: '2.0 installed', y: '1.0 installed' })
    })
    test('one whose dependencies can not be had is found, and the others are installed', async () => {
      const unmet = { ...archive, far: { versions: ['1'], depends: 'libfar' } }
      const { world, failures } = await converge([declared('far'), declared('x')], {
        archive: unmet,
      })
      expect(messages(failures)).toEqual({
        'package[far]':
          'package[far]: far could not be installed: Depends: libfar but it is not installable',
      })
      expect(failures.get('package[far]')?.ran?.output).toMatch(
        /Depends: libfar but it is not installable/,
      )
      expect(world.installed()).toEqual({ x: '2.0 installed' })
    })
    test('an interrupted dpkg is finished first', async () => {
      const status = { y: { state: 'half-configured' } }
      const { acts, left } = await converge([declared('x'), declared('y')], { archive, status })
      expect(acts[0]).toBe('dpkg --force-confdef --force-confold --configure --pending')
      expect(left).toEqual([])
    })
    test('an upgrade that did not happen is a failure although an older version is there', async () => {
      const stuck = { x: { versions: ['2.0'], depends: 'libnew' } }
      const { failures } = await converge([declared('x', { ensure: 'latest' })], {
        archive: stuck,
        status: at('1.0'),
      })
      expect([...failures.keys()]).toEqual(['package[x]'])
    })
  })
})

describe('apply', () => {
  test('of one alone throws its failure', async () => {
    const { host } = aptWorld({ archive })
    const change = { attribute: 'ensure', from: 'absent', to: 'present' }
    await expect(packageType.apply(declared('nosuch'), [change], host)).rejects.toThrow(
      'apt knows no package nosuch',
    )
    await packageType.apply(declared('x'), [change], host)
    expect(host.runs.at(-1)).toMatch(/ install x$/)
  })
  test('is refused where nothing can run', async () => {
    const host = fakeHost({ cannotRun: 'not possible under --root' })
    await expect(packageType.apply(declared('x'), [], host)).rejects.toThrow(
      'not possible under --root',
    )
  })
})
