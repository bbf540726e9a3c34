/** What templates may call besides Handlebars' own `if`, `unless`, `each` and `with`. */
interface Helper {
  readonly usage: string
  readonly description: string
  /** Throws an error whose message says what is wrong with the arguments. */
  call(...values: readonly unknown[]): unknown
}

export const helpers: Readonly<Record<string, Helper>> = {
  join: {
    usage: '{{join list ", "}}',
    description: 'The items of a list with the separator between them.',
    call(list, separator) {
      if (!Array.isArray(list)) throw new Error('join takes a list')
      if (typeof separator !== 'string')
        throw new Error('join takes a separator as its second argument')
      return list.map(shownScalar).join(separator)
    },
  },
  ini: {
    usage: '{{ini map}}',
    description: 'One line "key = value" for each entry of a map.',
    call(map) {
      if (typeof map !== 'object' || map === null || Array.isArray(map))
        throw new Error('ini takes a map')
      const entries = map instanceof Map ? [...map] : Object.entries(map)
      return entries.map(([key, value]) => `${key} = ${shownScalar(value)}`).join('\n')
    },
  },
  json: {
    usage: '{{json value}}',
    description: 'The value as JSON on one line.',
    call: (value) => JSON.stringify(value instanceof Map ? Object.fromEntries(value) : value),
  },
  shell: {
    usage: '{{shell text}}',
    description: 'The text quoted as one word for a POSIX shell.',
    call: (text) => `'${shownScalar(text).replaceAll("'", `'\\''`)}'`,
  },
}

/** A value as text. Throws where it has none. */
export function shownScalar(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return String(value)
  throw new Error(
    value === undefined || value === null ? 'a value is not set' : 'a list or a map is no text',
  )
}
