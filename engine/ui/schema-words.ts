/** The part of a JSON Schema that says which values there are. */
export interface ValueForm {
  readonly title?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly items?: ValueForm
  readonly anyOf?: readonly ValueForm[]
  readonly additionalProperties?: boolean | ValueForm
  readonly properties?: Readonly<Record<string, ValueForm>>
  readonly minimum?: number
  readonly maximum?: number
  readonly $ref?: string
}

/**
 * Which values a schema takes, in a few words: `text or a list of text`, `one of:
 * running, stopped`. `parts` are its `$defs`.
 */
export function typeWords(
  form: ValueForm,
  parts: Readonly<Record<string, ValueForm>> = {},
): string {
  const { title, $ref, anyOf, type, items } = form
  if ($ref !== undefined) return typeWords(parts[$ref.split('/').at(-1) ?? ''] ?? {}, parts)
  if (title !== undefined) return title
  if (anyOf) return [...new Set(anyOf.map((branch) => typeWords(branch, parts)))].join(' or ')
  if (form.enum) return `one of: ${form.enum.map(String).join(', ')}`
  const types = typeof type === 'string' ? [type] : (type ?? ['any'])
  const words = types.map((each) => {
    switch (each) {
      case 'string':
        return 'text'
      case 'integer':
        return `an integer${boundsWords(form)}`
      case 'number':
        return `a number${boundsWords(form)}`
      case 'boolean':
        return 'true or false'
      case 'array':
        return `a list${items ? ` of ${manyWords(items, parts)}` : ''}`
      case 'object':
        return `a map${mapWords(form)}`
      default:
        return 'any value'
    }
  })
  return words.join(' or ')
}

function manyWords(items: ValueForm, parts: Readonly<Record<string, ValueForm>>): string {
  return typeWords(items, parts)
    .replace(/^an integer/, 'integers')
    .replace(/^a (number|list|map)\b/, '$1s')
}

function mapWords({ properties, additionalProperties }: ValueForm): string {
  if (properties) return ` with ${Object.keys(properties).join(', ')}`
  return typeof additionalProperties === 'object' && additionalProperties.type === 'string'
    ? ' of text'
    : ''
}

function boundsWords({ minimum, maximum }: ValueForm): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`
  if (minimum !== undefined) return ` from ${minimum} up`
  return maximum === undefined ? '' : ` up to ${maximum}`
}
