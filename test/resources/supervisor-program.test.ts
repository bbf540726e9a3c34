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
        'supervisorctl start zulip-workers:events_mail zulip-workers:events_user': { stdout: '' },
      },
    })
    await supervisorProgram.apply(declared('zulip-workers', desired(now)), [], host)
    expect(host.runs).toEqual([
      'supervisorctl restart zulip-workers:events_digest',
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
      note: 'not in a root',
      leftAlone: true,
    })
  })
})

describe('apply', () => {
  const done = (args: string) => ({ [`supervisorctl ${args}`]: '' })
  test('starts what does not run of a group, by one command', async () => {
    const host = machine({
      commands: done('start zulip-workers:events_mail zulip-workers:events_user'),
    })
    await supervisorProgram.apply(declared('zulip-workers', { ensure: 'running' }), [], host)
    expect(host.runs).toHaveLength(1)
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

  test('fails with what supervisor says, also where it exits with 0', async () => {
    const host = machine({
      commands: { 'supervisorctl start zulip-katex': 'zulip-katex: ERROR (spawn error)\n' },
    })
    const failure = await supervisorProgram
      .apply(declared('zulip-katex', { ensure: 'running' }), [], host)
      .catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(ApplyError)
    expect(failure).toMatchObject({
      message:
        'supervisor_program[zulip-katex]: `supervisorctl start` failed: zulip-katex: ERROR (spawn error)',
      help: 'supervisorctl tail zulip-katex',
    })
  })
})

describe('refresh', () => {
  const refreshed = async (title: string, desired: Desired) => {
    const commands = Object.fromEntries(
      [
        'supervisorctl restart zulip-django',
        'supervisorctl restart zulip-workers:events_digest',
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
