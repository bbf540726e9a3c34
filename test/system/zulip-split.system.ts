import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectRig, type TestHost } from './rig.ts'
import { installedImage, steward } from './steward.ts'

const password = 'dAtabasePassw0rd5028'
const conf = (classes: string, settings: string): string => `[machine]
puppet_classes = ${classes}
[postgresql]
version = 15
${settings}
[downloads]
enabled = false
[http_proxy]
host =
`

// The life of two hosts, in order: the tests build on each other.
let application: TestHost
let database: TestHost
/** The addresses of the database and of the application. */
let address: string
let from: string
beforeAll(async () => {
  const rig = connectRig()
  const image = await installedImage(rig)
  application = await rig.up('split-application', { image })
  database = await rig.up('split-database', { image, memory: '2G' })
  address = (await database.shell('hostname -I')).trim()
  await application.writeFile('/etc/zulip/zulip.conf', conf('zulip::profile::standalone_nodb', ''))
  from = (await application.shell('hostname -I')).trim()
  await database.writeFile(
    '/etc/zulip/zulip.conf',
    conf('zulip::profile::postgresql', `listen_addresses = localhost, ${address}`),
  )
})
afterAll(async () => {
  await application?.destroy()
  await database?.destroy()
})

const apply = (host: TestHost, exitCode: number) =>
  steward(host, ['apply', '--yes', '--detailed-exitcodes'], { exitCode })
/** Every port that other hosts reach. */
async function openPorts(host: TestHost): Promise<string[]> {
  const listening = await host.shell(
    "ss -Hltn | awk '{ print $4 }' | grep -Ev '^(127[.]|\\[::1\\])' | sed 's/.*://' | sort -un",
  )
  return listening.trim().split('\n')
}
const packages = (host: TestHost) =>
  host.shell(
    "dpkg-query --show --showformat '${db:Status-Abbrev} ${Package}\\n' | sed -n 's/^ii  //p'",
  )
/** What a query answers to the application, in its own host. */
function ask(query: string, besides = '') {
  const login = `host=${address} user=zulip password=${password} dbname=zulip sslmode=require ${besides}`
  return application.exec(['runuser', '-u', 'zulip', '--', 'psql', '-XqAt', '-c', query, login])
}

test('each host gets its own part, and the next apply of both finds nothing to do', async () => {
  await Promise.all([apply(application, 2), apply(database, 2)])
  const again = await Promise.all([apply(application, 0), apply(database, 0)])
  for (const { stdout } of again) expect(stdout).toMatch(/nothing to do/i)
})

test("the application's host has the client of the database and no server, the other nothing else", async () => {
  const [ofApplication, ofDatabase] = [await packages(application), await packages(database)]
  expect(ofApplication).toMatch(/^postgresql-client-15$/m)
  expect(ofApplication).not.toMatch(/^postgresql-15$/m)
  expect(ofDatabase).toMatch(/^postgresql-15$/m)
  expect(ofDatabase).not.toMatch(/^(nginx|redis-server|memcached|rabbitmq-server)/m)
  const programs = "supervisorctl avail | cut -d ' ' -f 1"
  expect(await application.shell(programs)).not.toContain('process-fts-updates')
  expect(await database.shell(programs)).toBe('process-fts-updates\n')
})

test('the world reaches the web server of the one, and the database of the other', async () => {
  expect(await openPorts(application)).toEqual(['80', '443'])
  expect(await openPorts(database)).toEqual(['5432'])
})

test('nobody logs in from another host unasked', async () => {
  expect(await ask('SELECT 1')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('no pg_hba.conf entry for host'),
  })
})

test('the application logs in once zulip.conf names its host, with the password of the secrets and over TLS alone', async () => {
  await steward(database, ['conf', 'set', 'postgresql.client_addresses', from], { exitCode: 0 })
  const { stderr } = await steward(database, ['apply', '--dry-run'], { exitCode: 1 })
  expect(stderr).toContain('Write postgres_password')
  await database.shell(
    `printf 'postgres_password = ${password}\\n' >>/etc/zulip/zulip-secrets.conf`,
  )
  const started = () =>
    database.shell("cd /; runuser -u postgres -- psql -qAtc 'SELECT pg_postmaster_start_time()'")
  const before = await started()
  const { stdout } = await apply(database, 2)
  expect(stdout).toMatch(/^reloaded +service\[postgresql@15-main\]/m)
  expect(stdout).not.toContain(password)
  expect(await started()).toBe(before)
  expect((await apply(database, 0)).stdout).toMatch(/nothing to do/i)
  expect(await ask('SHOW search_path')).toMatchObject({ exitCode: 0, stdout: 'zulip, public\n' })
  expect(await ask('CREATE TABLE zulip.t (); DROP TABLE zulip.t; SHOW work_mem')).toMatchObject({
    exitCode: 0,
    stdout: '4MB\n',
  })
  const plain = await ask('SELECT 1', 'sslmode=disable')
  expect(plain.stderr).toContain('no pg_hba.conf entry for host')
  expect((await ask('SELECT 1', 'password=another')).stderr).toContain('authentication failed')
})

test('what the administrator wrote into pg_hba.conf stays, and the application is kept out without the key', async () => {
  const file = '/etc/postgresql/15/main/pg_hba.conf'
  await database.shell(`echo 'hostssl all monitoring 192.0.2.9/32 scram-sha-256' >>${file}`)
  await steward(database, ['conf', 'unset', 'postgresql.client_addresses'], { exitCode: 0 })
  await apply(database, 2)
  expect(await database.shell(`grep -c monitoring ${file}`)).toBe('1\n')
  expect((await ask('SELECT 1')).stderr).toContain('no pg_hba.conf entry for host')
  expect((await apply(database, 0)).stdout).toMatch(/nothing to do/i)
})

test('a rule that the server would not take is not loaded, and what stood there comes back', async () => {
  const file = '/etc/postgresql/15/main/pg_hba.conf'
  await steward(database, ['conf', 'set', 'postgresql.client_addresses', `${from}, ::ffff::1`], {
    exitCode: 0,
  })
  const before = await database.shell(`sha256sum ${file}`)
  expect((await apply(database, 4)).stdout).toMatch(/pg_hba\.conf, line \d+: .*"::ffff::1/)
  expect(await database.shell(`sha256sum ${file}`)).toBe(before)
})
