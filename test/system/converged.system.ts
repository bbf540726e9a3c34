import { afterAll, beforeAll, expect, test } from 'vitest'
import { jobsDuring } from './journal.ts'
import { connectRig, type TestHost } from './rig.ts'
import { snapshot, touched } from './snapshot.ts'
import { convergedImage, steward, zulipConf } from './steward.ts'

let host: TestHost
beforeAll(async () => {
  const rig = connectRig()
  host = await rig.up('converged', { image: await convergedImage(rig) })
})
afterAll(() => host?.destroy())

const config = '/etc/memcached.conf'
const memory = (): Promise<string> => host.shell(`sed -n 's/^-m //p' ${config}`)

test('a hand edit is shown as a diff and put right', async () => {
  const pristine = await host.shell(`cat ${config}`)
  await host.shell(`echo '# mine' >>${config}`)
  const { stdout } = await steward(host, ['apply', '--dry-run', '--detailed-exitcodes'], {
    exitCode: 2,
  })
  expect(stdout).toMatch(/^\s*-\s*# mine$/m)
  await steward(host, ['apply', '--yes', '--detailed-exitcodes'], { exitCode: 2 })
  expect(await host.shell(`cat ${config}`)).toBe(pristine)
})

test('a hand edit that keeps size and mtime is shown as a diff and put right', async () => {
  const pristine = await host.shell(`cat ${config}`)
  await host.shell(
    `touch -r ${config} /root/stamp; sed -i 's/^-p 11211/-p 11311/' ${config}; touch -r /root/stamp ${config}; rm /root/stamp`,
  )
  const { stdout } = await steward(host, ['apply', '--dry-run', '--detailed-exitcodes'], {
    exitCode: 2,
  })
  expect(stdout).toMatch(/^\s*-\s*-p 11311$/m)
  expect(stdout).toMatch(/^\s*\+\s*-p 11211$/m)
  await steward(host, ['apply', '--yes'], { exitCode: 0 })
  expect(await host.shell(`cat ${config}`)).toBe(pristine)
})

test('conf set memcached.memory 128 then apply changes one file and restarts one service once', async () => {
  await steward(host, ['conf', 'set', 'memcached.memory', '128'], { exitCode: 0 })
  const conf = await host.shell('cat /etc/zulip/zulip.conf')
  expect(conf.startsWith(zulipConf)).toBe(true)
  const before = await snapshot(host)
  const jobs = await jobsDuring(host, () => steward(host, ['apply', '--yes'], { exitCode: 0 }))
  const files = touched(before, await snapshot(host))
  // The state folder, and what comes with a restart of a service that has its own /tmp.
  const places = /^\/(var\/lib\/steward|var\/log|run)(\/|$)|^\/(var\/)?tmp(\/systemd-private|$)/
  expect(files.filter((path) => !places.test(path))).toEqual(['/etc', config])
  expect(jobs).toEqual([
    { unit: 'memcached.service', job: 'restart' },
    { unit: 'memcached.service', job: 'start' },
  ])
  expect(await memory()).toBe('128\n')
})

test('conf remove and conf add of a class give back the same file', async () => {
  const before = await host.shell(
    'cat /etc/zulip/zulip.conf; stat -c "%a %U:%G" /etc/zulip/zulip.conf',
  )
  await steward(host, ['conf', 'remove', 'machine.puppet_classes', 'zulip::nginx'], { exitCode: 0 })
  const { stdout } = await steward(host, ['conf', 'get', 'machine.puppet_classes'], { exitCode: 0 })
  expect(stdout.trim()).toBe(
    'zulip::profile::base, zulip::profile::memcached, zulip::profile::redis',
  )
  await steward(host, ['conf', 'add', 'machine.puppet_classes', 'zulip::nginx'], { exitCode: 0 })
  expect(
    await host.shell('cat /etc/zulip/zulip.conf; stat -c "%a %U:%G" /etc/zulip/zulip.conf'),
  ).toBe(before)
})

test('conf add refuses a class that does not exist and offers the nearest', async () => {
  const before = await host.shell('cat /etc/zulip/zulip.conf')
  const { stderr } = await steward(
    host,
    ['conf', 'add', 'machine.puppet_classes', 'zulip::ngnix'],
    { exitCode: 1 },
  )
  expect(stderr).toContain('zulip::nginx')
  expect(await host.shell('cat /etc/zulip/zulip.conf')).toBe(before)
})

test('a stopped service is started again and nothing else is changed', async () => {
  await host.shell('systemctl stop redis-server')
  const jobs = await jobsDuring(host, () =>
    steward(host, ['apply', '--yes', '--detailed-exitcodes'], { exitCode: 2 }),
  )
  expect(jobs).toEqual([{ unit: 'redis-server.service', job: 'start' }])
})

test('after a power cut the next run finds nothing to do', async () => {
  await host.cutPower()
  await host.start()
  const { stdout } = await steward(host, ['apply', '--yes', '--detailed-exitcodes'], {
    exitCode: 0,
  })
  expect(stdout).toMatch(/nothing to do/i)
})
