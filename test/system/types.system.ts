import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectRig, type TestHost } from './rig.ts'
import { installedImage, manifests, steward } from './steward.ts'
import { programsStartedBy } from './trace.ts'

// The life of one resource or more of each type that keeps a part of the host: the tests build on each other.
let host: TestHost
beforeAll(async () => {
  const rig = connectRig()
  host = await rig.up('types', { image: await installedImage(rig) })
  await host.shell(`
    mkdir -p /srv/types/logs/empty
    touch -d '9 days ago' /srv/types/logs/old.log /srv/types/logs/old.txt /srv/types/logs/empty
    touch /srv/types/logs/new.log
    cp /etc/issue.net /etc/hosts /etc/login.defs /etc/systemd/journald.conf /etc/fstab /srv/types/`)
})
afterAll(() => host?.destroy())

const apply = (stage: string) => [
  'apply',
  '--yes',
  '--manifests',
  manifests,
  `test::types_${stage}`,
]

/** Applies a stage, and expects the next apply to find nothing to do. */
async function converge(stage: string): Promise<string> {
  const { stdout, stderr } = await steward(host, apply(stage), { exitCode: 0 })
  const again = await steward(host, [...apply(stage), '--detailed-exitcodes'], { exitCode: 0 })
  expect(again.stdout).toMatch(/nothing to do/i)
  return stdout + stderr
}
/** Lines of a file that differ from what it was at first, as diff tells them. */
function changed(path: string): Promise<string> {
  return host.shell(`diff /srv/types/$(basename ${path}) ${path} || [ $? -eq 1 ]`)
}

test('a dry run lists what goes and touches nothing', async () => {
  const args = ['apply', '--dry-run', '--manifests', manifests, 'test::types_made']
  const { stdout } = await steward(host, args, { exitCode: 0 })
  expect(stdout).toContain('/srv/types/logs/old.log')
  expect(stdout).not.toContain('old.txt')
  expect(stdout).not.toContain('correct-horse')
  expect(await host.shell('ls /srv/types/logs; dpkg-divert --list /etc/issue.net')).toBe(
    'empty\nnew.log\nold.log\nold.txt\n',
  )
})

test('what is declared is made, and the second apply finds nothing to do', async () => {
  expect(await converge('made')).not.toContain('correct-horse')
  expect(await changed('/etc/systemd/journald.conf')).toMatch(/^\d+a\d+\n> SystemMaxUse=64M\n$/)
  expect(await changed('/etc/login.defs')).toMatch(
    /^(\d+)c\1\n< UMASK\t+022\n---\n> UMASK\t\t027\n$/,
  )
  expect(await changed('/etc/hosts')).toBe(
    '0a1,3\n> # BEGIN types\n> 192.0.2.7 db.types.test\n> # END types\n',
  )
  expect(await host.shell('getent hosts db.types.test')).toMatch(/^192\.0\.2\.7 /)
  expect(await host.shell('cat /srv/types/new.ini; ls /srv/types/logs')).toBe(
    'made = yes\nempty\nnew.log\nold.txt\n',
  )
})

test('the mount has its line, its options, and what was declared below it', async () => {
  expect(await host.shell('findmnt -no FSTYPE,SIZE /srv/types/mnt; ls /srv/types/mnt')).toMatch(
    /^tmpfs +1M\nbelow\n$/,
  )
  expect(await changed('/etc/fstab')).toContain('> tmpfs\t/srv/types/mnt\ttmpfs\tsize=1m')
})

test('debconf has the answers, and the package heeded its own', async () => {
  expect(await host.shell('debconf-show iperf3')).toContain('* iperf3/start_daemon: true')
  expect(await host.shell('systemctl is-enabled iperf3')).toBe('enabled\n')
  expect(await host.shell('echo GET types/password | debconf-communicate types')).toBe(
    '0 correct-horse\n',
  )
})

test('alternatives and diversions are as dpkg tells them', async () => {
  expect(await host.shell('readlink -f /usr/local/bin/types-tool')).toBe('/srv/types/one\n')
  expect(await host.shell('dpkg-divert --list /etc/issue.net')).toBe(
    'local diversion of /etc/issue.net to /etc/issue.net.debian\n',
  )
  expect(
    await host.shell('cat /etc/issue.net; cmp /etc/issue.net.debian /srv/types/issue.net'),
  ).toBe('ours')
})

test('a run with nothing to do asks no program about any of them', async () => {
  const { programs } = await programsStartedBy(host, ['steward', ...apply('made')])
  const names = programs.map(([name = '']) => name)
  expect(names.filter((name) => /debconf|alternatives|divert|mount/.test(name))).toEqual([])
})

test('other values are put in place of the first ones', async () => {
  await converge('changed')
  expect(await changed('/etc/systemd/journald.conf')).toMatch(/^\d+a\d+\n> SystemMaxUse=32M\n$/)
  expect(await changed('/etc/login.defs')).toContain('> UMASK\t\t077\n')
  expect(await changed('/etc/hosts')).toContain('> 192.0.2.8 db.types.test\n')
  // Remounted: what lies on it is still there.
  expect(await host.shell('findmnt -no SIZE,OPTIONS /srv/types/mnt; ls /srv/types/mnt')).toMatch(
    /^ *2M .*noexec.*\nbelow\n$/,
  )
  expect(await host.shell('debconf-show iperf3')).toContain('  iperf3/start_daemon: false')
  expect(await host.shell('readlink -f /usr/local/bin/types-tool')).toBe('/srv/types/two\n')
  expect(
    await host.shell('cmp /etc/issue.net.other /srv/types/issue.net; cat /etc/issue.net'),
  ).toBe('ours')
})

test('what is absent is gone, and all else is as it was', async () => {
  await converge('absent')
  for (const name of ['/etc/systemd/journald.conf', '/etc/hosts', '/etc/fstab', '/etc/issue.net'])
    expect([name, await changed(name)]).toEqual([name, ''])
  expect(await changed('/etc/login.defs')).toMatch(/^\d+d\d+\n< UMASK\t+022\n$/)
  const { exitCode } = await host.exec(['findmnt', '/srv/types/mnt'])
  expect(exitCode).toBe(1)
  expect(await host.shell('update-alternatives --list types-tool')).toBe('/srv/types/one\n')
  expect(await host.shell('echo GET types/password | debconf-communicate types || true')).toMatch(
    /^10 /,
  )
})
