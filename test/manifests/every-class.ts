import { openLibrary } from '../../engine/index.ts'

/** What some classes can't do without. */
export const conf = `[postgresql]
version = 15
backups_directory = /srv/backups
replication_primary = db1.example.com
replication_user = replicator
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
export const secrets = {
  memcached_password: 'of-memcached',
  redis_password: 'of-redis',
  zulip_release_api_key: 'of-a-bot',
  sentry_release_auth_token: 'of-sentry',
}
export const library = openLibrary({ manifests: [], state: '/nonexistent', mayKeep: false })
/** Every class that is no procedure. */
export const names = library.names().filter((name) => {
  const manifest = library.read(name)
  return name.startsWith('zulip') && manifest?.kind === 'class' && manifest.steps === undefined
})
export const systems = {
  debian: { id: 'debian', version: '12', name: 'Debian GNU/Linux 12 (bookworm)' },
  jammy: { id: 'ubuntu', version: '22.04', name: 'Ubuntu 22.04' },
  noble: { id: 'ubuntu', version: '24.04', name: 'Ubuntu 24.04' },
  bullseye: { id: 'debian', version: '11', name: 'Debian GNU/Linux 11 (bullseye)' },
}
export const nine = { version: '9.4', major: 9 }
export const ten = { version: '10.1', major: 10 }
