import { createHash, createHmac, hash, pbkdf2Sync, randomBytes } from 'node:crypto'

const iterations = 4096

/**
 * What the server keeps instead of a password, made here: so the password itself reaches neither
 * the server nor its log. Source: PostgreSQL's documentation of pg_authid, `rolpassword`; RFC 5803.
 */
export function scramVerifier(password: string, salt = randomBytes(16)): string {
  const { stored, server } = scramKeys(password, salt, iterations)
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${stored}:${server}`
}

/** Whether a role that has this `rolpassword` can log in with the password. */
export function passwordMatches(password: string, role: string, kept: string | undefined): boolean {
  if (kept === undefined) return false
  const [, count, salt, stored] = /^SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):/.exec(kept) ?? []
  if (count !== undefined && salt !== undefined) {
    return scramKeys(password, Buffer.from(salt, 'base64'), Number(count)).stored === stored
  }
  return kept === `md5${hash('md5', `${password}${role}`)}`
}

function scramKeys(password: string, salt: Buffer, count: number) {
  const salted = pbkdf2Sync(password, salt, count, 32, 'sha256')
  const client = createHmac('sha256', salted).update('Client Key').digest()
  const server = createHmac('sha256', salted).update('Server Key').digest('base64')
  return { stored: createHash('sha256').update(client).digest('base64'), server }
}
