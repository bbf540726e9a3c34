import { stringify } from 'yaml'
import type { Paint } from '../diagnostics/render.ts'
import {
  columnsOf,
  indent,
  LEAST_ROOM,
  padTo,
  withNotes,
  wrapIndented,
  wrapWords,
} from './layout.ts'

/** What manifests are written with; also what `types --json` prints. */
export interface Reference {
  readonly types: readonly ReferenceEntry[]
  /** What stands among the steps of a procedure only. */
  readonly steps: readonly ReferenceEntry[]
  readonly metaparameters: ReferenceEntry
  /** What stands at the top of a manifest, and what a parameter is declared by. */
  readonly manifest: readonly ReferenceEntry[]
  /** Of expressions, besides those of CEL. */
  readonly functions: readonly {
    readonly signatures: readonly string[]
    readonly description: string
  }[]
  /** Of templates, besides those of Handlebars. */
  readonly helpers: readonly { readonly usage: string; readonly description: string }[]
}

export interface ReferenceEntry {
  readonly name: string
  readonly description: string
  readonly attributes: readonly ReferenceAttribute[]
  /** Whole resources, as they stand in a manifest. */
  readonly examples: readonly unknown[]
}

export interface ReferenceAttribute {
  readonly name: string
  /** In words. */
  readonly type: string
  readonly description: string
  readonly required: boolean
  readonly default?: unknown
  readonly examples: readonly unknown[]
}

export interface ReferenceTextOptions {
  readonly paint: Paint
  /** Columns that a line may take. */
  readonly width: number
}

/** Everything there is, each with its first sentence. */
export function renderReference(reference: Reference, options: ReferenceTextOptions): string {
  const { paint } = options
  const { types, steps, metaparameters, manifest, functions, helpers } = reference
  const entries = (list: readonly ReferenceEntry[]) =>
    list.map(({ name, description }) => [name, firstSentence(description)] as const)
  const keys = ({ attributes }: ReferenceEntry) =>
    attributes.map(({ name, description }) => [name, firstSentence(description)] as const)
  return [
    ...manifest.map((each) => section(each.description.replace(/\.$/, ''), keys(each), options)),
    section('Resource types', entries(types), options),
    section('Steps of a procedure, besides resources', entries(steps), options),
    section(
      'Metaparameters of every resource',
      metaparameters.attributes.map(({ name, description }) => [name, description] as const),
      options,
    ),
    section(
      'Functions of expressions, besides those of CEL',
      functions.flatMap(({ signatures, description }) =>
        signatures.map((each, index) => [each, index === 0 ? description : 'The same.'] as const),
      ),
      options,
    ),
    section(
      'Helpers of templates, besides if, unless, each and with',
      helpers.map(({ usage, description }) => [usage, description] as const),
      options,
    ),
    wrapWords(
      'steward types NAME tells all of one type or step, of manifest, parameter or metaparameters.',
      options.width,
    )
      .map((line) => paint('dim', line))
      .join('\n'),
  ].join('\n\n')
}

/** All of one type: what it is, its attributes, examples. */
export function renderEntry(entry: ReferenceEntry, { paint, width }: ReferenceTextOptions): string {
  const parts = [
    [paint('bold', entry.name), ...wrapIndented(entry.description, width, 2)].join('\n'),
  ]
  for (const attribute of entry.attributes) {
    const notes = [attribute.type]
    if (attribute.required) notes.push('required')
    if (attribute.default !== undefined) notes.push(`default: ${inline(attribute.default)}`)
    const lines = [
      ...withNotes(
        { name: attribute.name, notes: `(${notes.join('; ')})`, margin: 2 },
        paint,
        width,
      ),
      ...wrapIndented(attribute.description, width, 6),
    ]
    const isPlain = /^(one of: |true or false$)/.test(attribute.type)
    if (!isPlain && attribute.examples.length > 0)
      lines.push(
        ...wrapIndented(`Such as: ${attribute.examples.map(inline).join(' · ')}`, width, 6),
      )
    parts.push(lines.join('\n'))
  }
  if (entry.examples.length > 0) {
    const text = entry.examples.map((example) => stringify([example]).trimEnd()).join('\n')
    parts.push(`${paint('bold', 'Examples')}\n${indent(text, 2)}`)
  }
  return parts.join('\n\n')
}

function section(
  title: string,
  rows: readonly (readonly [string, string])[],
  { paint, width }: ReferenceTextOptions,
): string {
  const margin = Math.max(...rows.map(([name]) => columnsOf(name))) + 4
  const isBeside = width - margin >= Math.min(LEAST_ROOM, width / 2)
  const lines = rows.flatMap(([name, text]) => {
    const [first = '', ...more] = wrapIndented(text, width, isBeside ? margin : 6)
    return isBeside
      ? [padTo(`  ${name}`, margin) + first.trimStart(), ...more]
      : [...wrapIndented(name, width, 2), first, ...more]
  })
  return [...wrapWords(title, width).map((line) => paint('bold', line)), ...lines].join('\n')
}

/** A value as it stands behind a key, on one line. */
function inline(value: unknown): string {
  if (typeof value === 'string' && value.includes('\n')) return JSON.stringify(value)
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim()
}

function firstSentence(text: string): string {
  return /^.*?[.](?=\s|$)/.exec(text)?.[0] ?? text
}
