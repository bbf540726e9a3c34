import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildArchives, buildRepository } from '../miniature/build.ts'
import { ask, loadedPrograms } from './loaded.ts'
import { camo, go, makeMirror, node, smokescreen, tusd } from './mirror.ts'
import { makeNewerMemcached } from './newer-package.ts'
import { connectRig, type TestHost } from './rig.ts'
import { installedImage, steward } from './steward.ts'
import { voyager, voyagerImage } from './voyager.ts'

// Where an administrator fetches it to, and what queries of procedures do not see.
const archive = '/tmp/zulip-server-9.1.tar.gz'
const whose = ['--hostname', 'zulip.example.org', '--email', 'admin@example.org']

// The life of one host, in order: the tests build on each other.
let host: TestHost
beforeAll(async () => {
  const rig = connectRig()
  // Of little memory, where one process does the work of all queues, and each restart takes a second for it.
  host = await rig.up('install', {
    ...voyager,
    memory: '2G',
    image: await installedImage(rig),
  })
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
  expect((await install(['/root/none.tar.gz', ...whose], 4)).stdout).toContain(
    'There is no certificate: put its chain',
  )
  const signed = [...whose, '--self-signed-cert']
  expect((await install(['/root/none.tar.gz', ...signed], 4)).stdout).toContain(
    'There is no file /root/none.tar.gz',
  )
  expect((await install([archive], 4)).stdout).toContain('--hostname and --email are needed')
  await host.shell('head -c 5000 /tmp/zulip-server-9.1.tar.gz >/root/cut.tar.gz; ! id zulip')
  expect((await install(['/root/cut.tar.gz', ...signed], 4)).stdout).toContain(
    "/root/cut.tar.gz can't be unpacked",
  )
  expect((await install([archive, ...signed, '--classes', 'nosuch'], 4)).stdout).toContain(
    'there is no class nosuch',
  )
  await host.shell('! id zulip; [ ! -e /etc/zulip ]')
})

test('a dry run shows the steps, and touches nothing', async () => {
  const { stdout } = await install([archive, ...whose, '--self-signed-cert', '--dry-run'], 0)
  expect(stdout).toMatch(/archive \/home\/zulip\/deployments\/\S+: would change/)
  await host.shell('! id zulip; [ ! -e /etc/zulip ]')
})

test('a bare host becomes a server that answers', async () => {
  await install([archive, ...whose, '--self-signed-cert'], 0)
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
  await host.shell(`runuser -u zulip -- ${older}/scripts/start-server`)
  expect(await host.shell(`cd ${deployments}; readlink current last`)).toBe(`${older}\n${first}\n`)
  await host.shell(`cd ${deployments}/last/scripts; ./restart-server`)
  expect(await host.shell(`cd ${deployments}; readlink current last`)).toBe(`${first}\n${older}\n`)
  expect(await host.shell('supervisorctl status zulip-django')).toContain('RUNNING')
})

test('zulip-puppet-apply asks, and tells by its exit status what there is to do', async () => {
  const tool = '/home/zulip/deployments/current/scripts/zulip-puppet-apply'
  const run = async (args: string, exitCode: number, stdin = '') => {
    const result = await host.exec(['sh', '-c', `${tool} ${args}`], { stdin })
    expect(result, result.stdout + result.stderr).toMatchObject({ exitCode })
    return result
  }
  await run('', 0)
  await run('--noop --force', 0)
  const file = '/etc/nginx/zulip-include/app'
  await host.shell(`echo '# mine' >>${file}`)
  expect(await run('--noop --force', 1)).toMatchObject({ stdout: '' })
  expect((await run('--noop', 0)).stdout).toContain('-# mine')
  await run('', 2)
  expect((await run('', 0, 'what\nn\n')).stdout).toMatch(/(Apply changes\? \[y\/N\] ){2}/)
  expect(await host.shell(`tail -n 1 ${file}`)).toBe('# mine\n')
  await run('', 0, 'y\n')
  await run('-f', 0)
  expect(await host.shell(`tail -n 1 ${file}`)).not.toBe('# mine\n')
  await host.shell("sed 's/zulip::voyager/zulip::nosuch/' /etc/zulip/zulip.conf >/tmp/other.conf")
  expect((await run('-f --config /tmp/other.conf', 2)).stderr).toContain('zulip::nosuch')
  await run('--tags=x', 2)
})

test('a purge takes deployments that are old and that no link leads to, and what only they used', async () => {
  const deployments = '/home/zulip/deployments'
  const older = `${deployments}/2026-01-01-00-00-00`
  await host.shell(`
    cp -a ${older} ${deployments}/2026-01-02-00-00-00
    mkdir -p ${deployments}/2026-01-03-00-00-00 ${deployments}/mine/zerver /srv/zulip-venv-cache/old/zulip-py3-venv`)
  const planned = await steward(host, ['deployments', 'purge', '--dry-run'], { exitCode: 0 })
  expect(planned.stdout).toContain(`${deployments}/2026-01-02-00-00-00`)
  await steward(host, ['deployments', 'purge'], { exitCode: 0 })
  const left = (await host.shell(`ls ${deployments}`)).split('\n')
  expect(left).not.toContain('2026-01-02-00-00-00')
  expect(left).toEqual(
    expect.arrayContaining(['2026-01-01-00-00-00', '2026-01-03-00-00-00', 'mine']),
  )
  // Young caches stay: with no days to be kept for, they don't, but for those in use.
  expect(await host.shell('ls /srv/zulip-venv-cache')).toContain('old')
  await steward(host, ['deployments', 'purge', '--threshold', '0'], { exitCode: 0 })
  expect(await host.shell('ls /srv/zulip-venv-cache')).not.toContain('old')
  await host.shell(`${deployments}/current/zulip-py3-venv/bin/python --version`)
  await steward(host, ['deployments', 'purge', '--threshold', '0'], { exitCode: 0 })
})

test('on a server it is refused', async () => {
  const { stdout } = await install([archive, ...whose], 4)
  expect(stdout).toContain('Zulip is installed already')
})

describe('on a host that has its classes and no release', () => {
  let other: TestHost
  beforeAll(async () => {
    const rig = connectRig()
    other = await rig.up('install-git', { ...voyager, image: await voyagerImage(rig) })
    await other.copyIn(await buildRepository(), '/srv/upstream/zulip.git')
    await other.shell('chown -R zulip:zulip /srv/upstream')
    const url = ['conf', 'set', 'deployment.git_repo_url', '/srv/upstream/zulip.git']
    await steward(other, url, { exitCode: 0 })
    const { first } = await buildArchives(['first'])
    await other.copyIn(first, archive)
    const multiprocess = 'application_server.queue_workers_multiprocess'
    await steward(other, ['conf', 'set', multiprocess, 'false'], { exitCode: 0 })
  }, 900_000)
  afterAll(() => other?.destroy())

  test('without its database filled it is left stopped, for a backup to be restored', async () => {
    await steward(other, ['install', archive, ...whose, '--no-init-db'], { exitCode: 0 })
    const sql = (text: string) =>
      other.shell(`cd /; runuser -u postgres -- psql --tuples-only --no-align zulip -c "${text}"`)
    expect(await sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'zulip'")).toBe('0\n')
    expect(
      await sql(
        'SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()',
      ),
    ).toBe('zulip\n')
    expect(await other.shell('supervisorctl status | awk \'$2 == "RUNNING" { print $1 }\'')).toBe(
      'go-camo\nsmokescreen\n',
    )
    await other.shell(
      'rm -r /home/zulip/deployments/* /etc/zulip/settings.py; cd /; runuser -u postgres -- dropdb zulip',
    )
  })

  test('what a tag of git names is built, and runs', async () => {
    const from = (ref: string, exitCode: number) =>
      steward(other, ['install', '--git', ref, ...whose], { exitCode }, { timeoutMs: 900_000 })
    expect((await from('no-such-branch', 4)).stdout).toContain(
      '/srv/upstream/zulip.git has no tag, branch or commit no-such-branch',
    )
    await from('9.1', 0)
    expect(JSON.parse(await ask(other, '/'))).toMatchObject({ version: '9.1' })
    const version = await other.shell('cat /home/zulip/deployments/current/zulip-git-version')
    expect(version).toContain('9.1')
  })

  test('a system update says what it upgrades and restarts, and the server answers afterwards', async () => {
    await makeNewerMemcached(other)
    const started = () => other.shell('systemctl show --property=MainPID --value memcached')
    const [before, processes] = [await started(), await loadedPrograms(other)]
    const planned = await steward(other, ['system-update', '--dry-run'], { exitCode: 0 })
    expect(planned.stdout).toMatch(/^query upgradable: .*memcached/m)
    expect(planned.stdout).toMatch(/^query restarted: .*memcached/m)
    expect(await started()).toBe(before)
    await steward(other, ['system-update', '--yes'], { exitCode: 0 }, { timeoutMs: 600_000 })
    expect(await other.shell("dpkg-query -W -f '${Version}' memcached")).toContain('newer1')
    expect(await started()).not.toBe(before)
    expect(JSON.parse(await ask(other, '/health'))).toMatchObject({ result: 'success' })
    const now = await loadedPrograms(other)
    for (const [name, { pid }] of processes) expect(now.get(name)?.pid, name).not.toBe(pid)
    const again = await steward(other, ['system-update', '--yes'], { exitCode: 0 })
    expect(again.stdout).not.toContain('exec[upgrade]')
  })
})
