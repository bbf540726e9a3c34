import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import { beforeAll, expect, test } from 'vitest'
import type { HostEdge, HostTrial } from '../prove/host-trial.ts'
import { report } from './command.ts'
import { spread } from './each-point.ts'
import { connectRig, type Rig, type TestHost } from './rig.ts'
import { installedImage, steward } from './steward.ts'

const timeout = 2 * 3_600_000
const sampled = process.env.STEWARD_TEST_SERIES === 'sample'
const classes = ['zulip::profile::memcached', 'zulip::profile::redis', 'zulip::nginx']
/** Where the program of the trials lies in a host, as far below its folder as its source below the checkout. */
const program = '/srv/proof/engine/on-host.mjs'
/** The sample: edges of which the whole series has shown that they matter, as "from → to". */
const KNOWN_TO_MATTER = [
  'package[memcached] → exec[make-memcached-password-database]',
  'package[nginx-full] → file[/etc/nginx/dhparam.pem]',
  'file[/etc/sasl2/memcached.conf] → service[memcached]',
]
const isKnownToMatter = ({ from, to }: HostEdge): boolean =>
  KNOWN_TO_MATTER.includes(`${from} → ${to}`)
/** How many orders each mutant is tried in, on a fresh host each. */
const ORDERS = 2

let rig: Rig
let image: string
beforeAll(async () => {
  rig = connectRig()
  const installed = await installedImage(rig)
  image = await rig.image(
    'proof',
    async (host) => {
      await steward(host, ['apply', '--yes', 'zulip::profile::base'], { exitCode: 0 })
      await copyProgram(host)
    },
    { image: installed },
  )
}, 600_000)

test('prove finds the edges at packages and services without which a host goes wrong', {
  timeout,
}, async () => {
  const all = await onFreshHost<HostEdge[]>('proof-edges', ['edges'])
  const some = sampled ? all.filter(isKnownToMatter) : spread(all, 20)
  console.log(`edges on real hosts: ${some.length} of ${all.length}`)
  const sound = await onFreshHost<HostTrial>('proof-sound', ['try', '-', '-', '0'])
  expect(sound).toEqual({ harms: [], isFound: false })
  let [matter, found] = [0, 0]
  const missed: string[] = []
  const waiting = [...some]
  const worker = async (name: string): Promise<void> => {
    for (let edge = waiting.shift(); edge !== undefined; edge = waiting.shift()) {
      const trial = await harmOf(name, edge)
      if (trial.harms.length === 0) continue
      matter++
      console.log(`  matters: ${edge.from} → ${edge.to}: ${trial.harms[0]}`)
      if (trial.isFound) found++
      else missed.push(`${edge.from} → ${edge.to}: ${trial.harms[0]}`)
    }
  }
  await Promise.all([worker('proof-1'), worker('proof-2')])
  console.log(`  ${matter} matter, ${found} of them found`)
  expect(matter).toBeGreaterThan(0)
  expect(missed).toEqual([])
})

/** Tries orders until one goes wrong. */
async function harmOf(name: string, { from, to }: HostEdge): Promise<HostTrial> {
  let trial: HostTrial = { harms: [], isFound: false }
  for (let nth = 0; nth < ORDERS && trial.harms.length === 0; nth++)
    trial = await onFreshHost<HostTrial>(name, ['try', from, to, `${nth}`])
  return trial
}

async function onFreshHost<T>(name: string, args: readonly string[]): Promise<T> {
  const host = await rig.up(name, { image })
  try {
    const result = await host.exec(
      ['/usr/lib/steward/runtime/node', program, ...args, ...classes],
      { timeoutMs: 300_000 },
    )
    if (result.exitCode !== 0) throw new Error(`${args.join(' ')}\n${report(result)}`)
    return JSON.parse(result.stdout) as T
  } finally {
    await host.destroy()
  }
}

async function copyProgram(host: TestHost): Promise<void> {
  const made = mkdtempSync(join(tmpdir(), 'steward-on-host-'))
  try {
    const bundle = join(made, 'on-host.mjs')
    await build({
      entryPoints: [resolve(import.meta.dirname, '../prove/on-host.ts')],
      outfile: bundle,
      bundle: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'error',
      logOverride: { 'package.json': 'silent' },
      banner: {
        js: "const require = process.getBuiltinModule('node:module').createRequire(import.meta.url)",
      },
    })
    await host.shell('mkdir -p /srv/proof/engine')
    await host.copyIn(bundle, program)
    for (const folder of ['manifests', 'templates', 'schemas'])
      await host.copyIn(resolve(import.meta.dirname, '../..', folder), `/srv/proof/${folder}`)
    await host.shell('chown -R root:root /srv/proof')
  } finally {
    rmSync(made, { recursive: true, force: true })
  }
}
