import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Case, catalogOf, content, desired, result } from './catalog.ts'

const debian = { id: 'debian', version: '12', name: 'Debian GNU/Linux 12 (bookworm)' }
const jammy = { id: 'ubuntu', version: '22.04', name: 'Ubuntu 22.04' }
const noble = { id: 'ubuntu', version: '24.04', name: 'Ubuntu 24.04' }
const nine = { version: '9.4', major: 9 }
const ten = { version: '10.1', major: 10 }
const withFacts = (facts: object) => ({ facts }) as Pick<Case, 'facts'>

describe('zulip::apt_repository', () => {
  const archives = (conf: string, os = debian) => {
    const catalog = catalogOf({ conf, ...withFacts({ os }), classes: ['zulip::profile::base'] })
    return ['postgresql', 'pgroonga'].filter(
      (name) => desired(catalog, `apt_repository[zulip-${name}]`).ensure === 'present',
    )
  }
  test.each([
    ['nothing of PostgreSQL', debian, '', []],
    ["Debian's version", debian, '[postgresql]\nversion = 15', []],
    ["Ubuntu 22.04's version", jammy, '[postgresql]\nversion = 14', []],
    ["Ubuntu 24.04's version", noble, '[postgresql]\nversion = 16', []],
    ['a version that Debian lacks', debian, '[postgresql]\nversion = 16', ['postgresql']],
    [
      'PGroonga',
      debian,
      '[machine]\npgroonga = enabled\n[postgresql]\nversion = 15',
      ['postgresql', 'pgroonga'],
    ],
    ['a switch', debian, '[apt]\npostgresql = true', ['postgresql']],
    [
      'the switches off, for packages that come another way',
      debian,
      '[machine]\npgroonga = true\n[apt]\npostgresql = false\npgroonga = no',
      [],
    ],
  ] as const)('has the archives that %s asks for', (_what, os, conf, expected) => {
    expect(archives(conf, os)).toEqual(expected)
  })
  test('takes them from a mirror', () => {
    const conf =
      '[machine]\npgroonga = true\n[apt]\npostgresql_mirror = file:/srv/a\npgroonga_mirror = http://b.example/c'
    const catalog = catalogOf({ conf, classes: ['zulip::apt_repository'] })
    expect(desired(catalog, 'apt_repository[zulip-postgresql]').uris).toBe('file:/srv/a')
    expect(desired(catalog, 'apt_repository[zulip-pgroonga]').uris).toBe('http://b.example/c')
  })
  const hasGpg = spawnSync('gpg', ['--version']).status === 0
  test.skipIf(!hasGpg).each([
    ['postgresql', debian, 'B97B0AFCAA1A47F044F244A07FCC7D46ACCC4CF8', 'bookworm-pgdg'],
    ['pgroonga', debian, '2701F317CFCCCB975CADE9C2624CF77434839225', 'bookworm'],
    ['pgroonga', noble, '8678AF29D1B5ABA1A5A651063359E7CECB64A157', 'noble'],
  ])(
    'trusts for %s the key that its maintainers tell (skipped where there is no gpg)',
    (name, os, fingerprint, suite) => {
      const catalog = catalogOf({ ...withFacts({ os }), classes: ['zulip::apt_repository'] })
      const { key, suites } = desired(catalog, `apt_repository[zulip-${name}]`)
      expect(suites).toBe(suite)
      const shown = execFileSync('gpg', ['--show-keys', '--with-colons'], { input: String(key) })
      const primary = /^pub:.*\n(?:.*\n)*?fpr:+([0-9A-F]+):/m.exec(shown.toString())?.[1]
      expect(primary).toBe(fingerprint)
    },
  )
})

describe('zulip::profile::base', () => {
  test('lets monitoring read what of the logs only the group may', () => {
    const catalog = catalogOf({ classes: ['zulip::profile::base'] })
    expect(desired(catalog, 'user[nagios]').groups).toEqual(['zulip'])
  })
  test.each([
    ['zulip_base', 'zulip::profile::base'],
    ['zulip_app_frontend', 'zulip::profile::app_frontend'],
    ['zulip_postgresql', 'zulip::profile::postgresql'],
  ])('leaves the checks in %s that Puppet put there', (folder, name) => {
    const catalog = catalogOf({ classes: [name] })
    const plugins = desired(catalog, `file[/usr/lib/nagios/plugins/${folder}]`)
    expect(plugins).toMatchObject({ ensure: 'directory', mode: '0755' })
    expect(plugins.purge ?? false).toBe(false)
    expect(plugins.recurse ?? false).toBe(false)
  })
})

describe('zulip::unattended_upgrades', () => {
  const path = '/etc/apt/apt.conf.d/52zulip-unattended-upgrades'
  const classes = ['zulip::profile::base']
  test('leaves out what restarts a service of Zulip, and says so until that is settled', () => {
    const { catalog, diagnostics } = result({ classes })
    const said = diagnostics.map(({ message }) => message).join()
    expect(said).toContain('Set machine.no_unattended_upgrades to true to agree')
    const agreed = result({ classes, conf: '[machine]\nno_unattended_upgrades = true' })
    expect(agreed.diagnostics.map(({ message }) => message).join()).not.toContain('nattended')
    expect(content(agreed.catalog as NonNullable<typeof catalog>, path)).toContain('postgresql')
    const left = content(catalog as NonNullable<typeof catalog>, path).match(/"\^(.*)";/g)
    const names = ['postgresql-15', 'rabbitmq-server', 'redis-server', 'memcached', 'nginx-full']
    for (const name of [...names, 'supervisor']) {
      expect(left?.some((each) => new RegExp(each.slice(1, -2)).test(name))).toBe(true)
    }
    expect(left?.some((each) => new RegExp(each.slice(1, -2)).test('openssl'))).toBe(false)
  })
  test('can be switched off', () => {
    const conf = '[machine]\nno_unattended_upgrades = false'
    const { catalog, diagnostics } = result({ conf, classes })
    expect(catalog && desired(catalog, `file[${path}]`).ensure).toBe('absent')
    expect(diagnostics.map(({ message }) => message).join()).not.toContain('nattended')
  })
})

describe('scheduled jobs', () => {
  const classes = ['zulip::app_frontend_once', 'zulip::app_frontend_jobs']
  const jobs = (options: Case) =>
    catalogOf({ ...options, classes }).resources.filter(
      ({ type, desired: each }) =>
        type === 'cron' && (each as { ensure?: string }).ensure !== 'absent',
    )
  const names = (options: Case) => jobs(options).map(({ title }) => title)
  test('are those of the release', () => {
    const [older, newer] = [nine, ten].map((release) => names(withFacts({ release })))
    expect(older).toHaveLength(10)
    expect(newer?.filter((name) => !older?.includes(name))).toEqual([
      'update-channel-recently-active-status',
    ])
  })
  test('run as zulip in the release, and do nothing without one', () => {
    for (const { desired: job } of jobs({})) {
      const { user, command, environment } = job as Record<string, unknown>
      expect(user).toBe('zulip')
      expect(environment).toMatchObject({ MAILTO: 'zulip', USER: 'zulip', SHELL: '/bin/bash' })
      expect(command).toMatch(
        /^cd \/home\/zulip\/deployments\/current 2>\/dev\/null \|\| exit 0; \.\/manage\.py [a-z_]+( -[df])? >\/dev\/null$/,
      )
    }
  })
  test('reach other hosts through the proxy, where there is one', () => {
    const proxies = (conf: string) =>
      jobs({ conf }).map(({ desired: job }) => (job as { environment: object }).environment)
    expect(proxies('')).toContainEqual(
      expect.objectContaining({
        HTTP_proxy: 'http://localhost:4750',
        HTTPS_proxy: 'http://localhost:4750',
      }),
    )
    expect(JSON.stringify(proxies('[http_proxy]\nhost ='))).not.toContain('proxy')
  })
  test('tell Sentry how they went, where its program is there, and run in any case', () => {
    const conf =
      '[machine]\ndeploy_type = staging\n[sentry]\nproject_dsn = https://key@sentry.example.com/1'
    const { command } = desired(catalogOf({ conf, classes }), 'cron[clearsessions]')
    const folder = mkdtempSync(join(tmpdir(), 'steward-cron-'))
    const program = (name: string, says: string) =>
      writeFileSync(join(folder, name), `#!/bin/sh\n${says}\n`, { mode: 0o755 })
    const run = () => {
      const text = String(command).replace('/home/zulip/deployments/current', folder)
      execFileSync('/bin/bash', ['-c', text], { env: { PATH: `${folder}:/usr/bin:/bin` } })
      return readFileSync(join(folder, 'said'), 'utf8').trim()
    }
    try {
      program('manage.py', `echo "ran $*" >said`)
      expect(run()).toBe('ran clearsessions')
      program('sentry-cli', 'echo "$SENTRY_DSN $*" >said')
      expect(run()).toBe(
        'https://key@sentry.example.com/1 monitors run --environment staging --schedule 22 22 * * * clearsessions -- ./manage.py clearsessions',
      )
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
  test('are switched off and put elsewhere by zulip.conf', () => {
    const conf = '[cron]\nclearsessions = off\nsend-digest-emails = 15 7 * * mon'
    const catalog = catalogOf({ conf, classes })
    expect(desired(catalog, 'cron[clearsessions]').ensure).toBe('absent')
    expect(desired(catalog, 'cron[send-digest-emails]').schedule).toBe('15 7 * * mon')
  })
  test('are told apart from those that zulip.conf misspells', () => {
    const told = (line: string) =>
      result({ conf: `[cron]\n${line}`, classes })
        .diagnostics.map(({ message }) => message)
        .join('\n')
    expect(told('clear-sessions = off')).toContain('has "clear-sessions", which is no job')
    for (const name of names({})) expect(told(`${name} = off`)).not.toContain('is no job')
  })
  test('are refused with a schedule that cron would not read', () => {
    const { catalog, diagnostics } = result({ conf: '[cron]\nclearsessions = at noon', classes })
    expect(catalog).toBeUndefined()
    expect(diagnostics[0]?.message).toContain('cron[clearsessions]')
  })
})

describe('hooks', () => {
  const classes = [
    'zulip::hooks::zulip_notify',
    'zulip::hooks::push_git_ref',
    'zulip::hooks::sentry',
  ]
  const secrets = { zulip_release_api_key: 'of-bot', sentry_release_auth_token: 'of-sentry' }
  const conf = `[zulip_notify]
bot_email = deploy-bot@zulip.example.com
server = https://zulip.example.com/
stream = what's new
[push_git_ref]
repo = git@git.example.com:zulip.git
ref = refs/heads/live
[sentry]
organization = example
project = server
frontend_project = web`
  const folder = '/etc/zulip/hooks'
  test('say what they need and were not told', () => {
    const { diagnostics } = result({ secrets, classes })
    const mistakes = diagnostics.filter(({ severity }) => severity === 'error')
    expect(mistakes.map(({ message }) => message.replace(/ in .*/, ''))).toEqual([
      'zulip::hooks::push_git_ref needs repo and ref',
      'zulip::hooks::sentry needs organization and project',
      'zulip::hooks::zulip_notify needs bot_email, server and stream',
    ])
  })
  test('hold no secret', () => {
    const text = JSON.stringify(catalogOf({ conf, secrets, classes }).resources)
    expect(text).not.toMatch(/of-bot|of-sentry/)
  })
  test('belong to zulip, and are programs where an upgrade calls them', () => {
    const hooks = catalogOf({ conf, secrets, classes }).resources.filter(({ title }) =>
      title.endsWith('.hook'),
    )
    expect(hooks).toHaveLength(5)
    for (const { desired: hook } of hooks) {
      expect(hook).toMatchObject({ owner: 'zulip', group: 'zulip', mode: '0755' })
    }
  })
  test('are shell', () => {
    const catalog = catalogOf({ conf, secrets, classes })
    const texts = catalog.resources.flatMap(({ title, desired: each }) => {
      const { content: text } = each as { content?: string }
      return title.startsWith(`${folder}/`) && text !== undefined ? [text] : []
    })
    expect(texts).toHaveLength(4)
    for (const text of texts) execFileSync('sh', ['-n'], { input: String(text) })
    expect(content(catalog, `${folder}/common/zulip_notify.sh`)).toContain(
      String.raw`to='what'\''s new'`,
    )
    expect(content(catalog, `${folder}/common/zulip_notify.sh`)).toContain(
      "'https://zulip.example.com/api/v1/messages'",
    )
    expect(content(catalog, `${folder}/common/sentry.sh`)).toContain(
      "--project 'server' --project 'web'",
    )
  })
})

describe('a hook that sends a message', () => {
  const text = content(
    catalogOf({
      conf: '[zulip_notify]\nbot_email = bot@zulip.example.com\nserver = zulip.example.com\nstream = deploys',
      secrets: { zulip_release_api_key: 'of-a-bot' },
      classes: ['zulip::hooks::zulip_notify'],
    }),
    '/etc/zulip/hooks/common/zulip_notify.sh',
  )
  /** Sends with a curl that ends with this status; gives what curl was handed and what was printed. */
  const send = (status: number) => {
    const folder = mkdtempSync(join(tmpdir(), 'hook-'))
    const command = (name: string, lines: string) => {
      writeFileSync(join(folder, name), `#!/bin/sh\n${lines}\n`, { mode: 0o755 })
    }
    command('crudini', 'echo of-a-bot')
    command(
      'curl',
      `cat >${folder}/input; printf '%s\\n' "$@" >${folder}/arguments; exit ${status}`,
    )
    const { status: ended, stderr } = spawnSync('sh', ['-c', `${text}\nzulip_notify "it's done"`], {
      encoding: 'utf8',
      env: { PATH: `${folder}:/usr/bin:/bin` },
    })
    const read = (name: string) => readFileSync(join(folder, name), 'utf8')
    const handed = { input: read('input'), args: read('arguments') }
    rmSync(folder, { recursive: true })
    return { ...handed, ended, stderr }
  }
  test('hands its key to curl where nobody else can read it', () => {
    const { input, args, ended } = send(0)
    expect(ended).toBe(0)
    expect(input).toBe('user = "bot@zulip.example.com:of-a-bot"\n')
    expect(args).not.toContain('of-a-bot')
    expect(args).toMatch(/to=deploys\n[\s\S]*content=it's done\nhttps:\/\/zulip\.example\.com\/api/)
  })
  test('fails no deployment when the message is not sent', () => {
    expect(send(22)).toMatchObject({ ended: 0, stderr: 'zulip_notify: the message was not sent\n' })
  })
})

describe('the classes of an application server that need nothing else', () => {
  test.each([debian, jammy, noble])('compile on $name for each release', (os) => {
    for (const release of [nine, ten]) {
      catalogOf({
        ...withFacts({ os, release }),
        classes: ['zulip::app_frontend_once', 'zulip::app_frontend_jobs', 'zulip::hooks::base'],
      })
    }
  })
})
