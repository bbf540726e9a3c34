import { join } from 'node:path'
import type { EventRow, RunRow } from '../../engine/record/runs.ts'
import { eventsOf, expectAsPlanned, predictedBy, previewOf } from '../truth/plan-truth.ts'
import type { CommandOptions, CommandResult } from './command.ts'
import { report } from './command.ts'
import { expectNoSecrets } from './no-secrets.ts'
import type { Rig, TestHost } from './rig.ts'

const classes = [
  'zulip::profile::base',
  'zulip::profile::memcached',
  'zulip::profile::redis',
  'zulip::nginx',
]

export const zulipConf = `# The classes that this server is made of.
[machine]
puppet_classes = ${classes.join(', ')}
deploy_type = production
`

/** Values that must never be seen; long enough not to appear by chance. */
export const secrets = {
  memcached_password: 'mEmcachedPassw0rd7391',
  redis_password: 'rEdisPassw0rd2846',
}

/** Where a host with the image of `installedHost` finds the manifests of test/system/manifests. */
export const manifests = '/srv/manifests'

/**
 * An image of a bare Debian 12 with the archive unpacked, the files that Zulip's installer
 * writes, and the manifests of these tests.
 */
export function installedImage(rig: Rig): Promise<string> {
  return rig.image('installed', async (host) => {
    const archive = process.env.STEWARD_TEST_ARCHIVE
    if (archive === undefined) throw new Error('these tests are started by test/system/run.ts')
    await host.copyIn(archive, '/root/steward.tar.gz')
    await host.shell(
      'tar -C / -xzf /root/steward.tar.gz; rm /root/steward.tar.gz; steward --version',
    )
    await host.copyIn(join(import.meta.dirname, 'manifests'), manifests)
    await host.shell(`chown -R root:root ${manifests}`)
    await host.writeFile('/etc/zulip/zulip.conf', zulipConf)
    const lines = Object.entries(secrets).map(([name, value]) => `${name} = ${value}\n`)
    await host.writeFile('/etc/zulip/zulip-secrets.conf', `[secrets]\n${lines.join('')}`)
    await host.shell('chmod 640 /etc/zulip/zulip-secrets.conf')
    // Nobody answers there, but a server names somebody.
    await host.writeFile('/etc/resolv.conf', 'nameserver 10.77.0.1\n')
  })
}

/** The same after `steward apply`. */
export async function convergedImage(rig: Rig): Promise<string> {
  const image = await installedImage(rig)
  return rig.image(
    'converged',
    async (host) => {
      await steward(host, ['apply', '--yes'], { exitCode: 0 })
    },
    { image },
  )
}

/** Prints the process number of the `steward apply` that was started first. */
export const pidOfApply = "pgrep -of '[s]teward[.]cjs apply'"

/**
 * `steward` in the host; expects the exit status, and shows what was printed where it is another. What would change the
 * host is previewed first, and what comes must be what was predicted; and no secret may be left lying about.
 */
export async function steward(
  host: TestHost,
  args: readonly string[],
  { exitCode, surprises }: { readonly exitCode: number; readonly surprises?: 'any' },
  options?: CommandOptions,
): Promise<CommandResult> {
  const preview = previewOf(args)
  const planned = preview && (await host.exec(['steward', ...preview], options))
  const predicted = planned && predictedBy(planned.stdout)
  const last = predicted && (await newestRun(host, args))
  const result = await host.exec(['steward', ...args], options)
  if (result.exitCode !== exitCode) {
    throw new Error(
      `steward ${args.join(' ')}: expected exit status ${exitCode}\n${report(result)}`,
    )
  }
  const run = predicted && (await newestRun(host, args))
  if (predicted && run && run !== last) {
    const shown = await host.exec(['steward', 'runs', 'show', run, '--json', ...stateIn(args)])
    const row = JSON.parse(shown.stdout) as RunRow & { readonly events: readonly EventRow[] }
    expectAsPlanned(predicted, eventsOf(row, row.events), surprises ? { surprises } : {})
  }
  await expectNoSecrets(host, result, planned)
  return result
}

/** The id of the newest run that is on record; undefined where there is none. */
async function newestRun(host: TestHost, args: readonly string[]): Promise<string | undefined> {
  const argv = ['steward', 'runs', 'list', '--limit', '1', '--json', ...stateIn(args)]
  const { stdout } = await host.exec(argv)
  const [newest] = JSON.parse(stdout || '[]') as { readonly id: string }[]
  return newest?.id
}

/** Those of the arguments that say where the record lies. */
function stateIn(args: readonly string[]): string[] {
  return ['--root', '--state'].flatMap((flag) => {
    const at = args.indexOf(flag)
    return at < 0 ? [] : args.slice(at, at + 2)
  })
}

/** Waits until the shell's condition holds in the host; fails at once when the run ends before. */
export async function until(
  host: TestHost,
  condition: string,
  run: Promise<CommandResult>,
  timeoutMs = 30_000,
): Promise<void> {
  const poll = `i=0; until ${condition}; do i=$((i+1)); [ $i -lt ${timeoutMs / 100} ] || exit 1; sleep 0.1; done`
  const waited = host.exec(['sh', '-c', poll], { timeoutMs: timeoutMs + 60_000 })
  const { exitCode } = await Promise.race([
    waited,
    run.then((result): never => {
      throw new Error(`the run ended before this was true: ${condition}\n${report(result)}`)
    }),
  ])
  if (exitCode !== 0) throw new Error(`still not true after ${timeoutMs} ms: ${condition}`)
}
