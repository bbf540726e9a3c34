import { describe, expect, test } from 'vitest'
import { service } from '../../engine/resources/service.ts'
import type { ServiceDesired } from '../../engine/resources/service-acts.ts'
import { ApplyError, type Resource } from '../../engine/resources/type.ts'
import { type FakeHostOptions, fakeHost } from '../support/fake-host.ts'

const query =
  'systemctl show --property=Id,LoadState,LoadError,ActiveState,SubState,UnitFileState,NeedDaemonReload,Type,SourcePath,InactiveExitTimestampMonotonic,InvocationID,MainPID --'

/** Recorded on Debian 12 with systemd 252: one block a unit, some lines first that belong to services only. */
function show(values: Readonly<Record<string, string>>): string {
  const usual = {
    Type: 'notify',
    Id: 'x.service',
    LoadState: 'loaded',
    ActiveState: 'active',
    SubState: 'running',
    SourcePath: '',
    UnitFileState: 'enabled',
    NeedDaemonReload: 'no',
    LoadError: '',
    InactiveExitTimestampMonotonic: '5000000',
    InvocationID: 'first',
    MainPID: '7',
  }
  const lines = Object.entries({ ...usual, ...values }).map(([name, value]) => `${name}=${value}`)
  return `${lines.join('\n')}\n`
}
const dead = { ActiveState: 'inactive', SubState: 'dead' }
const missing = {
  ...dead,
  Type: '',
  LoadState: 'not-found',
  UnitFileState: '',
  LoadError: 'org.freedesktop.systemd1.NoSuchUnit "Unit x.service not found."',
}
const masked = {
  ...dead,
  Type: '',
  LoadState: 'masked',
  UnitFileState: 'masked',
  LoadError: 'org.freedesktop.systemd1.UnitMasked "Unit x.service is masked."',
}
const bad = {
  ...dead,
  LoadState: 'bad-setting',
  UnitFileState: 'static',
  LoadError:
    'org.freedesktop.systemd1.BadUnitSetting "Unit x.service has a bad unit file setting."',
}
const looping = { Type: 'simple', ActiveState: 'activating', SubState: 'auto-restart' }
const script = {
  Type: 'forking',
  SubState: 'exited',
  SourcePath: '/etc/init.d/x',
  UnitFileState: 'generated',
}

function declared(desired: ServiceDesired, title = 'x'): Resource<ServiceDesired> {
  return { ref: `service[${title}]`, type: 'service', title, desired }
}
async function plan(
  desired: ServiceDesired,
  unit: Readonly<Record<string, string>>,
  options: FakeHostOptions = {},
) {
  const resource = declared(desired)
  const host = fakeHost({ ...options, commands: { [`${query} x.service`]: show(unit) } })
  const [current] = await service.probe([resource], host)
  if (current === undefined) throw new Error('the probe gave nothing')
  return service.diff(resource, current)
}

describe('check', () => {
  test.each([
    'nginx',
    'apt-daily.timer',
    'postgresql@15-main',
    'systemd-fsck@dev-disk\\x2d1.service',
  ])('%s is a unit', (title) => expect(service.check?.(declared({}, title))).toBeUndefined())
  test.each(['', 'a b', 'postgresql@', 'postgresql@.service', '/etc/x', 'a*'])(
    '"%s" is none',
    (title) =>
      expect(service.check?.(declared({}, title))?.message).toMatch(/is no name of a unit/),
  )
  test('nothing runs while it is masked', () => {
    expect(service.check?.(declared({ enable: 'mask', ensure: 'running' }))).toBeDefined()
    expect(service.check?.(declared({ enable: 'mask', ensure: 'stopped' }))).toBeUndefined()
  })
})

describe('footprint', () => {
  test('needs its unit, after the template and the file that may make it', () => {
    expect(service.footprint(declared({ ensure: 'running' }, 'postgresql@15-main'))).toMatchObject({
      needs: ['unit:postgresql@15-main.service'],
      after: ['unit:postgresql@.service', 'path:/etc/systemd/system/postgresql@15-main.service'],
    })
  })
  test('does without a unit that is only to be stopped, and comes before it when it is masked', () => {
    const stopped = service.footprint(declared({ ensure: 'stopped', enable: false }))
    expect(stopped.needs).toBeUndefined()
    expect(stopped.after).toContain('unit:x.service')
    expect(service.footprint(declared({ enable: 'mask' })).after).toEqual([])
  })
  test('reads what it restarts and reloads on, and its own unit', () => {
    const { reads } = service.footprint(
      declared({ restart_on: ['/etc/x/**'], reload_on: ['file[/y]'] }),
    )
    expect(reads).toEqual([
      { on: '/etc/systemd/system/x.service', by: 'restart' },
      { on: '/etc/systemd/system/x.service.d/**', by: 'restart' },
      { on: '/etc/x/**', by: 'restart' },
      { on: 'file[/y]', by: 'reload' },
    ])
  })
})

describe('probe', () => {
  test('asks for all units with one query, in the order given, aliases too', async () => {
    const units = [
      declared({ ensure: 'running' }, 'redis'),
      declared({ ensure: 'running' }, 'nosuch'),
      declared({ ensure: 'running' }, 'apt-daily.timer'),
    ]
    const answer = [
      show({ Id: 'redis-server.service' }),
      show({ ...missing, Id: 'nosuch.service' }),
      // A timer has no Type.
      show({ Id: 'apt-daily.timer', SubState: 'waiting' }).replace(/^Type=.*\n/, ''),
    ].join('\n')
    const host = fakeHost({
      commands: { [`${query} redis.service nosuch.service apt-daily.timer`]: answer },
    })
    const found = await service.probe(units, host)
    expect(host.queries).toHaveLength(1)
    expect(
      found.map((each) => 'unit' in each && [each.unit.id, each.unit.load, each.unit.sub]),
    ).toEqual([
      ['redis-server.service', 'loaded', 'running'],
      ['nosuch.service', 'not-found', 'dead'],
      ['apt-daily.timer', 'loaded', 'waiting'],
    ])
  })
  test('says what systemd says when it does not answer', async () => {
    const down = { exitCode: 1, stderr: 'Failed to connect to bus: Host is down\n' }
    const host = fakeHost({ commands: { [`${query} x.service`]: down } })
    expect(await service.probe([declared({})], host)).toEqual([
      { unavailable: 'systemd does not answer: Failed to connect to bus: Host is down' },
    ])
  })
})

describe('diff', () => {
  const running = { ensure: 'running' } as const
  const change = (attribute: string, from: unknown, to: unknown) => ({ attribute, from, to })

  test.each<[string, ServiceDesired, Readonly<Record<string, string>>, object]>([
    ['in sync', { ensure: 'running', enable: true }, {}, { changes: [] }],
    ['nothing declared', {}, dead, { changes: [] }],
    ['reloading is running', running, { ActiveState: 'reloading' }, { changes: [] }],
    ['a stopped one', running, dead, { changes: [change('ensure', 'stopped', 'running')] }],
    [
      'one that failed',
      running,
      { ActiveState: 'failed' },
      { changes: [change('ensure', 'failed', 'running')] },
    ],
    [
      'one that fails again and again',
      running,
      looping,
      { changes: [change('ensure', 'restarting in a loop', 'running')] },
    ],
    [
      'one that is starting',
      running,
      { ActiveState: 'activating', SubState: 'start' },
      { changes: [], note: 'it is starting' },
    ],
    [
      'one to stop',
      { ensure: 'stopped' },
      {},
      { changes: [change('ensure', 'running', 'stopped')] },
    ],
    [
      'one that failed and is to be stopped',
      { ensure: 'stopped' },
      { ActiveState: 'failed' },
      { changes: [change('ensure', 'failed', 'stopped')] },
    ],
    [
      'a disabled one',
      { enable: true },
      { UnitFileState: 'disabled' },
      { changes: [change('enable', false, true)] },
    ],
    [
      'one enabled until the next boot',
      { enable: true },
      { UnitFileState: 'enabled-runtime' },
      { changes: [change('enable', false, true)] },
    ],
    ['an enabled one', { enable: false }, {}, { changes: [change('enable', true, false)] }],
    [
      'a masked one to enable',
      { enable: true, ensure: 'running' },
      masked,
      { changes: [change('enable', 'mask', true), change('ensure', 'stopped', 'running')] },
    ],
    ['a masked one to disable', { enable: false }, masked, { changes: [] }],
    ['one to mask', { enable: 'mask' }, {}, { changes: [change('enable', true, 'mask')] }],
    [
      'a missing one to mask',
      { enable: 'mask', ensure: 'stopped' },
      missing,
      { changes: [change('enable', false, 'mask')] },
    ],
    ['a missing one to stop', { enable: false, ensure: 'stopped' }, missing, { changes: [] }],
    [
      'a static one to enable',
      { enable: true },
      { UnitFileState: 'static' },
      { changes: [], note: 'static: other units start it, there is nothing to enable' },
    ],
    ['a static one to disable', { enable: false }, { UnitFileState: 'static' }, { changes: [] }],
    [
      'a static one to mask',
      { enable: 'mask' },
      { UnitFileState: 'static' },
      { changes: [change('enable', 'static', 'mask')] },
    ],
    [
      'a changed unit file',
      {},
      { NeedDaemonReload: 'yes' },
      { changes: [], note: 'its unit file changed since systemd read it' },
    ],
    ['a missing unit', running, missing, { blocked: 'service[x]: there is no unit x.service' }],
    [
      'a broken unit',
      running,
      bad,
      { blocked: "service[x]: systemd can't load it: Unit x.service has a bad unit file setting." },
    ],
    ['a masked one to run', running, masked, { blocked: 'service[x]: the unit is masked' }],
  ])('%s', async (_title, desired, unit, verdict) => {
    expect(await plan(desired, unit)).toMatchObject(verdict)
  })
  test('an init script is enabled when a run level starts it', async () => {
    const link = {
      '/etc/rc3.d/S01x': { target: '../init.d/x' },
      '/etc/rc2.d/K01x': { target: '../init.d/x' },
    }
    expect(await plan({ enable: true }, script, { files: link })).toEqual({ changes: [] })
    expect(await plan({ enable: true }, script)).toEqual({
      changes: [change('enable', false, true)],
    })
  })
  test('without systemd the state is unknown', async () => {
    expect(await plan(running, {}, { hasSystemd: false })).toEqual({
      unknown: 'systemd does not run here',
    })
  })
  test('in a root nothing is done', async () => {
    const verdict = await plan(
      running,
      {},
      { hasSystemd: false, cannotRun: 'not possible under --root' },
    )
    expect(verdict).toEqual({ changes: [], note: 'not possible under --root', leftAlone: true })
  })
})

/** A unit whose answers change with what is done to it. */
function machine(
  start: Readonly<Record<string, string>>,
  more: FakeHostOptions['commands'] = {},
  files: FakeHostOptions['files'] = {},
) {
  let unit = start
  const becomes = (values: Readonly<Record<string, string>>) => () => {
    unit = { ...unit, ...values }
    return ''
  }
  const up = { ActiveState: 'active', SubState: 'running' }
  const host = fakeHost({
    files,
    commands: {
      [`${query} x.service`]: () => show(unit),
      'systemctl start -- x.service': becomes(up),
      'systemctl restart -- x.service': becomes(up),
      'systemctl reload-or-restart -- x.service': becomes(up),
      'systemctl stop -- x.service': becomes(dead),
      'systemctl enable -- x.service': becomes({ UnitFileState: 'enabled' }),
      'systemctl disable -- x.service': becomes({ UnitFileState: 'disabled' }),
      'systemctl mask -- x.service': becomes({ LoadState: 'masked', UnitFileState: 'masked' }),
      'systemctl unmask -- x.service': becomes({
        LoadState: 'loaded',
        UnitFileState: 'disabled',
        LoadError: '',
      }),
      'systemctl daemon-reload': becomes({ NeedDaemonReload: 'no' }),
      'systemctl reset-failed -- x.service': becomes(dead),
      'journalctl --unit x.service --no-pager --lines=20': 'x[1]: bad configuration\n',
      ...more,
    },
  })
  const act = async (desired: ServiceDesired) => {
    const resource = declared(desired)
    const [before] = await service.probe([resource], host)
    const verdict = before && service.diff(resource, before)
    if (!(verdict && 'changes' in verdict)) throw new Error('nothing to apply')
    await service.apply(resource, verdict.changes ?? [], host)
    const [after] = await service.probe([resource], host)
    return after && service.diff(resource, after)
  }
  return { host, act }
}

describe('apply', () => {
  test.each<[string, ServiceDesired, Readonly<Record<string, string>>, string[]]>([
    ['starts', { ensure: 'running' }, dead, ['start -- x.service']],
    [
      'enables, then starts',
      { ensure: 'running', enable: true },
      { ...dead, UnitFileState: 'disabled' },
      ['enable -- x.service', 'start -- x.service'],
    ],
    [
      'stops, then disables',
      { ensure: 'stopped', enable: false },
      {},
      ['stop -- x.service', 'disable -- x.service'],
    ],
    [
      'stops, then masks',
      { ensure: 'stopped', enable: 'mask' },
      {},
      ['stop -- x.service', 'mask -- x.service'],
    ],
    [
      'unmasks first',
      { ensure: 'running', enable: true },
      masked,
      ['unmask -- x.service', 'enable -- x.service', 'start -- x.service'],
    ],
    [
      'has systemd read a changed unit first',
      { ensure: 'running' },
      { ...dead, NeedDaemonReload: 'yes' },
      ['daemon-reload', 'start -- x.service'],
    ],
    [
      'clears a failure first',
      { ensure: 'running' },
      { ActiveState: 'failed' },
      ['reset-failed -- x.service', 'start -- x.service'],
    ],
  ])('%s, and is in sync then', async (_title, desired, unit, acts) => {
    const { host, act } = machine(unit)
    expect(await act(desired)).toEqual({ changes: [] })
    expect(host.runs).toEqual(acts.map((text) => `systemctl ${text}`))
  })
  test('enables the unit itself where it is named by an alias', async () => {
    const { host, act } = machine(
      { Id: 'real.service', UnitFileState: 'disabled' },
      { 'systemctl enable -- real.service': '' },
    )
    await act({ enable: true })
    expect(host.runs).toEqual(['systemctl enable -- real.service'])
  })
  test('waits until it has started', async () => {
    let looks = 0
    const host = fakeHost({
      commands: {
        [`${query} x.service`]: () =>
          show(looks++ < 2 ? { ActiveState: 'activating', SubState: 'start' } : {}),
        'systemctl start -- x.service': '',
      },
    })
    await service.apply(
      declared({ ensure: 'running' }),
      [{ attribute: 'ensure', from: 'stopped', to: 'running' }],
      host,
    )
    expect(looks).toBe(3)
  })
  test('looks twice at a program that can not say that it is ready', async () => {
    const { act } = machine({ ...dead, Type: 'simple' }, { [`${query} x.service`]: dying() })
    await expect(act({ ensure: 'running' })).rejects.toThrow('it is failed (failed)')
  })
  test('one that ends and is started again by systemd has not started', async () => {
    const states = [dead, dead, {}, { InvocationID: 'second' }]
    const { act } = machine(
      { ...dead, Type: 'simple' },
      { [`${query} x.service`]: () => show({ Type: 'simple', ...(states.shift() ?? dead) }) },
    )
    await expect(act({ ensure: 'running' })).rejects.toThrow(
      'it ended, and systemd started it again',
    )
  })
  test('waits for one that still computes', async () => {
    let looks = 0
    const stat = (state: string) => ({ content: `7 (x (y)) ${state} 1 7 7\n` })
    const host = fakeHost({
      files: { '/proc/7/stat': stat('R') },
      commands: {
        [`${query} x.service`]: () => {
          if (++looks === 5) host.put('/proc/7/stat', stat('S'))
          return show({ Type: 'simple', ...(looks === 1 ? dead : {}) })
        },
        'systemctl start -- x.service': '',
      },
    })
    const changes = [{ attribute: 'ensure', from: 'stopped', to: 'running' }]
    await service.apply(declared({ ensure: 'running' }), changes, host)
    expect(looks).toBe(5)
  })
  test('a failed start tells what the journal has', async () => {
    const { act } = machine(dead, {
      'systemctl start -- x.service': {
        exitCode: 1,
        stderr: 'Job for x.service failed.\nSee "journalctl".\n',
      },
    })
    const error = await act({ ensure: 'running' }).catch((e) => e)
    expect(error).toBeInstanceOf(ApplyError)
    expect(error.message).toBe(
      'service[x]: `systemctl start -- x.service` failed: Job for x.service failed.',
    )
    expect(error.help).toBe('journalctl --unit x.service')
    expect(error.ran).toMatchObject({
      argv: ['systemctl', 'start', '--', 'x.service'],
      exit: 'exit code 1',
      output: 'Job for x.service failed.\nSee "journalctl".\nx[1]: bad configuration',
    })
  })
  test('is refused without systemd', async () => {
    const host = fakeHost({ hasSystemd: false })
    const changes = [{ attribute: 'ensure', from: 'stopped', to: 'running' }]
    const applying = service.apply(declared({ ensure: 'running' }), changes, host)
    await expect(applying).rejects.toThrow("service[x] can't be changed: systemd does not run here")
  })
})

/** Stopped; then up at the first look after its start, and gone at the next. */
function dying(): () => string {
  const states = [dead, dead, {}, { ActiveState: 'failed', SubState: 'failed' }]
  return () => show({ Type: 'simple', ...(states.shift() ?? dead) })
}

describe('refresh', () => {
  const refresh = (
    by: 'refresh' | 'reload' | 'restart',
    desired: ServiceDesired,
    at = machine({}),
  ) =>
    service
      .refresh?.(declared(desired), by, at.host)
      .then((outcome) => ({ outcome, runs: at.host.runs }))

  test.each([
    ['refresh', 'systemctl restart -- x.service'],
    ['restart', 'systemctl restart -- x.service'],
    ['reload', 'systemctl reload-or-restart -- x.service'],
  ] as const)('by %s', async (by, command) => {
    expect((await refresh(by, { ensure: 'running' }))?.runs).toEqual([command])
  })
  test('runs the commands that are given in place of these', async () => {
    const desired = {
      ensure: 'running',
      restart: ['own', 'restart'],
      reload: ['own', 'reload'],
    } as const
    const commands = { 'own restart': 'done\n', 'own reload': '' }
    expect(await refresh('restart', desired, machine({}, commands))).toEqual({
      outcome: { output: 'done' },
      runs: ['own restart'],
    })
    expect((await refresh('reload', desired, machine({}, commands)))?.runs).toEqual(['own reload'])
  })
  test('leaves a stopped one stopped', async () => {
    const to = await refresh('restart', { ensure: 'stopped' })
    expect(to).toEqual({
      outcome: { idle: true, note: 'it is to be stopped, so it is not restarted' },
      runs: [],
    })
    const is = await refresh('restart', {}, machine(dead))
    expect(is).toEqual({
      outcome: { idle: true, note: 'it does not run, so it is not restarted' },
      runs: [],
    })
  })
  test('leaves one alone that was started after the change', async () => {
    const refreshed = (at: ReturnType<typeof machine>, madeAt?: number) =>
      service
        .refresh?.(declared({ ensure: 'running' }), 'restart', at.host, madeAt)
        .then((outcome) => ({ outcome, runs: at.host.runs }))
    expect(await refreshed(machine({}), 4_999_999)).toEqual({
      outcome: { idle: true, note: 'it was started after what it reads was changed' },
      runs: [],
    })
    const restarted = { outcome: undefined, runs: ['systemctl restart -- x.service'] }
    expect(await refreshed(machine({}), 5_000_000)).toEqual(restarted)
    expect(await refreshed(machine({}))).toEqual(restarted)
    const never = machine({ InactiveExitTimestampMonotonic: '0' })
    expect(await refreshed(never, 1)).toEqual(restarted)
  })
  test('has systemd read a changed unit first', async () => {
    const done = await refresh('restart', {}, machine({ NeedDaemonReload: 'yes' }))
    expect(done?.runs).toEqual(['systemctl daemon-reload', 'systemctl restart -- x.service'])
  })
  test('has systemd read drop-ins that it may not have seen', async () => {
    const files = { '/etc/systemd/system/x.service.d/limits.conf': '' }
    const done = await refresh('restart', {}, machine({}, {}, files))
    expect(done?.runs).toEqual(['systemctl daemon-reload', 'systemctl restart -- x.service'])
  })
  test('fails when it does not come back, also when systemctl is content', async () => {
    const at = machine({}, { 'own restart': '' })
    const gone = machine(
      {},
      { [`${query} x.service`]: show({ ActiveState: 'failed', SubState: 'failed' }) },
    )
    await expect(
      refresh('restart', { restart: ['own', 'restart'], ensure: 'running' }, at),
    ).resolves.toBeDefined()
    await expect(refresh('restart', { ensure: 'running' }, gone)).rejects.toThrow(
      'service[x]: `systemctl restart -- x.service` failed: it is failed (failed)',
    )
  })
})

describe('recover', () => {
  const recovered = async (by: 'reload' | 'restart', at: ReturnType<typeof machine>) => {
    const outcome = await service.recover?.(declared({}), by, at.host, 0)
    return { ...outcome, runs: at.host.runs }
  }
  test('leaves what still runs after a restart, and has it read again after a reload', async () => {
    expect(await recovered('restart', machine({}))).toEqual({ isAnew: false, runs: [] })
    expect(await recovered('reload', machine({}))).toEqual({
      isAnew: true,
      runs: ['systemctl reload-or-restart -- x.service'],
    })
  })
  test.each(['restart', 'reload'] as const)('starts again what has ended by a %s', async (by) => {
    expect(await recovered(by, machine(dead))).toEqual({
      isAnew: true,
      runs: ['systemctl restart -- x.service'],
    })
  })
})
