import type { Diagnostic, Place } from './diagnostic.ts'
import { visible, visibleLine } from './visible.ts'

/** How text is to look. `paint` is the identity where colour is not wanted. */
export interface RenderOptions {
  readonly oneLine?: boolean
  readonly paint?: Paint
}
export type Tone = 'error' | 'warning' | 'notice' | 'added' | 'removed' | 'dim' | 'bold'
export type Paint = (tone: Tone, text: string) => string

const plain: Paint = (_tone, text) => text

/**
 * A diagnostic in the form of the house: place, severity, sentence, code;
 * the line and caret; expected, found, help.
 */
export function renderDiagnostic(diagnostic: Diagnostic, options: RenderOptions = {}): string {
  const paint = options.paint ?? plain
  const shown = visibleDiagnostic(diagnostic)
  return options.oneLine ? oneLine(shown) : block(shown, paint)
}

/** The same with nothing in it that could steer a terminal. */
function visibleDiagnostic({ place, related, ran, ...diagnostic }: Diagnostic): Diagnostic {
  const { message, expected, found, help } = diagnostic
  return {
    ...diagnostic,
    message: visibleLine(message),
    ...(expected === undefined ? {} : { expected: visible(expected) }),
    ...(found === undefined ? {} : { found: visible(found) }),
    ...(help === undefined ? {} : { help: visible(help) }),
    ...(place ? { place: visiblePlace(place) } : {}),
    ...(related
      ? {
          related: related.map((other) => ({
            message: visibleLine(other.message),
            ...(other.place ? { place: visiblePlace(other.place) } : {}),
          })),
        }
      : {}),
    ...(ran
      ? {
          ran: {
            argv: ran.argv.map(visibleLine),
            exit: visibleLine(ran.exit),
            output: visible(ran.output),
          },
        }
      : {}),
  }
}

/** The line stays as long as it was, so that the caret stays under its word. */
function visiblePlace(place: Place): Place {
  const { text } = place
  const file = visibleLine(place.file)
  if (text === undefined) return { ...place, file }
  return {
    ...place,
    file,
    text: text.replace(/./g, (character) =>
      character === '\t' || visible(character) === character ? character : '·',
    ),
  }
}

/** Sorted by file and place, errors of the same place kept in the order in which they were found. */
export function sortByPlace(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return diagnostics
    .map((diagnostic, index) => ({ diagnostic, index }))
    .sort((a, b) => {
      const p = a.diagnostic.place
      const q = b.diagnostic.place
      if (!p || !q) return p ? -1 : q ? 1 : a.index - b.index
      if (p.file !== q.file) return p.file < q.file ? -1 : 1
      return p.line - q.line || p.column - q.column || a.index - b.index
    })
    .map((entry) => entry.diagnostic)
}

/** Each mistake once, also where it was found on two ways. */
export function uniqueDiagnostics(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Set<string>()
  return diagnostics.filter(({ code, message, place }) => {
    const key = `${code} ${message} ${place?.file}:${place?.line}:${place?.column}`
    return !seen.has(key) && seen.add(key)
  })
}

function renderPlace(place: Place): string {
  return `${place.file}:${place.line}:${place.column}`
}

function head(diagnostic: Diagnostic): string {
  return diagnostic.place ? `${renderPlace(diagnostic.place)}: ` : ''
}

/** The notice of a class has no code but the word that it begins with. */
function codeOf({ severity, code }: Diagnostic): string {
  return code === severity ? '' : ` [${code}]`
}

function oneLine(diagnostic: Diagnostic): string {
  const parts = [
    `${head(diagnostic)}${diagnostic.severity}: ${diagnostic.message}${codeOf(diagnostic)}`,
  ]
  if (diagnostic.expected !== undefined) parts.push(`expected ${diagnostic.expected}`)
  if (diagnostic.found !== undefined) parts.push(`found ${diagnostic.found}`)
  for (const other of diagnostic.related ?? []) {
    parts.push(other.place ? `${other.message} at ${renderPlace(other.place)}` : other.message)
  }
  if (diagnostic.ran) parts.push(`ran ${diagnostic.ran.argv.join(' ')} (${diagnostic.ran.exit})`)
  if (diagnostic.help !== undefined) parts.push(diagnostic.help)
  return parts.join('; ').replaceAll('\n', '\\n')
}

function block(diagnostic: Diagnostic, paint: Paint): string {
  const lines = [
    `${head(diagnostic)}${paint(diagnostic.severity, `${diagnostic.severity}:`)} ${paint('bold', diagnostic.message)}${paint('dim', codeOf(diagnostic))}`,
    ...excerpt(diagnostic.place, paint),
  ]
  const field = (name: string, value: string | undefined) => {
    if (value === undefined) return
    lines.push(`  ${name.padEnd(9)} ${value.split('\n').join(`\n${' '.repeat(12)}`)}`)
  }
  field('expected', diagnostic.expected)
  field('found', diagnostic.found)
  for (const other of diagnostic.related ?? []) {
    field('see', other.place ? `${renderPlace(other.place)}: ${other.message}` : other.message)
  }
  if (diagnostic.ran) {
    field('ran', diagnostic.ran.argv.join(' '))
    field('exit', diagnostic.ran.exit)
    field('output', diagnostic.ran.output.trimEnd() || undefined)
  }
  field('help', diagnostic.help)
  return lines.join('\n')
}

function excerpt(place: Place | undefined, paint: Paint): string[] {
  if (place?.text === undefined) return []
  const number = String(place.line).padStart(5)
  const text = place.text.replaceAll('\t', ' ')
  const width = Math.max(1, Math.min(place.length ?? 1, text.length - place.column + 1))
  const caret = `${' '.repeat(place.column - 1)}${'^'.repeat(width)}`
  return [
    `${paint('dim', `${number} |`)} ${text}`,
    `${paint('dim', '      |')} ${paint('error', caret)}`,
  ]
}
