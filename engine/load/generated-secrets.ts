import { randomBytes, randomUUID } from 'node:crypto'

/** How a secret that nobody has given is made. */
export type SecretForm =
  | { readonly as: 'hex' | 'alphanumeric'; readonly length: number }
  | { readonly as: 'uuid' }

/** Gives the same secret for a name each time, for as long as a run lasts. */
export type SecretMaker = (name: string, form: SecretForm) => string

export function secretMaker(): SecretMaker {
  const made = new Map<string, string>()
  return (name, form) => {
    const secret = made.get(name) ?? randomSecret(form)
    made.set(name, secret)
    return secret
  }
}

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'
/** The bytes from here on would make some letters likelier than others. */
const evenBytes = 256 - (256 % letters.length)

/**
 * Neither `randomInt` nor `randomUUID` with its cache: both draw on random bytes that Node keeps in its memory, and
 * so in the snapshot that steward starts from, the same on every host.
 */
function randomSecret(form: SecretForm): string {
  switch (form.as) {
    case 'uuid':
      return randomUUID({ disableEntropyCache: true })
    case 'hex':
      return randomBytes(Math.ceil(form.length / 2))
        .toString('hex')
        .slice(0, form.length)
    case 'alphanumeric':
      return randomLetters(form.length)
  }
}

function randomLetters(length: number): string {
  let text = ''
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < evenBytes && text.length < length) text += letters[byte % letters.length]
    }
  }
  return text
}
