import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildArchives } from '../miniature/build.ts'
import { ask, loadedPrograms } from './loaded.ts'
import { camo, go, makeMirror, node, smokescreen, tusd } from './mirror.ts'
import { connectRig, type TestHost } from './rig.ts'
import { installedImage, steward } from './steward.ts'
import { voyager } from './voyager.ts'

const archive = '/root/zulip-server-9.1.tar.gz'
const whose = ['--hostname', 'zulip.example.org', '--email', 'admin@example.org']

// The life of one host, in order: the tests build on each other.
let host: TestHost
beforeAll(async () => {
  const rig = connectRig()
  host = await rig.up('install', { ...voyager, image: await installedImage(rig) })
  const archives = [camo(), go, node, smokescreen, tusd]
  const mirror = await makeMirror(host, archives)
  await mirror.start()
  // The only Node.js of the mirror, whatever the release asks for; the rest is for an administrator to leave out.
  const site = JSON.parse(mirror.site(...archives)) as {
    parameters: Record<string, Record<string, unknown>>
  }
  Object.assign(site.parameters['zulip::static_asset_compiler'] ?? {}, { node_version: '22.11.0' })
  site.parameters['zulip::downloads'] = { mirror: mirror.url }
  await host.writeFile('/etc/steward/site.yaml', JSON.stringify(site))
  const { first } = await buildArchives(['first'])
  await host.copyIn(first, archive)
  await host.shell('rm -rf /etc/zulip')
}, 900_000)
afterAll(() => host?.destroy())

const install = (args: readonly string[], exitCode: number) =>
  steward(host, ['install', ...args], { exitCode }, { timeoutMs: 900_000 })

test('what is missing is told before anything is touched', async () => {
  expect((await install(['/root/none.tar.gz', ...whose, '--yes'], 4)).stdout).toContain(
    'There is no certificate.',
  )
  const signed = [...whose, '--self-signed-cert', '--yes']
  expect((await install(['/root/none.tar.gz', ...signed], 4)).stdout).toContain(
    'There is no file /root/none.tar.gz',
  )
  expect((await install([archive, '--yes'], 4)).stdout).toContain('say --hostname and --email')
  await host.shell('head -c 5000 /root/zulip-server-9.1.tar.gz >/root/cut.tar.gz; ! id zulip')
  await install(['/root/cut.tar.gz', ...signed], 4)
  await host.shell('! id zulip; [ ! -e /etc/zulip ]')
})

test('a dry run shows the steps, and touches nothing', async () => {
  const { stdout } = await install([archive, ...whose, '--self-signed-cert', '--dry-run'], 0)
  expect(stdout).toMatch(/archive \/home\/zulip\/deployments\/\S+: would change/)
  await host.shell('! id zulip; [ ! -e /etc/zulip ]')
})

test('a bare host becomes a server that answers', async () => {
  await install([archive, ...whose, '--self-signed-cert', '--yes'], 0)
  const links = await host.shell('cd /home/zulip/deployments; readlink current next; ls')
  const [current, next] = links.split('\n')
  expect(current).toMatch(/^\/home\/zulip\/deployments\/\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d$/)
  expect(next).toBe(current)
  expect(JSON.parse(await ask(host, '/'))).toMatchObject({ version: '9.1', realm: 'Small Zulip' })
  const versions = [...(await loadedPrograms(host)).values()].map(({ version }) => version)
  expect(new Set(versions)).toEqual(new Set(['9.1']))
  const settings = await host.shell('cat /etc/zulip/settings.py')
  expect(settings).toContain('EXTERNAL_HOST = "zulip.example.org"')
  expect(settings).toContain('ZULIP_ADMINISTRATOR = "admin@example.org"')
  expect(await host.shell('cat /etc/zulip/zulip.conf')).toContain('puppet_classes = zulip::voyager')
  await steward(host, ['apply', '--yes', '--detailed-exitcodes'], { exitCode: 0 })
})

test('the names that people know lead to the commands of steward, from the deployment that they are called in', async () => {
  const deployments = '/home/zulip/deployments'
  const first = (await host.shell(`readlink ${deployments}/current`)).trim()
  const older = `${deployments}/2026-01-01-00-00-00`
  await host.shell(`cp -a ${first} ${older}`)
  await host.shell(`${deployments}/current/scripts/stop-server`)
  expect(await host.shell('supervisorctl status zulip-django || true')).toContain('STOPPED')
  await host.shell(`${older}/scripts/start-server`)
  expect(await host.shell(`cd ${deployments}; readlink current last`)).toBe(`${older}\n${first}\n`)
  await host.shell(`cd ${deployments}/last/scripts; ./restart-server`)
  expect(await host.shell(`cd ${deployments}; readlink current last`)).toBe(`${first}\n${older}\n`)
  expect(await host.shell('supervisorctl status zulip-django')).toContain('RUNNING')
})

test('a purge takes deployments that are old and that no link leads to, and what only they used', async () => {
  const deployments = '/home/zulip/deployments'
  const older = `${deployments}/2026-01-01-00-00-00`
  await host.shell(`
    cp -a ${older} ${deployments}/2026-01-02-00-00-00
    mkdir -p ${deployments}/2026-01-03-00-00-00 ${deployments}/mine/zerver /srv/zulip-venv-cache/old/zulip-py3-venv`)
  const planned = await steward(host, ['deployments', 'purge', '--dry-run'], { exitCode: 0 })
  expect(planned.stdout).toContain(`${deployments}/2026-01-02-00-00-00`)
  await steward(host, ['deployments', 'purge', '--yes'], { exitCode: 0 })
  const left = (await host.shell(`ls ${deployments}`)).split('\n')
  expect(left).not.toContain('2026-01-02-00-00-00')
  expect(left).toEqual(
    expect.arrayContaining(['2026-01-01-00-00-00', '2026-01-03-00-00-00', 'mine']),
  )
  // Young caches stay: with no days to be kept for, they don't, but for those in use.
  expect(await host.shell('ls /srv/zulip-venv-cache')).toContain('old')
  await steward(host, ['deployments', 'purge', '--threshold', '0', '--yes'], { exitCode: 0 })
  expect(await host.shell('ls /srv/zulip-venv-cache')).not.toContain('old')
  await host.shell(`${deployments}/current/zulip-py3-venv/bin/python --version`)
  await steward(host, ['deployments', 'purge', '--threshold', '0', '--yes'], { exitCode: 0 })
})

test('on a server it is refused', async () => {
  const { stdout } = await install([archive, ...whose, '--yes'], 4)
  expect(stdout).toContain('Zulip is installed already')
})
