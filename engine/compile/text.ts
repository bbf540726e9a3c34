import { isObject } from '../load/manifest.ts'
import { holdsExpression } from '../load/schema-errors.ts'
import type { Path } from '../load/yaml.ts'

/** A text with expressions: literal parts, and expressions with their offset in the text. */
export interface ParsedText {
  readonly parts: readonly (string | { readonly expression: string; readonly offset: number })[]
  /** Set where the whole text is one expression, whose value keeps its type. */
  readonly alone: { readonly expression: string; readonly offset: number } | undefined
}

export interface TextError {
  readonly message: string
  readonly offset: number
}

/**
 * Takes a text with `${{ … }}` apart; undefined where it holds none. `$${{` writes a literal `${{`; a `}}`
 * inside a string or a map of the expression does not end it.
 */
export function parseText(text: string): ParsedText | TextError | undefined {
  if (!text.includes('${{')) return undefined
  const parts: (string | { expression: string; offset: number })[] = []
  let literal = ''
  let at = 0
  for (;;) {
    const open = text.indexOf('${{', at)
    if (open < 0) {
      literal += text.slice(at)
      break
    }
    if (text[open - 1] === '$' && open - 1 >= at) {
      literal += `${text.slice(at, open - 1)}\${{`
      at = open + 3
      continue
    }
    literal += text.slice(at, open)
    const close = closing(text, open + 3)
    if (close < 0) return { message: 'this expression has no closing "}}"', offset: open }
    if (literal !== '') parts.push(literal)
    literal = ''
    const raw = text.slice(open + 3, close)
    const expression = raw.trim()
    if (expression === '') return { message: 'this expression is empty', offset: open }
    parts.push({ expression, offset: open + 3 + raw.indexOf(expression) })
    at = close + 2
  }
  if (literal !== '') parts.push(literal)
  const [first] = parts
  return {
    parts,
    alone: parts.length === 1 && typeof first === 'object' ? first : undefined,
  }
}

/** Calls `visit` for every text with an expression below a value. */
export function walkTexts(
  value: unknown,
  path: Path,
  visit: (text: string, path: Path) => void,
): void {
  if (!holdsExpression(value)) return
  if (typeof value === 'string') visit(value, path)
  else if (Array.isArray(value))
    for (const [index, item] of value.entries()) walkTexts(item, [...path, index], visit)
  else if (isObject(value))
    for (const key of Object.keys(value)) walkTexts(value[key], [...path, key], visit)
}

/**
 * Where the `}}` that ends an expression stands, or -1. Knows CEL's
 * strings: quotes, triple quotes, raw strings.
 */
function closing(text: string, from: number): number {
  let depth = 0
  for (let i = from; i < text.length; i++) {
    const c = text[i]
    if (c === '"' || c === "'") {
      const raw = /[rR]/.test(text[i - 1] ?? '')
      const quote = text.startsWith(c.repeat(3), i) ? c.repeat(3) : c
      let j = i + quote.length
      while (j < text.length && !text.startsWith(quote, j)) j += !raw && text[j] === '\\' ? 2 : 1
      i = j + quote.length - 1
    } else if (c === '{') depth++
    else if (c === '}') {
      if (depth === 0 && text[i + 1] === '}') return i
      depth--
    }
  }
  return -1
}
