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
  /** The statuses over HTTP, which leads on to HTTPS, and over HTTPS, where there is no application yet. */
  async nginx(host: TestHost): Promise<string> {
    const request = "curl --silent --insecure --output /dev/null --write-out '%{http_code} '"
    return host.shell(`${request} http://127.0.0.1/; ${request} https://127.0.0.1/`, {
      timeoutMs: 10_000,
    })
  },
}
