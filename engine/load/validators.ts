import type { ValidateFunction } from 'ajv/dist/2020.js'
import { schemaCompiler, shippedSchemas } from './schemas.ts'

/** Made on first use. */
let compiler: ReturnType<typeof schemaCompiler> | undefined

/**
 * The check that a schema stands for, by the schema's name (`manifest`, `resources/file`). It leaves all that
 * it found wrong in its `errors`. The bundle holds these functions compiled beforehand in place of this file
 * (scripts/validators.ts), so that a run of steward never loads the compiler.
 */
export function validator(name: string): ValidateFunction {
  compiler ??= schemaCompiler(shippedSchemas())
  const validate = compiler.getSchema(`${name}.json`)
  if (validate === undefined) throw new Error(`There is no schema named ${name}.`)
  return validate as ValidateFunction
}

const fragments = new Map<string, ValidateFunction>()

/**
 * The check that a JSON Schema fragment of a manifest (a parameter's type) stands for; the same fragment is
 * compiled once. Throws where it is no schema.
 */
export function fragmentValidator(schema: object): ValidateFunction {
  const key = JSON.stringify(schema)
  let validate = fragments.get(key)
  if (!validate) {
    compiler ??= schemaCompiler(shippedSchemas())
    validate = compiler.compile(schema)
    fragments.set(key, validate)
  }
  return validate
}
