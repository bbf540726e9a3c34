import { describe, expect, test } from 'vitest'
import { packageType } from '../../engine/resources/package.ts'
import { type PackageEntry, thingsWith } from '../../engine/resources/package-things.ts'
import table from '../../manifests/packages/debian-12.json' with { type: 'json' }

const packages: Readonly<Record<string, PackageEntry>> = table.packages

describe('the table of Debian 12', () => {
  // Seen on a host of Debian 12 with these packages installed.
  test.each<[string, string[]]>([
    ['redis-server', ['user:redis', 'unit:redis.service', 'path:/etc/redis', 'command:redis-cli']],
    [
      'memcached',
      ['user:memcache', 'group:memcache', 'path:/etc/memcached.conf', 'unit:memcached.service'],
    ],
    [
      'nginx-full',
      [
        'command:nginx',
        'unit:nginx.service',
        'path:/etc/nginx/sites-enabled',
        'path:/var/log/nginx',
      ],
    ],
    [
      'rabbitmq-server',
      ['user:rabbitmq', 'group:rabbitmq', 'path:/etc/rabbitmq', 'command:rabbitmqctl'],
    ],
    [
      'postgresql-15',
      [
        'user:postgres',
        'unit:postgresql@15-main.service',
        'path:/etc/postgresql/15/main/conf.d',
        'path:/usr/share/postgresql/15/tsearch_data',
        'command:pg_ctlcluster',
        'command:psql',
        'group:ssl-cert',
        'command:make-ssl-cert',
      ],
    ],
    [
      'supervisor',
      ['unit:supervisor.service', 'path:/etc/supervisor/conf.d', 'command:supervisorctl'],
    ],
    ['sysfsutils', ['unit:sysfsutils.service', 'path:/etc/sysfs.d']],
    ['monitoring-plugins-basic', ['path:/usr/lib/nagios/plugins']],
    ['sasl2-bin', ['command:saslpasswd2']],
    ['chrony', ['unit:chrony.service', 'unit:chronyd.service', 'user:_chrony']],
    ['certbot', ['path:/etc/letsencrypt', 'unit:certbot.timer']],
    [
      'postfix',
      ['user:postfix', 'path:/etc/postfix', 'path:/etc/postfix/main.cf', 'command:postmap'],
    ],
    ['cron', ['unit:cron.service', 'command:crontab']],
  ])('%s brings what manifests rely on', (name, things) => {
    expect(thingsWith(name)).toEqual(expect.arrayContaining(things))
  })
  test('gives to no package what every host has', () => {
    const all = Object.values(packages).flatMap(({ paths = [] }) => paths)
    for (const path of [
      '/etc',
      '/etc/default',
      '/etc/logrotate.d',
      '/usr/bin',
      '/var/lib',
      '/var/log',
      '/run',
    ]) {
      expect(all).not.toContain(path)
    }
    const users = Object.values(packages).flatMap((entry) => [
      ...(entry.users ?? []),
      ...(entry.groups ?? []),
    ])
    for (const user of ['root', 'nobody', 'www-data', 'adm']) expect(users).not.toContain(user)
  })
  test('holds sorted lists of absolute paths, full unit names and packages that it knows', () => {
    for (const [name, { paths = [], units = [], brings = [], ...rest }] of Object.entries(
      packages,
    )) {
      for (const list of [paths, units, brings, ...Object.values(rest)]) {
        expect(list, name).toEqual([...new Set(list)].sort())
      }
      expect(
        paths.filter((path) => !/^(\/[^/]+)+$/.test(path)),
        name,
      ).toEqual([])
      expect(
        units.filter((unit) => !/^[^/]+\.(service|socket|timer|path|mount|target)$/.test(unit)),
        name,
      ).toEqual([])
      expect(
        brings.filter((other) => !Object.hasOwn(packages, other)),
        name,
      ).toEqual([])
    }
  })
})

describe('the footprint of a package', () => {
  const footprint = (title: string, ensure: string) =>
    packageType.footprint({ ref: `package[${title}]`, type: 'package', title, desired: { ensure } })

  test('may bring anything where the table does not know it', () => {
    expect(footprint('nosuch', 'present')).toMatchObject({ bringsUnknown: true })
    expect(footprint('constructor', 'present')).toMatchObject({ bringsUnknown: true })
    expect(footprint('cron', 'present').bringsUnknown).toBeUndefined()
  })
  test('takes its own units along when it is removed, not those of what it depends on', () => {
    expect(footprint('cron', 'purged')).toMatchObject({
      removes: ['package:cron', 'unit:cron.service'],
    })
    expect(footprint('ntp', 'purged')).toMatchObject({ removes: ['package:ntp'] })
    expect(footprint('cron', 'absent').provides).toBeUndefined()
  })
})
