/**
 * Makes `manifests/packages/debian-12.json`: what Debian 12's packages bring along, read from the packages
 * themselves. Run it on Debian 12, with no other repositories and lists that `apt-get update` has fetched:
 *
 *     bin/node scripts/package-table.ts [FOLDER]
 *
 * FOLDER keeps what was downloaded (some 300 MB) for the next time; without it a temporary one is used.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PackageEntry } from '../engine/resources/package-things.ts'
import { type Archive, closure, readArchive } from './debian-archive.ts'
import { readPackage } from './debian-package.ts'

/** What the manifests of a Zulip server name, and what people put beside it. */
const wanted = `
  apache2 apt-transport-https ca-certificates certbot check-postgres chrony cron crudini
  curl erlang-base gettext git gnupg hunspell-en-us jq libapache2-mod-wsgi-py3 libsasl2-modules
  logrotate memcached monitoring-plugins-basic moreutils netcat-openbsd nginx nginx-common
  nginx-full ntp ntpsec openssh-server pgtop postfix postgresql postgresql-15
  postgresql-client postgresql-client-15 postgresql-common procps python3 python3-dateutil
  python3-psycopg2 python3-yaml rabbitmq-server redis-server redis-tools rsync sasl2-bin
  ssl-cert sudo supervisor sysfsutils unattended-upgrades unzip wget xz-utils zstd
`
  .trim()
  .split(/\s+/)

/** What a script of the package works out while it runs, so that nobody can read it off. */
const workedOut: Readonly<Record<string, PackageEntry>> = {
  // Its postinst has pg_createcluster make a first cluster, "main".
  'postgresql-15': {
    paths: [
      ...[
        'conf.d',
        'environment',
        'pg_ctl.conf',
        'pg_hba.conf',
        'pg_ident.conf',
        'postgresql.conf',
      ].map((name) => `/etc/postgresql/15/main/${name}`),
      '/etc/postgresql/15',
      '/etc/postgresql/15/main',
      '/etc/postgresql/15/main/start.conf',
      '/var/lib/postgresql/15',
      '/var/lib/postgresql/15/main',
    ],
    units: ['postgresql@15-main.service'],
  },
  // Its postinst copies it when there is none.
  memcached: { paths: ['/etc/memcached.conf'] },
  // Its postinst makes them in a function.
  'redis-tools': { paths: ['/var/lib/redis', '/var/log/redis'] },
  // Its postinst has make-ssl-cert make a certificate of the host's own.
  'ssl-cert': {
    paths: ['/etc/ssl/certs/ssl-cert-snakeoil.pem', '/etc/ssl/private/ssl-cert-snakeoil.key'],
  },
  // Written by postconf and newaliases.
  postfix: {
    paths: ['/etc/postfix/main.cf', '/etc/postfix/master.cf', '/etc/aliases', '/etc/mailname'],
  },
}

/** On every host that steward can run on, beside what Debian calls required. */
const always = ['apt', 'dbus', 'systemd-sysv', 'udev']

const output = join(import.meta.dirname, '../manifests/packages/debian-12.json')

function main(): void {
  const given = process.argv[2]
  const folder = given ?? mkdtempSync(join(tmpdir(), 'package-table-'))
  mkdirSync(folder, { recursive: true })
  const archive = readArchive()
  const required = [...archive].filter(([, { priority }]) => priority === 'required')
  const base = closure([...required.map(([name]) => name), ...always], archive, {
    recommended: false,
  })
  const all = closure(wanted, archive, { recommended: true })
  download([...new Set([...base, ...all])], folder)
  const files = filesByPackage(folder)
  const baseFolders = new Set(['/'])
  for (const name of base) {
    for (const path of readPackage(files.get(name)).folders) baseFolders.add(path)
  }
  const entries = new Map<string, PackageEntry>()
  for (const name of [...all].sort()) {
    if (base.has(name) && !wanted.includes(name)) continue
    const entry = entryOf(name, files.get(name), baseFolders)
    if (wanted.includes(name) || isWorthAnEntry(entry)) entries.set(name, entry)
  }
  // What every host has brings nothing along: its own recommendations would come with everything.
  const beyondBase = new Map(
    [...archive].filter(([name]) => !base.has(name) || wanted.includes(name)),
  )
  const packages = Object.fromEntries(
    [...entries].map(([name, entry]) => [name, withDependencies(name, entry, beyondBase, entries)]),
  )
  writeFileSync(output, `${JSON.stringify({ release: 'bookworm', packages }, null, 2)}\n`)
  execFileSync(process.execPath, [
    join(import.meta.dirname, '../node_modules/@biomejs/biome/bin/biome'),
    'format',
    '--write',
    output,
  ])
  if (given === undefined) rmSync(folder, { recursive: true })
}

function entryOf(
  name: string,
  file: string | undefined,
  baseFolders: ReadonlySet<string>,
): PackageEntry {
  const found = readPackage(file)
  const more = workedOut[name] ?? {}
  const folders = found.folders.filter((path) => !baseFolders.has(path) && isOfUse(path))
  const lists = {
    users: found.users,
    groups: found.groups,
    units: [...found.units, ...(more.units ?? [])],
    paths: [...folders, ...found.configuration.filter(isOfUse), ...(more.paths ?? [])],
    commands: found.commands,
  }
  const filled = Object.entries(lists).filter(([, list]) => list.length > 0)
  return Object.fromEntries(filled.map(([key, list]) => [key, [...new Set(list)].sort()]))
}

/**
 * Not what nobody manages a file in: documentation, code, data of libraries,
 * what is deep below a package's own folder.
 */
function isOfUse(path: string): boolean {
  if (!path.startsWith('/usr/')) return !/^\/etc\/(init\.d|insserv)/.test(path)
  const [, , place, name = '', ...below] = path.split('/')
  return (place === 'lib' || place === 'share') && below.length <= 2 && !isOfOthers(name)
}

/** Folders below /usr/lib and /usr/share that belong to no single package, or hold only code. */
function isOfOthers(name: string): boolean {
  return /^(python|perl|erlang|ruby|X11|xml|sgml|doc|dh-|rubygems|.*-linux-gnu)|^(man|info|locale|lintian|bug|icons|pixmaps|applications|apport|bash-completion|zsh|fish|vim|emacs|mime|metainfo|augeas|debhelper|java|fonts|i18n|javascript|debug|ocf|NetworkManager|networkd-dispatcher|tmpfiles\.d|sysusers\.d)$/.test(
    name,
  )
}

/** A dependency is in the table for what people manage or call, not for its data. */
function isWorthAnEntry({ users, groups, units, commands, paths = [] }: PackageEntry): boolean {
  return (
    Boolean(users ?? groups ?? units ?? commands) || paths.some((path) => !path.startsWith('/usr/'))
  )
}

/** The packages of the table that come along with it, and bring something. */
function withDependencies(
  name: string,
  entry: PackageEntry,
  archive: Archive,
  entries: ReadonlyMap<string, PackageEntry>,
): PackageEntry {
  const brings = [...closure([name], archive, { recommended: true })]
    .filter((other) => other !== name && Object.keys(entries.get(other) ?? {}).length > 0)
    .sort()
  return brings.length > 0 ? { ...entry, brings } : entry
}

function download(names: readonly string[], folder: string): void {
  const there = filesByPackage(folder)
  const missing = names.filter((name) => !there.has(name))
  if (missing.length === 0) return
  // The sandbox user may not write into a folder of root's.
  execFileSync('apt-get', ['--quiet', '-o', 'APT::Sandbox::User=root', 'download', ...missing], {
    cwd: folder,
    stdio: 'inherit',
  })
}

/** Map from name to the path of its .deb file. */
function filesByPackage(folder: string): Map<string, string> {
  const names = readdirSync(folder).filter((name) => name.endsWith('.deb'))
  return new Map(names.map((name) => [name.replace(/_.*/, ''), join(folder, name)]))
}

main()
