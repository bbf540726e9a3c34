import { readFileSync } from 'node:fs'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { didYouMean } from '../diagnostics/suggest.ts'
import { parseJson } from './parse.ts'
import { type Fault, faultOf, isMap } from './plain.ts'
import { numbersOf } from './release.ts'
import { type Facts, type FactType, factsSchema } from './schema.ts'

/** `factsFromText` of a file of this machine, such as `--facts` names. */
export async function factsFromFile(path: string, base: Facts): Promise<Read> {
  try {
    return await factsFromText(readFileSync(path, 'utf8'), path, base)
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error
    const message = `the fact file ${path} can't be read: ${error.message}`
    const help = 'name a file that was made with: steward facts --json'
    return { diagnostics: [{ severity: 'error', code: 'fact-file', message, help }] }
  }
}

type Read = { readonly facts: Facts } | { readonly diagnostics: readonly Diagnostic[] }

/**
 * The facts of another host, from JSON as `facts --json` prints it. What it leaves out is taken from `base`: of
 * a map name by name, of a list as a whole. But clusters of this host are none of another's. A `release` needs only
 * its version. Refused (fact-file): names that are no fact, and values that are not of their type.
 */
export async function factsFromText(text: string, file: string, base: Facts): Promise<Read> {
  const parsed = parseJson(text, file)
  if ('error' in parsed) {
    const { error, place } = parsed
    const help = 'make it with: steward facts --json'
    const message = `the fact file ${file} is refused: ${error}`
    return { diagnostics: [{ severity: 'error', code: 'fact-file', message, place, help }] }
  }
  const mistakes: Mistake[] = []
  const facts = merge(
    all,
    withNumbers(parsed.value),
    { ...base, postgresql_clusters: [] },
    [],
    mistakes,
  )
  if (mistakes.length === 0) return { facts: facts as Facts }
  const diagnostics = mistakes.map(async ({ path, message, ...parts }): Promise<Diagnostic> => {
    const place = await parsed.findKey(path)
    return { severity: 'error', code: 'fact-file', message: `${file}: ${message}`, place, ...parts }
  })
  return { diagnostics: await Promise.all(diagnostics) }
}

const all: FactType = { type: 'map', description: 'All facts.', fields: factsSchema }

interface Mistake {
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly expected: string
  readonly found: string
  readonly help: string
}

/** What a release is follows from its version, not from that of this host. */
function withNumbers(value: unknown): unknown {
  if (!isMap(value) || !isMap(value.release)) return value
  const { version } = value.release
  if (typeof version !== 'string') return value
  const release = { tree: null, node: null, ...numbersOf(version), ...value.release }
  return { ...value, release }
}

/** `base` is undefined where this host has nothing to take a missing value from. */
function merge(
  fact: FactType,
  value: unknown,
  base: unknown,
  path: Mistake['path'],
  mistakes: Mistake[],
): unknown {
  if (!fits(fact, value)) {
    mistakes.push(wrongType(fact, value, path))
    return value
  }
  if (value === null) return null
  if (fact.type === 'list' && Array.isArray(value)) {
    return value.map((item: unknown, index) =>
      merge(fact.items, item, undefined, [...path, index], mistakes),
    )
  }
  if (fact.type !== 'map' || !isMap(value)) return value
  const known = isMap(base) ? base : {}
  if (!fact.fields) {
    const fault = faultOf(value, path)
    if (fault) mistakes.push(wrongValue(fact, fault))
    return { ...known, ...value }
  }
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(fact.fields, name)) mistakes.push(unknownFact(fact.fields, [...path, name]))
  }
  const fields = Object.entries(fact.fields).map(([name, field]) => {
    const at = [...path, name]
    const missing = 'nullable' in field ? null : undefined
    const own = Object.hasOwn(value, name) ? value[name] : (known[name] ?? missing)
    return [name, merge(field, own, known[name], at, mistakes)]
  })
  return Object.fromEntries(fields)
}

function fits(fact: FactType, value: unknown): boolean {
  if (value === null) return 'nullable' in fact && fact.nullable === true
  switch (fact.type) {
    case 'integer':
      return Number.isSafeInteger(value)
    case 'list':
      return Array.isArray(value)
    case 'map':
      return isMap(value)
    case 'string':
    case 'boolean':
      return typeof value === fact.type
    default:
      return fact satisfies never
  }
}

function wrongType(fact: FactType, value: unknown, path: Mistake['path']): Mistake {
  const name = path.length === 0 ? 'the whole' : path.join('.')
  const expected = 'nullable' in fact ? `${fact.type} or null` : fact.type
  const message = value === undefined ? `${name} is missing` : `${name} has the wrong type`
  const found = value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 200)
  return { path, message, expected, found, help: `it means: ${fact.description}` }
}

function wrongValue({ description }: FactType, fault: Fault): Mistake {
  const message = `${fault.path.join('.')} can't be a fact`
  return { ...fault, message, help: `it means: ${description}` }
}

function unknownFact(fields: object, path: Mistake['path']): Mistake {
  const name = String(path.at(-1))
  const names = Object.keys(fields)
  return {
    path,
    message: `${path.join('.')} is no fact`,
    expected: `one of: ${names.join(', ')}`,
    found: name,
    help: didYouMean(name, names) ?? 'put facts of your own below "site"',
  }
}
