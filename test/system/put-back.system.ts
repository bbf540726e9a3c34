import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { connectRig, type TestHost } from './rig.ts'
import { installedImage, manifests, steward } from './steward.ts'

// One host with one service, which runs with good files when a test begins.
let host: TestHost
beforeAll(async () => {
  const rig = connectRig()
  host = await rig.up('put-back', { image: await installedImage(rig) })
})
afterAll(() => host?.destroy())
beforeEach(async () => {
  await apply(0)
  expect(await state()).toBe('active\n')
})

const given = (value: string): string[] => ['--with', value]
const command = ['apply', '--yes', '--manifests', manifests, 'test::reader']
const apply = (exitCode: number, ...values: string[]) =>
  steward(host, [...command, ...values.flatMap(given)], { exitCode })
const state = () => host.shell('systemctl is-active reader || true')
const files = () => host.shell('cd /srv/reader; grep "" *')

test('two files that were changed at once both come back, and what the service said is shown', async () => {
  const { stdout } = await apply(4, 'first=good, too', 'second=wrong')
  expect(stdout).toMatch(/put back +\/srv\/reader\/first, \/srv\/reader\/second/)
  expect(stdout).toContain('what it reads is as it was before, and it runs with that')
  expect(stdout).toMatch(/sh\[\d+\]: \/srv\/reader\/second:wrong/)
  expect(stdout).toMatch(/what the manifests or zulip.conf make of \/srv\/reader\/first/)
  expect(await files()).toBe('first:good\nsecond:good\n')
  expect(await state()).toBe('active\n')
})

test('a file that was not there is gone again', async () => {
  const { stdout } = await apply(4, 'third=wrong')
  expect(stdout).toMatch(/put back +\/srv\/reader\/third/)
  expect(await files()).toBe('first:good\nsecond:good\n')
  expect(await state()).toBe('active\n')
})

test('a unit file comes back too, and systemd reads it again', async () => {
  const { stdout } = await apply(4, 'program=/no/such/program')
  expect(stdout).toMatch(/put back +\/etc\/systemd\/system\/reader\.service/)
  expect(await host.shell('systemctl show --property=NeedDaemonReload,ActiveState reader')).toBe(
    'ActiveState=active\nNeedDaemonReload=no\n',
  )
  expect(await host.shell('systemctl show --property=ExecStart reader')).toContain('/bin/sh')
})

test('for a service that had failed before there is nothing better to go back to, which is said', async () => {
  await host.shell('echo broken >/srv/reader/first; systemctl restart reader; sleep 1')
  expect(await state()).toBe('failed\n')
  const { stdout } = await apply(4, 'second=wrong')
  expect(stdout).not.toContain('put back  ')
  expect(stdout).toContain(
    'it did not run before this run either, so what it reads is not put back: /srv/reader/first, /srv/reader/second',
  )
  expect(stdout).toMatch(/sh\[\d+\]: \/srv\/reader\/second:wrong/)
  expect(await files()).toBe('first:good\nsecond:wrong\n')
})
