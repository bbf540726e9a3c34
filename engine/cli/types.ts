import manifest from '../../schemas/manifest.json' with { type: 'json' }
import metaparameters from '../../schemas/metaparameters.json' with { type: 'json' }
import apply from '../../schemas/steps/apply.json' with { type: 'json' }
import block from '../../schemas/steps/block.json' with { type: 'json' }
import fail from '../../schemas/steps/fail.json' with { type: 'json' }
import query from '../../schemas/steps/query.json' with { type: 'json' }
import { functions } from '../compile/functions.ts'
import { helpers } from '../compile/template-helpers.ts'
import { Refusal } from '../diagnostics/diagnostic.ts'
import { didYouMean } from '../diagnostics/suggest.ts'
import { editorSchema } from '../load/editor-schema.ts'
import { types } from '../resources/index.ts'
import { jsonText } from '../ui/json.ts'
import {
  type Reference,
  type ReferenceEntry,
  renderEntry,
  renderReference,
} from '../ui/reference-text.ts'
import { typeWords, type ValueForm } from '../ui/schema-words.ts'
import type { CommonFlags } from './options.ts'
import { outputColumns, paintOf, print } from './output.ts'

/** `steward types`: the reference, made from the schemas that manifests are checked with. */
export async function run(
  flags: Pick<CommonFlags, 'json'> & { readonly schema?: boolean },
  name?: string,
): Promise<number> {
  if (flags.schema) {
    print(jsonText(editorSchema()))
    return 0
  }
  const reference = readReference()
  const found = name === undefined ? reference : entryOf(reference, name)
  if (flags.json) {
    print(jsonText(found))
    return 0
  }
  const options = {
    paint: paintOf(process.stdout),
    width: Math.min(outputColumns() ?? 100, 120),
  }
  print('types' in found ? renderReference(found, options) : renderEntry(found, options))
  return 0
}

function readReference(): Reference {
  return {
    types: [...types.values()].map(({ name, schema }) => entry(name, schema)),
    steps: Object.entries({ query, apply, block, fail }).map(([name, schema]) =>
      entry(name, schema),
    ),
    metaparameters: entry('metaparameters', metaparameters),
    manifest: [
      { ...entry('manifest', manifest), description: 'The keys of a manifest.' },
      entry('parameter', manifest.$defs.parameter),
    ],
    functions,
    helpers: Object.values(helpers).map(({ usage, description }) => ({ usage, description })),
  }
}

interface EntrySchema {
  readonly description?: string
  readonly properties?: Readonly<Record<string, AttributeSchema>>
  readonly required?: readonly string[]
  readonly examples?: readonly unknown[]
  readonly $defs?: Readonly<Record<string, ValueForm>>
}

interface AttributeSchema extends ValueForm {
  readonly description?: string
  readonly default?: unknown
  readonly examples?: readonly unknown[]
}

function entry(name: string, schema: object): ReferenceEntry {
  const {
    description = '',
    properties = {},
    required = [],
    examples = [],
    $defs = {},
  } = schema as EntrySchema
  return {
    name,
    description,
    attributes: Object.entries(properties).map(([key, attribute]) => ({
      name: key,
      type: typeWords(attribute, $defs),
      description: attribute.description ?? '',
      required: required.includes(key),
      ...(attribute.default === undefined ? {} : { default: attribute.default }),
      examples: attribute.examples ?? [],
    })),
    examples,
  }
}

function entryOf({ types: all, steps, metaparameters, manifest: keys }: Reference, name: string) {
  const entries = [...all, ...steps, metaparameters, ...keys]
  const found = entries.find((each) => each.name === name)
  if (found) return found
  const names = entries.map((each) => each.name)
  throw new Refusal({
    severity: 'error',
    code: 'unknown-type',
    message: `there is no resource type "${name}"`,
    expected: `one of: ${names.join(', ')}`,
    help: name.includes('::')
      ? `a define is told by: steward classes ${name}`
      : (didYouMean(name, names) ?? 'steward types lists them'),
  })
}
