/** What stands where a secret would. */
export const SECRET = '(secret)'

/** Shorter ones are found in too much that has nothing to do with them. */
const SHORTEST = 4

/** Takes known secrets out of a text, wherever they turn up, also as programs escape, quote and encode them. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const forms = [...new Set(secrets.flatMap(formsOf))]
    .filter((form) => form.trim().length >= SHORTEST)
    .sort((a, b) => b.length - a.length)
  const shortest = forms.at(-1)?.length ?? Number.POSITIVE_INFINITY
  return (text) => {
    if (text.length < shortest) return text
    let out = text
    for (const form of forms) if (out.includes(form)) out = out.replaceAll(form, SECRET)
    return out
  }
}

/** The whole secret and its lines, in each way in which a program may write them. */
function formsOf(secret: string): string[] {
  return [secret, ...secret.split('\n')].flatMap((text) => {
    if (text.length < SHORTEST) return []
    const json = JSON.stringify(text).slice(1, -1)
    const bytes = Buffer.from(text)
    return [
      text,
      json,
      // Of Python and the like, where a text holds a single quote.
      json.replaceAll('\\"', '"').replaceAll("'", "\\'"),
      json.replaceAll('/', '\\/'),
      JSON.stringify(json).slice(1, -1),
      text.replaceAll('\\', '\\\\'),
      text.replaceAll("'", "'\\''"),
      text.replaceAll("'", "''"),
      text.replaceAll(/[^\w@%+=:,./-]/g, '\\$&'),
      text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
      encodeURIComponent(text),
      bytes.toString('hex'),
      ...[0, 1, 2].map((before) => base64Of(bytes, before)),
    ]
  })
}

/** What base64 makes of bytes for certain where so many others, modulo three, stand before them, and any after. */
function base64Of(bytes: Buffer, before: number): string {
  const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
  const begin = Math.ceil((before * 4) / 3)
  return text.slice(begin, Math.floor(((before + bytes.length) * 8) / 6))
}
