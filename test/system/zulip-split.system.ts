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
/** The address of the database. */
let address: string
beforeAll(async () => {
  const rig = connectRig()
  const image = await installedImage(rig)
  application = await rig.up('application', { image })
  database = await rig.up('database', { image, memory: '2G' })
  address = (await database.shell('hostname -I')).trim()
  await application.writeFile('/etc/zulip/zulip.conf', conf('zulip::profile::standalone_nodb', ''))
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
function ask(query: string) {
  const login = `host=${address} user=zulip password=${password} dbname=zulip sslmode=require`
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

test('the application logs in once its administrator has let it in, which steward leaves as it is', async () => {
  expect(await ask('SELECT 1')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('no pg_hba.conf entry for host'),
  })
  const from = (await application.shell('hostname -I')).trim()
  await database.shell(`cd /
    runuser -u postgres -- psql --no-psqlrc -q -v ON_ERROR_STOP=1 <<'END'
    CREATE ROLE zulip LOGIN PASSWORD '${password}';
    CREATE DATABASE zulip OWNER zulip TEMPLATE template0;
END
    echo 'hostssl zulip zulip ${from}/32 scram-sha-256' >>/etc/postgresql/15/main/pg_hba.conf
    systemctl reload postgresql@15-main`)
  expect(await ask('SHOW work_mem')).toMatchObject({ exitCode: 0, stdout: '4MB\n' })
  expect((await apply(database, 0)).stdout).toMatch(/nothing to do/i)
})
