import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectRig, type TestHost } from './rig.ts'
import { answers } from './services.ts'
import { installedImage, steward } from './steward.ts'

// The life of one application server, in order: the tests build on each other. Its programs are stand-ins.
const tree = '/home/zulip/deployments/2026-01-02-03-04-05'
const base = `[machine]
puppet_classes = zulip::profile::app_frontend
[http_proxy]
host =
[downloads]
enabled = false
[application_server]
katex_server = false
queue_workers_multiprocess = false
`
/** A storage service (S3), which counts its answers and says of a file what its address asks for. */
const storageService = `
import http.server, itertools, ssl, urllib.parse
answers = itertools.count(1)
class Files(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        body = b"answer %d" % next(answers)
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Disposition", asked.get("response-content-disposition", ["inline"])[0])
        self.end_headers()
        self.wfile.write(body)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 8443), Files)
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain("/etc/ssl/certs/ssl-cert-snakeoil.pem", "/etc/ssl/private/ssl-cert-snakeoil.key")
server.socket = tls.wrap_socket(server.socket, server_side=True)
server.serve_forever()
`
let host: TestHost
beforeAll(async () => {
  const rig = connectRig()
  host = await rig.up('web', { image: await installedImage(rig) })
  await configure(base)
})
afterAll(() => host?.destroy())

const configure = (conf: string) => host.writeFile('/etc/zulip/zulip.conf', conf)
const apply = () => steward(host, ['apply', '--yes'], { exitCode: 0 })
const pids = () =>
  host.shell('systemctl show --property=MainPID nginx supervisor; supervisorctl pid zulip-django')
/** What curl prints of https://127.0.0.1, or of another address. */
const ask = (path: string, ...options: string[]) =>
  host.shell(
    `curl --silent --insecure --max-time 5 ${options.join(' ')} '${path.startsWith('/') ? `https://127.0.0.1${path}` : path}'`,
  )
const told = async (path: string, ...options: string[]) =>
  JSON.parse(await ask(path, ...options)) as Record<string, string>

describe('without a release', () => {
  test('everything is configured, and nginx says that there is none', async () => {
    await apply()
    await expect(answers.nginx(host)).resolves.toBe('301 503 ')
    expect(await host.shell('supervisorctl status | grep -v STOPPED || true')).toBe('')
  })
  test('monitoring may read what of the logs only the group zulip may', async () => {
    expect(await host.shell('id --groups --name nagios')).toBe('nagios zulip\n')
  })
  test('nothing listens to the world but nginx', async () => {
    const listening = await host.shell('ss -Hltun | grep -Ev " (127\\.|\\[::1\\])"')
    const ports = listening
      .trim()
      .split('\n')
      .map((line) => /:(\d+)\s/.exec(line)?.[1])
    expect(new Set(ports)).toEqual(new Set(['80', '443']))
  })
})

describe('with a release', () => {
  beforeAll(async () => {
    await host.copyIn(join(import.meta.dirname, 'echo-release'), tree)
    // Two of these files are as Puppet leaves them, with Zulip 9 and with 2.0.
    await host.shell(`
      echo 'ZULIP_VERSION = "9.4"' >${tree}/version.py
      chown -R zulip:zulip ${tree}
      ln -s ${tree} /home/zulip/deployments/current
      mkdir -p /home/zulip/uploads/files /home/zulip/prod-static/webpack-bundles
      echo 'uwsgi_pass django;' >>/etc/nginx/uwsgi_params
      echo 'location /thumbor { proxy_pass http://thumbor; }' >/etc/nginx/zulip-include/app.d/thumbor.conf
      echo 'an upload' >/home/zulip/uploads/files/a.txt
      echo 'a part' >/home/zulip/prod-static/webpack-bundles/a.js
      chown -R zulip:zulip /home/zulip`)
  })
  test('the programs start, and nginx has the application answer', async () => {
    await apply()
    await host.shell(
      'i=0; until [ -S /home/zulip/deployments/uwsgi-socket ]; do i=$((i+1)); [ $i -lt 100 ]; sleep 0.1; done',
    )
    const spoofed = [
      'X-Real-IP: 192.0.2.1',
      'X-Forwarded-Proto: http',
      'X-Proxy-Misconfiguration: x',
    ]
    const asked = await told('/login/?next=1', ...spoofed.map((each) => `-H '${each}'`))
    expect(asked).toMatchObject({
      PATH_INFO: '/login/',
      QUERY_STRING: 'next=1',
      HTTP_X_REAL_IP: '127.0.0.1',
      HTTP_X_FORWARDED_PROTO: 'https',
    })
    expect(asked).not.toHaveProperty('HTTP_X_PROXY_MISCONFIGURATION')
  })
  test('the next apply finds nothing to do', async () => {
    const { stdout } = await steward(host, ['apply', '--yes', '--detailed-exitcodes'], {
      exitCode: 0,
    })
    expect(stdout).toMatch(/nothing to do/i)
  })
  test('nginx, cron, logrotate and apt accept what they were given', async () => {
    await host.shell('nginx -t 2>&1')
    await host.shell('logrotate --debug /etc/logrotate.d/nginx 2>&1')
    expect(await host.shell('apt-config dump Unattended-Upgrade::Package-Blacklist')).toContain(
      '"^postgresql"',
    )
    await host.shell('systemctl restart cron; sleep 1')
    expect(await host.shell('ls /etc/cron.d')).toMatch(/clearsessions\n(.*\n)*restart-zulip\n/)
    expect(
      await host.shell(
        'journalctl --unit cron --no-pager | grep -iE "error|bad|wrong|insecure" || true',
      ),
    ).toBe('')
  })
  test('a certificate that certbot got on its own is renewed through nginx', async () => {
    const renewal = '/etc/letsencrypt/renewal/zulip.example.com.conf'
    const live = '/etc/letsencrypt/live/zulip.example.com'
    await host.shell(`
      mkdir -p ${live} /etc/letsencrypt/renewal
      cp /etc/ssl/certs/ssl-cert-snakeoil.pem ${live}/fullchain.pem
      cp /etc/ssl/private/ssl-cert-snakeoil.key ${live}/privkey.pem
      ln -sf ${live}/fullchain.pem /etc/ssl/certs/zulip.combined-chain.crt
      ln -sf ${live}/privkey.pem /etc/ssl/private/zulip.key
      printf 'version = 2.1.0\n[renewalparams]\nauthenticator = standalone\nkey_type = rsa\n' >${renewal}`)
    await apply()
    expect(await host.shell(`cat ${renewal}`)).toBe(
      'version = 2.1.0\n[renewalparams]\nauthenticator = webroot\nwebroot_path = /var/lib/zulip/certbot-webroot,\nkey_type = rsa\n',
    )
    const { stdout } = await steward(host, ['apply', '--yes'], { exitCode: 0 })
    expect(stdout).toMatch(/nothing to do/i)
  })
  test('what is asked goes to whom it belongs', async () => {
    expect(await ask('/static/webpack-bundles/a.js', '--include')).toMatch(
      /cache-control: public, max-age=31536000, immutable\r\n[\s\S]*a part/,
    )
    expect(await ask('/to/internal/local/uploads/a.txt', '--include')).toMatch(
      /content-security-policy: default-src 'none'[\s\S]*an upload/,
    )
    expect(await ask('/internal/local/uploads/a.txt', '--head')).toContain(' 404')
    expect(await told('/api/v1/events?queue_id=1')).toMatchObject({ port: 9800 })
    expect(await ask('/api/v1/events', '--include', '--request OPTIONS')).toMatch(
      / 204 [\s\S]*access-control-allow-methods: OPTIONS, GET, DELETE/,
    )
    expect(await told('/health')).toMatchObject({ HTTP_HOST: '127.0.0.1' })
    expect(await told('http://127.0.0.1/api/internal/x')).toMatchObject({ REQUEST_SCHEME: 'http' })
  })
  test('an upload in a storage service is shown or saved as the service says, from the cache too', async () => {
    await host.writeFile('/srv/storage-service.py', storageService)
    await host.shell(`
      systemd-run --quiet --unit storage-service python3 /srv/storage-service.py
      i=0; until ss -Hltn | grep -q ':8443 '; do i=$((i+1)); [ $i -lt 100 ]; sleep 0.1; done`)
    const upload = (args: string) =>
      ask(`/to/internal/s3/127.0.0.1:8443/bucket/a.html?${args}`, '--include')
    const saved = await upload('response-content-disposition=attachment&X-Amz-Signature=1')
    expect(saved).toMatch(/content-disposition: attachment\r\n/)
    expect(saved).toMatch(/content-security-policy: default-src 'none';/)
    expect(saved).toMatch(/answer 1$/)
    const shown = await upload('X-Amz-Signature=2')
    expect(shown).toMatch(/content-disposition: inline\r\n/)
    expect(shown).toMatch(/answer 2$/)
    const again = await upload('X-Amz-Signature=3&response-content-disposition=attachment')
    expect(again).toMatch(/content-disposition: attachment\r\n[\s\S]*answer 1$/)
    expect(again.match(/content-disposition/g)).toHaveLength(1)
  })
  test('shards and a load balancer come without a restart of nginx and supervisor', async () => {
    const before = await pids()
    await configure(`${base}[tornado_sharding]
9801 = chat x.example.org
9802_9803 = big
[loadbalancer]
ips = 127.0.0.1
`)
    const { stdout } = await apply()
    expect(stdout).toContain('reloaded     service[nginx]')
    const after = await pids()
    expect(after.split('\n').slice(0, 2)).toEqual(before.split('\n').slice(0, 2))
    // It reads the shards when it starts.
    expect(after).not.toBe(before)
    await host.shell(
      'i=0; until supervisorctl status | grep -c tornado-port.*RUNNING | grep -q 4; do i=$((i+1)); [ $i -lt 100 ]; sleep 0.1; done; sleep 1',
    )
    const shardOf = async (name: string) => (await told('/json/events', `-H 'Host: ${name}'`)).port
    expect(await shardOf('zulip.example.com')).toBe(9800)
    expect(await shardOf('chat.example.com')).toBe(9801)
    expect(await shardOf('x.example.org')).toBe(9801)
    expect([9802, 9803]).toContain(await shardOf('big.example.com'))
    expect(await told('/to/internal/tornado/9803/json/events')).toMatchObject({
      port: 9803,
      path: '/json/events',
    })
    expect(
      await told('/', `-H 'X-Forwarded-For: 192.0.2.1' -H 'X-Forwarded-Proto: http'`),
    ).toMatchObject({
      HTTP_X_REAL_IP: '192.0.2.1',
      HTTP_X_FORWARDED_PROTO: 'http',
    })
  })
  test('with Zulip 10, resumable uploads have a way of their own', async () => {
    await host.shell(`echo 'ZULIP_VERSION = "10.1"' >${tree}/version.py`)
    await apply()
    await host.shell('nginx -t 2>&1')
    // Nobody is there who would take them, and the release has no page for that: then one that it has.
    expect(await ask('/api/v1/tus/', '--output /dev/null', "--write-out '%{http_code}'")).toBe(
      '502',
    )
    await host.shell('echo "in a moment" >/home/zulip/prod-static/webpack-bundles/5xx.html')
    expect(await ask('/api/v1/tus/', '--include', '--data x')).toMatch(/ 502 [\s\S]*in a moment/)
  })
  test('it speaks plain HTTP where TLS ends before it, and no TLS', async () => {
    await configure(`${base}http_only = true\n`)
    await apply()
    expect(await told('http://127.0.0.1/')).toMatchObject({ REQUEST_SCHEME: 'http' })
    expect(await host.shell('ss -Hltn | grep -c ":443 " || true')).toBe('0\n')
  })
})
