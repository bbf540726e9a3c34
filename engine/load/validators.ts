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
