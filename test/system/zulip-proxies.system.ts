import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectRig, type TestHost } from './rig.ts'
import { installedImage, steward } from './steward.ts'

const key = 'cAmoKeyOfThisTest9315'
const commit = '85c4c64e1e01b899456d42459966a106f66c7cd5'

// The life of one host, in order: the tests build on each other.
let host: TestHost
/** By name, of what stands in the mirror. */
let checksums: Map<string, string>
beforeAll(async () => {
  const rig = connectRig()
  host = await rig.up('proxies', { image: await installedImage(rig) })
  await host.shell(`cd /etc/zulip; echo camo_key = ${key} >>zulip-secrets.conf
    cat >zulip.conf <<'END'
[machine]
puppet_classes = zulip::localhost_camo, zulip::profile::smokescreen
[downloads]
mirror = http://127.0.0.1:8000
END
    { apt-get update; apt-get install --yes --no-install-recommends python3; } >/dev/null 2>&1`)
  checksums = await makeMirror()
  await pin('2.5.1')
})
afterAll(() => host?.destroy())

/**
 * What is to be fetched, below its own address as in a mirror, and stopped for now. The programs are shell scripts;
 * so is the compiler, which takes the only file of the source for the program.
 */
async function makeMirror(): Promise<Map<string, string>> {
  const sums = await host.shell(
    `mkdir -p /srv/mirror /root/make; cd /root/make
    put() { mkdir -p "/srv/mirror/$(dirname "$2")"; tar -czf "/srv/mirror/$2" "$1"; rm -r "$1"
      echo "$3 $(sha256sum <"/srv/mirror/$2" | cut -c 1-64)"; }
    for version in 2.5.1 2.5.2; do
      mkdir -p go-camo-$version/bin
      printf '#!/bin/sh\\necho "%s of key $GOCAMO_HMAC: $*"\\nexec sleep infinity\\n' $version >go-camo-$version/bin/go-camo
      chmod 755 go-camo-$version/bin/go-camo
      put go-camo-$version github.com/cactus/go-camo/releases/download/v$version/go-camo-$version.go1225.linux-amd64.tar.gz camo-$version
    done
    mkdir -p go/bin
    printf '#!/bin/sh\\n[ "$1 $2 $4" = "build -o ." ] && [ "$GOPROXY" = off ] && cp main.go "$3"\\n' >go/bin/go
    chmod 755 go/bin/go
    put go go.dev/dl/go1.22.5.linux-amd64.tar.gz go
    mkdir smokescreen-${commit}
    printf '#!/bin/sh\\necho "serving: $*"\\nexec sleep infinity\\n' >smokescreen-${commit}/main.go
    put smokescreen-${commit} github.com/stripe/smokescreen/archive/${commit}.tar.gz source`,
  )
  const pairs = sums.trim().split('\n')
  return new Map(pairs.map((line) => line.split(' ') as [string, string]))
}
/** The site file, with the checksums of what stands in the mirror. */
function pin(version: string): Promise<void> {
  return host.writeFile(
    '/etc/steward/site.yaml',
    `parameters:
  zulip::camo: { version: ${version}, sha256: { amd64: "${checksums.get(`camo-${version}`)}" } }
  zulip::golang: { sha256: { amd64: "${checksums.get('go')}" } }
  zulip::smokescreen: { sha256: "${checksums.get('source')}" }
`,
  )
}

const apply = (exitCode: number) =>
  steward(host, ['apply', '--yes', '--detailed-exitcodes'], { exitCode })
/** What supervisor says of a program once it has made up its mind: `go-camo RUNNING`. */
const states = () =>
  host.shell(`
    for i in $(seq 50); do supervisorctl status | grep -q STARTING || break; sleep 0.2; done
    supervisorctl status | tr -s ' ' | cut -d ' ' -f 1,2 ||:`)
const pids = () => host.shell('supervisorctl pid go-camo; supervisorctl pid smokescreen')

test('without the mirror all else is there, and what lacks says what and how', async () => {
  const { stdout } = await apply(6)
  expect(stdout).toMatch(
    /go-camo-2\.5\.1\.go1225\.linux-amd64\.tar\.gz \(SHA-256 [0-9a-f]{64}\) could not be fetched from http:\/\/127\.0\.0\.1:8000\/github\.com\//,
  )
  expect(stdout).toContain('Set mirror in [downloads] of zulip.conf')
  const failed = [...stdout.matchAll(/^failed +(\S+\[\S+\])/gm)].map(([, ref]) => ref)
  expect(new Set(failed)).toEqual(
    new Set([
      'download[/srv/zulip-go-camo-2.5.1]',
      'download[/srv/zulip-golang-1.22.5]',
      `download[/srv/zulip-smokescreen-src-${commit}]`,
    ]),
  )
  expect(await host.shell('systemctl is-active nginx supervisor')).toBe('active\nactive\n')
  await host.shell('nginx -t; logrotate -d /etc/logrotate.d/smokescreen 2>&1')
})

test('once it is there, both programs run, without anything else to do', async () => {
  await host.shell(
    'systemd-run --quiet --unit=mirror python3 -m http.server --bind 127.0.0.1 --directory /srv/mirror 8000; sleep 1',
  )
  const { stdout } = await apply(2)
  expect(stdout).toMatch(/ran +exec\[compile smokescreen\]/)
  expect(await states()).toBe('go-camo RUNNING\nsmokescreen RUNNING\n')
  const said = await host.shell('tail -n 1 /var/log/zulip/camo.log /var/log/zulip/smokescreen.log')
  expect(said).toContain(`2.5.1 of key ${key}: --listen=127.0.0.1:9292 --header=Strict-Transport`)
  expect(said).toContain('serving: --listen-ip 127.0.0.1')
  expect(await host.shell('ps -eo user,args | grep -c "^zulip .*sleep infinity"')).toBe('2\n')
  expect(await host.shell('ps -eo args')).not.toContain(key)
  expect(stdout).not.toContain(key)
})

test('the second apply has nothing to do, also without the compiler and the mirror', async () => {
  await host.shell(
    `systemctl stop mirror; rm -r /srv/zulip-golang-1.22.5 /srv/zulip-smokescreen-src-*`,
  )
  expect((await apply(0)).stdout).toMatch(/nothing to do/i)
})

test('a version that can not be fetched leaves the old one running', async () => {
  await pin('2.5.2')
  const before = await pids()
  await apply(4)
  expect(await pids()).toBe(before)
  expect(await host.shell('readlink /usr/local/bin/go-camo')).toContain('2.5.1')
})

test('a new version restarts its program alone, and the old one goes then', async () => {
  await host.shell(
    'systemd-run --quiet --unit=mirror python3 -m http.server --bind 127.0.0.1 --directory /srv/mirror 8000; sleep 1',
  )
  const [camo, smokescreen] = (await pids()).split('\n')
  await apply(2)
  const after = (await pids()).split('\n')
  expect(after[0]).not.toBe(camo)
  expect(after[1]).toBe(smokescreen)
  expect(await host.shell('tail -n 1 /var/log/zulip/camo.log')).toContain('2.5.2 of key')
  expect(await host.shell('ls -d /srv/zulip-go-camo-*')).toBe('/srv/zulip-go-camo-2.5.2\n')
  expect((await apply(0)).stdout).toMatch(/nothing to do/i)
})

test('where nothing is fetched, what is missing stays stopped and is told', async () => {
  await host.shell(`sed -i '/^mirror/c enabled = false' /etc/zulip/zulip.conf
    supervisorctl stop go-camo; rm -r /srv/zulip-go-camo-2.5.2`)
  const { stdout, stderr } = await apply(0)
  expect(stderr).toContain('Nothing is fetched')
  expect(stdout).toContain('left stopped: /srv/zulip-go-camo-2.5.2/bin/go-camo is not there yet')
})
