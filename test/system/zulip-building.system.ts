import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { must } from './command.ts'
import { type Archive, type Mirror, makeMirror, node, nodeFolder } from './mirror.ts'
import { connectRig, type TestHost } from './rig.ts'
import { installedImage, steward } from './steward.ts'

const pnpm = '9.14.2'

/** Node.js, which is steward's own, with the corepack that its makers had in it. */
const realNode: Archive = {
  ...node,
  make: `mkdir -p ${nodeFolder}/bin ${nodeFolder}/lib/node_modules
    cp /usr/lib/steward/runtime/node ${nodeFolder}/bin
    cp -r /root/corepack ${nodeFolder}/lib/node_modules
    ln -s ../lib/node_modules/corepack/dist/corepack.js ${nodeFolder}/bin/corepack`,
}
const laterVersion = '22.14.0'
/** The same as another version. */
const laterNode: Archive = {
  ...realNode,
  address: realNode.address.replaceAll('22.11.0', laterVersion),
  make: realNode.make.replaceAll('22.11.0', laterVersion),
}
/** What a registry answers to those who ask about this version, and the package itself. */
const registry: readonly Archive[] = [
  {
    address: `npm/pnpm/${pnpm}`,
    make: `echo '{"dist":{"tarball":"http://127.0.0.1:8000/npm/pnpm/-/pnpm-${pnpm}.tgz"}}' >${pnpm}`,
    pin: () => ({}),
  },
  { address: `npm/pnpm/-/pnpm-${pnpm}.tgz`, make: 'mv /root/pnpm-*.tgz .', pin: () => ({}) },
]

// The life of one host, in order: the tests build on each other.
let host: TestHost
let mirror: Mirror
beforeAll(async () => {
  const rig = connectRig()
  host = await rig.up('building', { image: await installedImage(rig) })
  const packages = join(rig.folder, 'npm')
  await must(['mkdir', '-p', packages])
  await must(['npm', 'pack', `pnpm@${pnpm}`, 'corepack@0.29.4'], { cwd: packages })
  await must(['tar', '-xzf', 'corepack-0.29.4.tgz'], { cwd: packages })
  await host.copyIn(join(packages, 'package'), '/root/corepack')
  await host.copyIn(join(packages, `pnpm-${pnpm}.tgz`), `/root/pnpm-${pnpm}.tgz`)
  await host.shell('chown -R root:root /root/corepack')
  mirror = await makeMirror(host, [realNode, laterNode, ...registry])
  await mirror.start()
  await host.writeFile('/etc/steward/site.yaml', mirror.site(realNode))
  await configure('')
})
afterAll(() => host?.destroy())

const configure = (settings: string): Promise<void> =>
  host.writeFile(
    '/etc/zulip/zulip.conf',
    `[machine]
puppet_classes = zulip::static_asset_compiler
[downloads]
mirror = ${mirror.url}
[static_asset_compiler]
npm_registry = ${mirror.url}/npm/
${settings}
`,
  )
const apply = (exitCode: number) =>
  steward(host, ['apply', '--yes', '--detailed-exitcodes'], { exitCode })
const cache = '/home/zulip/.cache/node/corepack'

test('a pnpm of another checksum is refused, and nothing of it stays', async () => {
  await configure(`pnpm_sha256 = ${'0'.repeat(64)}`)
  const { stdout } = await apply(6)
  expect(stdout).toContain(`Mismatch hashes. Expected ${'0'.repeat(64)}`)
  expect(stdout).toContain('Set npm_registry in [static_asset_compiler] of zulip.conf')
  const failed = [...stdout.matchAll(/^failed +(.+?\])/gm)].map(([, ref]) => ref)
  expect(new Set(failed)).toEqual(new Set(['exec[Install pnpm]']))
  expect(await host.shell(`find ${cache} -type f`)).toBe('')
})

test('with the checksum of the release all is there, and the next apply finds nothing to do', async () => {
  await configure('')
  const { stdout } = await apply(2)
  expect(stdout).toMatch(/ran +exec\[Install pnpm\]/)
  expect((await apply(0)).stdout).toMatch(/nothing to do/i)
})

test('the zulip user has that pnpm, and nothing is fetched for it', async () => {
  await mirror.stop()
  expect(await host.shell("cd /tmp; su zulip -c 'pnpm --version; node --version'")).toMatch(
    new RegExp(`^${pnpm.replaceAll('.', '\\.')}\nv\\d+\\.`),
  )
  await host.shell('command -v msgfmt; test "$(stat -c %U /home/zulip/.cache)" = zulip')
})

test('an installation that was cut off before its end is finished from what is there', async () => {
  await host.shell(`rm ${cache}/lastKnownGood.json`)
  await apply(2)
  expect(await host.shell("cd /tmp; su zulip -c 'pnpm --version'")).toBe(`${pnpm}\n`)
  await apply(0)
})

test('a release whose script installs another Node.js has that one, and the next apply finds nothing to do', async () => {
  await mirror.start()
  const sum = (await host.shell(`sha256sum </srv/mirror/${laterNode.address}`)).slice(0, 64)
  const tree = '/home/zulip/deployments/2026-01-01-00-00-00'
  const script = `version=${laterVersion}
tarball="node-v$version-linux-x64.tar.xz"
sha256=${sum}
tarball="node-v$version-linux-arm64.tar.xz"
sha256=${sum}
`
  await host.writeFile(`${tree}/version.py`, 'ZULIP_VERSION = "10.1"\n')
  await host.writeFile(`${tree}/scripts/lib/install-node`, script)
  // Which the script itself has unpacked there, in place of the link.
  await host.shell(`ln -s ${tree} /home/zulip/deployments/current; rm /etc/steward/site.yaml
    rm /srv/zulip-node; mkdir -p /srv/zulip-node/bin; cp /usr/bin/true /srv/zulip-node/bin/node`)
  await apply(2)
  expect(await host.shell('readlink -f /usr/local/bin/node; ls -d /srv/zulip-node-*')).toBe(
    `/srv/zulip-node-${laterVersion}/bin/node\n/srv/zulip-node-${laterVersion}\n`,
  )
  expect((await apply(0)).stdout).toMatch(/nothing to do/i)
})
