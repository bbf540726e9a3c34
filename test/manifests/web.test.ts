import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { shippedFolder } from '../../engine/shipped.ts'
import { exampleFacts } from '../facts/example.ts'
import { type Case, catalogOf, content, desired, find, result } from './catalog.ts'

const classes = ['zulip::profile::app_frontend']
const nine = { version: '9.4', major: 9 }
const ten = { version: '10.1', major: 10 }
const of = (options: Case & { release?: object | null; resolvers?: readonly string[] }) => {
  const { release = ten, resolvers = ['192.0.2.53'], facts, ...rest } = options
  const network = { ...exampleFacts.network, resolvers }
  return { classes, facts: { ...facts, release, network } as Case['facts'], ...rest } as Case
}
const site = '/etc/nginx/sites-available/zulip-enterprise'
const include = (name: string) => `/etc/nginx/zulip-include/${name}`
const mistakes = (conf: string) =>
  result(of({ conf })).diagnostics.flatMap(({ severity, message }) =>
    severity === 'error' ? [message] : [],
  )

describe('the site of the application', () => {
  const text = (options: Parameters<typeof of>[0]) => content(catalogOf(of(options)), site)
  test('speaks TLS at 443, and leads there from 80', () => {
    expect(text({})).toMatch(
      /listen 80;[\s\S]*return 301 https:\/\/\$host\$request_uri;[\s\S]*listen 443 ssl http2;/,
    )
  })
  test('lets programs of this host ask it without TLS, and nobody else', () => {
    expect(text({})).toMatch(
      /location \/api\/internal\/ \{\s+allow 127\.0\.0\.1;\s+allow ::1;\s+deny all;/,
    )
  })
  test('speaks plain HTTP alone behind a load balancer, and needs no certificate of certbot', () => {
    const catalog = catalogOf(of({ conf: '[application_server]\nhttp_only = true' }))
    expect(content(catalog, site)).toContain('listen 80;')
    expect(content(catalog, site)).not.toMatch(/ssl|return 301/)
    expect(find(catalog, 'exec[fix-standalone-certbot]')).toBeUndefined()
  })
  test('listens elsewhere, and leads there', () => {
    const other = text({ conf: '[application_server]\nnginx_listen_port = 8443' })
    expect(other).toContain('listen [::]:8443 ssl http2;')
    expect(other).toContain('return 301 https://$host:8443$request_uri;')
  })
  test('is there once there is a release to answer', () => {
    const link = 'file[/etc/nginx/sites-enabled/zulip-enterprise]'
    expect(desired(catalogOf(of({})), link).ensure).toBe('link')
    expect(desired(catalogOf(of({ release: null })), link).ensure).toBe('absent')
  })
  test('passes resumable uploads on from Zulip 10 on', () => {
    const conf = '[application_server]\ntusd_server_listen = 192.0.2.9'
    expect(content(catalogOf(of({ conf })), include('app'))).toContain('proxy_pass http://tusd;')
    expect(content(catalogOf(of({ conf })), include('upstreams'))).toContain('192.0.2.9:9900;')
    const older = catalogOf(of({ conf, release: nine }))
    expect(content(older, include('app')) + content(older, include('upstreams'))).not.toMatch(
      /tusd|v1.tus/,
    )
  })
})

describe('load balancers', () => {
  const conf = '[loadbalancer]\nips = 192.0.2.7, 2001:db8::/32'
  test('are believed who asks, keep their connections and may ask for health', () => {
    const catalog = catalogOf(of({ conf }))
    const accept = content(catalog, include('app.d/accept-loadbalancer.conf'))
    expect(accept).toContain('set_real_ip_from 192.0.2.7;\nset_real_ip_from 2001:db8::/32;')
    expect(desired(catalog, `file[${include('app.d/keepalive-loadbalancer.conf')}]`).ensure).toBe(
      'file',
    )
    expect(content(catalog, include('app.d/healthcheck.conf'))).toMatch(
      /allow ::1;\n +allow 192\.0\.2\.7;\n +allow 2001:db8::\/32;\n +deny all;/,
    )
  })
  test('leave nothing behind when there are none', () => {
    const catalog = catalogOf(of({}))
    for (const name of ['accept', 'keepalive']) {
      const ref = `file[${include(`app.d/${name}-loadbalancer.conf`)}]`
      expect(desired(catalog, ref).ensure).toBe('absent')
    }
  })
})

describe('the cache of a storage service', () => {
  const cache = (options: Parameters<typeof of>[0]) =>
    content(catalogOf(of(options)), include('s3-cache'))
  test('has the sizes that Zulip names', () => {
    expect(cache({})).toMatch(/keys_zone=uploads:1M\s+inactive=30d\s+max_size=200M;/)
  })
  test('takes other sizes, and refuses what is none', () => {
    const keys = [
      's3_memory_cache_size = 4M',
      's3_disk_cache_size = 2G',
      's3_cache_inactive_time = 1y',
    ]
    expect(cache({ conf: `[application_server]\n${keys.join('\n')}` })).toMatch(
      /uploads:4M\s+inactive=1y\s+max_size=2G;/,
    )
    expect(mistakes('[application_server]\ns3_disk_cache_size = much')).toHaveLength(1)
  })
  test.each([
    ['the first of the host', '', ['192.0.2.53', '192.0.2.54'], '192.0.2.53'],
    ['an address of IPv6, in brackets', '', ['2001:db8::53'], '[2001:db8::53]'],
    ['the one of zulip.conf', 'nameserver = 127.0.0.53', ['192.0.2.53'], '127.0.0.53'],
    ['one that has its brackets', 'nameserver = [::1]', [], '[::1]'],
  ])('asks %s for names', (_what, key, resolvers, expected) => {
    const conf = `[application_server]\n${key}`
    expect(cache({ conf, resolvers })).toContain(`resolver ${expected} valid=300s;`)
  })
  test('does without a name server, and says what that means', () => {
    const { catalog, diagnostics } = result(of({ resolvers: [] }))
    expect(String(catalog && content(catalog, include('s3-cache')))).not.toContain('resolver')
    expect(diagnostics.map(({ message }) => message).join()).toContain('no name server')
  })
})

describe('an upload', () => {
  const uploads = readFileSync(
    join(shippedFolder('manifests'), 'files/nginx/app.d/uploads-internal.conf'),
    'utf8',
  )
  const places = uploads.split(/^location /m)
  const [s3 = '', local = ''] = ['~ ^/internal/s3/', '/internal/local/uploads'].map((start) =>
    places.find((each) => each.startsWith(start)),
  )
  test('in a storage service is shown or saved as the service says', () => {
    expect(s3).toContain('proxy_pass')
    expect(s3).not.toMatch(/proxy_hide_header\s+Content-Disposition/i)
  })
  test('may do no more in the browser from a storage service than from this host', () => {
    const policy = /add_header Content-Security-Policy .*/
    expect(policy.exec(local)?.[0]).toMatch(/"default-src 'none';.*" always;/)
    expect(policy.exec(s3)?.[0]).toBe(policy.exec(local)?.[0])
  })
  test('is kept apart by what the service was asked to say of it, whatever the signature', () => {
    expect(s3).toContain('proxy_cache_key $s3_url$s3_disposition;')
    const pattern = /^ +"~(\(.*)" \?\$s3_disposition_asked;$/m.exec(
      content(catalogOf(of({})), include('s3-cache')),
    )?.[1]
    const asked = (args: string) => new RegExp(String(pattern)).exec(args)?.groups
    const signature = 'X-Amz-Credential=a%2Fb&X-Amz-Signature=0f'
    expect(asked(`response-content-disposition=attachment&${signature}`)).toEqual({
      s3_disposition_asked: 'attachment',
    })
    expect(asked(`${signature}&response-content-disposition=inline`)).toEqual({
      s3_disposition_asked: 'inline',
    })
    expect(asked(signature)).toBeUndefined()
  })
})

describe('zulip::tornado_sharding', () => {
  const shards = (...lines: string[]) => `[tornado_sharding]\n${lines.join('\n')}`
  const files = (conf: string) => {
    const catalog = catalogOf(of({ conf }))
    return {
      json: content(catalog, '/etc/zulip/sharding.json'),
      map: content(catalog, '/etc/zulip/nginx_sharding_map.conf'),
      upstreams: content(catalog, include('tornado-upstreams')),
    }
  }
  test('has one process for all where nothing is said', () => {
    const { json, map, upstreams } = files('')
    expect(json).toBe('{}\n')
    expect(map).toContain('default http://tornado;')
    expect(upstreams).toContain('server 127.0.0.1:9800;')
    expect(upstreams).not.toContain('9801')
  })
  test('tells nginx and the application the same', () => {
    const { json, map, upstreams } = files(
      shards(
        '9801 = support chat.example.org',
        '9802_9803 = big',
        '9801_regex = ^a.*\\.example\\.com$',
      ),
    )
    expect(JSON.parse(json)).toEqual({
      shard_map: { 'chat.example.org': 9801 },
      shard_regexes: [
        ['^support\\.', 9801],
        ['^big\\.', [9802, 9803]],
        ['^a.*\\.example\\.com$', 9801],
      ],
    })
    expect(map.split('\n').filter((line) => line.includes('http:'))).toEqual([
      '    default http://tornado9800;',
      '    "chat.example.org" http://tornado9801;',
      '    "~*^support\\." http://tornado9801;',
      '    "~*^big\\." http://tornado9802_9803;',
      '    "~*^a.*\\.example\\.com$" http://tornado9801;',
    ])
    expect(upstreams).toMatch(
      /upstream tornado9802_9803 \{\s+random;\s+server 127\.0\.0\.1:9802;\s+server 127\.0\.0\.1:9803;/,
    )
  })
  test('restarts what reads it', () => {
    const { resources } = catalogOf(of({ conf: shards('9801 = support') }))
    const readers = resources.flatMap(({ type, title, desired: program }) => {
      const { restart_on: reads = [] } = program as { restart_on?: readonly string[] }
      return type === 'supervisor_program' && reads.includes('/etc/zulip/sharding.json')
        ? [title]
        : []
    })
    expect(readers.toSorted()).toEqual([
      'zulip-django',
      'zulip-tornado',
      'zulip-workers',
      'zulip_deliver_scheduled_emails',
      'zulip_deliver_scheduled_messages',
    ])
  })
  test.each([
    ['a gap between ports', ['9802 = support'], 'count from 9800 without a gap'],
    ['a key that is no port', ['9800-9801 = support'], '[tornado_sharding] has "9800-9801"'],
    ['one organization twice', ['9801 = support', '9800 = support'], 'to two ports: ^support\\.'],
    ['what is no name', ['9801 = support/x'], '[tornado_sharding] has "support/x"'],
  ])('refuses %s', (_what, lines, expected) => {
    const found = mistakes(shards(...lines))
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(expected)
  })
})

describe('zulip::profile::app_frontend', () => {
  test('compiles on every system for each release', () => {
    for (const [id, version] of [
      ['debian', '12'],
      ['ubuntu', '22.04'],
      ['ubuntu', '24.04'],
    ]) {
      for (const release of [nine, ten]) {
        const os = { ...exampleFacts.os, id, version }
        catalogOf(of({ release, facts: { os } as NonNullable<Case['facts']> }))
      }
    }
  })
  test('restarts Zulip on Sundays, unless zulip.conf says otherwise', () => {
    const job = (conf: string) => desired(catalogOf(of({ conf })), 'cron[restart-zulip]')
    expect(job('')).toMatchObject({ ensure: 'present', schedule: '0 6 * * 0', user: 'zulip' })
    expect(job('').command).toContain('./scripts/restart-server --fill-cache')
    expect(job('[cron]\nrestart-zulip = off').ensure).toBe('absent')
  })
  test('has certbot tell nginx of new certificates', () => {
    const deploy = '/etc/letsencrypt/renewal-hooks/deploy/001-nginx.sh'
    expect(desired(catalogOf(of({})), `file[${deploy}]`)).toMatchObject({
      owner: 'root',
      mode: '0755',
    })
  })
})
