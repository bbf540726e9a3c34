import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectRig, type TestHost } from './rig.ts'
import { convergedImage, installedImage, manifests, steward } from './steward.ts'

const config = '/etc/nginx/nginx.conf'
/** Templates of the host's own, which come before those that steward brings. */
const own = '/srv/own'
const shipped = '/usr/lib/steward/templates'

// The life of one host, in order: the tests build on each other.
let host: TestHost
beforeAll(async () => {
  const rig = connectRig()
  host = await rig.up('nothing-lost', { image: await convergedImage(rig) })
  await host.shell(`mkdir -p ${own}/templates`)
})
afterAll(() => host?.destroy())

/** Makes a new version of a template by a script for sed. */
const change = (template: string, script: string) =>
  host.shell(
    `mkdir -p "$(dirname ${own}/templates/${template})"; sed '${script}' ${shipped}/${template} >${own}/templates/${template}`,
  )
const apply = (exitCode: number, ...more: string[]) =>
  steward(host, ['apply', '--yes', '--detailed-exitcodes', '--manifests', own, ...more], {
    exitCode,
  })
const holds = async (text: string) =>
  (await host.exec(['grep', '-q', '--', text, config])).exitCode === 0
const pidOf = (unit: string) => host.shell(`systemctl show --property=MainPID --value ${unit}`)

test('what was edited here is named first, and can be had back once it is overwritten', async () => {
  await host.shell(`echo '# mine' >>${config}`)
  const { stdout } = await steward(host, ['apply', '--dry-run'], { exitCode: 0 })
  expect(stdout).toMatch(
    /^[^\n]*:\n\nWhat was changed here and is overwritten:\n {2}~ file\[\/etc\/nginx\/nginx\.conf\] .*\(edited here\)/,
  )
  const applied = await apply(2)
  expect(applied.stdout).toContain(`steward bucket restore ${config}`)
  expect(await holds('# mine')).toBe(false)
  await steward(host, ['bucket', 'restore', config, '--yes'], { exitCode: 0 })
  expect(await holds('# mine')).toBe(true)
})

test('what is adopted is in the next version too, and nginx runs with both', async () => {
  await steward(host, ['local', 'adopt', config], { exitCode: 0 })
  await change('nginx/nginx.conf.hbs', '1i # a new version')
  const { stdout } = await apply(2)
  expect(stdout).toContain('reloaded     service[nginx]')
  expect([await holds('# mine'), await holds('# a new version')]).toEqual([true, true])
  await host.shell('nginx -t; systemctl is-active nginx')
  await apply(0)
})

test('a file that nginx finds fault with is put back, and nginx goes on undisturbed', async () => {
  const before = await host.shell(`cat ${config}`)
  const pid = await pidOf('nginx')
  await change('nginx/nginx.conf.hbs', '1i no_such_directive on;')
  const { stdout } = await apply(4)
  expect(stdout).toContain(`put back     ${config}`)
  expect(stdout).toContain('unknown directive "no_such_directive"')
  expect(await host.shell(`cat ${config}`)).toBe(before)
  expect(await pidOf('nginx')).toBe(pid)
  await host.shell('nginx -t')
  // The next run tries again, with what is right by then.
  await change('nginx/nginx.conf.hbs', '1i # a third version')
  await apply(2)
  expect([await holds('# mine'), await holds('# a third version')]).toEqual([true, true])
})

test('files that are good alone and wrong together are both put back, and nginx goes on undisturbed', async () => {
  const site = '/etc/nginx/sites-available/zulip-standby'
  const before = await host.shell(`cat ${config} ${site}`)
  const pid = await pidOf('nginx')
  const upstream = 'upstream twice { server 127.0.0.1:1; }'
  await change('nginx/nginx.conf.hbs', `1i # a third version\n/^http {/a ${upstream}`)
  await apply(2)
  const alone = await host.shell(`cat ${config} ${site}`)
  await change('nginx/nginx.conf.hbs', `1i # again\n/^http {/a ${upstream}`)
  await change('nginx/zulip-standby.hbs', `1i ${upstream}`)
  const { stdout } = await apply(4)
  expect(stdout).toMatch(new RegExp(`put back +(${config}, ${site}|${site}, ${config})`))
  expect(stdout).toContain('duplicate upstream "twice"')
  expect(await host.shell(`cat ${config} ${site}`)).toBe(alone)
  expect(await pidOf('nginx')).toBe(pid)
  await host.shell(`nginx -t; rm ${own}/templates/nginx/zulip-standby.hbs`)
  await change('nginx/nginx.conf.hbs', '1i # a third version')
  await apply(2)
  expect(await host.shell(`cat ${config} ${site}`)).toBe(before)
})

test('a service that does not start with its new file runs with the one before', async () => {
  const before = await host.shell('cat /etc/memcached.conf')
  await change('memcached.conf.hbs', 's/^-u .*/-u nosuchuser/')
  const { stdout } = await apply(4)
  expect(stdout).toContain('put back     /etc/memcached.conf')
  expect(stdout).toContain('it runs with that')
  expect(await host.shell('cat /etc/memcached.conf')).toBe(before)
  expect(await host.shell('systemctl is-active memcached')).toBe('active\n')
  await host.shell(`rm ${own}/templates/memcached.conf.hbs`)
  await apply(0)
})

test('a run is taken back, and whoever reads what comes back hears of it', async () => {
  const before = await host.shell(`cat ${config}`)
  await change('nginx/nginx.conf.hbs', '1i # a fourth version')
  await apply(2)
  const { stdout } = await steward(host, ['runs', 'list', '--json', '--limit', '1'], {
    exitCode: 0,
  })
  const [run] = JSON.parse(stdout) as { id: string }[]
  const undone = await steward(host, ['undo', run?.id ?? '', '--yes', '--manifests', own], {
    exitCode: 0,
  })
  expect(undone.stdout).toContain('reloaded     service[nginx]')
  expect(await host.shell(`cat ${config}`)).toBe(before)
  await steward(host, ['status'], { exitCode: 0 })
})

test('a first run is taken back to the end: what runs as its users ends before they go', async () => {
  const rig = connectRig()
  const fresh = await rig.up('undone', { image: await installedImage(rig) })
  try {
    const inputs = ['--manifests', manifests]
    const { stdout } = await steward(fresh, ['apply', 'test::undone', '--yes', ...inputs], {
      exitCode: 0,
    })
    expect(stdout).not.toContain('here before steward')
    expect(await fresh.shell('ps -C memcached,sleep -o user=')).toMatch(/ticker\s+ticker/)
    const [first = ''] = await runsOf(fresh)
    const undo = (run: string, exitCode: number) =>
      steward(fresh, ['undo', run, '--packages', '--yes', ...inputs], {
        exitCode,
        surprises: 'any',
      })
    // Somebody's own program is in the way, and the next undo goes on from there.
    await fresh.shell('systemd-run --uid=ticker --unit=mine sleep infinity')
    const { stdout: told } = await undo('last', 4)
    expect(told).toMatch(/failed +user\[ticker\]/)
    expect(told).not.toContain('service[memcached]')
    await fresh.shell('systemctl stop mine')
    await undo(first, 0)
    await fresh.shell(
      '! getent passwd ticker && ! getent group ticker && ! pgrep -x memcached && ! test -e /etc/systemd/system/ticker.service && ! test -L /etc/systemd/system/multi-user.target.wants/ticker.service && ! dpkg -s memcached | grep "^Status:.* installed"',
    )
    expect((await undo(first, 0)).stdout).toMatch(/^Nothing to do/m)
    await steward(fresh, ['status'], { exitCode: 0 })
  } finally {
    await fresh.destroy()
  }
})

/** The ids of all runs on record, the oldest first. */
async function runsOf(on: TestHost): Promise<string[]> {
  const { stdout } = await steward(on, ['runs', 'list', '--json'], { exitCode: 0 })
  return (JSON.parse(stdout) as { id: string }[]).map(({ id }) => id).reverse()
}
