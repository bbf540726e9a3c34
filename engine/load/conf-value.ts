import type { ConfEntry } from './conf.ts'

/** The part of a parameter's JSON Schema that says how text is read; the rest of it is checked on the value. */
export interface ValueSchema {
  /** Text when absent. Of a list, the first type that the text fits. */
  readonly type?: string | readonly string[]
  readonly items?: ValueSchema
  readonly properties?: Readonly<Record<string, ValueSchema>>
  readonly additionalProperties?: boolean | ValueSchema
}

export type PlainValue =
  | string
  | number
  | boolean
  | readonly PlainValue[]
  | ReadonlyMap<string, PlainValue>

/** `error` is what was expected, such as `an integer`. */
export type Coerced = { readonly value: PlainValue } | { readonly error: string }

/**
 * The text of a zulip.conf value as the declared type. An array splits on commas, trims and drops what is
 * empty; a boolean is true for Zulip's seven words and false for any other. Empty is an error but for text and
 * arrays. Source: Zulip's zulipconf function.
 */
export function coerce(text: string, schema: ValueSchema): Coerced {
  const types = typeof schema.type === 'object' ? schema.type : [schema.type ?? 'string']
  const errors: string[] = []
  for (const type of types) {
    const coerced = coerceTo(type, text, schema)
    if ('value' in coerced) return coerced
    errors.push(coerced.error)
  }
  return { error: errors.join(', or ') }
}

/** A whole section (`from: section.*`) as a Map in file order (an object would put
 * port numbers first); or which settings do not fit, and what each should be. */
export function coerceSection(
  entries: ReadonlyMap<string, ConfEntry>,
  schema: ValueSchema,
):
  | { readonly value: ReadonlyMap<string, PlainValue> }
  | {
      readonly errors: readonly {
        readonly key: string
        readonly entry: ConfEntry
        readonly expected: string
      }[]
    } {
  const value = new Map<string, PlainValue>()
  const errors: { key: string; entry: ConfEntry; expected: string }[] = []
  const others = schema.additionalProperties
  for (const [key, entry] of entries) {
    const own = schema.properties && Object.hasOwn(schema.properties, key)
    const coerced = coerce(
      entry.value,
      (own && schema.properties[key]) || (typeof others === 'object' ? others : {}),
    )
    if ('value' in coerced) value.set(key, coerced.value)
    else errors.push({ key, entry, expected: coerced.error })
  }
  return errors.length > 0 ? { errors } : { value }
}

function coerceTo(type: string, text: string, schema: ValueSchema): Coerced {
  switch (type) {
    case 'string':
      return { value: text }
    case 'array':
      return coerceArray(text, schema.items ?? {})
    case 'boolean':
      return text === '' ? { error: 'yes or no' } : { value: trueWords.has(text.toLowerCase()) }
    case 'integer': {
      const value = /^-?[0-9]+$/.test(text) ? Number(text) : Number.NaN
      return Number.isSafeInteger(value) ? { value: value + 0 } : { error: integerText(text) }
    }
    case 'number': {
      const value = /^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$/.test(text) ? Number(text) : Number.NaN
      return Number.isFinite(value) ? { value: value + 0 } : { error: 'a number such as 1.5' }
    }
    case 'object':
      return { error: 'a whole section, named in the manifest as "from: section.*"' }
    default:
      return { error: `a value of type ${type}, which zulip.conf can't hold` }
  }
}

const trueWords = new Set(['1', 'y', 't', 'true', 'yes', 'enable', 'enabled'])

function coerceArray(text: string, items: ValueSchema): Coerced {
  const values: PlainValue[] = []
  for (const item of text.split(',')) {
    const trimmed = item.trim()
    if (trimmed === '') continue
    const coerced = coerce(trimmed, items)
    if ('error' in coerced) {
      return { error: `a comma-separated list, each item ${coerced.error} (not ${trimmed})` }
    }
    values.push(coerced.value)
  }
  return { value: values }
}

function integerText(text: string): string {
  const isTooLarge = /^-?[0-9]+$/.test(text)
  return isTooLarge
    ? 'an integer between -(2^53 - 1) and 2^53 - 1'
    : 'an integer in digits, such as 128'
}
