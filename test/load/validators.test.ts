import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { shippedSchemas } from '../../engine/load/schemas.ts'
import * as sources from '../../engine/load/validators.ts'
import { compiledValidators } from '../../scripts/validators.ts'

const fragment = { type: 'integer', minimum: 64 }
const folder = mkdtempSync(join(tmpdir(), 'steward-validators-'))
afterAll(() => rmSync(folder, { recursive: true }))

let bundled: typeof sources
beforeAll(async () => {
  const outfile = join(folder, 'validators.mjs')
  await build({
    entryPoints: [join(import.meta.dirname, '../../engine/load/validators.ts')],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    banner: {
      js: "import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)",
    },
    plugins: [compiledValidators([fragment])],
    logOverride: { 'package.json': 'silent' },
  })
  bundled = await import(outfile)
})

interface Described {
  readonly properties?: Readonly<
    Record<string, { readonly examples?: unknown[]; readonly 'x-invalid'?: unknown[] }>
  >
}

/** One object for each value that a schema gives as an example, right or wrong, and some that fit nothing. */
function values(schema: Described): unknown[] {
  const given = Object.entries(schema.properties ?? {}).flatMap(([name, property]) =>
    [...(property.examples ?? []), ...(property['x-invalid'] ?? [])].map((value) => ({
      [name]: value,
    })),
  )
  return [...given, {}, { nonsense: 1 }, [], null, 'text']
}

/** What a check says, without what its errors carry of the schema: the bundle's is without prose. */
function verdict(validate: ReturnType<typeof sources.validator>, value: unknown) {
  const right = validate(value)
  const errors = validate.errors?.map(
    ({ schema: _schema, parentSchema: _parent, data: _data, ...error }) => error,
  )
  return { right, errors }
}

type Validators = Pick<typeof sources, 'validator' | 'fragmentValidator'>
const verdicts = ({ validator }: Validators, name: string, schema: Described) =>
  values(schema).map((value) => verdict(validator(name), value))

describe('the validators compiled for the bundle', () => {
  test.each([...shippedSchemas()])('find the same as those of the sources: %s', (name, schema) => {
    expect(verdicts(bundled, name, schema)).toEqual(verdicts(sources, name, schema))
  })

  test.each([fragment, { enum: ['a', 'b'] }])('check a fragment, known or new: %o', (schema) => {
    for (const value of [64, 63, 'a', 'c']) {
      const [ours, theirs] = [bundled, sources].map(({ fragmentValidator }) => {
        const validate = fragmentValidator(schema)
        return { right: validate(value), errors: validate.errors }
      })
      expect(ours).toEqual(theirs)
    }
  })

  test('know no schema that does not exist', () => {
    expect(() => bundled.validator('resources/nonsense')).toThrow('no schema named')
    expect(() => sources.validator('resources/nonsense')).toThrow('no schema named')
  })
})
