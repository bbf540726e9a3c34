import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildArchives } from '../miniature/build.ts'
import { type TreeName, treeOf } from '../miniature/trees.ts'
import { underLoad } from './load.ts'
import { ask, loadedPrograms } from './loaded.ts'
import { connectRig, type TestHost } from './rig.ts'
import { steward } from './steward.ts'
import { voyager, voyagerImage } from './voyager.ts'

const deployments = '/home/zulip/deployments'
const trees = ['first', 'same', 'migration', 'bad-settings', 'bad-start'] as const
const [first, same, migration, badSettings, badStart] = trees.map(
  (_, index) => `${deployments}/2026-01-0${index + 1}-00-00-00`,
) as [string, string, string, string, string]

// The life of one server, in order: the tests build on each other.
let host: TestHost
beforeAll(async () => {
  const rig = connectRig()
  const archives = await buildArchives([...trees])
  host = await rig.up('server', { ...voyager, image: await voyagerImage(rig) })
  for (const name of trees) await host.copyIn(archives[name], archiveOf(name))
  // Every process that loads the application takes a second of a processor to start.
  await steward(host, ['conf', 'set', 'application_server.uwsgi_processes', '2'], { exitCode: 0 })
  await steward(host, ['conf', 'set', 'application_server.queue_workers_multiprocess', 'false'], {
    exitCode: 0,
  })
  await deploy('first', first)
  await host.shell(`
    cd ${deployments}
    ln -s ${first} current; chown -h zulip:zulip current
    sed s/zulip.example.com/zulip.example.org/ current/zproject/prod_settings_template.py >/etc/zulip/settings.py
    chown zulip:zulip /etc/zulip/settings.py
    psql='runuser -u postgres -- psql -q -v ON_ERROR_STOP=1'; cd /
    $psql -c 'CREATE USER zulip' -c 'ALTER ROLE zulip SET search_path TO zulip, public' \\
      -c "CREATE DATABASE zulip OWNER zulip TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'"
    $psql -d zulip -c 'CREATE SCHEMA zulip AUTHORIZATION zulip'
    runuser -u zulip -- ${first}/manage.py migrate --noinput
    runuser -u zulip -- ${first}/manage.py createcachetable`)
  await steward(host, ['apply', '--yes'], { exitCode: 0 })
}, 900_000)
afterAll(() => host?.destroy())

const archiveOf = (name: TreeName): string => `/root/zulip-server-${treeOf(name).version}.tar.gz`

/** Unpacks a tree as a deployment, which no link leads to. */
async function deploy(name: TreeName, path: string): Promise<void> {
  await host.shell(
    `mkdir ${path}; tar -xf ${archiveOf(name)} -C ${path} --strip-components=1
    ln -s /etc/zulip/settings.py ${path}/zproject/prod_settings.py
    ${path}/scripts/lib/create-production-venv ${path}
    chown -R zulip:zulip ${path}
    runuser -u zulip -- cp -a ${path}/prod-static/serve/. /home/zulip/prod-static`,
  )
}

const current = () => host.shell(`readlink ${deployments}/current`)
const versions = async () =>
  new Set([...(await loadedPrograms(host))].map(([, { version }]) => version))
/** The process of each program but Django, whose answers come from any of its own. */
const pids = async () => {
  const loaded = [...(await loadedPrograms(host))].filter(([name]) => name !== 'django')
  return new Map(loaded.map(([name, { pid }]) => [name, pid]))
}

test('a restart begins every program anew, from the same deployment', async () => {
  const before = await pids()
  const { stdout } = await steward(host, ['restart'], { exitCode: 0 })
  expect(stdout).toContain('supervisor_program[zulip-tornado]')
  const after = await pids()
  expect([...after.keys()].sort()).toEqual([...before.keys()].sort())
  for (const [name, pid] of after) expect(pid, name).not.toBe(before.get(name))
  expect(await versions()).toEqual(new Set(['9.1']))
  expect(await host.shell(`ls -A ${deployments}/lock 2>&1 || true`)).toContain('No such file')
})

test('a restart from another deployment makes that one current, and the one before it last', async () => {
  await deploy('same', same)
  await steward(host, ['restart', same], { exitCode: 0 })
  expect(await current()).toBe(`${same}\n`)
  expect(await host.shell(`readlink ${deployments}/last`)).toBe(`${first}\n`)
  expect(await versions()).toEqual(new Set(['9.2']))
})

test('with chain reload no request of 50 a second is lost by a restart, nor on the way back', async () => {
  for (const [key, value] of [
    ['rolling_restart', 'true'],
    // Which the configuration of uwsgi tells.
    ['uwsgi_listen_backlog_limit', '256'],
  ] as const)
    await steward(host, ['conf', 'set', `application_server.${key}`, value], { exitCode: 0 })
  await steward(host, ['apply', '--yes'], { exitCode: 0 })
  const restarted = await underLoad(host, () => steward(host, ['restart'], { exitCode: 0 }))
  expect(restarted.lost).toEqual({})
  const hook = '/etc/zulip/hooks/post-deploy.d/tell.hook'
  await host.writeFile(hook, '#!/bin/sh\n{ id -un; pwd; env | grep ^ZULIP_ | sort; } >/tmp/told\n')
  await host.shell(`chmod 755 ${hook}`)
  let said = ''
  const back = await underLoad(host, async () => {
    said = (await steward(host, ['rollback', '--yes'], { exitCode: 0 })).stdout
  })
  expect(back.lost).toEqual({})
  expect(await host.shell('cat /tmp/told')).toBe(
    ['zulip', first, ...versionsTold('9.2', '9.1')].map((line) => `${line}\n`).join(''),
  )
  // What was written since the release that runs again was left for another.
  const [, restore = ''] = /(steward bucket restore --before \S+)/.exec(said) ?? []
  expect(said).toMatch(/^notice +\/etc\/zulip\/uwsgi.ini$/m)
  const planned = await host.exec([...restore.split(' '), '--dry-run'])
  expect(planned.stdout).toContain('file[/etc/zulip/uwsgi.ini]')
  expect(await current()).toBe(`${first}\n`)
  expect(await versions()).toEqual(new Set(['9.1']))
  // The same load sees what is lost where the server is stopped by hand.
  const stopped = await underLoad(host, () =>
    host.shell('supervisorctl stop zulip-django; sleep 2; supervisorctl start zulip-django'),
  )
  expect(stopped.lost['502']).toBeGreaterThan(20)
  const answered = [restarted, back, stopped].map(
    ({ sent, lost }) => `${sent} sent, ${Object.values(lost).reduce((sum, n) => sum + n, 0)} lost`,
  )
  console.log(`restart: ${answered[0]}; rollback: ${answered[1]}; stopped by hand: ${answered[2]}`)
})

function versionsTold(old: string, now: string): string[] {
  const told = (side: string, version: string) => [
    `ZULIP_${side}_COMMIT=`,
    `ZULIP_${side}_MERGE_BASE_COMMIT=`,
    `ZULIP_${side}_VERSION=${version}`,
  ]
  return [...told('NEW', now), ...told('OLD', old)]
}

test('the user of Zulip restarts, starts and stops it too, and nobody else but root', async () => {
  const as = (user: string, ...args: string[]) =>
    host.exec(['runuser', '-u', user, '--', 'steward', ...args])
  const before = await pids()
  const restarted = await as('zulip', 'restart')
  expect(restarted, restarted.stdout + restarted.stderr).toMatchObject({ exitCode: 0 })
  for (const [name, pid] of await pids()) expect(pid, name).not.toBe(before.get(name))
  expect(await as('zulip', 'stop')).toMatchObject({ exitCode: 0 })
  expect(await as('zulip', 'start')).toMatchObject({ exitCode: 0 })
  expect(JSON.parse(await ask(host, '/health'))).toMatchObject({ result: 'success' })
  const [nobody, rollback] = [await as('nobody', 'restart'), await as('zulip', 'rollback', '--yes')]
  expect(nobody).toMatchObject({ exitCode: 1 })
  expect(nobody.stderr).toContain('only root and zulip can run this')
  expect(rollback).toMatchObject({ exitCode: 1 })
  expect(await host.shell('ls /home/zulip/.local/state/steward')).toContain('state.db')
})

test('the lock of deployments is taken from a run that is gone, and waited for where it is not', async () => {
  const lock = `${deployments}/lock`
  const holding = (process: string) =>
    `ln -sfT steward-${process}-$(sed 's/.*) //' /proc/${process}/stat | cut -d ' ' -f 20) ${lock}`
  await host.shell(`ln -s steward-1-12345 ${lock}`)
  await steward(host, ['restart', '--only-django'], { exitCode: 0 })
  expect(await host.shell(`ls -A ${lock} 2>&1 || true`)).toContain('No such file')
  // Of a process that runs, of Zulip's own scripts, and of a process that is about to end.
  const ends = `$(systemctl show --property=MainPID --value holder)`
  for (const [take, give] of [
    [`${holding('1')}`, `rm ${lock}`],
    [`mkdir ${lock}`, `rmdir ${lock}`],
    [`systemd-run --quiet --unit=holder sleep 12; ${holding(ends)}`, 'true'],
  ] as const) {
    await host.shell(take)
    const run = steward(host, ['start'], { exitCode: 0 })
    await host.shell(`sleep 3; [ -e ${lock} ] || [ -L ${lock} ]; ${give}`)
    await run
  }
})

test('a dry run tells what would stop, and how long it was away the last time', async () => {
  const before = await pids()
  const { stdout } = await steward(host, ['restart', '--dry-run'], { exitCode: 0 })
  expect(stdout).toMatch(/^Stopped or restarted: process-fts-updates, .*zulip-tornado\.$/m)
  expect(stdout).toMatch(/^The last time \(run \S+\) these were away: \S+ \d+(\.\d)? s/m)
  expect(await pids()).toEqual(before)
})

test('settings that the release finds fault with stop nothing', async () => {
  await deploy('bad-settings', badSettings)
  const before = await pids()
  const { stdout, stderr } = await steward(host, ['restart', badSettings], { exitCode: 4 })
  expect(stdout + stderr).toContain('SEARCH_LANGUAGE')
  expect(await pids()).toEqual(before)
  expect(await current()).toBe(`${first}\n`)
})

test('what does not start brings back what ran before', async () => {
  await deploy('bad-start', badStart)
  await steward(host, ['restart', badStart], { exitCode: 4 })
  expect(await current()).toBe(`${first}\n`)
  expect(await versions()).toEqual(new Set(['9.1']))
  expect(JSON.parse(await ask(host, '/health'))).toMatchObject({ result: 'success' })
})

test('stop stops the programs of the server, and start brings them back', async () => {
  await steward(host, ['stop'], { exitCode: 0 })
  const running = await host.shell('supervisorctl status | awk \'$2 == "RUNNING" { print $1 }\'')
  expect(running).toBe('go-camo\nsmokescreen\n')
  expect(await host.shell('systemctl is-active postgresql nginx rabbitmq-server')).toBe(
    'active\nactive\nactive\n',
  )
  await steward(host, ['start'], { exitCode: 0 })
  expect(JSON.parse(await ask(host, '/health'))).toMatchObject({ result: 'success' })
  const again = await steward(host, ['start', '--json'], { exitCode: 0 })
  // But for the lock, which comes and goes.
  expect(again.stdout).not.toMatch(/"supervisor_program\[[^\n]*"outcome":"changed"/)
})

test('a deployment that lacks applied migrations is told, and refused', async () => {
  await deploy('migration', migration)
  await host.shell(`runuser -u zulip -- ${migration}/manage.py migrate --noinput`)
  await steward(host, ['restart', migration], { exitCode: 0 })
  const { stdout } = await steward(host, ['deployments'], { exitCode: 0 })
  expect(stdout).toMatch(new RegExp(`${first}.*no: .*zerver.0004_translated`))
  expect(stdout).toMatch(new RegExp(`${migration}.*current.*runs`))
  const refused = await steward(host, ['rollback', '--yes', first], { exitCode: 4 })
  expect(refused.stdout + refused.stderr).toContain('zerver.0004_translated')
  expect(await current()).toBe(`${migration}\n`)
})

test('manage.py runs as the user of Zulip, and what it is given is passed on', async () => {
  expect((await steward(host, ['manage', 'list_realms'], { exitCode: 0 })).stdout).toContain(
    'Small Zulip',
  )
  expect(
    (
      await steward(
        host,
        ['manage', 'shell', '-c', 'import os; print(os.getuid(), os.environ["HOME"])'],
        { exitCode: 0 },
      )
    ).stdout,
  ).toMatch(/ \/home\/zulip\n$/)
  expect(
    (await host.exec(['steward', 'manage', 'shell', '-c', 'import sys; sys.exit(7)'])).exitCode,
  ).toBe(7)
  expect((await steward(host, ['manage', 'export', '--help'], { exitCode: 0 })).stdout).toContain(
    'usage: manage.py export',
  )
})
