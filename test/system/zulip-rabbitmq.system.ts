import { afterAll, beforeAll, expect, test } from 'vitest'
import { jobsDuring } from './journal.ts'
import { connectRig, type TestHost } from './rig.ts'
import { installedImage, steward } from './steward.ts'
import { programsStartedBy } from './trace.ts'

/** Long enough not to appear by chance. */
const passwords = ['rAbbitPassw0rd4711', 'aNotherPassw0rd6083'] as const

// The life of one host, in order: the tests build on each other.
let host: TestHost
beforeAll(async () => {
  const rig = connectRig()
  host = await rig.up('rabbitmq', { image: await installedImage(rig) })
  await setPassword(passwords[0])
  // Who listens where, ten times a second from before the packages on.
  const watch =
    'while :; do ss -Hltn | tr -s " " | cut -d " " -f 4; sleep 0.1; done >/root/listening'
  await host.shell(`systemd-run --quiet --unit=watch sh -c '${watch}'`)
})
afterAll(() => host?.destroy())

async function setPassword(password: string): Promise<void> {
  await host.shell(`cd /etc/zulip; sed -i /rabbitmq_password/d zulip-secrets.conf
    echo rabbitmq_password = ${password} >>zulip-secrets.conf`)
}
const command = ['apply', '--yes', '--detailed-exitcodes', 'zulip::profile::rabbitmq']
const apply = () => steward(host, command, { exitCode: 2 })
/** Every address and port at which somebody listened since the beginning. */
async function everListened(): Promise<string[]> {
  return (await host.shell('sort -u /root/listening')).trim().split('\n')
}
const login = (password: string) =>
  host.shell(`echo ${password} | rabbitmqctl --quiet authenticate_user zulip 2>&1 ||:`)

test('it listens on loopback alone, from before its packages are there', async () => {
  const { stdout } = await apply()
  expect(stdout).toMatch(/created +package\[rabbitmq-server\]/)
  const addresses = await everListened()
  expect(addresses).toEqual(
    expect.arrayContaining(['127.0.0.1:4369', '127.0.0.1:5672', '127.0.0.1:25672']),
  )
  expect(addresses.filter((each) => !/^(127\.0\.0\.\d+|\[::1\]):\d+$/.test(each))).toEqual([])
})

test('the application may log in, by its password, and nobody else', async () => {
  expect(await login(passwords[0])).toBe('Success\n')
  expect(await login('wrong')).toContain('Error')
  const users = await host.shell('rabbitmqctl --quiet --no-table-headers list_users')
  expect(users).toBe('zulip\t[administrator]\n')
  expect(await host.shell('rabbitmqctl --quiet --no-table-headers list_permissions')).toBe(
    'zulip\t.*\t.*\t.*\n',
  )
})

test('the node is called zulip@localhost, whatever the host is called', async () => {
  expect(await host.shell("rabbitmqctl --quiet eval 'node().'")).toBe('zulip@localhost\n')
  await host.shell('hostname elsewhere; rabbitmqctl --quiet ping')
})

test('the second apply asks it once, and finds nothing to do', async () => {
  const { result, programs } = await programsStartedBy(host, ['steward', ...command])
  expect(result.stdout).toMatch(/nothing to do/i)
  expect(result.exitCode).toBe(0)
  const asked = programs.map((argv) => argv.join(' '))
  expect(asked.filter((argv) => argv.startsWith('rabbitmqctl '))).toHaveLength(1)
})

test('another password is set in the node that runs, and shows nowhere', async () => {
  await setPassword(passwords[1])
  let shown = ''
  const jobs = await jobsDuring(host, async () => {
    shown = (await apply()).stdout
  })
  // rabbitmqctl changes its user by su, which is a session to systemd.
  expect(jobs.filter(({ unit }) => !unit.startsWith('session-'))).toEqual([])
  expect(shown).toMatch(/changed +rabbitmq_user\[zulip\] +password \(secret\)/)
  for (const password of passwords) expect(shown).not.toContain(password)
  expect(await login(passwords[1])).toBe('Success\n')
})

test('a cookie that can be guessed becomes another', async () => {
  const cookie = '/var/lib/rabbitmq/.erlang.cookie'
  await host.shell(`systemctl stop rabbitmq-server
    printf ABCDEFGHIJKLMNOPQRST >${cookie}; systemctl start rabbitmq-server`)
  const { stdout } = await apply()
  expect(stdout).toMatch(/ran +exec\[strengthen-erlang-cookie\]/)
  expect(stdout).toMatch(/restarted +service\[rabbitmq-server\]/)
  expect(
    await host.shell(`stat -c '%U %a' ${cookie}; wc -c <${cookie}; rabbitmqctl --quiet ping`),
  ).toBe('rabbitmq 400\n57\nPing succeeded\n')
})

test('nobody else was listened to in all that', async () => {
  const addresses = await everListened()
  expect(addresses.filter((each) => !/^(127\.0\.0\.\d+|\[::1\]):\d+$/.test(each))).toEqual([])
})
