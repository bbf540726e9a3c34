import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectRig, type TestHost } from './rig.ts'
import { installedImage, manifests, steward } from './steward.ts'

let host: TestHost
beforeAll(async () => {
  const rig = connectRig()
  host = await rig.up('apt-states', { image: await installedImage(rig) })
})
afterAll(() => host?.destroy())

const apply = ['apply', '--yes', '--manifests', manifests, 'test::small_package']
const isInstalled = (name: string): Promise<string> =>
  host.shell(`dpkg-query -W -f '\${db:Status-Status}' ${name} 2>/dev/null || true`)

test('an apt that somebody else has locked is waited for', async () => {
  // As apt does it: a lock of fcntl(2), which the end of the process takes away.
  await host.shell(`
    cat >/root/hold.pl <<'PERL'
use Fcntl;
open my $lock, '>>', '/var/lib/dpkg/lock-frontend' or die;
my $whole = pack('s s x4 q q l x4', F_WRLCK, 0, 0, 0, 0);
fcntl $lock, F_SETLK, $whole or die;
open my $held, '>', '/root/held' or die;
sleep 8;
PERL
    setsid perl /root/hold.pl >/dev/null 2>&1 &
    timeout 30 sh -c 'until [ -e /root/held ]; do sleep 0.1; done'`)
  await steward(host, apply, { exitCode: 0 })
  expect(await isInstalled('hello')).toBe('installed')
})

test('a package that dpkg left in the middle is finished before another is installed', async () => {
  await host.shell(`
    apt-get -qq purge hello >/dev/null
    mkdir -p /root/left/DEBIAN
    printf 'Package: left\\nVersion: 1\\nArchitecture: all\\nMaintainer: x <x@localhost>\\nDescription: x\\n' >/root/left/DEBIAN/control
    printf '#!/bin/sh\\n[ -e /root/mended ]\\n' >/root/left/DEBIAN/postinst
    chmod 755 /root/left/DEBIAN/postinst
    dpkg-deb --build /root/left >/dev/null
    dpkg --install /root/left.deb >/dev/null 2>&1 || true`)
  expect(await isInstalled('left')).toBe('half-configured')
  // It is not this run's, and stands in the way of nothing.
  await steward(host, apply, { exitCode: 0 })
  expect(await isInstalled('hello')).toBe('installed')
  expect(await isInstalled('left')).toBe('half-configured')
  await host.shell('touch /root/mended; dpkg --purge hello >/dev/null')
  await steward(host, apply, { exitCode: 0 })
  expect(await isInstalled('left')).toBe('installed')
  expect(await isInstalled('hello')).toBe('installed')
})
