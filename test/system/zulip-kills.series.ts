import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildArchives } from '../miniature/build.ts'
import { report } from './command.ts'
import { eachPoint } from './each-point.ts'
import { ask, loadedPrograms } from './loaded.ts'
import { makeNewerMemcached } from './newer-package.ts'
import { connectRig, type TestHost } from './rig.ts'
import { steward } from './steward.ts'
import { voyager, voyagerImage } from './voyager.ts'

// Procedures of a Zulip server, killed after each event that they tell: the same command leads to the goal.

const timeout = 6 * 3_600_000
const sample = 2
const deployments = '/home/zulip/deployments'
const older = `${deployments}/2026-01-01-00-00-00`
const archive = '/srv/zulip-server-9.1.tar.gz'
const install = ['install', archive, '--hostname', 'zulip.example.org', '--email', 'a@example.org']

let hosts: readonly TestHost[]
beforeAll(async () => {
  const rig = connectRig()
  const image = await voyagerImage(rig)
  const { first } = await buildArchives(['first'])
  hosts = await Promise.all(
    ['kills-1', 'kills-2'].map(async (name) => {
      const host = await rig.up(name, { ...voyager, image })
      await host.copyIn(first, archive)
      await host.shell('rm -f /etc/zulip/settings.py')
      // Every process that loads the application takes a second of a processor to start.
      for (const [key, value] of [
        ['uwsgi_processes', '2'],
        ['queue_workers_multiprocess', 'false'],
      ] as const)
        await steward(host, ['conf', 'set', `application_server.${key}`, value], { exitCode: 0 })
      await steward(host, ['apply', '--yes'], { exitCode: 0 })
      return host
    }),
  )
}, 900_000)
afterAll(async () => {
  for (const host of hosts ?? []) await host.destroy()
})

/** Runs a command and kills it once it has told so many events; whether it was killed. */
async function killAfter(
  host: TestHost,
  args: readonly string[],
  events: number,
): Promise<boolean> {
  const result = await host.exec(
    [
      'sh',
      '-c',
      `rm -f /run/events; mkfifo /run/events; events=$1; shift
      steward "$@" --json >/run/events 2>&1 & run=$!
      head -n "$events" >/dev/null </run/events
      kill -9 $run 2>/dev/null; wait $run`,
      'sh',
      String(events),
      ...args,
    ],
    { timeoutMs: 900_000 },
  )
  if (result.exitCode === 137) return true
  console.log(`steward ${args.join(' ')}: not killed after ${events} events: ${report(result)}`)
  return false
}

/** One point for each event that the command tells when it runs to its end. */
async function points(host: TestHost, args: readonly string[]): Promise<readonly number[]> {
  const { stdout } = await steward(
    host,
    [...args, '--json'],
    { exitCode: 0 },
    { timeoutMs: 900_000 },
  )
  const count = stdout.trimEnd().split('\n').length
  // Behind the last one there is nothing left to kill.
  return Array.from({ length: count - 1 }, (_, index) => index + 1)
}

/** What is not as it is to be on a server whose current deployment is that one. */
async function lossesOf(host: TestHost, tree: string): Promise<string[]> {
  const current = (await host.shell(`readlink ${deployments}/current || true`)).trim()
  const left = await host.shell(`ls -A ${deployments} | grep -e lock || true`)
  const status = await host.shell('steward status')
  const off = await host.shell(
    'supervisorctl status | grep -v " RUNNING " | grep -v -e katex -e zulip-tus || true',
  )
  const trees = new Set([...(await loadedPrograms(host)).values()].map((each) => each.tree))
  return [
    ...(current === tree ? [] : [`current leads to ${current}`]),
    ...(left === '' ? [] : [`left behind: ${left}`]),
    ...(status.includes('Nothing is open.') ? [] : [status]),
    ...(off === '' ? [] : [off]),
    ...([...trees].join() === tree ? [] : [`what runs is of ${[...trees].join(', ')}`]),
    ...((await ask(host, '/health').catch(String)).includes('success') ? [] : ['no answer']),
  ]
}

const currentOf = async (host: TestHost) =>
  (await host.shell(`readlink ${deployments}/current`)).trim()

test('an install that is killed after any of its events is finished by the same command', {
  timeout,
}, async () => {
  const begin = (host: TestHost) =>
    host.shell(`
      supervisorctl stop all >/dev/null || true
      rm -rf ${deployments}/* /etc/zulip/settings.py
      cd /; runuser -u postgres -- dropdb --if-exists --force zulip`)
  const [first] = hosts as [TestHost]
  await begin(first)
  const all = await points(first, install)
  await eachPoint('kills of an install', { all, sample }, hosts, async (host, events) => {
    await begin(host)
    const reached = await killAfter(host, install, events)
    await steward(host, install, { exitCode: 0 }, { timeoutMs: 900_000 })
    return { reached, losses: await lossesOf(host, await currentOf(host)) }
  })
})

/** Has each host run the newer one of two deployments, after the older one. */
async function withTwoDeployments(): Promise<void> {
  for (const host of hosts) {
    if ((await host.shell(`ls ${deployments}`)) === '')
      await steward(host, install, { exitCode: 0 }, { timeoutMs: 900_000 })
    const newer = await currentOf(host)
    if (newer === older) continue
    await host.shell(`[ -d ${older} ] || cp -a ${newer} ${older}`)
    await steward(host, ['restart', older], { exitCode: 0 })
    await steward(host, ['restart', newer], { exitCode: 0 })
  }
}

// Each counts its points by a run of its own, of which a sample can't afford many.
const sampled = process.env.STEWARD_TEST_SERIES === 'sample'

test.each(sampled ? ['rollback'] : ['restart', 'rollback'])(
  'a %s that is killed after any of its events is finished by the same command',
  { timeout },
  async (command) => {
    await withTwoDeployments()
    const other = (host: TestHost) => host.shell(`readlink ${deployments}/last`)
    const run = async (host: TestHost) => {
      const tree = (await other(host)).trim()
      return { tree, args: command === 'restart' ? ['restart', tree] : ['rollback', '--yes'] }
    }
    const [first] = hosts as [TestHost]
    const all = await points(first, (await run(first)).args)
    await eachPoint(`kills of a ${command}`, { all, sample }, hosts, async (host, events) => {
      const { tree, args } = await run(host)
      const reached = await killAfter(host, args, events)
      await steward(host, args, { exitCode: 0 })
      return { reached, losses: await lossesOf(host, tree) }
    })
  },
)

if (!sampled) {
  test('a stop or start that is killed after any of its events is finished by the same command', {
    timeout,
  }, async () => {
    await withTwoDeployments()
    const [first] = hosts as [TestHost]
    const stopping = await points(first, ['stop'])
    const starting = await points(first, ['start'])
    const all = [
      ...stopping.map((events) => ['stop', events] as const),
      ...starting.map((events) => ['start', events] as const),
    ]
    await eachPoint(
      'kills of stop and start',
      { all, sample },
      hosts,
      async (host, [command, events]) => {
        if (command === 'start') await steward(host, ['stop'], { exitCode: 0 })
        const reached = await killAfter(host, [command], events)
        await steward(host, [command], { exitCode: 0 })
        if (command === 'stop') await steward(host, ['start'], { exitCode: 0 })
        return { reached, losses: await lossesOf(host, await currentOf(host)) }
      },
    )
  })

  test('a system update that is killed after any of its events is finished by the same command', {
    timeout,
  }, async () => {
    await withTwoDeployments()
    const update = ['system-update', '--yes']
    const begin = (host: TestHost) =>
      host.shell(
        'apt-get install --yes --allow-downgrades /srv/newer/memcached_older.deb >/dev/null',
      )
    for (const host of hosts) {
      await makeNewerMemcached(host)
      // What else there is to upgrade is not to come in the first run alone.
      await steward(host, update, { exitCode: 0 }, { timeoutMs: 900_000 })
    }
    const [first] = hosts as [TestHost]
    await begin(first)
    const all = await points(first, update)
    await eachPoint('kills of a system update', { all, sample }, hosts, async (host, events) => {
      await begin(host)
      await steward(host, ['start'], { exitCode: 0 })
      const reached = await killAfter(host, update, events)
      await steward(host, update, { exitCode: 0 }, { timeoutMs: 900_000 })
      const version = await host.shell("dpkg-query -W -f '${Version}' memcached")
      expect(version).toContain('newer1')
      return { reached, losses: await lossesOf(host, await currentOf(host)) }
    })
  })
}
