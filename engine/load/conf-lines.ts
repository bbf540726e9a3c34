/** Why a line of zulip.conf can't be read. */
export type ConfFault = 'no-section' | 'no-delimiter' | 'no-name'

interface Common {
  /** Counted from 1. */
  readonly number: number
  /** The line without its end. */
  readonly text: string
  /** "\n", "\r\n", "\r", or "" for a last line without one. */
  readonly end: string
  /** How many white-space characters it begins with. */
  readonly indent: number
}
export type ConfLine =
  | (Common & { readonly kind: 'blank' | 'comment' })
  | (Common & { readonly kind: 'header'; readonly section: string })
  | (Common & OptionParts)
  /** One more line of the value above. */
  | (Common & { readonly kind: 'continuation'; readonly value: string })
  | (Common & { readonly kind: 'broken'; readonly fault: ConfFault })

interface OptionParts {
  readonly kind: 'option'
  /** As written; it is looked up in lower case. */
  readonly name: string
  readonly value: string
  /** Where the value starts in `text`: right behind the separator and its blanks. */
  readonly valueStart: number
  /** The separator with the blanks around it, such as " = ". */
  readonly separator: string
}

/**
 * Takes zulip.conf apart, line by line: the texts and ends put together again are the file. Which line is what
 * follows Python 3.11's RawConfigParser. Source: the Python library reference, "configparser", and its
 * behaviour, which the tests compare with.
 */
export function readLines(text: string): ConfLine[] {
  const lines: ConfLine[] = []
  let hasSection = false
  let hasOption = false
  let outerIndent = 0
  for (const [whole] of text.matchAll(/[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$/g)) {
    const body = whole.replace(/[\r\n]+$/, '')
    const content = strip(body)
    const common: Common = {
      number: lines.length + 1,
      text: body,
      end: whole.slice(body.length),
      indent: content === '' ? 0 : body.indexOf(content),
    }
    if (content === '') {
      lines.push({ ...common, kind: 'blank' })
    } else if (content.startsWith('#') || content.startsWith(';')) {
      lines.push({ ...common, kind: 'comment' })
    } else if (hasOption && common.indent > outerIndent) {
      lines.push({ ...common, kind: 'continuation', value: content })
    } else {
      outerIndent = common.indent
      const section = headerOf(content)
      if (section !== undefined) {
        hasSection = true
        hasOption = false
        lines.push({ ...common, kind: 'header', section })
      } else if (!hasSection) {
        lines.push({ ...common, kind: 'broken', fault: 'no-section' })
      } else {
        const option = optionOf(content, common.indent)
        // Below a line that can't be read, indented lines are taken as
        // its continuation: one mistake, told once.
        hasOption ||= option.kind === 'option'
        lines.push({ ...common, ...option })
      }
    }
  }
  return lines
}

/** Python takes everything up to the last bracket of the line, and ignores what follows it. */
function headerOf(content: string): string | undefined {
  const close = content.lastIndexOf(']')
  return content.startsWith('[') && close > 1 ? content.slice(1, close) : undefined
}

function optionOf(
  content: string,
  indent: number,
): OptionParts | { readonly kind: 'broken'; readonly fault: ConfFault } {
  const at = content.search(/[=:]/)
  if (at < 0) return { kind: 'broken', fault: 'no-delimiter' }
  if (at === 0) return { kind: 'broken', fault: 'no-name' }
  const name = strip(content.slice(0, at))
  const value = strip(content.slice(at + 1))
  const start = value === '' ? content.length : content.length - value.length
  return {
    kind: 'option',
    name,
    value,
    valueStart: indent + start,
    separator: content.slice(name.length, start),
  }
}

/**
 * Without the white space around it, as Python knows it: U+001C to U+001F and U+0085 count, U+FEFF does not.
 */
function strip(text: string): string {
  let start = 0
  while (start < text.length && isSpace(text.charCodeAt(start))) start += 1
  return stripEnd(text.slice(start))
}

export function stripEnd(text: string): string {
  let end = text.length
  while (end > 0 && isSpace(text.charCodeAt(end - 1))) end -= 1
  return text.slice(0, end)
}

function isSpace(code: number): boolean {
  if (code < 0x80) return (code >= 0x09 && code <= 0x0d) || (code >= 0x1c && code <= 0x20)
  return (code >= 0x2000 && code <= 0x200a) || otherSpaces.has(code)
}
const otherSpaces = new Set([0x85, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000])
