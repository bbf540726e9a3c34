import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020, type Options } from 'ajv/dist/2020.js'
import draft7 from 'ajv/dist/refs/json-schema-draft-07.json' with { type: 'json' }
import { shippedFolder } from '../shipped.ts'

/** Words that our schemas use for the reference and the tests, and that check nothing. */
const annotations = ['x-invalid', 'x-form']

/** Every shipped schema by its name: its path below `schemas/` without the ending, such as `resources/file`. */
export function shippedSchemas(): ReadonlyMap<string, object> {
  const folder = shippedFolder('schemas')
  const files = globSync('**/*.json', { cwd: folder }).sort()
  return new Map(
    files.map((file) => [
      file.slice(0, -'.json'.length),
      JSON.parse(readFileSync(join(folder, file), 'utf8')) as object,
    ]),
  )
}

/** An ajv that knows the given schemas by name, so that `$ref` reaches from one to another by its file name. */
export function schemaCompiler(
  schemas: ReadonlyMap<string, object>,
  options: Options = {},
): Ajv2020 {
  const ajv = new Ajv2020({
    strict: true,
    strictRequired: false,
    allowUnionTypes: true,
    allErrors: true,
    discriminator: true,
    // The errors carry the schema that refused: the words of `schema-errors.ts` come from it.
    verbose: true,
    ...options,
  })
  ajv.addMetaSchema(draft7)
  ajv.addVocabulary(annotations)
  for (const [name, schema] of schemas) ajv.addSchema(schema, `${name}.json`)
  return ajv
}
