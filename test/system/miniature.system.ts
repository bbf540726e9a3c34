import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildArchives, buildRepository } from '../miniature/build.ts'
import { type TreeName, treeNames, treeOf } from '../miniature/trees.ts'
import { ask, loadedPrograms } from './loaded.ts'
import { connectRig, type TestHost } from './rig.ts'
import { steward } from './steward.ts'
import { voyager, voyagerImage } from './voyager.ts'

// The life of one server whose releases are put in place by hand, in order: the tests build on each other.
let host: TestHost
beforeAll(async () => {
  const rig = connectRig()
  const [archives, repository] = await Promise.all([buildArchives(treeNames), buildRepository()])
  host = await rig.up('miniature', { ...voyager, image: await voyagerImage(rig) })
  for (const name of treeNames) await host.copyIn(archives[name], archiveOf(name))
  await host.copyIn(repository, '/srv/upstream/zulip.git')
  // Every process that loads the application takes a second of a processor to start.
  await steward(host, ['conf', 'set', 'application_server.uwsgi_processes', '2'], { exitCode: 0 })
  await steward(host, ['conf', 'set', 'application_server.queue_workers_multiprocess', 'false'], {
    exitCode: 0,
  })
  await deploy('first', '2026-01-01-00-00-00')
  await host.shell(`
    cd /home/zulip/deployments
    for link in current next; do ln -s "$PWD/2026-01-01-00-00-00" $link; chown -h zulip:zulip $link; done
    sed s/zulip.example.com/zulip.example.org/ current/zproject/prod_settings_template.py >/etc/zulip/settings.py
    chown zulip:zulip /etc/zulip/settings.py
    psql='runuser -u postgres -- psql -q -v ON_ERROR_STOP=1'; cd /
    $psql -c 'CREATE USER zulip' -c 'ALTER ROLE zulip SET search_path TO zulip, public' \\
      -c "CREATE DATABASE zulip OWNER zulip TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'"
    $psql -d zulip -c 'CREATE SCHEMA zulip AUTHORIZATION zulip'`)
  await manage('migrate --noinput', 'current')
  await manage('createcachetable', 'current')
})
afterAll(() => host?.destroy())

const archiveOf = (name: TreeName): string => `/root/zulip-server-${treeOf(name).version}.tar.gz`

/** Unpacks a tree as a deployment, which no link leads to. */
async function deploy(name: TreeName, date: string): Promise<void> {
  await host.shell(
    `cd /home/zulip/deployments
    mkdir ${date}; tar -xf ${archiveOf(name)} -C ${date} --strip-components=1
    ln -s /etc/zulip/settings.py ${date}/zproject/prod_settings.py
    ${date}/scripts/lib/create-production-venv "$PWD/${date}"
    chown -R zulip:zulip ${date}
    runuser -u zulip -- cp -a ${date}/prod-static/serve/. /home/zulip/prod-static`,
  )
}
const asZulip = (script: string): Promise<string> =>
  host.shell(`cd /; runuser -u zulip -- sh -ec '${script}' 2>&1`)
const manage = (command: string, deployment: string): Promise<string> =>
  asZulip(`/home/zulip/deployments/${deployment}/manage.py ${command}`)

/** Asks until the answer is there. */
async function until(what: string, isThere: () => Promise<boolean>): Promise<void> {
  for (let left = 60; !(await isThere()); left -= 1) {
    if (left === 0) throw new Error(`still not so: ${what}`)
    await setTimeout(1000)
  }
}
const versions = async (): Promise<Record<string, string>> =>
  Object.fromEntries(
    [...(await loadedPrograms(host))].map(([name, { version }]) => [name, version]),
  )
const programs = [
  'deferred_work',
  'deliver_scheduled_emails',
  'deliver_scheduled_messages',
  'digest_emails',
  'django',
  'email_mirror',
  'email_senders',
  'embed_links',
  'embedded_bots',
  'missedmessage_emails',
  'missedmessage_mobile_notifications',
  'outgoing_webhooks',
  'thumbnail',
  'tornado',
  'user_activity',
  'user_activity_interval',
]
const all = (version: string): Record<string, string> =>
  Object.fromEntries(programs.map((name) => [name, version]))

test('the migrations of a release make the database, and its check finds nothing', async () => {
  expect(await manage('showmigrations', 'current')).toBe(
    `sessions\n [X] 0001_initial\nzerver\n [X] 0001_initial\n [X] 0002_full_text_search\n [X] 0003_draft\n`,
  )
  expect(await manage('check --database default', 'current')).toContain('no issues')
})

test('with a release in place an apply starts every program, from that tree, and the next one finds nothing to do', async () => {
  await steward(host, ['apply', '--yes'], { exitCode: 0 })
  await until(
    'every program runs',
    async () => (await loadedPrograms(host)).size === programs.length,
  )
  expect(await versions()).toEqual(all('9.1'))
  const status = await host.shell('supervisorctl status')
  expect(status.split('\n').filter((line) => line !== '' && !line.includes('RUNNING'))).toEqual([])
  await steward(host, ['apply', '--yes', '--detailed-exitcodes'], { exitCode: 0 })
})

test('nginx serves what the build made, and the application finds all that it works with', async () => {
  const home = JSON.parse(await ask(host, '/')) as { bundle: string; realm: string }
  expect(home.realm).toBe('Small Zulip')
  expect(await ask(host, home.bundle)).toBe("document.title = 'Zulip 9.1'\n")
  expect(await host.shell('curl -sS http://127.0.0.1:9700')).toBe('katex of 9.1\n')
  expect(JSON.parse(await ask(host, '/health'))).toMatchObject({ result: 'success' })
  expect(await host.shell('cat /var/log/zulip/errors.log 2>/dev/null || true')).toBe('')
  await expect(ask(host, '/', '-H', 'Host: other.example.org')).rejects.toThrow('400')
})

test('a message is worked off by a queue worker and found by its words', async () => {
  const sent = JSON.parse(
    await ask(host, '/json/messages', '-d', 'content=They were lighting lanterns'),
  )
  const found = async () =>
    JSON.parse(await ask(host, '/json/messages?search=lantern')) as {
      count: number
      messages: { id: number; is_processed: boolean }[]
    }
  await until('the message is found', async () => (await found()).count === 1)
  await until('it was worked off', async () => (await found()).messages[0]?.is_processed === true)
  expect((await found()).messages[0]?.id).toBe(sent.id)
  await manage('populate --messages 3000 --uploads 10', 'current')
  await until('all are indexed', async () => (await found()).count > 400)
})

test('an upload is served, and a session outlives the process that began it', async () => {
  await ask(host, '/json/user_uploads?name=hello.txt', '--data-binary', 'hello')
  expect(await ask(host, '/user_uploads/hello.txt')).toBe('hello')
  const jar = '/root/cookies'
  await ask(host, '/json/login', '-d', 'username=iago', '-c', jar)
  await host.shell('supervisorctl restart zulip-django')
  await until('the application answers', async () => 'django' in (await versions()))
  expect(JSON.parse(await ask(host, '/json/me', '-b', jar))).toMatchObject({ user: 'iago' })
})

test('a uwsgi that is stopped while it loads the application ends by itself', async () => {
  for (const seconds of ['0.5', '1.5']) {
    await host.shell(
      `supervisorctl restart zulip-django; sleep ${seconds}; supervisorctl stop zulip-django`,
    )
  }
  await expect(ask(host, '/')).rejects.toThrow('Zulip will be back soon.')
  await host.shell('supervisorctl start zulip-django')
  expect(
    await host.shell('grep -c "killing .zulip-django" /var/log/supervisor/supervisord.log || true'),
  ).toBe('0\n')
})

test('what is cached is told until memcached is emptied', async () => {
  const named = async () => (JSON.parse(await ask(host, '/')) as { realm: string }).realm
  await manage('fill_memcached_caches --automated --skip-checks', 'current')
  await host.shell(
    `runuser -u zulip -- psql -q -c "UPDATE zerver_realm SET name = 'Renamed'" -d zulip`,
  )
  expect(await named()).toBe('Small Zulip')
  await asZulip('/home/zulip/deployments/current/scripts/setup/flush-memcached')
  expect(await named()).toBe('Renamed')
})

test('a worker notes an event that it fails at, and goes on', async () => {
  await host.shell(`cd /home/zulip/deployments/current
    runuser -u zulip -- ./manage.py shell -c 'from zerver.queue import publish; publish("thumbnail", {"fail": True})'`)
  const errors = '/var/log/zulip/queue_error/thumbnail.errors'
  await until(
    'it is noted',
    async () => (await host.exec(['grep', '-q', 'told to fail', errors])).exitCode === 0,
  )
  await host.shell(`rm ${errors}`)
  await ask(host, '/json/messages', '-d', 'content=done&queue=thumbnail')
  await until('the next is done', async () =>
    (await ask(host, '/json/messages')).includes('"content": "done", "is_processed": true'),
  )
})

test.each([
  ['manage.py knight -f iago@zulip.com', 'iago@zulip.com is an administrator\n'],
  ['manage.py export', expect.stringMatching(/^\/tmp\/zulip-export-\w+\.tar\.gz\n$/)],
  [
    'manage.py generate_realm_creation_link',
    expect.stringContaining('https://zulip.example.org/new/'),
  ],
  ['manage.py audit_fts_indexes --automated', expect.stringContaining('messages are indexed anew')],
  ['manage.py send_zulip_update_announcements --skip-delay', ''],
  ['manage.py checkconfig', expect.stringContaining('no issues')],
  ['scripts/reload-clients', 'port 9800: 0 clients told\n'],
  ['scripts/get-django-setting LOCAL_UPLOADS_DIR', '/home/zulip/uploads\n'],
])('%s', async (command, output) => {
  expect(await asZulip(`/home/zulip/deployments/current/${command}`)).toEqual(output)
})

test('generate_secrets adds what is missing and nothing else', async () => {
  const file = '/etc/zulip/zulip-secrets.conf'
  const run = () =>
    host.shell(
      `/home/zulip/deployments/current/scripts/setup/generate_secrets.py --production; cat ${file}`,
    )
  const before = await host.shell(`cat ${file}`)
  expect(await run()).toBe(before)
  await host.shell(`sed -i /^zulip_org_id/d ${file}`)
  const lines = (text: string) =>
    text.split('\n').filter((line) => !/^zulip_org_id = [0-9a-f-]{36}$/.test(line))
  const after = await run()
  expect(after).toMatch(/^zulip_org_id = /m)
  expect(lines(after)).toEqual(lines(before))
})

test('root is sent away by manage.py', async () => {
  const refused = await host.exec(['/home/zulip/deployments/current/manage.py', 'list_realms'])
  expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('su zulip -c') })
  expect(await manage('list_realms', 'current')).toBe('1\t\tRenamed\n')
})

test('its backup has the layout of Zulip, and what is left out on request is not there', async () => {
  const backUp = async (options: string): Promise<string> => {
    const output = await manage(`backup ${options}`, 'current')
    return output.trim().split(' ').at(-1) ?? ''
  }
  const members = async (archive: string) => (await host.shell(`tar -tzf ${archive}`)).split('\n')
  const archive = await backUp('')
  const whole = await members(archive)
  expect(whole).toEqual(
    expect.arrayContaining([
      'zulip-backup/zulip-version',
      'zulip-backup/os-version',
      'zulip-backup/postgres-version',
      'zulip-backup/settings/zulip-secrets.conf',
      'zulip-backup/database/toc.dat',
      'zulip-backup/uploads/files/hello.txt',
    ]),
  )
  expect(
    await host.shell(`stat -c %a ${archive}; mkdir /root/backup; tar -xzf ${archive} -C /root/backup
      pg_restore --list /root/backup/zulip-backup/database; rm -r /root/backup`),
  ).toMatch(/^600\n[\s\S]* TABLE DATA zulip zerver_message zulip\n/)
  const partial = await members(await backUp('--skip-db --skip-uploads'))
  expect(partial.filter((name) => /uploads|database/.test(name))).toEqual([])
})

test('what runs stays with its tree when the links move, until it is restarted', async () => {
  await deploy('same', '2026-01-02-00-00-00')
  await asZulip(`cd /home/zulip/deployments; old=$(readlink current)
    ln -sfn $PWD/2026-01-02-00-00-00 next; ln -sfn $old last; ln -sfn $PWD/2026-01-02-00-00-00 current`)
  expect(await versions()).toEqual(all('9.1'))
  await asZulip(`supervisorctl restart zulip-tornado zulip-workers:* zulip_deliver_scheduled_emails zulip_deliver_scheduled_messages
    printf c >/home/zulip/deployments/uwsgi-control`)
  const answers = new Set<string>()
  await until('every program runs from the other tree', async () => {
    const now = await versions()
    answers.add(now.django ?? 'none')
    return programs.every((name) => now[name] === '9.2')
  })
  expect(answers).not.toContain('none')
})

test('from git, the version is told by the tags, and npm builds what nginx serves', async () => {
  const built = await host.shell(`
    cd /home/zulip/deployments
    git clone -q --branch main /srv/upstream/zulip.git 2026-01-03-00-00-00; cd 2026-01-03-00-00-00
    ln -s /etc/zulip/settings.py zproject/prod_settings.py
    scripts/lib/create-production-venv "$PWD"; chown -R zulip:zulip .
    runuser -u zulip -- tools/cache-zulip-git-version; cat zulip-git-version
    runuser -u zulip -- tools/update-prod-static
    git -c safe.directory='*' status --short`)
  expect(built).toMatch(
    /^(9\.2-1-g[0-9a-f]+)\n\1\n\1: 4 files, \d+ bytes to transfer, .* s, \d+ MB at most\n$/,
  )
  expect(
    await host.shell("grep -h 'Zulip 9.2-1-g' /home/zulip/prod-static/webpack-bundles/app.*.js"),
  ).not.toBe('')
})

describe('a tree that fails', () => {
  test('bad-archive: does not unpack', async () => {
    const { exitCode } = await host.exec(['tar', '-tzf', archiveOf('bad-archive')])
    expect(exitCode).not.toBe(0)
  })

  // What is run in the tree, and what it says before the cause is mended.
  test.each([
    ['bad-check', 'manage.py check --database default', 'fails until'],
    ['bad-settings', 'manage.py check', 'SEARCH_LANGUAGE'],
    ['bad-start', 'timeout 10 manage.py runtornado 127.0.0.1:9899', 'ends until'],
    ['bad-answer', 'python3 -c "import zproject.wsgi"', 'nothing is answered until'],
    ['bad-migration', 'manage.py migrate --noinput', 'fails until'],
  ] as const)('%s: %s', async (name, command, complaint) => {
    await deploy(name, name)
    const run = () =>
      host.exec([
        'sh',
        '-c',
        `cd /home/zulip/deployments/${name}; PATH=$PWD:$PATH; runuser -u zulip -- ${command}`,
      ])
    const failed = await run()
    expect(failed.exitCode).not.toBe(0)
    expect(failed.stdout + failed.stderr).toContain(complaint)
    await host.shell(
      'touch /etc/zulip/mended; echo "SEARCH_LANGUAGE = \\"en\\"" >>/etc/zulip/settings.py',
    )
    // The event system is ended by the time limit.
    expect((await run()).exitCode).toBe(name === 'bad-start' ? 124 : 0)
    await host.shell('rm /etc/zulip/mended; sed -i /SEARCH_LANGUAGE/d /etc/zulip/settings.py')
  })

  test('bad-assets: does not build from git', async () => {
    const failed = await host.exec([
      'sh',
      '-c',
      `cd /home/zulip; git clone -q --branch bad-assets /srv/upstream/zulip.git bad-assets; chown -R zulip:zulip bad-assets
      runuser -u zulip -- bad-assets/tools/update-prod-static`,
    ])
    expect(failed).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('could not be built'),
    })
  })

  test('bad-apply: its class fails', async () => {
    const folder = '/home/zulip/deployments/bad-apply/manifests'
    await deploy('bad-apply', 'bad-apply')
    const { stderr, stdout } = await steward(host, ['apply', '--yes', '--manifests', folder], {
      exitCode: 4,
    })
    expect(stdout + stderr).toContain('fails until')
  })
})

test('migration: earlier releases can write no message after it', async () => {
  await deploy('migration', '2026-01-04-00-00-00')
  expect(await manage('showmigrations zerver', '2026-01-04-00-00-00')).toContain(
    ' [ ] 0004_translated',
  )
  await manage('migrate --noinput', '2026-01-04-00-00-00')
  await expect(ask(host, '/json/messages', '-d', 'content=too late')).rejects.toThrow('500')
})

test('without-migration: does not know what was applied', async () => {
  await deploy('without-migration', '2026-01-05-00-00-00')
  expect(await manage('showmigrations zerver', '2026-01-05-00-00-00')).not.toContain('0003_draft')
})

test('configuration: an apply for it changes what uwsgi, nginx and supervisor read', async () => {
  await deploy('configuration', '2026-01-06-00-00-00')
  await asZulip('cd /home/zulip/deployments; ln -sfn $PWD/2026-01-06-00-00-00 current')
  const { stdout } = await steward(host, ['apply', '--dry-run'], { exitCode: 0 })
  for (const path of [
    'zulip/uwsgi.ini',
    'nginx/zulip-include/app',
    'supervisor/conf.d/zulip/zulip.conf',
  ])
    expect(stdout).toContain(`~ file[/etc/${path}]`)
})

test('renamed-class: zulip.conf has the former name, and is brought to the new one', async () => {
  await deploy('renamed-class', '2026-01-07-00-00-00')
  const folder = '/home/zulip/deployments/2026-01-07-00-00-00/manifests'
  await steward(host, ['conf', 'migrate', '--manifests', folder], { exitCode: 0 })
  expect(await host.shell('grep puppet_classes /etc/zulip/zulip.conf')).toBe(
    'puppet_classes = zulip::profile::voyager\n',
  )
})
