import type { Paint } from '../diagnostics/render.ts'
import { visibleLine } from '../diagnostics/visible.ts'
import { columnsOf, LEAST_ROOM, padTo, withNotes, wrapIndented } from './layout.ts'

/** A manifest as people choose it; also what `classes --json` prints. */
export interface ClassEntry {
  readonly name: string
  readonly kind: 'class' | 'define' | 'procedure' | 'alias'
  readonly summary?: string
  /** The class that an alias stands for. */
  readonly aliasOf?: string
  readonly file: string
  readonly parameters: readonly ParameterEntry[]
  /** What it is to hold and does not hold yet. */
  readonly incomplete: readonly string[]
}

export interface ParameterEntry {
  readonly name: string
  /** In words. */
  readonly type: string
  readonly description?: string
  /** The place in zulip.conf. */
  readonly from?: string
  readonly default?: unknown
  /** Whether a value is made where nothing gives one. */
  readonly generated?: true
}

export interface ClassesTextOptions {
  readonly paint: Paint
  /** Columns that a line may take. */
  readonly width: number
  /** Tells each parameter too. */
  readonly verbose: boolean
}

const headings = [
  ['class', 'Classes'],
  ['alias', 'Other names of classes'],
  ['define', 'Defines, used like resource types'],
  ['procedure', 'Procedures, run by: steward apply NAME'],
] as const

/** What there is, by kind. */
export function renderClasses(entries: readonly ClassEntry[], options: ClassesTextOptions): string {
  if (entries.length === 0) return 'There is no class.'
  const width = Math.max(...entries.map(({ name }) => columnsOf(name)))
  const parts = headings.flatMap(([kind, heading]) => {
    const own = entries.filter((entry) => entry.kind === kind)
    if (own.length === 0) return []
    const lines = own.map((entry) => entryText(entry, width, options))
    return [[options.paint('bold', heading), ...lines].join('\n')]
  })
  return parts.join('\n\n')
}

function entryText(entry: ClassEntry, nameWidth: number, options: ClassesTextOptions): string {
  const { paint, width, verbose } = options
  const isBeside = width - nameWidth - 4 >= LEAST_ROOM
  const left = isBeside ? nameWidth + 4 : 6
  const about = entry.aliasOf === undefined ? entry.summary : `stands for ${entry.aliasOf}`
  const text = about === undefined ? [] : wrapIndented(visibleLine(about), width, left)
  const name = `  ${entry.name}`
  const lines = isBeside
    ? [`${padTo(name, left)}${(text.shift() ?? '').trimStart()}`.trimEnd(), ...text]
    : [name, ...text]
  if (verbose) {
    lines.push(`      ${paint('dim', visibleLine(entry.file))}`)
    for (const parameter of entry.parameters) lines.push(...parameterLines(parameter, options))
    for (const sentence of entry.incomplete)
      lines.push(...wrapIndented(`missing: ${visibleLine(sentence)}`, width, 6))
  } else if (entry.parameters.length > 0) {
    const names = entry.parameters.map(({ name }) => name).join(', ')
    lines.push(...wrapIndented(names, width, left).map((line) => paint('dim', line)))
  }
  return lines.join('\n')
}

function parameterLines(parameter: ParameterEntry, { paint, width }: ClassesTextOptions): string[] {
  const notes = [parameter.type]
  if (parameter.from !== undefined) notes.push(whereFrom(parameter.from))
  notes.push(
    parameter.generated
      ? 'made where it is missing'
      : parameter.default === undefined
        ? 'no default'
        : `default: ${typeof parameter.default === 'string' ? parameter.default : JSON.stringify(parameter.default)}`,
  )
  const about = visibleLine(parameter.description ?? '')
  return [
    ...withNotes(
      { name: parameter.name, notes: `(${visibleLine(notes.join('; '))})`, margin: 6 },
      paint,
      width,
    ),
    ...(about === '' ? [] : wrapIndented(about, width, 10)),
  ]
}

function whereFrom(from: string): string {
  const dot = from.indexOf('.')
  const section = from.slice(0, dot)
  const key = from.slice(dot + 1)
  if (section === 'secrets') return `the secret ${key}`
  return key === '*' ? `section [${section}] of zulip.conf` : `${from} in zulip.conf`
}
