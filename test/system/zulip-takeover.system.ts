import { afterAll, beforeAll, expect, test } from 'vitest'
import { rowsOf } from '../inventories/row.ts'
import { jobsDuring } from './journal.ts'
import { deployRelease } from './release.ts'
import { connectRig, type TestHost } from './rig.ts'
import { installedImage, steward } from './steward.ts'
import { filesLaidOut, layOut, settingsOf } from './takeover.ts'

const rows = rowsOf('9x-standalone')
const laidOut = filesLaidOut(rows)
/** What the real catalog has and ours leaves to the package or to the administrator: test/inventories says why. */
const notOurs = [
  '/etc/nginx/uwsgi_params',
  '/etc/security/limits.conf',
  '/etc/zulip/settings.py',
  '/usr/local/bin/smokescreen-85c4c64e1e01b899456d42459966a106f66c7cd5-go-1.22.5',
  '/var/lib/zulip/memcached-sasldb2.stamp',
]

// The life of one host, in order: the tests build on each other.
let host: TestHost
beforeAll(async () => {
  const rig = connectRig()
  host = await rig.up('takeover', {
    image: await installedImage(rig),
    memory: '8G',
    hostname: 'zulip.example.org',
  })
  const { conf, secrets } = settingsOf('9x-standalone')
  await host.writeFile('/etc/zulip/zulip.conf', `${conf}\n[downloads]\nenabled = false\n`)
  await host.writeFile('/etc/zulip/zulip-secrets.conf', secrets)
  await layOut(host, rows)
  await deployRelease(host, '9.4')
})
afterAll(() => host?.destroy())

/** The digests of what was laid out, by path. */
async function digests(): Promise<Map<string, string>> {
  const lines = await host.shell(`sha256sum ${laidOut.join(' ')}`)
  const pairs = lines.trim().split('\n')
  return new Map(pairs.map((line) => [line.slice(66), line.slice(0, 64)]))
}
/** What systemd did to units. Whoever asks RabbitMQ opens a session of its user, and epmd goes with its socket. */
async function serviceJobs(body: () => Promise<unknown>): Promise<string[]> {
  const jobs = await jobsDuring(host, body)
  return jobs
    .filter(({ unit }) => unit !== undefined && !/^(user|session|epmd\.service)/.test(unit))
    .map(({ unit, job }) => `${job} ${unit}`)
}
/** How often supervisor started each program meanwhile. */
async function startsDuring(body: () => Promise<unknown>): Promise<Record<string, number>> {
  const log = '/var/log/supervisor/supervisord.log'
  const begin = Number(await host.shell(`wc -l <${log}`)) + 1
  await body()
  const lines = await host.shell(
    `tail -n +${begin} ${log} | sed -n "s/.* spawned: '\\(.*\\)' with.*/\\1/p"`,
  )
  const names = lines.split('\n').filter((name) => name !== '')
  return Object.fromEntries(
    [...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length]),
  )
}
/** What a plan says is overwritten, by path. */
function filesIn(plan: string): string[] {
  const folders: Readonly<Record<string, string>> = { file: '', cron: '/etc/cron.d/' }
  const settings: Readonly<Record<string, string>> = {
    'net.core.somaxconn': '/etc/sysctl.d/40-uwsgi.conf',
    'vm.overcommit_memory': '/etc/sysctl.d/40-redis-server.conf',
  }
  return [...plan.matchAll(/^ {2}~ (file|cron|sysctl)\[(.*?)\] +content /gm)]
    .map(([, type = '', title = '']) => settings[title] ?? `${folders[type]}${title}`)
    .toSorted()
}
/** The services that a plan says are restarted or reloaded, as systemd tells its jobs. */
function refreshesIn(plan: string): string[] {
  return [...plan.matchAll(/^ {2}↻ (service|supervisor_program)\[(.*?)\] +(restart|reload) /gm)]
    .map(([, , name = '', how]) => `${how} ${name.includes('.') ? name : `${name}.service`}`)
    .toSorted()
}
const apply = (exitCode: number) =>
  steward(host, ['apply', '--yes', '--detailed-exitcodes'], { exitCode })

test('what was laid out runs', async () => {
  const units = 'postgresql@15-main rabbitmq-server redis-server memcached nginx supervisor cron'
  expect(await host.shell(`systemctl is-active ${units}`)).toBe('active\n'.repeat(7))
  expect(await host.shell('supervisorctl status | grep -c RUNNING')).toBe('6\n')
})

test('the plan tells each file that is overwritten and each service that is touched, and so it comes, once', async () => {
  const { stdout } = await steward(host, ['apply', '--dry-run'], { exitCode: 0 })
  const before = await digests()
  let starts: Record<string, number> = {}
  const jobs = await serviceJobs(async () => {
    starts = await startsDuring(() => apply(2))
  })
  const after = await digests()
  const overwritten = laidOut.filter((path) => before.get(path) !== after.get(path))
  // A command makes that one.
  const written = overwritten.filter((path) => path !== '/etc/sasl2/memcached-sasldb2')
  expect(filesIn(stdout)).toEqual(written)
  expect(stdout).not.toMatch(/^ {2}~ file\[.*\] +content (?!.*here before steward)/m)
  expect(laidOut.filter((path) => !overwritten.includes(path))).toEqual(notOurs)
  const refreshes = jobs.filter((job) => /^(restart|reload) /.test(job)).toSorted()
  expect(refreshes).toEqual([
    'reload nginx.service',
    'restart epmd.socket',
    'restart memcached.service',
    'restart postgresql@15-main.service',
    'restart rabbitmq-server.service',
    'restart redis-server.service',
    'restart supervisor.service',
    'restart sysfsutils.service',
  ])
  expect(refreshesIn(stdout)).toEqual(refreshes)
  // All programs of supervisor are restarted with it, and none of them again.
  const counts = Object.entries(starts)
  expect(counts.length).toBeGreaterThan(15)
  expect(counts.filter(([, count]) => count !== 1)).toEqual([])
})

test('the next apply finds nothing to do', async () => {
  expect(await serviceJobs(() => apply(0))).toEqual([])
})

test('of a host that has our texts already, modes are put right and nothing is restarted', async () => {
  await host.shell(`
    rm -r /var/lib/steward
    chmod 0664 /etc/memcached.conf /etc/supervisor/supervisord.conf /etc/postgresql/15/main/conf.d/zulip.conf
    chmod 0600 /etc/cron.d/restart-zulip`)
  const jobs = await serviceJobs(async () => {
    expect(
      await startsDuring(async () => {
        const { stdout } = await apply(2)
        expect(stdout).toMatch(/^Done: 4 changed/m)
      }),
    ).toEqual({})
  })
  expect(jobs).toEqual([])
})

test('of a host that has all but two of our texts, only what reads the two is restarted', async () => {
  await host.shell(`
    rm -r /var/lib/steward
    echo '# mine' >>/etc/memcached.conf
    echo '; mine' >>/etc/supervisor/conf.d/zulip/zulip.conf`)
  const jobs = await serviceJobs(async () => {
    expect(await startsDuring(() => apply(2))).toEqual({})
  })
  expect(jobs).toEqual(['restart memcached.service', 'start memcached.service'])
})

test.each([
  [
    'application_server.access_log_retention_days',
    '30',
    ['logrotate.d/nginx', 'logrotate.d/zulip'],
    [],
    [],
  ],
  [
    'application_server.nginx_listen_port',
    '8443',
    ['nginx/sites-available/zulip-enterprise', 'nginx/sites-available/zulip-standby'],
    ['reload nginx.service'],
    [],
  ],
  [
    'application_server.s3_memory_cache_size',
    '2M',
    ['nginx/zulip-include/s3-cache'],
    ['reload nginx.service'],
    [],
  ],
  [
    'application_server.uwsgi_listen_backlog_limit',
    '256',
    ['sysctl.d/40-uwsgi.conf', 'zulip/uwsgi.ini'],
    [],
    ['zulip-django'],
  ],
  ['application_server.katex_server', 'false', ['supervisor/conf.d/zulip/zulip.conf'], [], []],
  [
    'application_server.katex_server',
    'true',
    ['supervisor/conf.d/zulip/zulip.conf'],
    [],
    ['zulip-katex'],
  ],
  ['http_proxy.enable_for_camo', 'true', ['supervisor/conf.d/zulip/go-camo.conf'], [], ['go-camo']],
  ['memcached.max_item_size', '2m', ['memcached.conf'], ['restart memcached.service'], []],
  [
    'postgresql.random_page_cost',
    '1.1',
    ['postgresql/15/main/conf.d/zulip.conf'],
    ['restart postgresql@15-main.service'],
    [],
  ],
])(
  '%s = %s changes what it is for and restarts what reads that, once',
  async (key, value, files, restarts, programs) => {
    await host.shell('touch /root/before')
    await steward(host, ['conf', 'set', key, value], { exitCode: 0 })
    let starts: Record<string, number> = {}
    const jobs = await serviceJobs(async () => {
      starts = await startsDuring(() => apply(2))
    })
    const changed = await host.shell(
      'find /etc -type f -newercm /root/before ! -path /etc/zulip/zulip.conf -printf "%P\\n"',
    )
    expect(
      changed
        .split('\n')
        .filter((path) => path !== '')
        .toSorted(),
    ).toEqual(files)
    expect(jobs.filter((job) => job.startsWith('re'))).toEqual(restarts)
    expect(starts).toEqual(Object.fromEntries(programs.map((name) => [name, 1])))
  },
)
