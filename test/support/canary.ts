import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The ways in which programs write a text: as it is, or escaped, quoted and encoded. */
export function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret)
  const json = JSON.stringify(secret).slice(1, -1)
  return [
    ...secret.split('\n'),
    json,
    JSON.stringify(json).slice(1, -1),
    secret.replaceAll("'", "'\\''"),
    secret.replaceAll('\\', '\\\\'),
    secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
    secret.replaceAll('\n', '\\n'),
    encodeURIComponent(secret),
    bytes.toString('hex'),
    // In the middle of something longer it may begin at any of three bits.
    ...[0, 1, 2].map((before) => inBase64(bytes, before)),
  ]
}

/** What base64 makes of the bytes whatever stands before and after them. */
function inBase64(bytes: Buffer, before: number): string {
  const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
  return text.slice(before === 0 ? 0 : before + 1).replace(/..?=*$/, '')
}

/** Which of the secrets can be read in a text, in any form. */
export function secretsIn(text: string, secrets: Readonly<Record<string, string>>): string[] {
  return Object.entries(secrets).flatMap(([name, secret]) =>
    formsOf(secret).some((form) => form.length > 3 && text.includes(form)) ? [name] : [],
  )
}

/** The files below a folder in which a secret can be read, but for those that `isMeant` to hold one. */
export function filesWithSecrets(
  folder: string,
  secrets: Readonly<Record<string, string>>,
  isMeant: (path: string, mode: number) => boolean,
): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).flatMap((path) => {
    const found = lstatSync(join(folder, path))
    if (!found.isFile() || isMeant(path, found.mode & 0o777)) return []
    const names = secretsIn(readFileSync(join(folder, path), 'latin1'), secrets)
    return names.length === 0 ? [] : [`${path}: ${names.join(', ')}`]
  })
}
