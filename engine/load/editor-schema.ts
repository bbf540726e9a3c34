import manifest from '../../schemas/manifest.json' with { type: 'json' }
import metaparameters from '../../schemas/metaparameters.json' with { type: 'json' }
import apply from '../../schemas/steps/apply.json' with { type: 'json' }
import block from '../../schemas/steps/block.json' with { type: 'json' }
import fail from '../../schemas/steps/fail.json' with { type: 'json' }
import query from '../../schemas/steps/query.json' with { type: 'json' }
import { types } from '../resources/index.ts'

/**
 * One JSON Schema for whole manifests, for editors to complete and check with. JSON Schema cannot see which key
 * of a resource is first, so the forms are tried one after the other: those of the types by name, the words of
 * procedures, and last the uses of defines, whose parameters only steward knows.
 */
export function editorSchema(): object {
  const forms = [...types.values()]
    .map(({ name, schema }) => [name, schema as Schema] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1))
  const steps = Object.entries({ apply, block, fail, query }) as [string, Schema][]
  const any = (list: readonly (readonly [string, Schema])[]) => ({
    anyOf: [...list.map(([name, schema]) => form(name, schema)), define],
  })
  const { properties } = manifest
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    ...manifest,
    properties: {
      ...properties,
      resources: { ...properties.resources, items: { $ref: '#/$defs/resource' } },
      steps: { ...properties.steps, items: { $ref: '#/$defs/step' } },
    },
    $defs: {
      ...manifest.$defs,
      ...metaparameters.$defs,
      ...Object.assign({}, ...[...forms, ...steps].map(([, schema]) => schema.$defs ?? {})),
      resource: any(forms),
      step: any([...forms, ...steps]),
    },
  }
}

interface Schema {
  readonly description?: string
  readonly properties?: Readonly<Record<string, object>>
  readonly $defs?: Readonly<Record<string, object>>
}

const expression = { type: 'string', pattern: '\\$\\{\\{' }
const title = {
  anyOf: [
    { type: 'string', minLength: 1 },
    { type: 'array', minItems: 1, items: { type: 'string' } },
  ],
}

/**
 * A resource or step of one type. What a class gives by `defaults:` may be
 * missing, and any value may be an expression.
 */
function form(name: string, { description, properties = {} }: Schema): object {
  const attributes = Object.entries(properties).map(([key, schema]) => {
    const isSteps = name === 'block'
    return [
      key,
      isSteps ? { type: 'array', items: { $ref: '#/$defs/step' } } : orExpression(schema),
    ]
  })
  return {
    type: 'object',
    ...(description === undefined ? {} : { description }),
    required: [name],
    additionalProperties: false,
    properties: { [name]: title, ...Object.fromEntries(attributes), ...metaparameters.properties },
  }
}

/**
 * Takes an expression in place of the value, and in place of any item of it. The description
 * stays outside, where editors look for it.
 */
function orExpression(schema: object): object {
  const { description, ...rest } = schema as Nested
  const { items, additionalProperties, anyOf } = rest
  const relaxed = {
    ...rest,
    ...(items ? { items: orExpression(items) } : {}),
    ...(typeof additionalProperties === 'object'
      ? { additionalProperties: orExpression(additionalProperties) }
      : {}),
    ...(anyOf ? { anyOf: anyOf.map(orExpression) } : {}),
  }
  return { ...(description === undefined ? {} : { description }), anyOf: [relaxed, expression] }
}

interface Nested {
  readonly description?: string
  readonly items?: object
  readonly additionalProperties?: boolean | object
  readonly anyOf?: readonly object[]
}

/** A mapping with one key that has `::`: the use of a define. */
const define = {
  type: 'object',
  minProperties: 1,
  patternProperties: { '::': title },
  propertyNames: { pattern: '^[a-z][a-z0-9_]*(::[a-z][a-z0-9_]*)*$' },
  // At least one key is not free of "::".
  not: { propertyNames: { pattern: '^[^:]*$' } },
}
