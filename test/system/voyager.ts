import { buildArchives } from '../miniature/build.ts'
import { camo, go, makeMirror, node, smokescreen, tusd } from './mirror.ts'
import type { Rig, TestHost, UpOptions } from './rig.ts'
import { installedImage, steward } from './steward.ts'

/** The host that `setUpVoyager` is for: settings are sized by its memory, and the site has its name. */
export const voyager: UpOptions = { memory: '8G', hostname: 'zulip.example.org' }

/** Gives a bare host what `steward apply` needs to make a whole Zulip server of it, secrets aside. */
export async function setUpVoyager(host: TestHost): Promise<void> {
  const archives = [camo(), go, node, smokescreen, tusd]
  const mirror = await makeMirror(host, archives)
  await mirror.start()
  await host.writeFile(
    '/etc/zulip/zulip.conf',
    `[machine]
puppet_classes = zulip::voyager
deploy_type = production

[postgresql]
version = 15

[static_asset_compiler]
# The only one of the mirror, whatever the release asks for.
node_version = 22.11.0

[downloads]
mirror = ${mirror.url}
`,
  )
  await host.writeFile('/etc/steward/site.yaml', mirror.site(...archives))
  await host.shell('rm /etc/zulip/zulip-secrets.conf')
}

/** An image of a whole Zulip server without a release, and with the packages that a release has installed. */
export async function voyagerImage(rig: Rig): Promise<string> {
  const image = await installedImage(rig)
  return rig.image(
    'voyager',
    async (host) => {
      await setUpVoyager(host)
      await steward(host, ['apply', '--yes'], { exitCode: 0 }, { timeoutMs: 900_000 })
      const { first } = await buildArchives(['first'])
      await host.copyIn(first, '/root/release.tar.gz')
      await host.shell(`mkdir /root/release; cd /root/release; tar -xf ../release.tar.gz --strip-components=1
        scripts/lib/create-production-venv "$PWD" >/dev/null 2>&1
        rm -r /root/release /root/release.tar.gz /srv/zulip-venv-cache`)
    },
    { ...voyager, image },
  )
}
