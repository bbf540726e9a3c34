import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { localHost } from '../../engine/host/local.ts'
import { isRunning } from '../support/is-running.ts'

const isRoot = process.geteuid?.() === 0
const host = localHost()
const shell = (script: string): string[] => ['sh', '-c', script]
let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'command-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

describe('a command', () => {
  test('gives its output and its exit code, whatever that is', async () => {
    const argv = shell('echo out; echo err >&2; exit 7')
    const result = await host.run(argv)
    expect(result).toMatchObject({ argv, exitCode: 7, timedOut: false })
    expect(result).toMatchObject({ stdout: 'out\n', stderr: 'err\n' })
    expect(result.durationMs).toBeGreaterThan(0)
    expect(result).not.toHaveProperty('startError')
  })
  test('is given its arguments as they are, by no shell', async () => {
    const { stdout } = await host.query(['printf', '%s|', '$HOME', 'a b', '*', ''])
    expect(stdout).toBe('$HOME|a b|*||')
  })
  test('has a clean environment, and on top what is asked for', async () => {
    process.env.STEWARD_LEAK = 'leaked'
    try {
      const { stdout } = await host.run(['env'], { environment: { PGHOST: 'here', LANG: 'C' } })
      const names = stdout.trim().split('\n')
      const usual = ['HOME', 'LANG', 'LOGNAME', 'PATH', 'SHELL', 'USER']
      expect(new Set(names.map((line) => line.split('=')[0]))).toEqual(
        new Set([...usual, 'PGHOST']),
      )
      expect(names).toContain('LANG=C')
      expect(names).toContain('PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin')
    } finally {
      delete process.env.STEWARD_LEAK
    }
  })
  test('runs in its folder, or in /', async () => {
    expect((await host.run(['pwd'], { cwd: '/usr' })).stdout).toBe('/usr\n')
    expect((await host.run(['pwd'])).stdout).toBe('/\n')
    writeFileSync(join(dir, 'script'), '#!/bin/sh\necho here\n', { mode: 0o755 })
    expect((await host.run(['./script'], { cwd: dir })).stdout).toBe('here\n')
  })
  test('has the umask that is asked for, and 022 else', async () => {
    const before = process.umask(0o077)
    try {
      expect((await host.run(shell('umask'))).stdout).toBe('0022\n')
    } finally {
      process.umask(before)
    }
    expect((await host.run(shell('umask'), { umask: '027' })).stdout).toBe('0027\n')
  })
  test('reads what it is given, and nothing else', async () => {
    expect((await host.run(['cat'], { stdin: 'tëxt' })).stdout).toBe('tëxt')
    expect((await host.run(['cat'])).stdout).toBe('')
    const early = await host.run(['true'], { stdin: 'x'.repeat(1_000_000) })
    expect(early).toMatchObject({ exitCode: 0 })
  })
  test('that ends by a signal has no exit code', async () => {
    const result = await host.run(shell('kill -9 $$'))
    expect(result).toMatchObject({ signal: 'SIGKILL', timedOut: false })
    expect(result).not.toHaveProperty('exitCode')
  })
  test('that can not be started says why', async () => {
    writeFileSync(join(dir, 'plain'), 'text', { mode: 0o644 })
    expect(await host.run(['no-such-program'])).toMatchObject({ startError: 'ENOENT' })
    expect(await host.run([join(dir, 'none')])).toMatchObject({ startError: 'ENOENT' })
    expect(await host.run([join(dir, 'plain')])).toMatchObject({ startError: 'EACCES' })
    expect(await host.run([dir])).toMatchObject({ startError: 'EACCES' })
    expect(await host.run(['true', 'a\0b'])).toMatchObject({
      startError: 'an argument holds a NUL byte',
    })
    expect(await host.run(['true', 'x'.repeat(3_000_000)])).toMatchObject({ startError: 'E2BIG' })
    expect(await host.run(['true'], { cwd: '/none' })).toMatchObject({
      startError: 'ENOENT: no folder /none',
    })
    expect(await host.run(['true'], { user: 'no-such-user' })).toMatchObject({
      startError: 'there is no user "no-such-user"',
    })
    expect(await host.run(['true'], { group: 'no-such-group' })).toMatchObject({
      startError: 'there is no group "no-such-group"',
    })
  })
  test('that takes too long ends with all that it started', async () => {
    const script = `sleep 60 & echo $! >${dir}/pid; trap '' TERM; wait; wait`
    const result = await host.run(shell(script), { timeoutMs: 300 })
    expect(result).toMatchObject({ timedOut: true })
    expect(result.durationMs).toBeLessThan(5000)
    const pid = Number(readFileSync(join(dir, 'pid'), 'utf8'))
    expect(isRunning(pid)).toBe(false)
  })
  test('is over when it ends, though a daemon that it left holds its output', async () => {
    const result = await host.run(shell('sleep 20 & echo $!'))
    expect(result.durationMs).toBeLessThan(5000)
    const pid = Number(result.stdout)
    expect(isRunning(pid)).toBe(true)
    process.kill(pid)
  })
  test('may say a lot: the end of it is kept, with a note', async () => {
    const { stdout } = await host.run(shell('head -c 5000000 /dev/zero | tr "\\0" x; echo end'))
    expect(stdout).toMatch(/^\[\d+ bytes left out\]\nx+end\n$/)
    expect(stdout.length).toBeLessThan(1024 * 1024 + 100)
    const left = Number(/\d+/.exec(stdout)?.[0])
    expect(left + stdout.length - stdout.indexOf('\n') - 1).toBe(5_000_004)
  })
})

describe.skipIf(!isRoot)('another user (root)', () => {
  test('has its own groups and no others, its own home and name', async () => {
    const script = 'id -u; id -g; id -G; echo $HOME $USER $LOGNAME; grep CapEff /proc/self/status'
    const { stdout } = await host.run(shell(script), { user: 'nobody' })
    const { home } = host.accounts().users.get('nobody') ?? {}
    expect(stdout).toBe(`65534\n65534\n65534\n${home} nobody nobody\nCapEff:\t0000000000000000\n`)
  })
  test('gets the groups that list it, and the group that is asked for as its first', async () => {
    const daemon = host.accounts().users.get('daemon')
    const { stdout } = await host.run(['id', '-G'], { user: 'daemon', group: 'adm' })
    expect(stdout.trim().split(' ')[0]).toBe(String(host.accounts().gid('adm')))
    expect(daemon?.uid).toBe(1)
  })
  test('may be a number that nobody has', async () => {
    const { stdout } = await host.run(shell('id -u; id -G'), { user: '54321' })
    expect(stdout).toBe('54321\n54321\n')
  })
})

test('hands over each line as it comes, also one that is written over', async () => {
  const lines: string[] = []
  const { stdout } = await localHost().run(
    [
      'sh',
      '-c',
      'printf "one\\ntw"; sleep 0.1; printf "o\\r50%%\\r\\303"; sleep 0.1; printf "\\244\\nrest"',
    ],
    { onLine: (line) => lines.push(line) },
  )
  expect(lines).toEqual(['one', 'two', '50%', 'ä'])
  expect(stdout).toContain('rest')
})
