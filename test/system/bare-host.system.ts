import { afterAll, beforeAll, expect, test } from 'vitest'
import { jobsDuring } from './journal.ts'
import { connectRig, type TestHost } from './rig.ts'
import { answers } from './services.ts'
import { snapshot, touched } from './snapshot.ts'
import { installedImage, secrets, steward } from './steward.ts'
import { programsStartedBy } from './trace.ts'

// The whole life of one server, in order: the tests build on each other.
let host: TestHost
beforeAll(async () => {
  const rig = connectRig()
  host = await rig.up('bare', { image: await installedImage(rig) })
})
afterAll(() => host?.destroy())

test('a dry run on a bare host plans everything and touches nothing', async () => {
  const start = await snapshot(host)
  await host.shell('sleep 3')
  const before = await snapshot(host)
  const { stdout } = await steward(host, ['apply', '--dry-run'], { exitCode: 0 })
  const after = await snapshot(host)
  await host.shell('sleep 3')
  const end = await snapshot(host)
  const ofItself = new Set([...touched(start, before), ...touched(after, end)])
  expect(touched(before, after).filter((path) => !ofItself.has(path))).toEqual([])
  for (const ref of ['package[memcached]', 'file[/etc/memcached.conf]', 'service[nginx]'])
    expect(stdout).toContain(ref)
  for (const secret of Object.values(secrets)) expect(stdout).not.toContain(secret)
})

test('apply installs the packages and starts the services', async () => {
  const { stdout, stderr } = await steward(host, ['apply', '--yes'], { exitCode: 0 })
  for (const secret of Object.values(secrets)) expect(stdout + stderr).not.toContain(secret)
  const active = await host.shell('systemctl is-active memcached redis-server nginx')
  expect(active).toBe('active\nactive\nactive\n')
})

test('memcached, redis and nginx answer', async () => {
  await expect(answers.memcached(host)).resolves.toMatch(/^\d+\.\d+/)
  await expect(answers.redis(host)).resolves.toBe('PONG\n')
  await expect(answers.nginx(host)).resolves.toBe('301 503 ')
})

test('the second apply finds nothing to do', async () => {
  const before = await snapshot(host)
  let stdout = ''
  const jobs = await jobsDuring(host, async () => {
    stdout = (await steward(host, ['apply', '--yes', '--detailed-exitcodes'], { exitCode: 0 }))
      .stdout
  })
  expect(stdout).toMatch(/nothing to do/i)
  expect(jobs).toEqual([])
  const after = await snapshot(host)
  const outside = touched(before, after).filter(
    (path) => !/^\/(var\/lib\/steward|var\/log|run)(\/|$)/.test(path),
  )
  expect(outside).toEqual([])
})

test('a run with nothing to do starts only the programs that no read can replace', async () => {
  const { result, programs } = await programsStartedBy(host, ['steward', 'apply', '--yes'])
  expect(result).toMatchObject({ exitCode: 0 })
  const needed = [
    // The launcher: a shell, then the Node of the archive.
    /^steward apply --yes$/,
    /\/lib\/steward\/.*\/runtime\/node .*steward\.cjs apply --yes$/,
    // All units at once.
    /^systemctl show .* memcached\.service .*redis-server\.service .*nginx\.service$/,
  ]
  const started = programs.map((program) => program.join(' '))
  expect(started).toEqual(needed.map((pattern) => expect.stringMatching(pattern)))
})

test('the run is recorded', async () => {
  const { stdout } = await steward(host, ['runs', 'list', '--json'], { exitCode: 0 })
  const runs = JSON.parse(stdout) as { id: string }[]
  expect(runs.length).toBeGreaterThanOrEqual(1)
  expect(typeof runs[0]?.id).toBe('string')
  const recorded = await host.shell('cat /var/lib/steward/*.* 2>/dev/null | tr -d "\\0"')
  for (const secret of Object.values(secrets)) expect(recorded).not.toContain(secret)
})
