import { describe, expect, test } from 'vitest'
import { sysctl } from '../../engine/resources/sysctl.ts'
import { keyPath } from '../../engine/resources/sysctl-settings.ts'
import type { Resource } from '../../engine/resources/type.ts'
import { type FakeFile, type FakeHostOptions, fakeHost } from '../support/fake-host.ts'

type Desired = Parameters<typeof sysctl.footprint>[0]['desired']

const key = 'net.core.somaxconn'
const proc = '/proc/sys/net/core/somaxconn'
const file = `/etc/sysctl.d/60-${key}.conf`
const text = `# Kept by steward as sysctl[${key}]: what is changed here is overwritten.\n${key} = 256\n`

function declared(desired: Desired, title = key): Resource<Desired> {
  return { ref: `sysctl[${title}]`, type: 'sysctl', title, desired }
}
function machine(files: Record<string, FakeFile> = {}, more: FakeHostOptions = {}) {
  const base = { '/etc/sysctl.d': { kind: 'directory' }, [proc]: '4096\n' } as const
  return fakeHost({ files: { ...base, ...files }, ...more })
}
async function verdictOn(host: ReturnType<typeof fakeHost>, desired: Desired, title = key) {
  const [current] = await sysctl.probe([declared(desired, title)], host)
  if (current === undefined) throw new Error('no state')
  return sysctl.diff(declared(desired, title), current)
}
async function applyOn(host: ReturnType<typeof fakeHost>, desired: Desired) {
  const verdict = await verdictOn(host, desired)
  if (!('changes' in verdict) || verdict.changes === undefined) throw new Error('no changes')
  return sysctl.apply(declared(desired), verdict.changes, host)
}

describe('the key', () => {
  test.each([
    ['net.core.somaxconn', 'net/core/somaxconn'],
    ['net/core/somaxconn', 'net/core/somaxconn'],
    ['net.ipv4.conf.eth0/100.forwarding', 'net/ipv4/conf/eth0.100/forwarding'],
    ['net/ipv4/conf/eth0.100/forwarding', 'net/ipv4/conf/eth0.100/forwarding'],
  ])('%s is %s', (title, path) => {
    expect(keyPath(title)).toBe(path)
    expect(sysctl.check?.(declared({ value: 1 }, title))).toBeUndefined()
  })
  test.each(['', 'a b', 'kernel/../../etc/passwd', 'a..b', '.a', 'a.', '/a', 'a\nb', 'net.*.x'])(
    '%j is refused',
    (title) => {
      expect(sysctl.check?.(declared({ value: 1 }, title))?.message).toContain(
        'no name that a setting',
      )
    },
  )
})

test('a value is wanted unless the setting is absent', () => {
  expect(sysctl.check?.(declared({}))).toEqual({
    attribute: 'value',
    message: `sysctl[${key}] has no value`,
  })
  expect(sysctl.check?.(declared({ ensure: 'absent' }))).toBeUndefined()
})

test('footprint', () => {
  expect(sysctl.footprint(declared({ value: 1 }))).toEqual({
    ensures: [`path:${file}`],
    isWhole: true,
    needs: ['path:/etc/sysctl.d'],
    writes: [proc],
  })
  const own = '/etc/sysctl.d/40-uwsgi.conf'
  expect(sysctl.footprint(declared({ ensure: 'absent', file: own }))).toEqual({
    removes: [`path:${own}`],
  })
})

describe('diff', () => {
  test('is empty when file and kernel agree', async () => {
    expect(await verdictOn(machine({ [file]: text, [proc]: '256\n' }), { value: 256 })).toEqual({
      changes: [],
    })
  })
  test('shows what only the kernel has otherwise', async () => {
    expect(await verdictOn(machine({ [file]: text }), { value: 256 })).toEqual({
      changes: [{ attribute: 'live', from: '4096', to: '256' }],
    })
  })
  test('does not ask the kernel where nobody wants it, nor in a tree', async () => {
    const inSync = { changes: [] }
    expect(await verdictOn(machine({ [file]: text }), { value: 256, live: false })).toEqual(inSync)
    const tree = machine(
      { [file]: text },
      { root: '/tree', cannotRun: 'not possible under --root' },
    )
    expect(await verdictOn(tree, { value: 256 })).toEqual(inSync)
  })
  test('takes tabs between numbers for blanks', async () => {
    const title = 'net.ipv4.tcp_rmem'
    const host = machine({ '/proc/sys/net/ipv4/tcp_rmem': '4096\t131072\t6291456\n' })
    const verdict = await verdictOn(host, { value: '4096 131072  6291456' }, title)
    expect(verdict).toMatchObject({ changes: [{ attribute: 'ensure' }, { attribute: 'content' }] })
  })
  test('a setting that the kernel lacks is only told under try', async () => {
    const host = machine({ '/etc/sysctl.d/60-net.nf.conf': '' })
    const tried = await verdictOn(host, { value: 1, live: 'try' }, 'net.nf')
    expect(tried).toMatchObject({ note: 'not set now: the running kernel has no net.nf' })
    expect(await verdictOn(host, { value: 1 }, 'net.nf')).toMatchObject({
      changes: [
        {},
        { attribute: 'live', from: undefined, to: '1', note: 'the running kernel has no net.nf' },
      ],
    })
  })
  test('a read-only /proc/sys is only told under try', async () => {
    const mounts = [
      '22 20 0:21 / /proc rw,nosuid - proc proc rw',
      '23 22 0:21 /sys /proc/sys ro,nosuid - proc proc rw',
    ].join('\n')
    const host = machine({ [file]: text, '/proc/self/mountinfo': mounts })
    expect(await verdictOn(host, { value: 256, live: 'try' })).toEqual({
      changes: [],
      note: 'not set now: /proc/sys is read-only here',
    })
    expect(await verdictOn(host, { value: 256 })).toMatchObject({
      changes: [{ attribute: 'live', note: '/proc/sys is read-only here' }],
    })
  })
  test('absent removes the file and leaves the kernel alone', async () => {
    const host = machine({ [file]: text })
    expect(await verdictOn(host, { ensure: 'absent' })).toEqual({
      changes: [{ attribute: 'ensure', from: 'file', to: 'absent' }],
    })
    await applyOn(host, { ensure: 'absent' })
    expect(await verdictOn(host, { ensure: 'absent' })).toEqual({ changes: [] })
    expect(host.runs).toEqual([])
  })
})

describe('what a later file sets', () => {
  const told = async (files: Record<string, FakeFile>) => {
    const verdict = await verdictOn(machine({ [file]: text, [proc]: '256\n', ...files }), {
      value: 256,
    })
    return 'note' in verdict ? verdict.note : undefined
  }
  test.each<[string, Record<string, FakeFile>]>([
    ['/etc/sysctl.d/99-x.conf', { '/etc/sysctl.d/99-x.conf': ` -${key}=  128 \n` }],
    ['/usr/lib/sysctl.d/99-x.conf', { '/usr/lib/sysctl.d/99-x.conf': 'net/core/somaxconn = 128' }],
    [
      '/etc/sysctl.d/99-sysctl.conf',
      {
        '/etc/sysctl.d/99-sysctl.conf': { target: '../sysctl.conf' },
        '/etc/sysctl.conf': `${key}=128\n`,
      },
    ],
  ])('is told: %s', async (path, files) => {
    expect(await told(files)).toBe(`at the next boot ${path} sets it to 128 later, and wins`)
  })
  test.each<[string, Record<string, FakeFile>]>([
    ['an earlier file', { '/usr/lib/sysctl.d/50-x.conf': `${key} = 128\n` }],
    ['the same value', { '/etc/sysctl.d/99-x.conf': `${key} = 256\n` }],
    ['another key', { '/etc/sysctl.d/99-x.conf': `${key}2 = 128\n` }],
    ['a comment', { '/etc/sysctl.d/99-x.conf': `# ${key} = 128\n;${key} = 128\n` }],
    ['another ending', { '/etc/sysctl.d/99-x': `${key} = 128\n` }],
    [
      'a file that is hidden by one of its name',
      {
        '/usr/lib/sysctl.d/99-x.conf': `${key} = 128\n`,
        '/etc/sysctl.d/99-x.conf': { target: '/dev/null' },
      },
    ],
  ])('is not: %s', async (_what, files) => {
    expect(await told(files)).toBeUndefined()
  })
})

describe('apply', () => {
  const command = `tee ${proc}`
  test('writes the file and the kernel', async () => {
    const host = machine({}, { commands: { [command]: '256\n' } })
    await applyOn(host, { value: 256 })
    expect(host.text(file)).toBe(text)
    expect(host.stat(file)).toMatchObject({ mode: 0o644, uid: 0, gid: 0 })
    expect(host.asked).toEqual([{ argv: ['tee', proc], options: { stdin: '256\n' } }])
  })
  test('writes only what differs', async () => {
    const host = machine({ [proc]: '256\n' })
    await applyOn(host, { value: 256 })
    expect(host.runs).toEqual([])
    const running = machine({ [file]: text }, { commands: { [command]: '' } })
    await applyOn(running, { value: 256 })
    expect(running.writes).toEqual([])
    expect(running.runs).toEqual([command])
  })
  const refusal = { exitCode: 1, stderr: `tee: ${proc}: Invalid argument\n` }
  test('fails where the kernel refuses, and keeps no such value for the next boot', async () => {
    const host = machine({}, { commands: { [command]: refusal } })
    await expect(applyOn(host, { value: 256 })).rejects.toThrow('Invalid argument')
    expect(host.stat(file)).toBeUndefined()
  })
  test('only tells it under try', async () => {
    const host = machine({}, { commands: { [command]: refusal } })
    const outcome = await applyOn(host, { value: 256, live: 'try' })
    expect(outcome?.note).toBe(`the running kernel refused 256: tee: ${proc}: Invalid argument`)
    expect(host.text(file)).toBe(text)
  })
})
