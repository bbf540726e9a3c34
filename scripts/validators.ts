import standalone from 'ajv/dist/standalone/index.js'
import type { Plugin } from 'esbuild'
import { schemaCompiler, shippedSchemas } from '../engine/load/schemas.ts'

/** Puts the compiled validators of all shipped schemas in the place of `engine/load/validators.ts`. */
export const compiledValidators: Plugin = {
  name: 'compiled-validators',
  setup(build) {
    build.onLoad({ filter: /\/engine\/load\/validators\.ts$/ }, (file) => ({
      contents: validatorsModule(),
      loader: 'js',
      resolveDir: file.path.slice(0, file.path.lastIndexOf('/')),
    }))
  },
}

/** The text of a module with the same export as the one that it replaces. */
function validatorsModule(): string {
  const schemas = new Map([...shippedSchemas()].map(([name, s]) => [name, withoutProse(s)]))
  const compiler = schemaCompiler(schemas, { code: { source: true, esm: true } })
  const names = [...schemas.keys()]
  const exported = Object.fromEntries(names.map((name, i) => [`validate_${i}`, `${name}.json`]))
  return `${standalone.default(compiler, exported)}
const byName = { ${names.map((name, i) => `${JSON.stringify(name)}: validate_${i}`).join(', ')} }
export function validator(name) {
  if (!Object.hasOwn(byName, name)) throw new Error(\`There is no schema named \${name}.\`)
  return byName[name]
}
`
}

const prose = new Set(['title', 'description', 'examples', 'x-invalid', '$comment'])
/** Keywords whose value maps names of the user's to schemas, so that `title` there is a property and no prose. */
const maps = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
])
/** Keywords whose value is data and no schema. */
const data = new Set(['const', 'enum', 'default', 'required'])

/** The schema without what only people read: the compiled module carries a copy of each, read at every start. */
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
