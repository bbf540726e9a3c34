import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Row } from '../inventories/row.ts'
import type { TestHost } from './rig.ts'

/** The settings that the real catalog `name` was made from, and its secrets. */
export function settingsOf(name: string): { readonly conf: string; readonly secrets: string } {
  const folder = join(import.meta.dirname, '../inventories/configurations', name)
  const read = (file: string) => readFileSync(join(folder, file), 'utf8')
  return { conf: read('zulip.conf'), secrets: read('zulip-secrets.conf') }
}

/**
 * Makes a bare host what a catalog lists: packages, users, folders, links and files, with the owners and modes of
 * the catalog and with texts of `otherTextOf`; and has its services run with them. Files that the administrator
 * writes are left alone.
 */
export async function layOut(host: TestHost, rows: readonly Row[]): Promise<void> {
  const of = (type: string) => rows.filter((row) => row.type === type)
  const packages = of('package').filter(({ stated }) => stated.get('ensure') !== 'purged')
  const names = packages.map(({ title }) => title).join(' ')
  await host.shell(
    `export DEBIAN_FRONTEND=noninteractive; apt-get -qq update; apt-get -qq install ${names} >/dev/null 2>&1`,
  )
  const files = of('file').toSorted((a, b) => (a.title < b.title ? -1 : 1))
  await host.shell(
    [
      ...of('group').map(({ title }) => `getent group ${title} >/dev/null || groupadd ${title}`),
      ...of('user').map(userLine),
      ...files.map(fileLines),
    ].join('\n'),
  )
  await host.shell(`
    grep -q zulip-redis /etc/redis/redis.conf || echo include /etc/redis/zulip-redis.conf >>/etc/redis/redis.conf
    systemctl stop rabbitmq-server epmd.socket epmd
    systemctl start epmd.socket
    systemctl restart rabbitmq-server redis-server memcached postgresql@15-main nginx supervisor sysfsutils cron`)
}

function userLine({ title, stated }: Row): string {
  const { home, shell, groups } = Object.fromEntries(stated)
  const make = `useradd -g ${stated.get('gid')} -d ${home} -s ${shell} -m ${title}`
  return groups === undefined
    ? `getent passwd ${title} >/dev/null || ${make}`
    : `usermod -a -G ${groups} ${title}`
}

/** What the administrator writes, and what a program makes. */
const notLaidOut = /^\/etc\/zulip\/zulip(-secrets)?\.conf$|^\/run\//
/** Listed only as made from an archive, which the test hasn't. */
const unpacked = /^\/srv\/zulip-/

function fileLines({ title, stated }: Row): string {
  const { ensure, target, owner = 'root', group = 'root', mode } = Object.fromEntries(stated)
  if (notLaidOut.test(title)) return ''
  if (ensure === 'absent') return `rm -f ${title}`
  if (ensure === 'link') return `ln -sfn ${target} ${title}`
  const isFolder = ensure === 'directory' || (ensure === 'present' && unpacked.test(title))
  // Puppet gives folders the search bit too.
  const isProgram = title.startsWith('/usr/local/bin/')
  const bits = (mode ?? (isFolder || isProgram ? '0755' : '0644')).replace(/[1-7]/g, (bit) =>
    String(Number(bit) | (isFolder ? 1 : 0)),
  )
  const make = isFolder
    ? `mkdir -p ${title}`
    : `mkdir -p "$(dirname ${title})"; cat >${title} <<'END-OF-TEXT'\n${otherTextOf(title, bits)}END-OF-TEXT`
  return `${make}\nchown ${owner}:${group} ${title}; chmod ${bits} ${title}`
}

const remark = 'Laid out by something else.'
const stays = `#!/bin/sh\n# ${remark}\nexec sleep 100000\n`
const program = (name: string) =>
  `[program:${name}]\nuser=zulip\ncommand=sleep 100000\nautorestart=true\n\n`

/** Texts of those whose programs ask for more than a remark. */
const others: Readonly<Record<string, string>> = {
  '/etc/memcached.conf': `# ${remark}\n-d\n-u memcache\n-l 127.0.0.1\n-p 11211\n-m 64\n`,
  '/etc/nginx/nginx.conf': `# ${remark}
user www-data;
include /etc/nginx/modules-enabled/*.conf;
events { worker_connections 100; }
http { include /etc/nginx/sites-enabled/*; }
`,
  '/etc/nginx/sites-available/zulip-enterprise': 'server { listen 80; return 503; }\n',
  '/etc/nginx/uwsgi_params': 'uwsgi_param REQUEST_METHOD $request_method;\n',
  '/etc/postgresql/15/main/conf.d/zulip.conf': `# ${remark}\nwork_mem = 5MB\n`,
  '/etc/rabbitmq/rabbitmq.config': `%% ${remark}\n[{rabbit, [{tcp_listeners, [{"127.0.0.1", 5672}]}]}].\n`,
  '/etc/rabbitmq/rabbitmq-env.conf': `# ${remark}\nNODENAME=zulip@localhost\n`,
  '/etc/supervisor/supervisord.conf': `; ${remark}
[supervisord]
pidfile=/var/run/supervisord.pid
logfile=/var/log/supervisor/supervisord.log
[unix_http_server]
file=/var/run/supervisor.sock
[supervisorctl]
serverurl=unix:///var/run/supervisor.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[include]
files=/etc/supervisor/conf.d/*.conf /etc/supervisor/conf.d/zulip/*.conf
`,
  '/etc/supervisor/conf.d/zulip/go-camo.conf': program('go-camo'),
  '/etc/supervisor/conf.d/zulip/smokescreen.conf': program('smokescreen'),
  '/etc/supervisor/conf.d/zulip/zulip-once.conf': program('zulip_deliver_scheduled_emails'),
  '/etc/supervisor/conf.d/zulip/zulip.conf': ['zulip-django', 'zulip-tornado']
    .map(program)
    .join(''),
  '/etc/supervisor/conf.d/zulip/zulip_db.conf': program('process-fts-updates'),
  '/etc/zulip/sharding.json': '{ }\n',
}

/** Something that the file's program takes, and that is not what our manifests say. */
function otherTextOf(path: string, mode: string): string {
  return others[path] ?? (mode === '0755' ? stays : `# ${remark}\n`)
}

/** The files that a catalog lists with a text, as `layOut` makes them. */
export function filesLaidOut(rows: readonly Row[]): string[] {
  return rows
    .filter(({ type, title, stated }) => {
      const hasText = ['file', ''].includes(stated.get('ensure') ?? '') && !unpacked.test(title)
      return type === 'file' && hasText && !notLaidOut.test(title)
    })
    .map(({ title }) => title)
    .toSorted()
}
