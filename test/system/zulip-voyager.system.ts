import { afterAll, beforeAll, expect, test } from 'vitest'
import { jobsDuring } from './journal.ts'
import { connectRig, type Rig, type TestHost } from './rig.ts'
import { installedImage, steward } from './steward.ts'
import { programsStartedBy } from './trace.ts'
import { setUpVoyager, voyager } from './voyager.ts'

// The whole life of one server, in order: the tests build on each other.
let rig: Rig
let host: TestHost
beforeAll(async () => {
  rig = connectRig()
  host = await rig.up('voyager', { ...voyager, image: await installedImage(rig) })
  await setUpVoyager(host)
})
afterAll(() => host?.destroy())

test('a dry run on a bare host tells of the secrets that are to be made, and makes none', async () => {
  const { stdout, stderr } = await steward(host, ['apply', '--dry-run'], { exitCode: 0 })
  expect(stdout).toContain('ini_setting[secret rabbitmq_password]')
  expect(stderr).toContain('No release of Zulip')
  await host.shell('test ! -e /etc/zulip/zulip-secrets.conf')
})

test('one apply makes a server of it, and no port is open to the world at any moment but those of mail and web', async () => {
  await host.writeFile(
    '/root/listeners.sh',
    'while [ -e /root/watch ]; do ss -Hltn; sleep 0.2; done >/root/listeners\n',
  )
  await host.shell('touch /root/watch; setsid sh /root/listeners.sh >/dev/null 2>&1 &')
  await host.shell('rm /var/log/apt/history.log')
  await steward(host, ['apply', '--yes'], { exitCode: 0 }, { timeoutMs: 900_000 })
  await host.shell('rm /root/watch; sleep 1')
  const sockets = (await host.shell("awk '{print $4}' /root/listeners | sort -u"))
    .trim()
    .split('\n')
  const local = /^(127\.|\[::1\]|\[::ffff:127\.)/
  const open = sockets
    .filter((socket) => !local.test(socket))
    .map((socket) => socket.slice(socket.lastIndexOf(':') + 1))
  expect([...new Set(open)].filter((port) => !['22', '80', '443'].includes(port))).toEqual([])
  expect(sockets).toContain('0.0.0.0:443')
})

test('all packages came in one transaction of apt', async () => {
  expect(await host.shell('grep -c ^Start-Date: /var/log/apt/history.log')).toBe('1\n')
})

test('what its package started with the configuration already there was not started a second time', async () => {
  for (const unit of ['epmd.socket', 'rabbitmq-server.service'])
    expect(
      await host.shell(
        `journalctl --unit ${unit} --no-pager | grep -cE 'Start(ed|ing) |Listening '`,
      ),
    ).toBe(unit === 'epmd.socket' ? '1\n' : '2\n')
  expect(await host.shell('rabbitmqctl -q eval "node()."')).toBe('zulip@localhost\n')
})

test('every service of the system runs', async () => {
  const units = 'postgresql@15-main rabbitmq-server redis-server memcached nginx supervisor cron'
  expect(await host.shell(`systemctl is-active ${units}`)).toBe('active\n'.repeat(7))
})

test('PostgreSQL has the sizes of this memory and the search dictionary', async () => {
  const ask = (sql: string) => host.shell(`runuser -u postgres -- psql -qAtc "${sql}"`)
  const total = Number(await host.shell("awk '/^MemTotal/ {print int($2 / 1024)}' /proc/meminfo"))
  const mb = async (name: string) =>
    Number(await ask(`SELECT pg_size_bytes(current_setting('${name}')) / 1024 / 1024`))
  expect(await mb('shared_buffers')).toBe(Math.floor(total / 8))
  expect(await mb('work_mem')).toBe(Math.floor(total / 512))
  expect(await mb('maintenance_work_mem')).toBe(Math.floor(total / 32))
  expect(await ask('SHOW listen_addresses')).toBe('localhost\n')
  await host.shell(
    'for f in en_us.dict en_us.affix zulip_english.stop; do test -s /usr/share/postgresql/15/tsearch_data/$f; done',
  )
})

test('redis and memcached want their passwords, and RabbitMQ knows its user', async () => {
  const { stdout } = await host.exec(['redis-cli', 'ping'])
  expect(stdout).toContain('NOAUTH')
  const secret = (name: string) =>
    host.shell(`sed -n 's/^${name} *= *//p' /etc/zulip/zulip-secrets.conf | tr -d '\\n'`)
  const redis = await secret('redis_password')
  expect(await host.shell(`REDISCLI_AUTH=${redis} redis-cli ping`)).toBe('PONG\n')
  // Without a login memcached closes the connection of whoever asks in the text protocol.
  expect(
    await host.shell(
      "bash -c 'exec 3<>/dev/tcp/127.0.0.1/11211; echo stats >&3; timeout 2 head -c 5 <&3 || true'",
    ),
  ).not.toContain('STAT')
  // Not as an argument: the journal keeps those of su, which this command runs.
  await host.shell(
    "sed -n 's/^rabbitmq_password *= *//p' /etc/zulip/zulip-secrets.conf | rabbitmqctl -q authenticate_user zulip",
  )
  expect(await host.shell('stat -c "%U:%G %a" /etc/zulip/zulip-secrets.conf')).toBe(
    'zulip:zulip 640\n',
  )
})

test('nginx answers on 443, and supervisor has every program, those of a release stopped', async () => {
  const curl = "curl -sk -o /dev/null -w '%{http_code} ' --resolve zulip.example.org:443:127.0.0.1"
  expect(await host.shell(`${curl} https://zulip.example.org/`)).toMatch(/^50[0-9] $/)
  const { stdout } = await host.exec(['supervisorctl', 'status'])
  const states = new Map(
    stdout
      .trim()
      .split('\n')
      .map((line) => [line.split(/\s+/)[0], line.split(/\s+/)[1]] as const),
  )
  expect(states.size).toBeGreaterThan(15)
  // These need no release.
  const others = [...states].filter(([, state]) => state !== 'STOPPED')
  expect(others).toEqual([
    ['go-camo', 'RUNNING'],
    ['process-fts-updates', 'RUNNING'],
    ['smokescreen', 'RUNNING'],
  ])
})

test.each([
  ['nginx', 'nginx -t'],
  ['logrotate', 'logrotate -d /etc/logrotate.conf'],
  [
    'PostgreSQL',
    'runuser -u postgres -- /usr/lib/postgresql/15/bin/postgres -C shared_buffers -D /etc/postgresql/15/main',
  ],
  [
    'systemd',
    'systemd-analyze verify --man=no redis-server.service supervisor.service nginx.service epmd.socket',
  ],
  ['the kernel', 'sysctl -p /etc/sysctl.d/40-redis-server.conf /etc/sysctl.d/40-uwsgi.conf'],
  // It has no check of a system's jobs, which name a user; of what remains without that it has.
  [
    'the syntax of cron',
    `for job in /etc/cron.d/*; do awk '/^[*0-9]/ { $6 = "" } /^@/ { $2 = "" } { print }' "$job" >/tmp/job; crontab -n /tmp/job || exit 1; done`,
  ],
  // It is given nothing, and is not even installed.
  ['sudo', 'test ! -e /etc/sudoers.d || visudo --check --strict'],
])('%s accepts what it was given', async (_title, command) => {
  const { exitCode, stdout, stderr } = await host.exec(['sh', '-c', command])
  const complaints = (stdout + stderr)
    .split('\n')
    .filter((line) => /^error|\[emerg\]|unknown/i.test(line))
  expect({ complaints, exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({
    complaints: [],
    exitCode: 0,
    stderr: '',
  })
})

test('cron takes every job', async () => {
  await host.shell('touch /etc/cron.d; systemctl restart cron; sleep 2')
  const log = await host.shell('journalctl -u cron --no-pager')
  expect(log.split('\n').filter((line) => /error|wrong|insecure|orphan/i.test(line))).toEqual([])
})

test('the second apply finds nothing to do', async () => {
  const jobs = await jobsDuring(host, async () => {
    const { stdout } = await steward(host, ['apply', '--yes', '--detailed-exitcodes'], {
      exitCode: 0,
    })
    expect(stdout).toMatch(/nothing to do/i)
  })
  // Who asks RabbitMQ opens a session of its user.
  const own = jobs.filter(({ unit }) => unit !== undefined && !/^(user|session)/.test(unit))
  expect(own).toEqual([])
})

test('a dry run asks five programs, each once', async () => {
  const { result, programs } = await programsStartedBy(host, ['steward', 'apply', '--dry-run'])
  expect(result.exitCode).toBe(0)
  const asked = programs.flatMap(([program = '', ...args]) => {
    if (['systemctl', 'supervisorctl', 'rabbitmqctl'].includes(program)) return [program]
    return program === 'setpriv' ? [args.at(-1) ?? ''] : []
  })
  expect(asked).toEqual([
    'systemctl',
    'supervisorctl',
    'rabbitmqctl',
    expect.stringContaining('.erlang.cookie'),
    expect.stringContaining('/etc/letsencrypt/'),
  ])
})

test('what the real checkers refuse is not put in place, and is told in their words', async () => {
  const shipped = '/usr/lib/steward'
  const files = [
    '/etc/logrotate.d/zulip',
    '/etc/logrotate.d/nginx',
    '/etc/supervisor/supervisord.conf',
    '/etc/supervisor/conf.d/zulip/zulip.conf',
    '/etc/apt/apt.conf.d/52zulip-unattended-upgrades',
    '/etc/systemd/system/redis-server.service.d/zulip.conf',
    '/etc/systemd/system/epmd.socket.d/zulip.conf',
    '/etc/nginx/nginx.conf',
    '/etc/postgresql/15/main/conf.d/zulip.conf',
  ]
  const sums = () => host.shell(`sha256sum ${files.join(' ')}`)
  const before = await sums()
  // Shipped templates and classes, each with a mistake.
  await host.shell(`mkdir -p /root/broken/zulip/profile; cp -r ${shipped}/templates /root/broken
    cd /root/broken/templates
    sed -i 's/missingok/misingok/' logrotate/zulip.hbs logrotate/nginx.hbs
    sed -i 's/^\\[supervisord\\]/[supervisor]/' supervisor/supervisord.conf.hbs
    sed -i 's/^priority=/priority=high/' supervisor/programs.conf.hbs
    echo 'More { "a"' >>apt/unattended-upgrades.hbs
    sed -i '1i no_such_directive on;' nginx/nginx.conf.hbs
    echo 'no_such_setting = 1' >>postgresql/zulip.conf.hbs
    cd ../zulip/profile; cp ${shipped}/manifests/zulip/profile/redis.yaml ${shipped}/manifests/zulip/profile/rabbitmq.yaml .
    sed -i 's/^      \\[Service\\]/&\\n      LimitNOFILE=many/' redis.yaml
    sed -i 's/^      \\[Socket\\]/&\\n      Backlog=many/' rabbitmq.yaml`)
  const jobs = await jobsDuring(host, async () => {
    const { stdout } = await steward(host, ['apply', '--yes', '--manifests', '/root/broken'], {
      exitCode: 4,
    })
    for (const words of [
      "unknown option 'misingok'",
      'does not include supervisord section',
      "invalid literal for int() with base 10: 'high",
      'Extra junk at end of file',
      'Failed to parse resource value, ignoring: many',
      'Failed to parse unsigned value, ignoring: many',
      'unknown directive "no_such_directive"',
      'unrecognized configuration parameter "no_such_setting"',
    ])
      expect(stdout).toContain(words)
  })
  expect(jobs.filter(({ unit }) => unit !== undefined && !/^(user|session)/.test(unit))).toEqual([])
  expect(await sums()).toBe(before)
  await steward(host, ['apply', '--yes', '--detailed-exitcodes'], { exitCode: 0 })
})

test.each([
  ['memcached.memory', '300', ['file[/etc/memcached.conf]', 'service[memcached]']],
  [
    'application_server.nginx_worker_connections',
    '9000',
    ['file[/etc/nginx/nginx.conf]', 'service[nginx]'],
  ],
])('a change of %s changes one file and touches one service', async (key, value, changed) => {
  await steward(host, ['conf', 'set', key, value], { exitCode: 0 })
  const { stdout } = await steward(host, ['apply', '--yes', '--json'], { exitCode: 0 })
  const events = stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { type: string; ref?: string; outcome?: string })
  const touched = events.filter(
    ({ type, outcome }) => type === 'resource_finished' && outcome !== 'unchanged',
  )
  expect(touched.map(({ ref }) => ref)).toEqual(changed)
})

test('with the memory of a small machine its workers share one process', async () => {
  await host.freeze('voyager-converged')
  host = await rig.up('voyager-small', { image: 'voyager-converged', memory: '2G' })
  await steward(host, ['apply', '--yes'], { exitCode: 0 })
  const programs = await host.shell('supervisorctl avail')
  expect(programs).toMatch(/zulip_events(?!_)/)
  expect(programs).not.toContain('zulip_events_deferred_work')
  expect(await host.shell('grep -c "^processes = 3$\\|^processes=3$" /etc/zulip/uwsgi.ini')).toBe(
    '1\n',
  )
  await steward(host, ['apply', '--yes', '--detailed-exitcodes'], { exitCode: 0 })
})
