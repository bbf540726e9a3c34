import { describe, expect, test } from 'vitest'
import { openLibrary } from '../../engine/index.ts'
import { exampleFacts } from '../facts/example.ts'
import { type Case, result } from './catalog.ts'

/** What some classes can't do without. */
const conf = `[postgresql]
version = 15
backups_directory = /srv/backups
[zulip_notify]
bot_email = bot@zulip.example.com
server = zulip.example.com
stream = deployments
[push_git_ref]
repo = git@git.example.com:zulip.git
ref = refs/heads/live
[sentry]
organization = example
project = server
project_dsn = https://key@sentry.example.com/1
`
const secrets = {
  memcached_password: 'of-memcached',
  redis_password: 'of-redis',
  zulip_release_api_key: 'of-a-bot',
  sentry_release_auth_token: 'of-sentry',
}
const library = openLibrary({ manifests: [], state: '/nonexistent', mayKeep: false })
const names = library.names().filter((name) => {
  const manifest = library.read(name)
  return name.startsWith('zulip') && manifest?.kind === 'class' && manifest.steps === undefined
})
const systems = {
  debian: { id: 'debian', version: '12', name: 'Debian GNU/Linux 12 (bookworm)' },
  jammy: { id: 'ubuntu', version: '22.04', name: 'Ubuntu 22.04' },
  noble: { id: 'ubuntu', version: '24.04', name: 'Ubuntu 24.04' },
  bullseye: { id: 'debian', version: '11', name: 'Debian GNU/Linux 11 (bullseye)' },
}
const nine = { version: '9.4', major: 9 }
const ten = { version: '10.1', major: 10 }
/** The mistakes of a class on a system, in words. */
const mistakes = (name: string, system: keyof typeof systems, release: object) => {
  const facts = { os: { ...exampleFacts.os, ...systems[system] }, release } as Case['facts']
  return result({ conf, secrets, classes: [name], ...(facts && { facts }) }).diagnostics.flatMap(
    ({ severity, message }) => (severity === 'error' ? [message] : []),
  )
}

describe.each(names)('%s', (name) => {
  test.each([
    ['debian', ten],
    ['jammy', nine],
    ['noble', ten],
  ] as const)('compiles on %s for Zulip $version', (system, release) => {
    expect(mistakes(name, system, release)).toEqual([])
  })
})

test('all that Zulip is made of is refused on another system, in one sentence', () => {
  // These make sense on any Debian.
  const general = [
    'zulip::sasl_modules',
    'zulip::snakeoil',
    'zulip::certificate',
    'zulip::timesync',
  ]
  for (const name of names) {
    const found = mistakes(name, 'bullseye', ten)
    const { resources, include } = library.read(name) ?? {}
    const isOnlySettings = resources?.length === 0 && include?.length === 0
    if (isOnlySettings || general.includes(name)) continue
    expect([name, found]).toEqual([
      name,
      [expect.stringMatching(/^Zulip needs debian 12, .*; this is Debian GNU\/Linux 11/)],
    ])
  }
})
