import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectRig, type TestHost } from './rig.ts'
import { installedImage, manifests, steward } from './steward.ts'
import { programsStartedBy } from './trace.ts'

/** Long enough not to appear by chance. */
const passwords = ['sErversPassw0rd5518', 'tHeNextPassw0rd9207'] as const

// The life of one host, in order: the tests build on each other.
let host: TestHost
let checksums: string
beforeAll(async () => {
  const rig = connectRig()
  host = await rig.up('servers', { image: await installedImage(rig) })
  await setPassword(passwords[0])
  checksums = await startMirror()
})
afterAll(() => host?.destroy())

async function setPassword(password: string): Promise<void> {
  await host.shell(`cd /etc/zulip; sed -i /servers_password/d zulip-secrets.conf
    echo servers_password = ${password} >>zulip-secrets.conf`)
}

/** A web server in the host with what is to be fetched; gives the checksums as the manifest takes them. */
async function startMirror(): Promise<string> {
  const sums = await host.shell(
    `{ apt-get update; apt-get install --yes --no-install-recommends python3 zip; } >/dev/null 2>&1
    mkdir -p /srv/mirror; cd /srv/mirror; mkdir -p release-1/bin pages
    printf '#!/bin/sh\\necho released\\n' >release-1/bin/program; chmod 755 release-1/bin/program
    echo text >release-1/README; tar -czf release.tar.gz release-1
    echo page >pages/index.html; zip -q -r pages.zip pages
    printf '#!/bin/sh\\necho tool\\n' >tool
    systemd-run --quiet --unit=mirror python3 -m http.server --bind 127.0.0.1 --directory /srv/mirror 8000
    sha256sum release.tar.gz pages.zip tool | cut -c 1-64`,
    { timeoutMs: 300_000 },
  )
  return sums.trim().split('\n').join(',')
}

function command(verb: readonly string[], values: readonly string[] = []): string[] {
  const given = [`checksums=${checksums}`, ...values].flatMap((value) => ['--with', value])
  return ['apply', ...verb, '--manifests', manifests, 'test::servers', ...given]
}
const apply = (...values: string[]) => steward(host, command(['--yes'], values), { exitCode: 0 })

/** Who PostgreSQL and RabbitMQ let in by the password. */
async function login(password: string): Promise<string> {
  const psql = `PGPASSWORD=${password} psql -h 127.0.0.1 -U tester -At tested -c`
  return host.shell(`${psql} 'SELECT current_user, extname FROM pg_extension ORDER BY 2 LIMIT 1' 2>&1 ||:
    echo ${password} | rabbitmqctl --quiet authenticate_user tester 2>&1 ||:`)
}
const programs = () => host.shell('supervisorctl status | cut -c 1-40 | tr -s " "')

test('a dry run on a bare host fetches nothing and knows what comes later', async () => {
  const { stdout } = await steward(host, command(['--dry-run']), { exitCode: 0 })
  expect(stdout).toMatch(/\+ download\[\/srv\/release\] .*fetched from http:\/\/127\.0\.0\.1:8000/)
  expect(stdout).toMatch(/… postgresql_role\[tester\] +known after/)
  expect(stdout).toMatch(/… rabbitmq_user\[tester\] +known after/)
  expect(stdout).toMatch(/… supervisor_program\[many\] +known after/)
  expect(await host.shell('ls /srv')).toBe('manifests\nmirror\n')
})

test('apply fetches, makes and starts everything in one run', async () => {
  await apply()
  expect(await login(passwords[0])).toBe('tester|pg_trgm\nSuccess\n')
  expect(await login('wrong')).toMatch(/password authentication failed[\s\S]*Error/)
  expect(await programs()).toMatch(
    /^many:many_00 RUNNING\nmany:many_01 RUNNING\nmany:many_02 RUNNING\nsleeper RUNNING\n$/,
  )
  expect(
    await host.shell(
      '/srv/release/bin/program; cat /srv/pages/pages/index.html; tool; pg_lsclusters -h',
    ),
  ).toMatch(/^released\npage\ntool\n15 +main +5432 online.*\n15 +second +5433 online/)
  expect(await host.shell('stat -c %U /srv/pages/pages/index.html; ls /srv/release')).toBe(
    'www-data\nbin\n',
  )
})

test('the second apply asks each server once, finds nothing to do and tells what waits', async () => {
  const { result, programs: started } = await programsStartedBy(host, [
    'steward',
    ...command(['--yes']),
  ])
  expect(result.stdout).toMatch(/nothing to do/i)
  expect(result.stdout).toContain('left stopped: /srv/nosuch is not there yet')
  const asked = started.map((argv) => argv.join(' '))
  const times = (question: RegExp) => asked.filter((argv) => question.test(argv)).length
  expect(times(/^rabbitmqctl --quiet export_definitions -$/)).toBe(1)
  expect(times(/^supervisorctl status$/)).toBe(1)
  // Roles and databases of two clusters, and the extensions of one; started by way of setpriv.
  expect(times(/^\/usr\/lib\/postgresql\/15\/bin\/psql/)).toBe(3)
})

test('another password is set without showing in an argument, an output or a log', async () => {
  await setPassword(passwords[1])
  const { result, programs: started } = await programsStartedBy(host, [
    'steward',
    ...command(['--yes']),
  ])
  expect(result.stdout).toMatch(/changed +postgresql_role\[tester\] +password \(secret\)/)
  expect(result.stdout).toMatch(/changed +rabbitmq_user\[tester\] +password \(secret\)/)
  expect(result.stdout).toContain('2 changed')
  const shown = [result.stdout, result.stderr, ...started.flat()].join('\n')
  for (const password of passwords) expect(shown).not.toContain(password)
  // Before anybody logs in with it: the journal keeps the arguments of those who write to it.
  const found = `grep -rlaE '${passwords[1]}|SCRAM-SHA-256[$]' /var/log /var/lib/steward || :`
  expect(await host.shell(found)).toBe('')
  expect(await login(passwords[1])).toBe('tester|pg_trgm\nSuccess\n')
})

test('a change reaches what it is about, and restarts what reads it', async () => {
  const before = await host.shell('supervisorctl pid sleeper many:many_00')
  const { stdout } = await apply('superuser=true')
  const changed = [...stdout.matchAll(/^(?:changed|restarted) +(\S+\[\S+\])/gm)].map(
    ([, ref]) => ref,
  )
  expect(changed).toEqual([
    'file[/srv/sleeper.conf]',
    'postgresql_role[tester]',
    'supervisor_program[sleeper]',
    'rabbitmq_user[tester]',
  ])
  const [sleeper, many] = before.trim().split('\n')
  const [restarted, same] = (await host.shell('supervisorctl pid sleeper many:many_00'))
    .trim()
    .split('\n')
  expect(restarted).not.toBe(sleeper)
  expect(same).toBe(many)
})

test('what others changed is mended', async () => {
  await host.shell(`echo evil >>/srv/release/bin/program; rm /srv/pages/pages/index.html
    chmod 600 /usr/local/bin/tool; supervisorctl stop many:many_01
    cd /; runuser -u postgres -- psql -qc 'ALTER DATABASE tested OWNER TO postgres'
    rabbitmqctl --quiet set_permissions -p servers tester '^$' '^$' '^$'`)
  const { stdout } = await apply('superuser=true')
  expect(stdout).toContain('6 changed')
  expect(await host.shell('/srv/release/bin/program; cat /srv/pages/pages/index.html; tool')).toBe(
    'released\npage\ntool\n',
  )
  expect((await apply('superuser=true')).stdout).toMatch(/nothing to do/i)
})

test('what can not be fetched says what, from where and what to do, and the rest goes on', async () => {
  await host.shell('rm -r /srv/release; supervisorctl stop sleeper; systemctl stop mirror')
  const { stdout } = await steward(host, command(['--yes'], ['superuser=true']), { exitCode: 4 })
  expect(stdout).toMatch(
    /release\.tar\.gz \(SHA-256 [0-9a-f]{64}\) could not be fetched from http:\/\/127\.0\.0\.1:8000\/release\.tar\.gz: .*ECONNREFUSED/,
  )
  expect(stdout).toContain('Give the parameter mirror another address.')
  expect(stdout).toMatch(/changed +supervisor_program\[sleeper\]/)
  expect(await host.shell('ls -A /srv')).not.toContain('release')
})

test('absent takes everything away, in an order that works', async () => {
  await apply('ensure=absent')
  expect(await host.shell('supervisorctl status; pg_lsclusters -h | cut -c 1-8; ls /srv')).toBe(
    '15 main \nmanifests\nmirror\nsleeper.conf\n',
  )
  expect(await login(passwords[1])).toMatch(/authentication failed[\s\S]*Error/)
  expect((await apply('ensure=absent')).stdout).toMatch(/nothing to do/i)
})
