import { describe, expect, test } from 'vitest'
import { type ExecDesired, exec } from '../../engine/resources/exec.ts'
import { ApplyError, type Resource, type Verdict } from '../../engine/resources/type.ts'
import { type FakeHostOptions, fakeHost } from '../support/fake-host.ts'

function declared(desired: ExecDesired): Resource<ExecDesired> {
  return {
    ref: 'exec[x]',
    type: 'exec',
    title: 'x',
    desired: { command: ['make', 'it'], ...desired },
  }
}
async function plan(desired: ExecDesired, options: FakeHostOptions = {}): Promise<Verdict> {
  const resource = declared(desired)
  const [current] = await exec.probe([resource], fakeHost(options))
  if (current === undefined) throw new Error('the probe gave nothing')
  return exec.diff(resource, current)
}
const runs = (note?: string) => ({
  changes: [{ attribute: 'run', from: undefined, to: 'make it', ...(note ? { note } : {}) }],
})
const idle = (note: string) => ({ changes: [], note })
const no = { exitCode: 1 }
const yes = { exitCode: 0 }

describe('check', () => {
  test.each<[string, ExecDesired, string | undefined]>([
    ['one way to run', { command: ['x'] }, undefined],
    ['two ways', { command: ['x'], shell: 'x' }, 'exec[x] needs either `command` or `shell`'],
    ['text as guard of a shell', { shell: 'x', unless: 'y' }, undefined],
    [
      'text as guard without a shell',
      { command: ['x'], unless: 'y' },
      'exec[x]: `unless` is text, but no shell is used here',
    ],
    ['a duration', { command: ['x'], timeout: '5m' }, undefined],
    ['no duration', { command: ['x'], timeout: 'long' }, 'exec[x]: `timeout` is no duration: long'],
  ])('%s', (_title, desired, message) => {
    const resource = { ref: 'exec[x]', type: 'exec', title: 'x', desired }
    expect(exec.check?.(resource)?.message).toBe(message)
  })
  test('neither command nor shell', () => {
    const resource = { ref: 'exec[x]', type: 'exec', title: 'x', desired: {} }
    expect(exec.check?.(resource)).toBeDefined()
  })
})

describe('asks', () => {
  test.each<[ExecDesired, boolean]>([
    [{}, false],
    [{ creates: '/a' }, false],
    [{ unless: ['true'] }, true],
    [{ onlyif: ['true'] }, true],
    [{ onlyif: ['true'], refreshonly: true }, false],
  ])('%j is %s', (desired, asks) => {
    expect(exec.asks?.(desired)).toBe(asks)
  })
})

describe('footprint', () => {
  test('names the program, folder, user and group that are needed, those of guards too', () => {
    const footprint = exec.footprint(
      declared({
        command: ['/usr/bin/psql'],
        unless: [['./check'], ['psql', '-c', 'x'], ['/opt/tool/run']],
        cwd: '/srv/app',
        user: 'zulip',
        group: 'adm',
      }),
    )
    expect(footprint.needs).toEqual([
      'command:psql',
      'path:/srv/app/check',
      'path:/opt/tool/run',
      'path:/srv/app',
      'user:zulip',
      'group:adm',
    ])
  })
  test('needs no program for the shell that every host has', () => {
    const { ref, type, title } = declared({})
    expect(exec.footprint({ ref, type, title, desired: { shell: 'x' } }).needs).toEqual([])
  })
  test('makes sure of what it creates, after its folder', () => {
    expect(exec.footprint(declared({ creates: ['/a/b', '/c'] }))).toMatchObject({
      after: ['path:/a', 'path:/'],
      ensures: ['path:/a/b', 'path:/c'],
    })
  })
  test('only provides what it creates on a refresh', () => {
    const footprint = exec.footprint(declared({ creates: '/a/b', refreshonly: true }))
    expect(footprint).toMatchObject({ provides: ['path:/a/b'] })
    expect(footprint.ensures).toBeUndefined()
  })
})

describe('probe and diff', () => {
  test('it runs when nothing speaks against it', async () => {
    expect(await plan({})).toEqual(runs())
  })
  test('it does not run when all that it creates exists', async () => {
    const files = { '/a': '', '/b': { target: '/nowhere' } }
    expect(await plan({ creates: ['/a', '/b'] }, { files })).toEqual(idle('/a, /b exists'))
    expect(await plan({ creates: ['/a', '/c'] }, { files })).toEqual(runs('/c is missing'))
  })
  test('guards are not asked when all that it creates exists', async () => {
    const host = fakeHost({ files: { '/a': '' } })
    await exec.probe([declared({ creates: '/a', unless: ['test'] })], host)
    expect(host.asked).toEqual([])
  })
  test.each<[string, ExecDesired, FakeHostOptions['commands'], object]>([
    ['unless that says yes', { unless: ['a', 'b'] }, { 'a b': yes }, idle('unless `a b` says yes')],
    [
      'unless that says no',
      { unless: ['a', 'b'] },
      { 'a b': no },
      runs('unless `a b` says no (exit code 1)'),
    ],
    [
      'one yes of many unless',
      { unless: [['a'], ['b']] },
      { a: no, b: yes },
      idle('unless `b` says yes'),
    ],
    ['onlyif that says yes', { onlyif: ['a'] }, { a: yes }, runs('onlyif `a` says yes')],
    [
      'one no of many onlyif',
      { onlyif: [['a'], ['b']] },
      { a: yes, b: no },
      idle('onlyif `b` says no (exit code 1)'),
    ],
    [
      'both that agree',
      { unless: ['a'], onlyif: ['b'] },
      { a: no, b: yes },
      runs('unless `a` says no (exit code 1)'),
    ],
  ])('%s', async (_title, desired, commands, verdict) => {
    expect(await plan(desired, { commands: commands ?? {} })).toEqual(verdict)
  })
  test('text is a guard of the shell', async () => {
    const resource = {
      ref: 'exec[x]',
      type: 'exec',
      title: 'x',
      desired: { shell: 'set -e; b', unless: 'grep -q x /y' },
    }
    const host = fakeHost({ commands: { '/bin/sh -c grep -q x /y': no } })
    const [current] = await exec.probe([resource], host)
    expect(current && exec.diff(resource, current)).toEqual({
      changes: [
        {
          attribute: 'run',
          from: undefined,
          to: 'set -e; b',
          note: 'unless `grep -q x /y` says no (exit code 1)',
        },
      ],
    })
  })
  test.each([
    ['could not be started: ENOENT', { startError: 'ENOENT' }],
    ['ended because its time was up', { timedOut: true }],
    ['ended by SIGSEGV', { signal: 'SIGSEGV' }],
  ])('a guard that %s is an error and not a no', async (why, result) => {
    expect(await plan({ unless: ['a'] }, { commands: { a: result } })).toMatchObject({
      blocked: `exec[x]: the guard \`a\` gave no answer: ${why}`,
    })
  })
  test('guards that can not be asked leave it open', async () => {
    const verdict = await plan({ unless: ['a'] }, { guardUnavailable: 'no namespaces' })
    expect(verdict).toMatchObject({
      unknown: "its guards can't be asked here: no namespaces",
      changes: [{ attribute: 'run', to: 'make it' }],
    })
  })
  test('refreshonly never runs by itself, and asks nothing', async () => {
    const verdict = await plan({ refreshonly: true, unless: ['not', 'known'] })
    expect(verdict).toEqual(idle('it runs only on a refresh'))
  })
  test('in a root it does not run', async () => {
    const options = { cannotRun: 'not possible under --root', files: { '/a': '' } }
    const leftAlone = { ...idle('not possible under --root'), leftAlone: true }
    expect(await plan({ unless: ['a'] }, options)).toEqual(leftAlone)
    expect(await plan({ creates: '/a' }, options)).toEqual(idle('/a exists'))
  })
  test('guards run as the command does, over scratch folders, and without its input', async () => {
    const host = fakeHost({ commands: { a: yes } })
    const desired = {
      unless: ['a'],
      user: 'zulip',
      cwd: '/srv',
      environment: { A: 'b' },
      umask: '077',
      stdin: 'secret',
      scratch: ['/var/log/x'],
      timeout: '2m',
    }
    await exec.probe([declared(desired)], host)
    expect(host.asked[0]?.options).toEqual({
      user: 'zulip',
      cwd: '/srv',
      environment: { A: 'b' },
      umask: '077',
      scratch: ['/var/log/x'],
      timeoutMs: 120_000,
    })
  })
})

describe('apply', () => {
  const change = { attribute: 'run', from: undefined, to: 'make it' }

  test('gives back what the command printed', async () => {
    const host = fakeHost({
      commands: { 'make it': { exitCode: 0, stdout: 'a\n', stderr: 'b\n' } },
    })
    expect(await exec.apply(declared({}), [change], host)).toEqual({ output: 'a\nb' })
  })
  test('hands over its input and no limit where the time is 0', async () => {
    const host = fakeHost({ commands: { 'make it': yes } })
    await exec.apply(declared({ stdin: 'secret', timeout: 0, scratch: ['/x'] }), [change], host)
    expect(host.asked[0]?.options).toEqual({
      stdin: 'secret',
      timeoutMs: 2_147_483_647,
      lasts: true,
    })
  })
  test('takes the exit codes that mean success', async () => {
    const host = fakeHost({ commands: { 'make it': { exitCode: 2 } } })
    await exec.apply(declared({ returns: [0, 2] }), [change], host)
    expect(host.runs).toEqual(['make it'])
  })
  test('fails with how the command ended and its last lines', async () => {
    const stderr = Array.from({ length: 30 }, (_, line) => `line ${line}`).join('\n')
    const host = fakeHost({ commands: { 'make it': { exitCode: 3, stderr } } })
    const help = 'ask the makers'
    const resource = declared({ returns: [0, 2], help })
    const error = await exec.apply(resource, [change], host).catch((e) => e)
    expect(error).toBeInstanceOf(ApplyError)
    expect(error.help).toBe(help)
    expect(error.message).toBe('exec[x]: `make it` failed: exit code 3, expected 0 or 2')
    expect(error.ran).toMatchObject({ argv: ['make', 'it'], exit: 'exit code 3' })
    expect(error.ran.output.split('\n')).toHaveLength(20)
    expect(error.ran.output).toMatch(/line 29$/)
  })
  test('tries as often as it may', async () => {
    let left = 2
    const host = fakeHost({ commands: { 'make it': () => ({ exitCode: left-- > 0 ? 1 : 0 }) } })
    await exec.apply(declared({ tries: 3, try_sleep: '1ms' }), [change], host)
    expect(host.runs).toHaveLength(3)
    left = 5
    const failing = exec.apply(declared({ tries: 2 }), [change], host)
    await expect(failing).rejects.toThrow('`make it` failed after 2 tries: exit code 1')
  })
  test('asks the guards itself where the plan could not', async () => {
    const options = { guardUnavailable: 'no namespaces', commands: { a: yes } }
    const resource = declared({ unless: ['a'] })
    const host = fakeHost(options)
    const [current] = await exec.probe([resource], host)
    const verdict = current && exec.diff(resource, current)
    const outcome = await exec.apply(
      resource,
      verdict && 'changes' in verdict ? (verdict.changes ?? []) : [],
      host,
    )
    expect(outcome).toEqual({ idle: true, note: 'not run: unless `a` says yes' })
    expect(host.runs).toEqual(['a'])
  })
})

describe('refresh', () => {
  test('runs although what it creates exists', async () => {
    const host = fakeHost({ files: { '/a': '' }, commands: { 'make it': yes } })
    await exec.refresh?.(declared({ creates: '/a' }), 'refresh', host)
    expect(host.runs).toEqual(['make it'])
  })
  test('honours guards', async () => {
    const host = fakeHost({ commands: { a: yes } })
    const outcome = await exec.refresh?.(
      declared({ unless: ['a'], refreshonly: true }),
      'refresh',
      host,
    )
    expect(outcome).toEqual({ idle: true, note: 'not run: unless `a` says yes' })
    expect(host.runs).toEqual([])
  })
  test('fails where a guard gives no answer', async () => {
    const host = fakeHost({ commands: { a: { startError: 'ENOENT' } } })
    const refresh = exec.refresh?.(declared({ onlyif: ['a'] }), 'refresh', host)
    await expect(refresh).rejects.toThrow(
      'the guard `a` gave no answer: could not be started: ENOENT',
    )
  })
})
