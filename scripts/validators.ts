import { dirname } from 'node:path'
import standalone from 'ajv/dist/standalone/index.js'
import type { Plugin } from 'esbuild'
import { schemaCompiler, shippedSchemas } from '../engine/load/schemas.ts'

/**
 * Puts the compiled validators of all shipped schemas, and of the given fragments, in the place of
 * `engine/load/validators.ts`. The compiler itself is only run for a fragment that is not among them.
 */
export function compiledValidators(fragments: readonly object[]): Plugin {
  return {
    name: 'compiled-validators',
    setup(build) {
      build.onLoad({ filter: /\/engine\/load\/validators\.ts$/ }, ({ path }) => ({
        contents: validatorsModule(fragments),
        loader: 'js',
        resolveDir: dirname(path),
      }))
    },
  }
}

/** The text of a module with the same exports as the one that it replaces. */
function validatorsModule(fragments: readonly object[]): string {
  const keyed = new Map(fragments.map((fragment) => [JSON.stringify(fragment), fragment]))
  const named = [...shippedSchemas()].map(([name, schema]): [string, object] => [
    name,
    withoutProse(schema),
  ])
  const schemas = new Map([
    ...named,
    ...[...keyed].map(([key, schema]): [string, object] => [`fragment ${key}`, schema]),
  ])
  const compiler = schemaCompiler(new Map(), { code: { source: true, esm: true } })
  const ids = new Map<string, string>()
  for (const [name, schema] of schemas) {
    const id = name.startsWith('fragment ') ? `fragment-${ids.size}` : `${name}.json`
    compiler.addSchema(schema, id)
    ids.set(name, id)
  }
  const exported = Object.fromEntries([...ids.values()].map((id, i) => [`validate_${i}`, id]))
  const table = [...ids.keys()].map((name, i) => `[${JSON.stringify(name)}, validate_${i}]`)
  return `${standalone.default(compiler, exported)}
const validators = new Map([${table.join(', ')}])
export function validator(name) {
  const validate = validators.get(name)
  if (validate === undefined) throw new Error(\`There is no schema named \${name}.\`)
  return validate
}
let compiler
export function fragmentValidator(schema) {
  const name = \`fragment \${JSON.stringify(schema)}\`
  let validate = validators.get(name)
  if (validate === undefined) {
    compiler ??= require('./schemas.ts').schemaCompiler(new Map())
    validate = compiler.compile(schema)
    validators.set(name, validate)
  }
  return validate
}
`
}

const prose = new Set(['title', 'description', 'examples', 'x-invalid', '$comment'])
/**
 * Keywords whose value maps names of the user's to schemas, so that `title` there is a property and no prose.
 */
const maps = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
])
/** Keywords whose value is data and no schema. */
const data = new Set(['const', 'enum', 'default', 'required'])

/**
 * The schema without what only people read: the compiled module carries a copy of each, read at every start.
 */
function withoutProse<T>(schema: T): T {
  if (Array.isArray(schema)) return schema.map(withoutProse) as T
  if (typeof schema !== 'object' || schema === null) return schema
  const kept = Object.entries(schema).filter(([key]) => !prose.has(key))
  return Object.fromEntries(
    kept.map(([key, value]) => [
      key,
      data.has(key)
        ? value
        : maps.has(key)
          ? Object.fromEntries(Object.entries(value).map(([name, s]) => [name, withoutProse(s)]))
          : withoutProse(value),
    ]),
  ) as T
}
