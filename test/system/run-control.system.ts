import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { connectRig, type TestHost } from './rig.ts'
import { installedImage, manifests, pidOfApply, steward, until } from './steward.ts'

let host: TestHost
beforeAll(async () => {
  const rig = connectRig()
  host = await rig.up('control', { image: await installedImage(rig) })
})
afterAll(() => host?.destroy())
beforeEach(() => host.shell('rm -rf /root/* /var/lib/steward'))

const apply = (...args: string[]): string[] => ['apply', '--yes', '--manifests', manifests, ...args]
const made = (path: string): Promise<string> => host.shell(`[ -e ${path} ] && echo yes || echo no`)

test('when a resource fails, only what depends on it is skipped', async () => {
  const result = await steward(host, apply('--detailed-exitcodes', 'test::failing'), {
    exitCode: 6,
  })
  const output = result.stdout + result.stderr
  expect(output).toContain('exec[breaks]')
  expect(output).toContain('no luck today')
  expect(await made('/root/independent')).toBe('yes\n')
  expect(await made('/root/dependent')).toBe('no\n')
  expect(await made('/root/dependent-of-dependent')).toBe('no\n')
  await steward(host, apply('test::failing'), { exitCode: 4 })
  await steward(host, apply('--detailed-exitcodes', 'test::failing'), { exitCode: 4 })
})

test('of two applies at once the second says who holds the lock since when, and waits', async () => {
  const first = host.exec(['steward', ...apply('test::slow')])
  await until(host, '[ -e /root/started ]', first)
  const pid = (await host.shell(pidOfApply)).trim()
  let told = ''
  const second = host.exec(['steward', ...apply('test::quick')], {
    onOutput(text) {
      told += text
    },
  })
  await expect.poll(() => told, { timeout: 15_000 }).toMatch(new RegExp(`\\b${pid}\\b`))
  expect(told).toMatch(/since \d/)
  await steward(host, [...apply('test::quick'), '--wait', '0'], { exitCode: 1 })
  expect(await made('/root/quick')).toBe('no\n')
  await host.shell('touch /root/go-on')
  expect(await first).toMatchObject({ exitCode: 0 })
  expect(await second).toMatchObject({ exitCode: 0 })
  expect(await made('/root/quick')).toBe('yes\n')
})

test.each([
  ['INT', 130],
  ['TERM', 143],
])('SIG%s lets the resource in hand finish and ends with %i', async (signal, exitCode) => {
  const run = host.exec(['steward', ...apply('test::slow')])
  await until(host, '[ -e /root/started ]', run)
  await host.shell(`kill -${signal} $(${pidOfApply}); sleep 0.5; touch /root/go-on`)
  expect(await run).toMatchObject({ exitCode })
  expect(await made('/root/before')).toBe('yes\n')
  expect(await made('/root/after')).toBe('no\n')
  await steward(host, apply('test::slow'), { exitCode: 0 })
  expect(await made('/root/after')).toBe('yes\n')
})

test('--json gives one event a line, of a dry run and of an apply', async () => {
  for (const mode of ['--dry-run', '--yes']) {
    const { stdout } = await steward(
      host,
      ['apply', mode, '--json', '--manifests', manifests, 'test::quick'],
      { exitCode: 0 },
    )
    const lines = stdout.trimEnd().split('\n')
    for (const line of lines) expect(() => JSON.parse(line)).not.toThrow()
    expect(stdout).toContain('file[/root/quick]')
  }
})
