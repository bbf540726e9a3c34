import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { jobsDuring } from './journal.ts'
import { connectRig, type TestHost } from './rig.ts'
import { installedImage, manifests, steward } from './steward.ts'

let host: TestHost
beforeAll(async () => {
  const rig = connectRig()
  host = await rig.up('procedure', { image: await installedImage(rig) })
  await host.writeFile(
    '/etc/systemd/system/greeting.service',
    '[Service]\nExecStart=/bin/sh -c "cp /srv/greeting/present /srv/greeting/said; exec sleep infinity"\n',
  )
  await host.shell('mkdir -p /srv/greeting; systemctl daemon-reload')
})
afterAll(() => host?.destroy())
beforeEach(() =>
  host.shell(`
    rm -rf /var/lib/steward
    echo hello >/srv/greeting/present
    echo welcome >/srv/greeting/wanted
    systemctl restart greeting`),
)

const greet = ['apply', '--yes', '--manifests', manifests, 'test::greeting']
const said = (): Promise<string> =>
  host.shell('sleep 0.2; cat /srv/greeting/present /srv/greeting/said')

test('a procedure stops the service, changes the file that a query decides, and starts the service', async () => {
  const jobs = await jobsDuring(host, () => steward(host, greet, { exitCode: 0 }))
  expect(jobs).toEqual([
    { unit: 'greeting.service', job: 'stop' },
    { unit: 'greeting.service', job: 'start' },
  ])
  expect(await said()).toBe('welcome\nwelcome\n')
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
  expect(await said()).toBe('hello\nhello\n')
})

test.each(['before', 'stopped', 'changed', 'running', 'after'])(
  'a procedure that is killed at the checkpoint "%s" is continued by the same command',
  async (checkpoint) => {
    const jobs = await jobsDuring(host, async () => {
      await host.shell(`echo ${checkpoint} >/srv/greeting/kill-at`)
      await steward(host, greet, { exitCode: 137 })
      await steward(host, greet, { exitCode: 0 })
    })
    expect(jobs).toEqual([
      { unit: 'greeting.service', job: 'stop' },
      { unit: 'greeting.service', job: 'start' },
    ])
    expect(await said()).toBe('welcome\nwelcome\n')
    expect(await jobsDuring(host, () => steward(host, greet, { exitCode: 0 }))).toEqual([])
  },
)
