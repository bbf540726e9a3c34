import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { greet, greeting, resetGreeting, setUpGreeting, welcome } from './greeting.ts'
import { jobsDuring } from './journal.ts'
import { connectRig, type TestHost } from './rig.ts'
import { installedImage, manifests, steward } from './steward.ts'

let host: TestHost
beforeAll(async () => {
  const rig = connectRig()
  host = await rig.up('procedure', { image: await installedImage(rig) })
  await setUpGreeting(host)
})
afterAll(() => host?.destroy())
beforeEach(() => resetGreeting(host))

const stopAndStart = [
  { unit: 'greeting.service', job: 'stop' },
  { unit: 'greeting.service', job: 'start' },
]

test('a procedure stops the service, changes the file that a query decides, and starts the service', async () => {
  const jobs = await jobsDuring(host, () => steward(host, greet, { exitCode: 0 }))
  expect(jobs).toEqual(stopAndStart)
  expect(await greeting(host)).toBe(welcome)
})

test('a procedure whose goal is reached does nothing', async () => {
  await steward(host, greet, { exitCode: 0 })
  const jobs = await jobsDuring(host, () =>
    steward(host, [...greet, '--detailed-exitcodes'], { exitCode: 0 }),
  )
  expect(jobs).toEqual([])
})

test('a dry run of a procedure tells the steps and touches nothing', async () => {
  const jobs = await jobsDuring(host, async () => {
    const { stdout } = await steward(
      host,
      ['apply', '--dry-run', '--manifests', manifests, 'test::greeting'],
      { exitCode: 0 },
    )
    expect(stdout).toContain('service[greeting]')
    expect(stdout).toContain('file[/srv/greeting/present]')
  })
  expect(jobs).toEqual([])
  expect(await greeting(host)).toBe('active\nhello\nhello\n')
})

test.each([
  ['before', stopAndStart],
  ['stopped', stopAndStart],
  ['changed', stopAndStart],
  // The last step of the block: a block that did not finish is entered again at its first step.
  ['running', [...stopAndStart, ...stopAndStart]],
  ['after', stopAndStart],
])(
  'a procedure that is killed at the checkpoint "%s" is continued by the same command',
  async (checkpoint, expected) => {
    const jobs = await jobsDuring(host, async () => {
      await host.shell(`echo ${checkpoint} >/srv/greeting/kill-at`)
      await steward(host, greet, { exitCode: 137 })
      await steward(host, greet, { exitCode: 0 })
    })
    expect(jobs).toEqual(expected)
    expect(await greeting(host)).toBe(welcome)
    expect(await jobsDuring(host, () => steward(host, greet, { exitCode: 0 }))).toEqual([])
  },
)
