import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { camo, go, makeMirror, smokescreen, tusd } from './mirror.ts'
import { connectRig, type Rig, type TestHost } from './rig.ts'
import { installedImage, steward } from './steward.ts'

// Profiles that have no scenario of their own. In each host, the tests build on each other.
let rig: Rig
let image: string
beforeAll(async () => {
  rig = connectRig()
  image = await installedImage(rig)
})

describe('a profile alone', () => {
  let host: TestHost
  beforeAll(async () => {
    host = await rig.up('profiles', { image })
    await host.shell(
      `systemd-run --quiet --unit=watch sh -c 'while :; do ss -Hltun; sleep 0.1; done >/root/listened'`,
    )
  })
  afterAll(() => host?.destroy())

  /** Every address and port at which somebody listened since the beginning. */
  const everListened = async (): Promise<string[]> => {
    const sockets = await host.shell("awk '{ print $5 }' /root/listened | sort -u")
    return sockets.split('\n').filter((socket) => socket !== '')
  }

  test.each([
    // With the mail server that Debian recommends beside cron.
    ['base', 'cron', ['127.0.0.1:25', '[::1]:25']],
    ['memcached', 'memcached', ['127.0.0.1:11211']],
    ['redis', 'redis-server', ['127.0.0.1:6379', '[::1]:6379']],
  ])(
    '%s runs, listens on this host alone, and finds nothing more to do',
    async (name, unit, sockets) => {
      const before = await everListened()
      const apply = ['apply', '--yes', '--detailed-exitcodes', `zulip::profile::${name}`]
      await steward(host, apply, { exitCode: 2 })
      expect(await host.shell(`systemctl is-active ${unit}`)).toBe('active\n')
      const opened = (await everListened()).filter((socket) => !before.includes(socket))
      expect(opened).toEqual(sockets)
      expect((await steward(host, apply, { exitCode: 0 })).stdout).toMatch(/nothing to do/i)
      expect(await host.shell('systemctl --failed --no-legend --plain')).toBe('')
    },
  )
})

describe('the outgoing proxy alone', () => {
  let host: TestHost
  let address: string
  beforeAll(async () => {
    host = await rig.up('smokescreen', { image })
    address = (await host.shell('hostname -I')).trim()
    const archives = [go, smokescreen]
    const mirror = await makeMirror(host, archives)
    await mirror.start()
    await host.writeFile('/etc/steward/site.yaml', mirror.site(...archives))
    await host.writeFile(
      '/etc/zulip/zulip.conf',
      `[machine]
puppet_classes = zulip::profile::smokescreen
[http_proxy]
listen_address = ${address}
[downloads]
mirror = ${mirror.url}
`,
    )
  })
  afterAll(() => host?.destroy())

  test('a dry run tells what is fetched and built and that a firewall is needed, and touches nothing', async () => {
    const before = await host.shell('ls -A /srv /usr/local/bin; dpkg-query --show')
    const { stdout, stderr } = await steward(host, ['apply', '--dry-run', '--detailed-exitcodes'], {
      exitCode: 2,
    })
    expect(stdout).toContain('exec[compile smokescreen]')
    expect(stdout).toContain('supervisor_program[smokescreen]')
    expect(stderr).toContain(`Smokescreen listens at ${address}, port 4750`)
    expect(await host.shell('ls -A /srv /usr/local/bin; dpkg-query --show')).toBe(before)
  })

  test('it is built and runs at the address of zulip.conf, and nothing else of Zulip is there', async () => {
    await steward(host, ['apply', '--yes', '--detailed-exitcodes'], { exitCode: 2 })
    const programs = (await host.shell('supervisorctl status')).trim().split('\n')
    expect(programs.map((line) => line.split(/\s+/, 2).join(' '))).toEqual(['smokescreen RUNNING'])
    expect(await host.shell('cat /var/log/zulip/smokescreen.log')).toContain(
      `serving: --listen-ip ${address}`,
    )
    const packages = await host.shell("dpkg-query --show --showformat '${Package}\\n'")
    expect(packages).not.toMatch(/^(nginx|redis-server|memcached|rabbitmq-server|postgresql)/m)
  })

  test('the next apply finds nothing to do, and starts nothing anew', async () => {
    const pid = await host.shell('supervisorctl pid smokescreen')
    const { stdout } = await steward(host, ['apply', '--yes', '--detailed-exitcodes'], {
      exitCode: 0,
    })
    expect(stdout).toMatch(/nothing to do/i)
    expect(await host.shell('supervisorctl pid smokescreen')).toBe(pid)
  })

  test('another address restarts it, once, with that', async () => {
    await steward(host, ['conf', 'set', 'http_proxy.listen_address', '127.0.0.1'], { exitCode: 0 })
    await steward(host, ['apply', '--yes', '--detailed-exitcodes'], { exitCode: 2 })
    const starts = await host.shell('grep -c ^serving: /var/log/zulip/smokescreen.log')
    expect(starts).toBe('2\n')
    expect(await host.shell('tail -n 1 /var/log/zulip/smokescreen.log')).toBe(
      'serving: --listen-ip 127.0.0.1\n',
    )
  })
})

describe('in a container', () => {
  let host: TestHost
  /** Processes and mounts of its own within the host, without systemd, as in an image that is being made. */
  let container: TestHost
  beforeAll(async () => {
    host = await rig.up('docker', { image })
    const archives = [camo(), tusd]
    const mirror = await makeMirror(host, archives)
    await mirror.start()
    await host.writeFile('/etc/steward/site.yaml', mirror.site(...archives))
    await host.writeFile(
      '/etc/zulip/zulip.conf',
      `[machine]
puppet_classes = zulip::profile::docker
[application_server]
service_file_descriptor_limit = 15000
[downloads]
mirror = ${mirror.url}
[http_proxy]
host =
`,
    )
    await host.writeFile(
      '/root/in-container',
      `#!/bin/sh
exec nsenter --target "$(pgrep --parent "$(systemctl show --property=MainPID --value container)")" --mount --pid "$@"
`,
    )
    // Images of Debian have that answer for packages that want to start something.
    await host.shell(`echo camo_key = cAmoKey8842 >>/etc/zulip/zulip-secrets.conf
      printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d
      chmod 755 /usr/sbin/policy-rc.d /root/in-container
      systemd-run --quiet --unit=container unshare --mount --pid --fork --mount-proc \\
        sh -c 'mount -t tmpfs none /run/systemd; exec sleep infinity'`)
    container = {
      ...host,
      exec: (argv, options) => host.exec(['/root/in-container', ...argv], options),
    }
  })
  afterAll(() => host?.destroy())

  const apply = (exitCode: number) =>
    steward(container, ['apply', '--yes', '--detailed-exitcodes'], { exitCode })
  const processes = () =>
    host.shell("/root/in-container ps -e -o args= | grep -v '<defunct>' | sort")

  test('everything is configured, and nothing is started', async () => {
    const before = await processes()
    await apply(2)
    expect(await processes()).toBe(before)
  })

  test('supervisor says what is missing where a container may open fewer files than zulip.conf asks for', async () => {
    const { exitCode, stdout, stderr } = await container.exec([
      'sh',
      '-c',
      'ulimit -n 12000; exec supervisord --nodaemon',
    ])
    expect({ exitCode, said: stdout + stderr }).toEqual({
      exitCode: 2,
      said: expect.stringMatching(/required to run this process is 15000 /),
    })
    const key = 'application_server.service_file_descriptor_limit'
    await steward(container, ['conf', 'set', key, '12000'], { exitCode: 0 })
    const { stdout: made } = await apply(2)
    expect([...made.matchAll(/^changed +(\S+)/gm)].map(([, ref]) => ref)).toEqual([
      'file[/etc/supervisor/supervisord.conf]',
    ])
  })

  test('supervisor runs what the host would, and all programs that need no release', async () => {
    await host.shell(`ulimit -n 12000; setsid /root/in-container supervisord --nodaemon >/dev/null 2>&1 </dev/null &
      until /root/in-container supervisorctl pid >/dev/null 2>&1; do sleep 0.2; done
      while /root/in-container supervisorctl status | grep -q STARTING; do sleep 0.2; done`)
    const status = await host.shell('/root/in-container supervisorctl status || true')
    const running = status.split('\n').filter((line) => line !== '' && !/ STOPPED /.test(line))
    expect(running.map((line) => line.split(/\s+/, 2).join(' '))).toEqual([
      'cron RUNNING',
      'go-camo RUNNING',
      'nginx RUNNING',
      'process-fts-updates RUNNING',
    ])
    expect(
      await host.shell(
        "ss -Hltn | awk '{ print $4 }' | grep -Ev '^(127[.]|\\[::1\\])' | sed 's/.*://' | sort -un",
      ),
    ).toBe('80\n443\n')
    expect(await host.shell("curl -sk -o /dev/null -w '%{http_code}' https://127.0.0.1/")).toBe(
      '503',
    )
  })

  test('the next apply finds nothing to do, and starts nothing', async () => {
    const pids = "/root/in-container supervisorctl status | grep -o 'pid [0-9]*'"
    const before = await host.shell(pids)
    expect((await apply(0)).stdout).toMatch(/nothing to do/i)
    expect(await host.shell(pids)).toBe(before)
  })
})
