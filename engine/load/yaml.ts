import {
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  type ParsedNode,
  parseDocument,
  type YAMLError,
} from 'yaml'
import type { Diagnostic, Place } from '../diagnostics/diagnostic.ts'

/** Keys and indexes from the top of a document to a value in it. */
export type Path = readonly (string | number)[]

/**
 * Finds where a value of a YAML text stands; the text is parsed again, once, when the first place is asked for.
 */
export interface Locator {
  /** The place of the value at `path`, or of its key; of the nearest parent where the path does not exist. */
  place(path: Path, on?: 'key' | 'value'): Place
  /** A place inside the scalar at `path`, `offset` characters into its value, where that can be told. */
  within(path: Path, offset: number, length: number): Place
}

/** What YAML's core schema makes of text, once tags are refused. */
type PlainScalar = string | number | boolean | null

const MAX_BYTES = 8_000_000
const MAX_DEPTH = 100

/** What was read of a YAML text. */
export interface ParsedYaml {
  /** Plain data, with `UNREAD` for what is refused; undefined where the text can't be read. */
  readonly value: unknown
  readonly diagnostics: readonly Diagnostic[]
  /** The text that the value was read from: the lines that are no YAML have another value. For places. */
  readonly readAs: string
}

/** In the place of a value that is at fault: an expression, of which nobody knows yet what it will be. */
const UNREAD = '${{ dyn(null) }}'

/**
 * A YAML text as plain data. Refuses what YAML would silently spoil in a manifest: tags, anchors and aliases, keys
 * that are no text, a mode written as a number. All mistakes come at once, and what is right is read all the same.
 */
export function parseYaml(text: string, file: string): ParsedYaml {
  if (text.length > MAX_BYTES) {
    return {
      value: undefined,
      readAs: text,
      diagnostics: [
        {
          severity: 'error',
          code: 'manifest-too-large',
          message: `${file} is larger than 8 MB`,
          found: `${text.length} characters`,
          help: 'split it into several classes, or put the data into files under files/',
        },
      ],
    }
  }
  const { doc, lines, readAs, diagnostics } = readable(text, file)
  if (!doc) return { value: undefined, diagnostics, readAs }
  const at = (offset: number, length = 1) => placeAt(readAs, file, lines, offset, length)

  const refuse = (
    node: Node | null | undefined,
    code: 'yaml-unsupported' | 'yaml-unquoted',
    message: string,
    help: string,
  ) => {
    const range = node?.range
    diagnostics.push({
      severity: 'error',
      code,
      message,
      place: at(range?.[0] ?? 0, range ? range[1] - range[0] : 1),
      help,
    })
  }
  const convert = (node: ParsedNode | null, key: string | undefined, depth: number): unknown => {
    if (node === null) return null
    if (depth > MAX_DEPTH) {
      refuse(
        node,
        'yaml-unsupported',
        'the manifest is nested more than 100 levels deep',
        'lay it out flatter',
      )
      return UNREAD
    }
    if (isAlias(node) || ('anchor' in node && node.anchor !== undefined)) {
      refuse(
        node,
        'yaml-unsupported',
        'anchors and aliases are not part of the manifest language',
        'use "defaults:" or "for_each:" instead',
      )
      return UNREAD
    }
    const source = isScalar(node) ? (node.source ?? '') : ''
    if (node.tag !== undefined) {
      const written = readAs.slice(node.range[0], lineEnd(readAs, node.range[0]))
      refuse(
        node,
        'yaml-unquoted',
        `YAML reads "${node.tag.replace('tag:yaml.org,2002:', '!!')}" as a tag`,
        node.tag.startsWith('tag:')
          ? 'write the value without the tag, in quotes where it is text'
          : `quote the value: ${keyed(key)}'${escapeSingle(tagText(readAs, node) || written)}'`,
      )
      return UNREAD
    }
    if (isScalar(node)) {
      if (key === 'mode' && typeof node.value === 'number') {
        refuse(
          node,
          'yaml-unquoted',
          'a mode is text, for YAML would read the number differently',
          `write: mode: "${source.replace(/^0o/, '0')}"`,
        )
        return UNREAD
      }
      if (typeof node.value === 'string' && node.type === 'PLAIN') {
        const open = source.lastIndexOf('${{')
        if (open >= 0 && !source.includes('}}', open)) {
          const line = readAs.slice(node.range[0], lineEnd(readAs, node.range[0]))
          refuse(
            node,
            'yaml-unquoted',
            'YAML ends this expression early',
            `quote the value: ${keyed(key)}'${escapeSingle(line)}'`,
          )
          return UNREAD
        }
      }
      if (typeof node.value === 'number' && !isPlainNumber(node.value)) {
        refuse(
          node,
          'yaml-unsupported',
          `the number ${source} can't be told exactly`,
          `integers go to ±(2^53 − 1); as text it is written: ${keyed(key)}"${source}"`,
        )
        return UNREAD
      }
      return node.value
    }
    if (isSeq(node)) return node.items.map((item) => convert(item as ParsedNode, key, depth + 1))
    if (isMap(node)) {
      const out: Record<string, unknown> = {}
      for (const pair of node.items) {
        const name = isScalar(pair.key) ? (pair.key.value as PlainScalar) : undefined
        if (
          (typeof name !== 'string' && typeof name !== 'number') ||
          name === '<<' ||
          name === '__proto__'
        ) {
          refuse(
            (pair.key as Node | null) ?? node,
            'yaml-unsupported',
            `${name === undefined ? 'a key that is no text' : `the key "${String(name)}"`} is not part of the manifest language`,
            'use plain text as key',
          )
          continue
        }
        out[String(name)] = convert(pair.value as ParsedNode | null, String(name), depth + 1)
      }
      return out
    }
    return null
  }
  const value = convert(doc.contents, undefined, 0)
  return { value, diagnostics, readAs }
}

/** More mistakes than anybody mends at once. */
const MAX_LINES_AT_FAULT = 50

/**
 * A text as a document: as it is, or, where a line of it is no YAML, with another value on that line, so that the rest
 * can be read. Without a document where that is not enough.
 */
function readable(text: string, file: string) {
  const all: Diagnostic[] = []
  const mended = new Set<number>()
  const diagnostics: Diagnostic[] = []
  for (let readAs = text; ; ) {
    const lines = new LineCounter()
    const doc = parseDocument(readAs, { lineCounter: lines, prettyErrors: false, merge: false })
    const tell = (error: YAMLError) =>
      syntaxError(error, readAs, (offset, length = 1) =>
        placeAt(readAs, file, lines, offset, length),
      )
    if (readAs === text) all.push(...doc.errors.map(tell))
    const isDuplicate = ({ code }: YAMLError) => code === 'DUPLICATE_KEY'
    const error = doc.errors.find((each) => !isDuplicate(each))
    // What follows from a line at fault is none of its own.
    if (!error) {
      diagnostics.push(...doc.errors.map(tell))
      return { doc, lines, readAs, diagnostics }
    }
    const line = lines.linePos(error.pos[0]).line
    const next = withoutValue(readAs, line)
    if (next === undefined || mended.has(line) || mended.size === MAX_LINES_AT_FAULT)
      return { doc: undefined, lines, readAs: text, diagnostics: all }
    diagnostics.push(tell(error))
    mended.add(line)
    readAs = next
  }
}

/** The text with another value on a line (1-based) that gives one; undefined where it is of another form. */
function withoutValue(text: string, line: number): string | undefined {
  const lines = text.split('\n')
  const [, key] = /^(\s*(?:- +)*[\w:]+:)\s+\S/.exec(lines[line - 1] ?? '') ?? []
  if (key === undefined) return undefined
  lines[line - 1] = `${key} "${UNREAD}"`
  return lines.join('\n')
}

/** Finds places in a YAML text, which is only parsed when the first is asked for. */
export function locator(text: string, file: string): Locator {
  const lines = new LineCounter()
  let contents: ParsedNode | null | undefined
  const root = () => {
    contents ??= parseDocument(text, { lineCounter: lines, prettyErrors: false }).contents
    return contents
  }
  const find = (path: Path, on: 'key' | 'value'): Node | null | undefined => {
    let node: Node | null | undefined = root()
    for (const [index, step] of path.entries()) {
      if (isMap(node)) {
        const pair: Pair | undefined = node.items.find(
          (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step),
        )
        if (!pair) return node
        if (index === path.length - 1 && on === 'key') return pair.key as Node
        node = (pair.value as Node | null) ?? (pair.key as Node)
      } else if (isSeq(node)) {
        const item = node.items[Number(step)] as Node | undefined
        if (!item) return node
        node = item
      } else return node
    }
    return node
  }
  return {
    place(path, on = 'value') {
      const node = find(path, on)
      const start = node?.range?.[0] ?? 0
      const end = isScalar(node) ? (node.range?.[1] ?? start + 1) : start + 1
      return placeAt(
        text,
        file,
        lines,
        start,
        Math.max(1, Math.min(end, lineEnd(text, start)) - start),
      )
    },
    within(path, offset, length) {
      const node = find(path, 'value')
      const start = node?.range?.[0] ?? 0
      if (!isScalar(node) || typeof node.value !== 'string') return this.place(path)
      const raw = text.slice(start, node.range?.[1] ?? start)
      // The value stands in the source as it is, but for quoting, escapes and folded lines.
      const lineStart = node.value.lastIndexOf('\n', offset) + 1
      const wanted = node.value.slice(lineStart, offset + length).split('\n')[0] ?? ''
      const found = wanted === '' ? -1 : raw.indexOf(wanted)
      if (found >= 0)
        return placeAt(text, file, lines, start + found + (offset - lineStart), length)
      // Something before it is written otherwise: it is the same words, counted from the beginning.
      const words = node.value.slice(offset, offset + length)
      const before = node.value.slice(0, offset).split(words).length - 1
      const at = words === '' ? -1 : raw.split(words, before + 1).join(words).length
      return at < 0 || !raw.startsWith(words, at)
        ? this.place(path)
        : placeAt(text, file, lines, start + at, length)
    },
  }
}

function placeAt(
  text: string,
  file: string,
  lines: LineCounter,
  offset: number,
  length: number,
): Place {
  const { line, col } = lines.linePos(offset)
  const start = offset - (col - 1)
  return {
    file,
    line: Math.max(1, line),
    column: Math.max(1, col),
    length: Math.max(1, length),
    text: text.slice(start, lineEnd(text, offset)),
  }
}

function lineEnd(text: string, offset: number): number {
  const end = text.indexOf('\n', offset)
  return end < 0 ? text.length : end
}

const escapeSingle = (text: string) => text.trim().replaceAll("'", "''")
const keyed = (key: string | undefined) => (key === undefined ? '' : `${key}: `)

/** A number that comes out as it was written. */
function isPlainNumber(value: number): boolean {
  return Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value)
}

function tagText(text: string, node: ParsedNode): string {
  // The tag stands before the node's own range: go back to where the value begins on its line.
  const start = text.lastIndexOf('!', node.range[0])
  return start < 0 ? '' : text.slice(start, lineEnd(text, start))
}

function syntaxError(
  error: YAMLError,
  text: string,
  at: (offset: number, length?: number) => Place,
): Diagnostic {
  const place = at(error.pos[0], 1)
  const line = place.text ?? ''
  const message = firstSentence(error.message)
  if (error.code === 'DUPLICATE_KEY') {
    return {
      severity: 'error',
      code: 'yaml-syntax',
      message: 'a key stands twice in one mapping',
      place,
      help: 'remove one of the two',
    }
  }
  const expression = /^(\s*(?:- )?)([\w-]+):\s+(.*(?:\$\{\{|\?|&&|\|\|).*)$/.exec(line)
  if (expression) {
    return {
      severity: 'error',
      code: 'yaml-unquoted',
      message: `YAML can't read this expression without quotes (${message})`,
      place,
      help: `quote the value: ${expression[2]}: '${escapeSingle(expression[3] ?? '')}'`,
    }
  }
  return {
    severity: 'error',
    code: 'yaml-syntax',
    message: `this is no YAML: ${message}`,
    place,
    ...(text === '' ? { help: 'the file is empty' } : {}),
  }
}

function firstSentence(message: string): string {
  return (
    message
      .split('\n')[0]
      ?.replace(/ at line \d+, column \d+:?$/, '')
      .replace(/[.:]$/, '') ?? message
  )
}
