import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { connectRig, type TestHost } from './rig.ts'
import { installedImage, manifests, steward } from './steward.ts'

let host: TestHost
beforeAll(async () => {
  const rig = connectRig()
  host = await rig.up('put-back', { image: await installedImage(rig) })
})
afterAll(() => host?.destroy())

const given = (value: string): string[] => ['--with', value]
const applying =
  (name: string) =>
  (exitCode: number, ...values: string[]) =>
    steward(host, ['apply', '--yes', '--manifests', manifests, name, ...values.flatMap(given)], {
      exitCode,
    })

// It runs with good files when a test begins.
describe('service', () => {
  const apply = applying('test::reader')
  beforeEach(async () => {
    await apply(0)
    expect(await state()).toBe('active\n')
  })
  const state = () => host.shell('systemctl is-active reader || true')
  const files = () => host.shell('cd /srv/reader; grep "" *')

  test('two files that were changed at once both come back, and what the service said is shown', async () => {
    const { stdout } = await apply(4, 'first=good, too', 'second=wrong')
    expect(stdout).toMatch(/put back +\/srv\/reader\/first, \/srv\/reader\/second/)
    expect(stdout).toContain('what it reads is as it was before, and it runs with that')
    expect(stdout).toMatch(/^Failed: 0 changed, 2 put back, 1 failed, /m)
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
})

// Two of one file of definitions that read one file, and that run when a test begins.
describe('supervisor_program', () => {
  const apply = applying('test::supervised')
  beforeEach(async () => {
    await apply(0)
    expect(await states()).toBe('first RUNNING\nsecond RUNNING\n')
  })
  const states = () => host.shell(`supervisorctl status | awk '{ print $1, $2 }'`)
  const definition = () =>
    host.shell('grep -c "^command=/bin/sh " /etc/supervisor/conf.d/supervised.conf')
  const read = () => host.shell('cat /srv/supervised/read')

  test('a definition comes back, supervisor runs the one before, and the next run says the same', async () => {
    for (const _ of ['first', 'next']) {
      const { stdout } = await apply(4, 'program=/bin/false')
      expect(stdout).toMatch(/put back +\/etc\/supervisor\/conf\.d\/supervised\.conf/)
      expect(stdout).toMatch(/supervisor_program\[first\] does not run: first is BACKOFF/)
      expect(stdout).toContain('what it reads is as it was before, and it runs with that')
      expect(stdout).toMatch(/^Failed: 0 changed, .*1 put back, 1 failed, /m)
      expect(await definition()).toBe('2\n')
      expect(await states()).toBe('first RUNNING\nsecond RUNNING\n')
      expect(await host.shell('pgrep -fc "^sleep infinity"')).toBe('2\n')
    }
    await apply(0, 'program=/bin/bash')
    expect(await states()).toBe('first RUNNING\nsecond RUNNING\n')
    expect(await host.shell('steward status || true')).not.toContain('supervisor')
  })

  test('a program that there is not is no better', async () => {
    const { stdout } = await apply(4, 'program=/no/such/program')
    expect(stdout).toMatch(/first is (BACKOFF|FATAL) .*no\/such\/program/)
    expect(await states()).toBe('first RUNNING\nsecond RUNNING\n')
  })

  test('a file that both read comes back once, and what the program said is shown', async () => {
    const before = await host.shell('supervisorctl pid second')
    const { stdout } = await apply(4, 'read=wrong')
    expect(stdout.match(/put back {2,}/g)).toHaveLength(1)
    expect(stdout).toMatch(/put back +\/srv\/supervised\/read/)
    expect(stdout).toMatch(/first reads\n +wrong/)
    expect(await read()).toBe('good\n')
    expect(await states()).toBe('first RUNNING\nsecond RUNNING\n')
    expect(await host.shell('supervisorctl pid second')).toBe(before)
    await apply(0, 'read=good, too')
    expect(await read()).toBe('good, too\n')
  })

  test('both come back where both were changed', async () => {
    const { stdout } = await apply(4, 'program=/bin/bash', 'read=wrong')
    expect(stdout).toMatch(/put back {2,}.*supervised\/read/)
    expect(stdout).toMatch(/put back {2,}.*supervised\.conf/)
    expect([await definition(), await read()]).toEqual(['2\n', 'good\n'])
    expect(await states()).toBe('first RUNNING\nsecond RUNNING\n')
  })

  test('for a program that had failed before there is nothing better to go back to, which is said', async () => {
    await host.shell(
      'echo wrong >/srv/supervised/read; supervisorctl restart all || true; while supervisorctl status | grep -Eq "BACKOFF|STARTING"; do sleep 1; done',
    )
    expect(await states()).toBe('first FATAL\nsecond FATAL\n')
    const { stdout } = await apply(4, 'program=/bin/bash', 'read=wrong')
    expect(stdout).not.toContain('put back  ')
    expect(stdout).toContain(
      'it did not run before this run either, so what it reads is not put back: /etc/supervisor/conf.d/supervised.conf',
    )
    expect(await definition()).toBe('1\n')
  })
})
