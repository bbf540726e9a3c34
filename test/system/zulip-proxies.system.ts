import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type Archive,
  camo,
  go,
  type Mirror,
  makeMirror,
  smokescreen,
  smokescreenCommit,
} from './mirror.ts'
import { connectRig, type TestHost } from './rig.ts'
import { installedImage, steward } from './steward.ts'

const key = 'cAmoKeyOfThisTest9315'
const [oldCamo, newCamo] = [camo('2.5.1'), camo('2.5.2')]

// The life of one host, in order: the tests build on each other.
let host: TestHost
let mirror: Mirror
beforeAll(async () => {
  const rig = connectRig()
  host = await rig.up('proxies', { image: await installedImage(rig) })
  mirror = await makeMirror(host, [oldCamo, newCamo, go, smokescreen])
  await host.shell(`cd /etc/zulip; echo camo_key = ${key} >>zulip-secrets.conf
    cat >zulip.conf <<'END'
[machine]
puppet_classes = zulip::localhost_camo, zulip::profile::smokescreen
[downloads]
mirror = ${mirror.url}
END`)
  await pin(oldCamo)
})
afterAll(() => host?.destroy())

/** Has that version of camo fetched, and the rest of the mirror. */
const pin = (version: Archive): Promise<void> =>
  host.writeFile('/etc/steward/site.yaml', mirror.site(version, go, smokescreen))

const apply = (exitCode: number) =>
  steward(host, ['apply', '--yes', '--detailed-exitcodes'], { exitCode })
/** What supervisor says of a program once it has made up its mind: `go-camo RUNNING`. */
const states = () =>
  host.shell(`
    for i in $(seq 50); do supervisorctl status | grep -Eq 'STARTING|BACKOFF' || break; sleep 0.2; done
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
      `download[/srv/zulip-smokescreen-src-${smokescreenCommit}]`,
    ]),
  )
  expect(await host.shell('systemctl is-active nginx supervisor')).toBe('active\nactive\n')
  await host.shell('nginx -t; logrotate -d /etc/logrotate.d/smokescreen 2>&1')
})

test('once it is there, both programs run, without anything else to do', async () => {
  // Until supervisor has given up, it may start what is fetched before steward does.
  expect(await states()).toBe('go-camo FATAL\nsmokescreen FATAL\n')
  await mirror.start()
  const { stdout } = await apply(2)
  expect(stdout).toMatch(/ran +exec\[compile smokescreen\]/)
  expect(await states()).toBe('go-camo RUNNING\nsmokescreen RUNNING\n')
  const said = await host.shell('tail -n 1 /var/log/zulip/camo.log /var/log/zulip/smokescreen.log')
  expect(said).toContain(
    `2.5.1 of key ${createHash('sha256').update(key).digest('hex')}: --listen=127.0.0.1:9292 --header=Strict-Transport`,
  )
  expect(said).toContain('serving: --listen-ip 127.0.0.1')
  expect(await host.shell('ps -eo user,args | grep -c "^zulip .*sleep infinity"')).toBe('2\n')
  expect(await host.shell('ps -eo args')).not.toContain(key)
  expect(stdout).not.toContain(key)
})

test('the second apply has nothing to do, also without the compiler and the mirror', async () => {
  await mirror.stop()
  await host.shell('rm -r /srv/zulip-golang-1.22.5 /srv/zulip-smokescreen-src-*')
  expect((await apply(0)).stdout).toMatch(/nothing to do/i)
})

test('a version that can not be fetched leaves the old one running', async () => {
  await pin(newCamo)
  const before = await pids()
  await apply(4)
  expect(await pids()).toBe(before)
  expect(await host.shell('readlink /usr/local/bin/go-camo')).toContain('2.5.1')
})

test('a new version restarts its program alone, and the old one goes then', async () => {
  await mirror.start()
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
