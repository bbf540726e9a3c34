import type { TestHost } from './rig.ts'
import { secrets } from './steward.ts'

/** Asks each service over its own protocol, from inside the host. */
export const answers = {
  /** The version, by the binary protocol's request 0x0b: the one request that is answered before a login. */
  async memcached(host: TestHost): Promise<string> {
    const request = `printf '\\200\\013${'\\000'.repeat(22)}' >&3; dd bs=1 skip=24 count=6 status=none <&3`
    return host.shell(`bash -c "exec 3<>/dev/tcp/127.0.0.1/11211; ${request}"`, {
      timeoutMs: 10_000,
    })
  },
  async redis(host: TestHost): Promise<string> {
    return host.shell(`REDISCLI_AUTH=${secrets.redis_password} redis-cli ping`, {
      timeoutMs: 10_000,
    })
  },
  /** The class has no site of its own, so this gives it one, in the folder that nginx.conf includes. */
  async nginx(host: TestHost): Promise<string> {
    await host.writeFile(
      '/etc/nginx/sites-enabled/test-page',
      'server { listen 127.0.0.1:8080; location / { return 200 "served by nginx\\n"; } }\n',
    )
    await host.shell('systemctl reload nginx')
    const request = 'printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3; sed "1,/^.$/d" <&3'
    return host.shell(`sleep 0.3; bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080; ${request}'`, {
      timeoutMs: 10_000,
    })
  },
}
