import { describe, expect, test } from 'vitest'
import { supervisorProgram } from '../../engine/resources/supervisor-program.ts'
import { ApplyError, type Resource } from '../../engine/resources/type.ts'
import { type FakeHostOptions, fakeHost } from '../support/fake-host.ts'

type Desired = Parameters<typeof supervisorProgram.footprint>[0]['desired']

/** Recorded on Debian 12 with supervisor 4.2.5: exit code 3 as soon as one does not run. */
const status = {
  exitCode: 3,
  stdout: `zulip-django                     RUNNING   pid 812, uptime 0:00:04
zulip-katex                      STOPPED   Not started
zulip-tornado                    STARTING
zulip-tus                        FATAL     can't find command '/srv/tusd'
zulip-workers:events_digest      RUNNING   pid 813, uptime 0:00:04
zulip-workers:events_mail        BACKOFF   Exited too quickly (process log may have details)
zulip-workers:events_user        EXITED    Nov 22 02:10 PM
`,
}
const down = { exitCode: 4, stdout: 'unix:///var/run/supervisor.sock no such file\n' }
const tree = '/home/zulip/deployments/current'

function declared(title: string, desired: Desired): Resource<Desired> {
  return { ref: `supervisor_program[${title}]`, type: 'supervisor_program', title, desired }
}
function machine(options: FakeHostOptions = {}) {
  return fakeHost({ ...options, commands: { 'supervisorctl status': status, ...options.commands } })
}
/** What it wrote: to the one log only, for its errors have none. */
function logs(name: string) {
  return {
    [`supervisorctl tail ${name} stdout`]: 'begins\nis wrong\n',
    [`supervisorctl tail ${name} stderr`]: {
      exitCode: 1,
      stdout: `${name}: ERROR (no log file)\n`,
    },
  }
}
/** Gives one answer after another, and the last one ever after. */
function inTurn(...answers: readonly string[]) {
  const left = [...answers]
  return () => (left.length > 1 ? left.shift() : left[0]) ?? ''
}
async function plan(title: string, desired: Desired, options: FakeHostOptions = {}) {
  const resource = declared(title, desired)
  const [current] = await supervisorProgram.probe([resource], machine(options))
  if (current === undefined) throw new Error('the probe gave nothing')
  return supervisorProgram.diff(resource, current)
}

test.each(['zulip-django', 'zulip-workers:events_mail', 'zulip-workers:*'])(
  '%s is a name',
  (title) => expect(supervisorProgram.check?.(declared(title, {}))).toBeUndefined(),
)
test.each(['', 'a b', 'all:of:it', '*', '/etc/x'])('"%s" is none', (title) =>
  expect(supervisorProgram.check?.(declared(title, {}))?.message).toContain('no name of a program'),
)

test('footprint: comes after supervisor runs and after its tree, and reads what restarts it', () => {
  const desired = { ensure: 'running', tree, restart_on: ['/etc/zulip/uwsgi.ini'] } as const
  expect(supervisorProgram.footprint(declared('x', desired))).toEqual({
    needs: ['command:supervisorctl'],
    after: ['service:supervisor.service', 'unit:supervisor.service', `path:${tree}`],
    reads: [{ on: '/etc/zulip/uwsgi.ini', by: 'restart' }],
    restartsWith: 'service:supervisor.service',
  })
  expect(supervisorProgram.footprint(declared('x', { ensure: 'stopped' })).needs).toBeUndefined()
})

test('probe: asks once for all, and not for what is only restarted', async () => {
  const host = machine()
  await supervisorProgram.probe([declared('zulip-django', {}), declared('zulip-tus', {})], host)
  expect(host.queries).toEqual([])
  const running = declared('zulip-katex', { ensure: 'running' })
  await supervisorProgram.probe([running, declared('zulip-tus', {}), running], host)
  expect(host.queries).toEqual(['supervisorctl status'])
})

describe('since', () => {
  const now = Math.floor(Date.now() / 1000)
  const desired = (since: number | string) => ({ ensure: 'running', since }) as const

  test('what is older is restarted, and nothing else', async () => {
    const older = await plan('zulip-django', desired(now))
    expect(older).toMatchObject({
      changes: [{ attribute: 'ensure', from: expect.stringMatching(/^running since 2/) }],
    })
    expect(await plan('zulip-django', desired(now - 100))).toEqual({ changes: [] })
    expect(await plan('zulip-django', desired(`${now - 100}`))).toEqual({ changes: [] })
  })

  test('the processes of a group are restarted one by one, and what does not run is started', async () => {
    const host = machine({
      commands: {
        'supervisorctl restart zulip-workers:events_digest': { stdout: 'started\n' },
        'supervisorctl stop zulip-workers:events_mail': '',
        'supervisorctl start zulip-workers:events_mail zulip-workers:events_user': { stdout: '' },
      },
    })
    await supervisorProgram.apply(declared('zulip-workers', desired(now)), [], host)
    expect(host.runs).toEqual([
      'supervisorctl restart zulip-workers:events_digest',
      'supervisorctl stop zulip-workers:events_mail',
      'supervisorctl start zulip-workers:events_mail zulip-workers:events_user',
    ])
  })

  test('days count', async () => {
    const old = {
      exitCode: 0,
      stdout: 'zulip-django   RUNNING   pid 812, uptime 2 days, 0:00:04\n',
    }
    const options = { commands: { 'supervisorctl status': old } }
    const two = 2 * 86_400
    expect(await plan('zulip-django', desired(now - two - 60), options)).toEqual({ changes: [] })
    expect(await plan('zulip-django', desired(now - two + 60), options)).toMatchObject({
      changes: [{ attribute: 'ensure', from: expect.stringMatching(/^running since 2/) }],
    })
  })
})

describe('diff', () => {
  const running = { ensure: 'running' } as const
  const stopped = { ensure: 'stopped' } as const
  const ensure = (from: string, to: string, note?: string) => ({
    changes: [{ attribute: 'ensure', from, to, ...(note && { note }) }],
  })
  test.each<[string, string, Desired, object]>([
    ['what runs is left alone', 'zulip-django', running, { changes: [] }],
    ['what is starting runs', 'zulip-tornado', running, { changes: [] }],
    ['what is stopped is started', 'zulip-katex', running, ensure('stopped', 'running')],
    [
      'why it failed is told',
      'zulip-tus',
      running,
      ensure('failed', 'running', "can't find command '/srv/tusd'"),
    ],
    ['one of a group', 'zulip-workers:events_user', running, ensure('exited', 'running')],
    [
      'a group runs when all of it does',
      'zulip-workers',
      running,
      {
        changes: [
          {
            attribute: 'running',
            from: '1 of 3',
            to: 'all',
            note: 'zulip-workers:events_mail (restarting in a loop), zulip-workers:events_user (exited)',
          },
        ],
      },
    ],
    [
      'a group is stopped when none of it runs',
      'zulip-workers:*',
      stopped,
      ensure(
        'running',
        'stopped',
        'zulip-workers:events_digest (running), zulip-workers:events_mail (restarting in a loop)',
      ),
    ],
    ['what runs is stopped', 'zulip-django', stopped, ensure('running', 'stopped')],
    ['what failed does not run', 'zulip-tus', stopped, { changes: [] }],
    ['what nobody knows does not run', 'nosuch', stopped, { changes: [] }],
    [
      'what nobody knows can not be started',
      'nosuch',
      running,
      { blocked: 'supervisor_program[nosuch]: supervisor knows no program or group nosuch' },
    ],
    ['a name is not the beginning of another', 'zulip', running, { blocked: expect.any(String) }],
    ['without ensure nothing is asked for', 'zulip-katex', {}, { changes: [] }],
    [
      'without its tree it is left stopped, and that is told',
      'zulip-katex',
      { ...running, tree },
      { changes: [], note: `left stopped: ${tree} is not there yet`, leftAlone: true },
    ],
    [
      'without its tree it is not restarted, and that is told',
      'zulip-katex',
      { tree },
      { changes: [], note: `not restarted: ${tree} is not there yet`, leftAlone: true },
    ],
    [
      'what supervisor is just trying to start without its tree does not run',
      'zulip-tornado',
      { ...running, tree },
      { changes: [], note: `left stopped: ${tree} is not there yet`, leftAlone: true },
    ],
  ])('%s', async (_, title, desired, verdict) => {
    expect(await plan(title, desired)).toMatchObject(verdict)
  })

  test('a tree is there when the link to it leads somewhere', async () => {
    const link = { [tree]: { target: '2026' } }
    expect(await plan('zulip-katex', { ...running, tree }, { files: link })).toHaveProperty('note')
    const files = { ...link, '/home/zulip/deployments/2026': { kind: 'directory' as const } }
    expect(await plan('zulip-katex', { ...running, tree }, { files })).toEqual(
      ensure('stopped', 'running'),
    )
  })

  test('a tree that the catalog makes comes first', async () => {
    const program = declared('zulip-katex', { ...running, tree })
    const context = { declared: new Set([`path:${tree}` as const]) }
    const [current] = await supervisorProgram.probe([program], machine(), context)
    if (current === undefined) throw new Error('the probe gave nothing')
    expect(supervisorProgram.diff(program, current)).toEqual(ensure('stopped', 'running'))
  })

  test('without supervisor nothing runs, and nothing can be started', async () => {
    const commands = { 'supervisorctl status': down }
    expect(await plan('x', stopped, { commands })).toEqual({ changes: [] })
    expect(await plan('x', { ...running, tree }, { commands })).toHaveProperty('note')
    expect(await plan('x', running, { commands })).toMatchObject({
      blocked:
        'supervisor_program[x]: supervisor does not answer: unix:///var/run/supervisor.sock no such file',
    })
    const missing = { 'supervisorctl status': { startError: 'ENOENT' } }
    expect(await plan('x', running, { commands: missing })).toMatchObject({
      blocked: expect.stringContaining('not installed'),
    })
  })

  test('in a root nothing runs', async () => {
    expect(await plan('x', running, { root: '/srv/tree' })).toEqual({
      changes: [],
      note: 'not possible under --root',
      leftAlone: true,
    })
  })
})

describe('apply', () => {
  const done = (args: string) => ({ [`supervisorctl ${args}`]: '' })
  test('starts what does not run of a group, by one command, once nothing of it is tried any more', async () => {
    const host = machine({
      commands: {
        ...done('stop zulip-workers:events_mail'),
        ...done('start zulip-workers:events_mail zulip-workers:events_user'),
      },
    })
    await supervisorProgram.apply(declared('zulip-workers', { ensure: 'running' }), [], host)
    expect(host.runs).toEqual([
      'supervisorctl stop zulip-workers:events_mail',
      'supervisorctl start zulip-workers:events_mail zulip-workers:events_user',
    ])
  })
  test('stops what runs', async () => {
    const host = machine({ commands: done('stop zulip-django') })
    await supervisorProgram.apply(declared('zulip-django', { ensure: 'stopped' }), [], host)
    expect(host.runs).toHaveLength(1)
  })
  test.each([
    ['running', 'zulip-katex: ERROR (already started)\n', 'start'],
    ['stopped', 'zulip-django: ERROR (not running)\n', 'stop'],
  ] as const)('is done where it is %s by now', async (ensure, stdout, verb) => {
    const title = ensure === 'running' ? 'zulip-katex' : 'zulip-django'
    const host = machine({ commands: { [`supervisorctl ${verb} ${title}`]: stdout } })
    const changes = [{ attribute: 'ensure', from: 'else', to: ensure }]
    await supervisorProgram.apply(declared(title, { ensure }), changes, host)
    expect(host.runs).toEqual([`supervisorctl ${verb} ${title}`])
  })

  test('fails with what supervisor and the program say, also where it exits with 0', async () => {
    const host = machine({
      commands: {
        'supervisorctl start zulip-katex': 'zulip-katex: ERROR (spawn error)\n',
        ...logs('zulip-katex'),
      },
    })
    const failure = await supervisorProgram
      .apply(declared('zulip-katex', { ensure: 'running' }), [], host)
      .catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(ApplyError)
    expect(failure).toMatchObject({
      message:
        'supervisor_program[zulip-katex]: `supervisorctl start` failed: zulip-katex: ERROR (spawn error)',
      help: 'supervisorctl tail zulip-katex',
      ran: { output: 'zulip-katex: ERROR (spawn error)\nbegins\nis wrong' },
    })
  })
})

describe('refresh', () => {
  const refreshed = async (title: string, desired: Desired) => {
    const commands = Object.fromEntries(
      [
        'supervisorctl restart zulip-django',
        'supervisorctl restart zulip-workers:events_digest',
        'supervisorctl stop zulip-workers:events_mail',
        'supervisorctl start zulip-workers:events_mail zulip-workers:events_user',
        'supervisorctl start zulip-katex',
        'reload',
      ].map((command) => [command, '']),
    )
    const host = machine({ commands, files: { '/srv/tree': { kind: 'directory' } } })
    const outcome = await supervisorProgram.refresh?.(declared(title, desired), 'restart', host)
    return { outcome, runs: host.runs }
  }
  test.each<[string, string, Desired, string[]]>([
    ['restarts what runs', 'zulip-django', {}, ['supervisorctl restart zulip-django']],
    [
      'restarts one after another, and starts the rest',
      'zulip-workers',
      { ensure: 'running' },
      [
        'supervisorctl restart zulip-workers:events_digest',
        'supervisorctl stop zulip-workers:events_mail',
        'supervisorctl start zulip-workers:events_mail zulip-workers:events_user',
      ],
    ],
    ['uses the command that is declared', 'zulip-django', { restart: ['reload'] }, ['reload']],
    [
      'starts what does not run where it is to',
      'zulip-katex',
      { ensure: 'running', restart: ['reload'], tree: '/srv/tree' },
      ['supervisorctl start zulip-katex'],
    ],
  ])('%s', async (_, title, desired, runs) => {
    expect(await refreshed(title, desired)).toEqual({ outcome: undefined, runs })
  })
  test.each<[string, string, Desired]>([
    ['what is to be stopped', 'zulip-django', { ensure: 'stopped' }],
    ['what does not run', 'zulip-katex', {}],
    ['what has no tree', 'zulip-django', { ensure: 'running', tree: '/nosuch' }],
  ])('leaves %s', async (_, title, desired) => {
    expect(await refreshed(title, desired)).toMatchObject({ outcome: { idle: true }, runs: [] })
  })
})

test('refresh: by its own command, it fails where the program does not run then', async () => {
  const host = machine({
    commands: {
      'supervisorctl status': inTurn(
        'p   RUNNING   pid 8, uptime 0:00:04\n',
        'p   STARTING\n',
        'p   BACKOFF   Exited too quickly\n',
      ),
      reload: '',
      ...logs('p'),
    },
  })
  const refreshed = supervisorProgram.refresh?.(
    declared('p', { restart: ['reload'] }),
    'restart',
    host,
  )
  await expect(refreshed).rejects.toThrow(
    'supervisor_program[p] does not run: p is BACKOFF (Exited too quickly)',
  )
})

describe('standings', () => {
  const standings = (host: ReturnType<typeof machine>, ...programs: Resource<Desired>[]) =>
    supervisorProgram.standings?.(programs, host)

  test('are asked for at once, and a group fails with any of it', async () => {
    const host = machine({
      commands: {
        'supervisorctl status': status.stdout.replace('STARTING', 'RUNNING'),
        ...logs('zulip-tus'),
        ...logs('zulip-workers:events_mail'),
      },
    })
    const titles = ['zulip-django', 'zulip-katex', 'zulip-tus', 'zulip-workers', 'nosuch']
    expect(await standings(host, ...titles.map((title) => declared(title, {})))).toEqual([
      'runs',
      'stopped',
      expect.objectContaining({
        message: `supervisor_program[zulip-tus] does not run: zulip-tus is FATAL (can't find command '/srv/tusd')`,
        ran: {
          argv: ['supervisorctl', 'tail', 'zulip-tus'],
          exit: 'exit code 0',
          output: 'begins\nis wrong',
        },
      }),
      expect.any(ApplyError),
      'stopped',
    ])
    expect(host.queries.filter((query) => query === 'supervisorctl status')).toHaveLength(1)
  })

  test('are known once nothing is starting any more', async () => {
    const host = machine({
      commands: {
        'supervisorctl status': inTurn(
          'p   STARTING\nother   STARTING\n',
          'p   RUNNING   pid 8, uptime 0:00:01\nother   STARTING\n',
        ),
      },
    })
    expect(await standings(host, declared('p', {}))).toEqual(['runs'])
  })

  test('what is to be stopped, or has no tree, can not fail', async () => {
    const stopped = declared('zulip-tus', { ensure: 'stopped' })
    const treeless = declared('zulip-tus', { ensure: 'running', tree })
    expect(await standings(machine(), stopped, treeless)).toEqual(['stopped', 'stopped'])
  })
})

describe('recover', () => {
  const recovered = async (desired: Desired, said: string, pids = '') => {
    const host = machine({
      commands: {
        'supervisorctl status': said,
        'supervisorctl pid p:1': pids,
        'supervisorctl restart p:1': '',
        'supervisorctl stop p:2': '',
        'supervisorctl start p:2': '',
        'supervisorctl start p:2 p:3': '',
      },
      files: {
        '/proc/uptime': '1000000000 0',
        '/proc/8/stat': `8 (p) S ${'0 '.repeat(18)}99999999000 0`,
        [`/proc/${process.pid}/stat`]: `1 (node) S ${'0 '.repeat(18)}0 0`,
      },
    })
    await supervisorProgram.recover?.(declared('p', desired), 'restart', host, 0)
    return host.runs
  }
  const group = `p:1   RUNNING   pid 8, uptime 0:00:04
p:2   BACKOFF   Exited too quickly
p:3   STOPPED   Nov 22 02:10 PM
`
  test('starts what fails, and restarts what may have read what is gone', async () => {
    expect(await recovered({}, group)).toEqual([
      'supervisorctl restart p:1',
      'supervisorctl stop p:2',
      'supervisorctl start p:2',
    ])
  })
  test('leaves what was started since, and starts what is to run', async () => {
    expect(await recovered({ ensure: 'running' }, group, '8\n')).toEqual([
      'supervisorctl stop p:2',
      'supervisorctl start p:2 p:3',
    ])
  })
})
