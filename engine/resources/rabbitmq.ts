import { createHash } from 'node:crypto'
import type { CommandOptions, Host, HostReader } from '../host/host.ts'
import { howItEnded, mustRun } from './must-run.ts'
import type { Thing, Verdict } from './type.ts'

/** What the broker of this host knows of users and virtual hosts. Source: `rabbitmqctl help export_definitions`. */
export interface Definitions {
  readonly users: readonly {
    readonly name: string
    readonly password_hash: string
    readonly hashing_algorithm?: string
    /** Before 3.8 one text with commas. */
    readonly tags: readonly string[] | string
  }[]
  readonly vhosts: readonly { readonly name: string }[]
  readonly permissions: readonly Permission[]
}
export interface Permission {
  readonly user: string
  readonly vhost: string
  readonly configure: string
  readonly write: string
  readonly read: string
}

/** Why there is nobody to ask. */
export type NoBroker =
  | { readonly cannotRun: string }
  /** Where RabbitMQ is not installed, nothing is in it. */
  | { readonly silent: string; readonly isNowhere?: true }

/** What must have come, where it comes at all, before the broker is asked or changed. */
export const brokerThings: readonly Thing[] = [
  'service:rabbitmq-server.service',
  'unit:rabbitmq-server.service',
  'command:rabbitmqctl',
]

/** All that the types of RabbitMQ ask, in one answer: each start of rabbitmqctl costs half a second. */
export async function definitions(host: HostReader): Promise<Definitions | NoBroker> {
  const cannotRun = host.root === '/' ? host.cannotRun : 'not possible under --root'
  if (cannotRun !== undefined) return { cannotRun }
  const result = await host.queryShared(['rabbitmqctl', '--quiet', 'export_definitions', '-'])
  const { exitCode, startError, stdout, stderr } = result
  if (startError === 'ENOENT') return { silent: 'it is not installed', isNowhere: true }
  if (exitCode === 0 && stdout.startsWith('{')) return JSON.parse(stdout) as Definitions
  if (exitCode === 0 && stdout !== '') return { silent: 'its definitions are too many to be read' }
  const said = `${stderr}\n${stdout}`
    .split('\n')
    .find((line) => /\w.*\w/.test(line) && line !== 'Error:')
  return { silent: said?.trim() ?? howItEnded(result) }
}

/** The verdict where there is no broker: in a root nothing is done, and without RabbitMQ what is to be absent is. */
export function withoutBroker(ref: string, found: NoBroker, isAbsent: boolean): Verdict {
  if ('cannotRun' in found) return { changes: [], note: found.cannotRun, leftAlone: true }
  if (isAbsent && found.isNowhere) return { changes: [], isUnasked: true }
  const help = 'declare it: - { service: rabbitmq-server, ensure: running }'
  return { blocked: `${ref}: RabbitMQ does not answer: ${found.silent}`, help }
}

export async function rabbitmqctl(
  host: Host,
  ref: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<void> {
  await mustRun(host, ref, ['rabbitmqctl', '--quiet', ...args], options)
}

const algorithms: Readonly<Record<string, string>> = {
  rabbit_password_hashing_sha256: 'sha256',
  rabbit_password_hashing_sha512: 'sha512',
  rabbit_password_hashing_md5: 'md5',
}

/**
 * Whether the password is that of which the broker keeps the hash: four bytes of salt, and the digest of
 * salt and password. Source: RabbitMQ's documentation "Credentials and Passwords".
 */
export function hasPassword(
  password: string,
  {
    password_hash,
    hashing_algorithm = 'rabbit_password_hashing_sha256',
  }: Definitions['users'][number],
): boolean {
  const kept = Buffer.from(password_hash, 'base64')
  const algorithm = algorithms[hashing_algorithm]
  if (algorithm === undefined || kept.length <= 4) return false
  const digest = createHash(algorithm).update(kept.subarray(0, 4)).update(password).digest()
  return digest.equals(kept.subarray(4))
}
