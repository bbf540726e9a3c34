import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { jobsDuring } from './journal.ts'
import { connectRig, type TestHost } from './rig.ts'
import { installedImage, steward } from './steward.ts'

// No proxy: a local one would be fetched from the internet.
const conf = (classes: string): string => `[machine]
puppet_classes = ${classes}

[postgresql]
version = 15

[http_proxy]
host =
`

let host: TestHost
beforeAll(async () => {
  const rig = connectRig()
  host = await rig.up('application', { image: await installedImage(rig) })
  await host.writeFile('/etc/zulip/zulip.conf', conf('zulip::scheduled_senders'))
  await host.shell('echo "shared_secret = of-all-7315" >>/etc/zulip/zulip-secrets.conf')
  await steward(host, ['apply', '--yes'], { exitCode: 0 })
  await host.shell('apt-get install -q -y uwsgi-core uwsgi-plugin-python3 logrotate')
})
afterAll(() => host?.destroy())

/** Each program of supervisor with its process number, or with its state where none runs. */
async function programs(): Promise<Map<string, string>> {
  const { stdout } = await host.exec(['supervisorctl', 'status'])
  const lines = stdout.split('\n').filter((line) => line !== '')
  return new Map(
    lines.map((line) => {
      const [, name = '', state = ''] = /^(\S+)\s+(\S+)/.exec(line) ?? []
      return [name, / pid (\d+)/.exec(line)?.[1] ?? state]
    }),
  )
}
/** The programs whose process is another one afterwards, or which came or went. */
async function exchanged(body: () => Promise<unknown>): Promise<string[]> {
  const before = await programs()
  await body()
  await host.shell(
    'for i in $(seq 50); do supervisorctl status | grep -q STARTING || break; sleep 0.2; done',
  )
  const after = await programs()
  const names = new Set([...before.keys(), ...after.keys()])
  return [...names].filter((name) => before.get(name) !== after.get(name)).toSorted()
}
const set = async (key: string, value: string): Promise<void> => {
  await steward(host, ['conf', 'set', key, value], { exitCode: 0 })
  await steward(host, ['apply', '--yes'], { exitCode: 0 })
}

test('programs without a release are defined and stopped, and supervisor tries none of them', async () => {
  expect([...(await programs())]).toEqual([
    ['zulip_deliver_scheduled_emails', 'STOPPED'],
    ['zulip_deliver_scheduled_messages', 'STOPPED'],
  ])
  const { stderr } = await steward(host, ['apply', '--dry-run', '--detailed-exitcodes'], {
    exitCode: 0,
  })
  expect(stderr).toContain('No release of Zulip')
  expect(
    await host.shell(
      'grep -cE "spawned|FATAL|BACKOFF" /var/log/supervisor/supervisord.log || true',
    ),
  ).toBe('0\n')
})

test('with a release all programs run, and the next apply finds nothing to do', async () => {
  await host.copyIn(join(import.meta.dirname, 'uwsgi-release.sh'), '/root/release.sh')
  await host.shell('sh /root/release.sh 9.4')
  await host.writeFile(
    '/etc/zulip/zulip.conf',
    conf('zulip::app_frontend_base, zulip::scheduled_senders'),
  )
  await set('application_server.queue_workers_multiprocess', 'true')
  const running = await exchanged(async () => undefined)
  expect(running).toEqual([])
  const all = await programs()
  expect([...all.keys()]).toHaveLength(17)
  for (const [name, pid] of all) expect(pid, name).toMatch(/^\d+$/)
  // uwsgi refuses to start where it doesn't know an option.
  expect(await host.shell('grep -c "spawned uWSGI worker" /var/log/zulip/django.log')).not.toBe(
    '0\n',
  )
  expect(await host.shell('tail -n 1 /var/log/zulip/katex.log')).toBe('a secret of 11 letters\n')
  await steward(host, ['apply', '--dry-run', '--detailed-exitcodes'], { exitCode: 0 })
})

test('a change of uwsgi.ini restarts uwsgi and nothing else', async () => {
  expect(await exchanged(() => set('application_server.uwsgi_processes', '2'))).toEqual([
    'zulip-django',
  ])
})

test('a uwsgi that somebody stopped stays stopped', async () => {
  await host.exec(['supervisorctl', 'stop', 'zulip-django'])
  expect(await exchanged(() => set('application_server.uwsgi_processes', '1'))).toEqual([])
  expect((await programs()).get('zulip-django')).toBe('STOPPED')
  await host.exec(['supervisorctl', 'start', 'zulip-django'])
})

test('a change of one program restarts that one', async () => {
  expect(await exchanged(() => set('application_server.katex_server_port', '9701'))).toEqual([
    'zulip-katex',
  ])
})

test('queue workers change from processes to threads, and the other programs go on', async () => {
  const jobs = await jobsDuring(host, async () => {
    const names = await exchanged(() =>
      set('application_server.queue_workers_multiprocess', 'false'),
    )
    expect(names).toHaveLength(13)
    expect(names.every((name) => name.startsWith('zulip-workers:zulip_events'))).toBe(true)
  })
  expect(jobs).toEqual([])
  expect([...(await programs()).keys()]).toContain('zulip-workers:zulip_events')
})

test('a program file that no class declares is removed, and its program stopped', async () => {
  await host.writeFile(
    '/etc/supervisor/conf.d/zulip/stray.conf',
    '[program:stray]\ncommand=sleep 100000\n',
  )
  await host.exec(['supervisorctl', 'update'])
  expect((await programs()).get('stray')).toMatch(/^\d+$|STARTING/)
  expect(await exchanged(() => steward(host, ['apply', '--yes'], { exitCode: 0 }))).toEqual([
    'stray',
  ])
})

test("a change of supervisor's own configuration restarts it, once", async () => {
  const jobs = await jobsDuring(host, () =>
    set('application_server.service_file_descriptor_limit', '15000'),
  )
  expect(jobs.filter(({ job }) => job === 'start')).toEqual([
    { unit: 'supervisor.service', job: 'start' },
  ])
  const pid = await host.shell('systemctl show --property=MainPID --value supervisor')
  expect(await host.shell(`tr '\\0' ' ' </proc/${pid.trim()}/cmdline`)).toContain('--minfds 15000')
})

test('the programs that read what was written accept it', async () => {
  await host.shell('systemd-analyze verify supervisor.service')
  expect(
    await host.shell('logrotate -d /etc/logrotate.d/zulip 2>&1 | grep -i ^error || true'),
  ).toBe('')
})
