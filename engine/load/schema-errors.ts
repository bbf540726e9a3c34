import type { ErrorObject } from 'ajv'
import type { Diagnostic, Place } from '../diagnostics/diagnostic.ts'
import { didYouMean } from '../diagnostics/suggest.ts'
import type { Path } from './yaml.ts'

/** Where the value that was checked stands, and what people call it. */
export interface Checked {
  readonly value: unknown
  readonly file: string
  /** The path of the value in its file. */
  readonly base: Path
  readonly sources: { place(file: string, path: Path, on?: 'key' | 'value'): Place }
  readonly subject: string
  /** Attributes that are required may still come from `defaults:`. */
  readonly ignoreMissing?: boolean
}

/** What these find holds whatever the values turn out to be. */
const aboutKeys = new Set(['additionalProperties', 'unevaluatedProperties', 'required'])

/**
 * What ajv found, in our own words and at its place. What depends on an expression is left
 * out: its value is checked when it is known.
 */
export function schemaDiagnostics(errors: readonly ErrorObject[], checked: Checked): Diagnostic[] {
  const diagnostics: Diagnostic[] = []
  const seen = new Set<string>()
  // A failed anyOf lists the errors of each branch besides its own: the own one says it better,
  // unless only one branch is of the right type.
  const unions = errors
    .filter((error) => error.keyword === 'anyOf' || error.keyword === 'oneOf')
    .map((error) => `${error.schemaPath}/`)
  for (const error of errors) {
    if (unions.some((union) => error.schemaPath.startsWith(union))) continue
    const path = decode(error.instancePath)
    const value = at(checked.value, path)
    if (!aboutKeys.has(error.keyword) && holdsExpression(value)) continue
    if (error.keyword === 'required' && checked.ignoreMissing) continue
    if (error.keyword === 'if' || error.keyword === 'propertyNames') continue
    const key = `${error.instancePath} ${error.keyword} ${JSON.stringify(error.params)}`
    if (seen.has(key)) continue
    seen.add(key)
    diagnostics.push({ severity: 'error', ...say(error, path, value, checked) })
  }
  return diagnostics
}

/**
 * Whether text holds an expression anywhere below. Makes nothing on the way: data of a manifest can be large.
 */
export function holdsExpression(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('${{')
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) {
    for (const item of value) if (holdsExpression(item)) return true
    return false
  }
  for (const key in value) if (holdsExpression((value as Record<string, unknown>)[key])) return true
  return false
}

type Said = Omit<Diagnostic, 'severity'>

function say(error: ErrorObject, path: Path, value: unknown, checked: Checked): Said {
  const place = (extra: Path = [], on?: 'key' | 'value') =>
    checked.sources.place(checked.file, [...checked.base, ...path, ...extra], on)
  const subject = path.length === 0 ? checked.subject : `${path.join('.')} of ${checked.subject}`
  const parameters = error.params as Record<string, unknown>
  const found = show(value)
  const wrong = (expected: string, help?: string): Said => ({
    code: 'wrong-value',
    message: `${path.length === 0 ? checked.subject : `"${path.join('.')}" of ${checked.subject}`} is not ${expected}`,
    place: place(),
    expected,
    found,
    ...(help ? { help } : {}),
  })
  switch (error.keyword) {
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const key = String(parameters.additionalProperty ?? parameters.unevaluatedProperty)
      const known = Object.keys((error.parentSchema?.properties as object | undefined) ?? {})
      const isResource = checked.subject.endsWith(']') && path.length === 0
      const help = didYouMean(key, known)
      return {
        code: isResource ? 'unknown-attribute' : 'unknown-key',
        message: isResource
          ? `${checked.subject} has no attribute "${key}"`
          : `${subject} has no key "${key}"`,
        place: place([key], 'key'),
        ...(known.length > 0
          ? {
              expected: `one of: ${[...known].sort().join(', ')}${isResource ? ', or a metaparameter' : ''}`,
            }
          : {}),
        found: key,
        ...(help ? { help } : {}),
      }
    }
    case 'required':
      return {
        code: 'missing-attribute',
        message: `${subject} lacks "${String(parameters.missingProperty)}"`,
        place: place(),
        help: `add: ${String(parameters.missingProperty)}: …`,
      }
    case 'type':
      return wrong(
        typeName(parameters.type),
        typeof value === 'number' && String(parameters.type).includes('string')
          ? `quote it: "${found}"`
          : undefined,
      )
    case 'enum': {
      const allowed = (parameters.allowedValues as unknown[]).map(String)
      return wrong(
        `one of: ${allowed.join(', ')}`,
        typeof value === 'string' ? didYouMean(value, allowed) : undefined,
      )
    }
    case 'const':
      return wrong(show(parameters.allowedValue))
    case 'minimum':
    case 'exclusiveMinimum':
      return wrong(
        `${error.keyword === 'minimum' ? 'at least' : 'more than'} ${String(parameters.limit)}`,
      )
    case 'maximum':
    case 'exclusiveMaximum':
      return wrong(
        `${error.keyword === 'maximum' ? 'at most' : 'less than'} ${String(parameters.limit)}`,
      )
    case 'pattern':
      return wrong(described(error) ?? `text that matches ${String(parameters.pattern)}`)
    case 'anyOf':
    case 'oneOf':
      return wrong(described(error) ?? alternatives(error.schema))
    case 'minItems':
      return wrong(`a list of at least ${String(parameters.limit)}`)
    case 'maxItems':
      return wrong(`a list of at most ${String(parameters.limit)}`)
    case 'minLength':
      return wrong(`text of at least ${String(parameters.limit)} characters`)
    case 'minProperties':
      return wrong('a mapping with at least one key')
    default:
      return wrong(`right (${error.message ?? error.keyword})`)
  }
}

/** The first sentence of a description that says what the form is. */
function described(error: ErrorObject): string | undefined {
  const form = (error.parentSchema as { 'x-form'?: unknown } | undefined)?.['x-form']
  return typeof form === 'string' ? form : undefined
}

function alternatives(schema: unknown): string {
  if (!Array.isArray(schema)) return 'of a form that is allowed'
  const names = schema.map(
    (branch: { type?: unknown; enum?: unknown[]; pattern?: string; $ref?: string }) =>
      branch.enum
        ? branch.enum.map(String).join(', ')
        : branch.type
          ? typeName(branch.type)
          : branch.pattern
            ? `text that matches ${branch.pattern}`
            : (branch.$ref?.split('/').at(-1) ?? 'a value'),
  )
  return [...new Set(names)].join(', or ')
}

function typeName(type: unknown): string {
  const names: Record<string, string> = {
    string: 'text',
    integer: 'an integer',
    number: 'a number',
    boolean: 'true or false',
    array: 'a list',
    object: 'a mapping',
    null: 'empty',
  }
  return (Array.isArray(type) ? type : String(type).split(','))
    .map((name: string) => names[name] ?? name)
    .join(' or ')
}

function show(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text === undefined ? 'nothing' : text.length > 80 ? `${text.slice(0, 77)}…` : text
}

function decode(pointer: string): (string | number)[] {
  if (pointer === '') return []
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function at(value: unknown, path: Path): unknown {
  let current = value
  for (const step of path)
    current = (current as Record<string, unknown> | undefined)?.[String(step)]
  return current
}
