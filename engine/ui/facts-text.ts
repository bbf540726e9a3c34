import type { Paint } from '../diagnostics/render.ts'
import { visibleLine } from '../diagnostics/visible.ts'
import { type Facts, type FactType, factsSchema } from '../facts/schema.ts'
import { columnsOf, indent, LEAST_ROOM, padTo, wrapIndented, wrapWords } from './layout.ts'

export interface FactsTextOptions {
  readonly paint: Paint
  /** Columns that a line may take; descriptions are not broken when absent. */
  readonly width?: number | undefined
}

/** Every fact by the name that expressions read it by, with its value and what it means. */
export function renderFacts(facts: Facts, { paint, width }: FactsTextOptions): string {
  const rows = Object.entries(factsSchema).flatMap(([name, fact]: [string, FactType]) =>
    rowsOf(fact, facts[name as keyof Facts], `facts.${name}`),
  )
  const described = rows.filter((row) => row.description !== undefined)
  const nameWidth = Math.max(...described.map(({ name }) => columnsOf(name)))
  const valueWidth = Math.max(...described.map(({ value }) => columnsOf(value)))
  const left = nameWidth + valueWidth + 4
  const isBeside = width === undefined || width - left >= LEAST_ROOM
  const margin = isBeside ? left : 4
  const room = width === undefined ? Number.POSITIVE_INFINITY : width - margin
  const startOf = (name: string, value: string) => {
    const line = `${padTo(name, nameWidth)}  ${value}`
    if (width === undefined || columnsOf(line) <= width)
      return `${padTo(name, nameWidth)}  ${paint('bold', value)}`
    const below = wrapIndented(value, width, 2)
    return [name, ...below.map((each) => paint('bold', each))].join('\n')
  }
  return rows
    .map(({ name, value, description }) => {
      const start = startOf(name, value)
      if (description === undefined) return start
      const text = wrapWords(description, room).map((line) => indent(paint('dim', line), margin))
      if (!isBeside) return [start, ...text].join('\n')
      const blanks = ' '.repeat(valueWidth - columnsOf(value) + 2)
      return `${start}${blanks}${text.join('\n').trimStart()}`
    })
    .join('\n')
}

interface Row {
  readonly name: string
  readonly value: string
  /** Absent for the items of a list. */
  readonly description?: string
}

function rowsOf(fact: FactType, value: unknown, name: string): Row[] {
  const { description } = fact
  if (value === null || value === undefined) return [{ name, value: '(unset)', description }]
  if (fact.type === 'list' && Array.isArray(value)) {
    const count = value.length === 1 ? '1 item' : `${value.length} items`
    const items = value.map((item: unknown, index) => ({
      name: `${name}[${index}]`,
      value: textOf(item),
    }))
    return [{ name, value: items.length === 0 ? '(none)' : count, description }, ...items]
  }
  if (fact.type !== 'map') return [{ name, value: textOf(value), description }]
  const entries = Object.entries(value as Record<string, unknown>)
  if (entries.length === 0) return [{ name, value: '(none)', description }]
  return entries.flatMap(([key, item]) => {
    const field = fact.fields?.[key]
    if (field) return rowsOf(field, item, `${name}.${key}`)
    return [{ name: `${name}.${visibleLine(key)}`, value: textOf(item) }]
  })
}

/** A map as its entries, and what lies deeper in brackets. */
function textOf(value: unknown, isInside = false): string {
  if (value === null) return '(unset)'
  if (Array.isArray(value)) {
    const text = value.map((item: unknown) => textOf(item, true)).join(', ')
    return isInside ? `[${text}]` : text
  }
  if (typeof value === 'object') {
    const text = Object.entries(value as object)
      .map(([key, item]) => `${visibleLine(key)} ${textOf(item, true)}`)
      .join(', ')
    return isInside ? `{ ${text} }` : text
  }
  return visibleLine(typeof value === 'string' ? value : JSON.stringify(value))
}
