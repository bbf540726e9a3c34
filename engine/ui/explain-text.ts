import type { Paint } from '../diagnostics/render.ts'
import { visible, visibleLine } from '../diagnostics/visible.ts'
import { columnsOf, indent, padTo } from './layout.ts'

/** All that there is to say of one resource; also what `--json` prints. Holds no secret. */
export interface Explanation {
  readonly ref: string
  readonly id?: string
  /** Where it is declared, as `file:line:column`. */
  readonly place: string
  /** The innermost first. */
  readonly containers: readonly string[]
  readonly tags: readonly string[]
  readonly noop: boolean
  readonly attributes: readonly ExplainedAttribute[]
  /** Of the use of a define, instead of attributes; and what it holds, as references. */
  readonly parameters?: readonly ExplainedRead[]
  readonly holds?: readonly string[]
  readonly after: readonly ExplainedEdge[]
  readonly before: readonly ExplainedEdge[]
  /** Relations of this resource that gave way, for they would have closed a circle. */
  readonly dropped: readonly ExplainedEdge[]
}

export interface ExplainedAttribute {
  readonly name: string
  readonly value: unknown
  readonly place?: string
  /** The text as it stands in the manifest, where it holds expressions. */
  readonly written?: string
  readonly template?: string
  /** Whether it stands among the defaults of its class. */
  readonly isDefault: boolean
  readonly reads: readonly ExplainedRead[]
}

export interface ExplainedRead {
  readonly name: string
  readonly value: string
  readonly origin: string
  /** As written, where that holds expressions. */
  readonly text?: string
  readonly reads?: readonly ExplainedRead[]
}

export interface ExplainedEdge {
  readonly from: string
  readonly to: string
  readonly reason: string
  readonly weak: boolean
  readonly refresh?: string
}

/** Lines of a long text that are shown. */
const MAX_LINES = 6
/** Characters of a value that is read. */
const MAX_VALUE = 100

/** One resource: its attributes with what each was made from, then its neighbours in the order. */
export function renderExplanation(
  explained: Explanation,
  { paint }: { readonly paint: Paint },
): string {
  const { attributes, parameters = [], holds = [], after, before, dropped } = explained
  const width = Math.max(0, ...attributes.map(({ name }) => columnsOf(name)))
  const parts = [
    heading(explained, paint),
    attributes.map((attribute) => attributeText(attribute, width, paint)).join('\n'),
    readLines(parameters, 0).join('\n'),
    holds.length === 0
      ? ''
      : [paint('bold', 'Holds:'), ...holds.map((ref) => `  ${visibleLine(ref)}`)].join('\n'),
    edgesText('Comes after', after, ({ from }) => from, paint),
    edgesText('Comes before', before, ({ to }) => to, paint),
    edgesText(
      'Left out of the order, for it would have closed a circle',
      dropped,
      ({ from, to }) => `${from} before ${to}`,
      paint,
    ),
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

function heading({ ref, id, place, containers, tags, noop }: Explanation, paint: Paint): string {
  return [
    `${paint('bold', visibleLine(ref))}${id === undefined ? '' : `  ${visibleLine(id)}`}`,
    `  declared at ${visibleLine(place)}`,
    `  in ${containers.map(visibleLine).join(', in ')}`,
    ...(tags.length > 0 ? [`  tags: ${tags.map(visibleLine).join(', ')}`] : []),
    ...(noop ? ['  noop: it is only told what would change'] : []),
  ].join('\n')
}

function attributeText(attribute: ExplainedAttribute, width: number, paint: Paint): string {
  const { name, value, place, written, template, isDefault, reads } = attribute
  const [first = '', ...more] = valueLines(value)
  const lines = [`${padTo(name, width)}  ${paint('bold', first)}`]
  const left = width + 2
  lines.push(...more.map((line) => indent(line, left)))
  const where = place === undefined ? [] : [visibleLine(place)]
  if (isDefault) where.push('a default of the class')
  if (template !== undefined) where.push(`made by ${visibleLine(template)}`)
  if (written !== undefined && !written.includes('\n')) where.push(visibleLine(written))
  if (where.length > 0) lines.push(indent(paint('dim', where.join(', ')), left))
  lines.push(...readLines(reads, left + 2))
  return lines.join('\n')
}

function readLines(reads: readonly ExplainedRead[], left: number): string[] {
  return reads.flatMap(({ name, value, origin, text, reads: inner }) => {
    const made = text === undefined ? origin : `${origin}: ${cut(text)}`
    return [
      indent(`${name} = ${cut(visibleLine(value))}  (${visibleLine(made)})`, left),
      ...readLines(inner ?? [], left + 2),
    ]
  })
}

function valueLines(value: unknown): string[] {
  if (typeof value !== 'string') return [visibleLine(JSON.stringify(value))]
  const lines = visible(value).split('\n')
  if (lines.length === 1) return [value === '' ? '""' : visibleLine(value)]
  if (lines.at(-1) === '') lines.pop()
  const shown = lines.slice(0, MAX_LINES)
  const rest = lines.length - shown.length
  return [
    `${lines.length} ${lines.length === 1 ? 'line' : 'lines'}`,
    ...shown.map((line) => `| ${line}`),
    ...(rest > 0 ? [`| … and ${rest} more`] : []),
  ]
}

function edgesText(
  title: string,
  edges: readonly ExplainedEdge[],
  nameOf: (edge: ExplainedEdge) => string,
  paint: Paint,
): string {
  if (edges.length === 0) return ''
  const width = Math.max(...edges.map((edge) => columnsOf(nameOf(edge))))
  const lines = edges.map((edge) => {
    // A plain refresh is written, which the reason says.
    const isTold = edge.refresh === undefined || edge.refresh === 'refresh'
    const refresh = isTold ? '' : `; a change ${edge.refresh}s it`
    const why = visibleLine(`${edge.reason}${refresh}`)
    return `  ${padTo(visibleLine(nameOf(edge)), width)}  ${paint('dim', why)}`
  })
  return [paint('bold', `${title}:`), ...lines].join('\n')
}

function cut(text: string): string {
  return text.length <= MAX_VALUE ? text : `${text.slice(0, MAX_VALUE - 1)}…`
}
