import { randomBytes, randomInt, randomUUID } from 'node:crypto'

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

function randomSecret(form: SecretForm): string {
  switch (form.as) {
    case 'uuid':
      return randomUUID()
    case 'hex':
      return randomBytes(Math.ceil(form.length / 2))
        .toString('hex')
        .slice(0, form.length)
    case 'alphanumeric':
      return Array.from({ length: form.length }, () => letters[randomInt(letters.length)]).join('')
  }
}
