import { expect, test } from 'vitest'
import { followApt } from '../../engine/resources/apt-progress.ts'

/** Of apt-get 2.6.1 on Debian 12, with its output in a pipe. */
const update = `Hit:1 http://mirror.example.org/debian bookworm InRelease
Get:2 http://security.debian.org bookworm-security InRelease [48.0 kB]
Get:3 http://mirror.example.org/debian bookworm/main amd64 Packages [8786 kB]
Fetched 8834 kB in 2s (4417 kB/s)
Reading package lists...`
const install = `Reading package lists...
Building dependency tree...
The following NEW packages will be installed:
  libevent-2.1-7 memcached
0 upgraded, 2 newly installed, 1 to remove and 3 not upgraded.
Need to get 331 kB of archives.
Get:1 http://mirror.example.org/debian bookworm/main amd64 libevent-2.1-7 amd64 2.1.12-stable-8 [180 kB]
Get:2 http://mirror.example.org/debian bookworm/main amd64 memcached amd64 1.6.18-1 [151 kB]
(Reading database ... 6089 files and directories currently installed.)
Removing ntp (1:4.2.8p15+dfsg-2~1.2.2+dfsg1-1+deb12u1) ...
Selecting previously unselected package libevent-2.1-7:amd64.
Preparing to unpack .../libevent-2.1-7_2.1.12-stable-8_amd64.deb ...
Unpacking libevent-2.1-7:amd64 (2.1.12-stable-8) ...
Unpacking memcached (1.6.18-1) ...
Setting up libevent-2.1-7:amd64 (2.1.12-stable-8) ...
Setting up memcached (1.6.18-1) ...
Created symlink /etc/systemd/system/multi-user.target.wants/memcached.service
Processing triggers for libc-bin (2.36-9+deb12u10) ...`

function toldOf(output: string): string[] {
  const told: string[] = []
  const follow = followApt((doing) => told.push(doing))
  for (const line of output.split('\n')) follow(line)
  return told
}

test('what apt fetches, removes, unpacks and sets up is told with the package, and how much is set up', () => {
  expect(toldOf(install)).toEqual([
    'reading lists',
    'fetching libevent-2.1-7',
    'fetching memcached',
    'removing ntp',
    'unpacking libevent-2.1-7:amd64',
    'unpacking memcached',
    'setting up libevent-2.1-7:amd64, 1 of 2',
    'setting up memcached, 2 of 2',
    'processing triggers for libc-bin',
  ])
})

test('lists are told with where they come from, and that they are read', () => {
  expect(toldOf(update)).toEqual([
    'fetching lists of bookworm-security from http://security.debian.org',
    'fetching lists of bookworm/main from http://mirror.example.org/debian',
    'reading lists',
  ])
})

test('a dpkg that finishes what was begun before counts nothing', () => {
  expect(toldOf('Setting up nginx (1.22.1-9) ...')).toEqual(['setting up nginx'])
})
