/**
 * `npm run bench -- voyager`: a dry run of a whole Zulip server on a real host where all is as it is to be. Tells
 * what steward itself used, and which programs it asked, how often, and what each of them used.
 */
import { join } from 'node:path'
import { buildArchive } from '../test/system/archive.ts'
import { deployRelease } from '../test/system/release.ts'
import { missingForHosts } from '../test/system/requirements.ts'
import { type Rig, type TestHost, withRig } from '../test/system/rig.ts'
import { steward } from '../test/system/steward.ts'
import { aligned, median, met } from './report.ts'
import { childrenOf } from './traced.ts'

const ownCpuGoal = 0.35
const peakMbGoal = 150

const conf = `[machine]
puppet_classes = zulip::voyager
deploy_type = production

[postgresql]
version = 15

[downloads]
mirror = http://127.0.0.1:8000
`
/** What is fetched and read in every run, with about the size in MB that it really has. */
const fetched = [
  {
    name: 'go-camo',
    mb: 9,
    at: 'github.com/cactus/go-camo/releases/download/v2.5.1/go-camo-2.5.1.go1225.linux-amd64.tar.gz',
    program: 'go-camo-2.5.1/bin/go-camo',
  },
  {
    name: 'tusd',
    mb: 33,
    at: 'github.com/tus/tusd/releases/download/v2.5.0/tusd_linux_amd64.tar.gz',
    program: 'tusd_linux_amd64/tusd',
  },
  {
    name: 'sentry-cli',
    mb: 28,
    at: 'downloads.sentry-cdn.com/sentry-cli/2.36.4/sentry-cli-Linux-x86_64',
  },
]
const dryRun = ['steward', 'apply', '--dry-run', '--detailed-exitcodes']

/** Times it `rounds` times on a host that is made for it, and prints what comes out. */
export async function benchVoyager(rounds: number): Promise<void> {
  const missing = missingForHosts()
  if (missing !== undefined) throw new Error(missing)
  const archive = await buildArchive()
  return withRig(async (rig) => {
    const host = await convergedHost(rig, archive)
    const runs: Used[] = []
    for (let round = 0; round < rounds; round++) runs.push(await used(host, dryRun))
    console.log(
      `\na dry run of all of zulip::voyager with nothing to do, ${rounds} times\n${usedTable(runs)}`,
    )
    const asked: string[][] = []
    for (const [argv, times] of counted(await childrenOf(host, dryRun))) {
      const all: Used[] = []
      for (let round = 0; round < 3; round++) all.push(await used(host, argv))
      const cpu = median(all.map(({ ownCpu, othersCpu }) => ownCpu + othersCpu))
      asked.push([shortened(argv), String(times), cpu.toFixed(2)])
    }
    console.log(
      `\nwhat it asked, and what each takes alone\n${aligned([['', 'times', 'CPU s'], ...asked])}`,
    )
  })
}

async function convergedHost(rig: Rig, archive: string): Promise<TestHost> {
  const host = await rig.up('voyager', { memory: '8G', hostname: 'zulip.example.org' })
  await host.copyIn(archive, '/root/steward.tar.gz')
  await host.copyIn(join(import.meta.dirname, 'own.pl'), '/root/own.pl')
  const puts = fetched.map(
    ({ name, mb, at, program }) => `put ${name} ${mb} ${at} ${program ?? ''}`,
  )
  const sums = await host.shell(`
    tar -C / -xzf /root/steward.tar.gz
    echo nameserver 10.77.0.1 >/etc/resolv.conf
    { apt-get update; apt-get install --yes --no-install-recommends python3; } >/dev/null 2>&1
    groupadd zulip; useradd -g zulip -m -s /bin/bash zulip
    mkdir -p /srv/mirror /root/make
    cd /root/make
    put() {
      mkdir -p "/srv/mirror/$(dirname "$3")" "$(dirname "./$4")"
      { echo '#!/bin/sh'; echo 'exec sleep 100000'; head -c "$2"M /dev/urandom; } >"./\${4:-plain}"
      chmod 755 "./\${4:-plain}"
      if [ -n "$4" ]; then tar -czf "/srv/mirror/$3" "\${4%%/*}"; else mv plain "/srv/mirror/$3"; fi
      echo "$1 $(sha256sum <"/srv/mirror/$3" | cut -c 1-64)"
    }
    ${puts.join('\n    ')}
    # What is built, or counts by being there, is not read.
    for made in /usr/local/bin/smokescreen-85c4c64e1e01b899456d42459966a106f66c7cd5-go-1.22.5 \\
      /srv/zulip-node-22.11.0/bin/node /srv/zulip-node-22.11.0/bin/corepack \\
      /home/zulip/.cache/node/corepack/v1/pnpm/9.14.2/.corepack \\
      /home/zulip/.cache/node/corepack/lastKnownGood.json; do
      mkdir -p "$(dirname $made)"
      printf '#!/bin/sh\\nexec sleep 100000\\n' >$made
      chmod 755 $made
    done
    cd /srv/mirror
    setsid python3 -m http.server --bind 127.0.0.1 8000 >/dev/null 2>&1 &`)
  await deployRelease(host, '10.0')
  const sum = Object.fromEntries(
    sums
      .trim()
      .split('\n')
      .map((line) => line.split(' ')),
  )
  await host.writeFile(
    '/etc/steward/site.yaml',
    `parameters:
  zulip::camo: { sha256: { amd64: "${sum['go-camo']}" } }
  zulip::tusd: { sha256: { amd64: "${sum.tusd}" } }
  zulip::sentry_cli: { sha256: { amd64: "${sum['sentry-cli']}" } }
`,
  )
  await host.writeFile('/etc/zulip/zulip.conf', conf)
  await steward(host, ['apply', '--yes'], { exitCode: 0 }, { timeoutMs: 900_000 })
  return host
}

/** What a program of the host used: seconds, and its own peak in MB. */
interface Used {
  readonly wall: number
  readonly ownCpu: number
  /** Of the programs that it started and waited for. */
  readonly othersCpu: number
  readonly peakMb: number
}

async function used(host: TestHost, argv: readonly string[]): Promise<Used> {
  const { stdout } = await host.exec(['perl', '/root/own.pl', '120', '/root/log', ...argv])
  const [wall, ownCpu, othersCpu, peakKb, exit] = stdout.trim().split(' ').map(Number)
  if (wall === undefined || ownCpu === undefined || othersCpu === undefined || peakKb === undefined)
    throw new Error(`own.pl told nothing of ${argv.join(' ')}`)
  if (argv === dryRun && exit !== 0) {
    throw new Error(
      `there is something to do, or it failed (${exit}):\n${await host.shell('cat /root/log')}`,
    )
  }
  return { wall, ownCpu, othersCpu, peakMb: peakKb / 1024 }
}

function usedTable(runs: readonly Used[]): string {
  const row = (title: string, values: readonly number[], digits: number, goal?: number) => {
    const middle = median(values)
    const verdict = goal === undefined ? '' : `${met(middle <= goal)}: at most ${goal}`
    return [title, middle.toFixed(digits), Math.min(...values).toFixed(digits), verdict]
  }
  return aligned([
    ['', 'median', 'least', ''],
    row(
      'own CPU s',
      runs.map(({ ownCpu }) => ownCpu),
      2,
      ownCpuGoal,
    ),
    row(
      'own peak MB',
      runs.map(({ peakMb }) => peakMb),
      0,
      peakMbGoal,
    ),
    row(
      'CPU s of what it asked',
      runs.map(({ othersCpu }) => othersCpu),
      2,
    ),
    row(
      'wall s',
      runs.map(({ wall }) => wall),
      2,
    ),
  ])
}

/** Each command once, in the order of its first start, with how often it was started. */
function counted(commands: readonly string[][]): (readonly [string[], number])[] {
  const groups = [...Map.groupBy(commands, (argv) => argv.join('\0')).values()]
  return groups.map((same) => [same[0] ?? [], same.length])
}

/** What a guard asks stands behind the programs that keep it from writing. */
function shortened(argv: readonly string[]): string {
  const end = argv.includes('setpriv') ? argv.lastIndexOf('--') + 1 : 0
  const text = `${end > 0 ? 'guard: ' : ''}${argv.slice(end).join(' ')}`.replace(/\s+/g, ' ')
  return text.length > 90 ? `${text.slice(0, 87)}…` : text
}
