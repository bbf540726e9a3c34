import type { Diagnostic, Place } from '../diagnostics/diagnostic.ts'
import { type ConfFault, type ConfLine, readLines } from './conf-lines.ts'

/**
 * A value, and where it stands: at the value itself, or at the setting's name where its first line is empty.
 */
export interface ConfEntry {
  readonly value: string
  readonly place: Place
  /** Where the setting's name stands. */
  readonly name: Place
}

/** What zulip.conf says. Names of sections are exact, names of settings are in lower case. */
export interface Conf {
  readonly file: string
  /** The setting of that section, else that of [DEFAULT]; undefined too where the section does not exist. */
  get(section: string, key: string): ConfEntry | undefined
  /**
   * All that `get` finds there, in file order, what [DEFAULT] names first;
   * undefined where the section does not exist.
   */
  section(name: string): ReadonlyMap<string, ConfEntry> | undefined
  /** In file order, without DEFAULT. */
  sections(): readonly string[]
  /** Where the header of a section stands; undefined where the section does not exist. */
  header(section: string): Place | undefined
}

/** The section whose settings show in all others. */
export const defaultSection = 'DEFAULT'

/**
 * Reads zulip.conf as Python 3.11's RawConfigParser does, or tells every mistake (code conf-syntax).
 * `file` is how the user would name it.
 */
export function parseConf(
  text: string,
  file: string,
): { readonly conf: Conf } | { readonly diagnostics: readonly Diagnostic[] } {
  const { sections, headers, diagnostics } = collect(readLines(text), file)
  return diagnostics.length > 0 ? { diagnostics } : { conf: confOf(sections, headers, file) }
}

/** The name that a setting is looked up by. */
export function settingName(name: string): string {
  return name.toLowerCase()
}

type Sections = Map<string, Map<string, ConfEntry>>

function confOf(sections: Sections, headers: ReadonlyMap<string, Place>, file: string): Conf {
  const defaults = sections.get(defaultSection) ?? new Map<string, ConfEntry>()
  const section = (name: string): ReadonlyMap<string, ConfEntry> | undefined => {
    const own = name === defaultSection ? defaults : sections.get(name)
    return own && new Map([...defaults, ...own])
  }
  return {
    file,
    section,
    get(name, key) {
      const own = name === defaultSection ? defaults : sections.get(name)
      return own && (own.get(settingName(key)) ?? defaults.get(settingName(key)))
    },
    header: (name) => headers.get(name),
    sections: () => [...sections.keys()].filter((name) => name !== defaultSection),
  }
}

function collect(lines: readonly ConfLine[], file: string) {
  const sections: Sections = new Map()
  const headers = new Map<string, Place>()
  const diagnostics: Diagnostic[] = []
  let name = ''
  let section = new Map<string, ConfEntry>()
  for (const [index, line] of lines.entries()) {
    if (line.kind === 'header') {
      const place = placeOf(line, file)
      const first = headers.get(line.section)
      name = line.section
      section = sections.get(name) ?? new Map()
      sections.set(name, section)
      if (!first) headers.set(name, place)
      else if (name !== defaultSection) diagnostics.push(repeatedSection(name, place, first))
    } else if (line.kind === 'option') {
      const key = settingName(line.name)
      const first = section.get(key)
      const entry = {
        value: joinedValue(lines, index),
        place: valuePlace(line, file),
        name: namePlace(line, file),
      }
      if (!first) section.set(key, entry)
      else diagnostics.push(repeatedSetting(name, key, namePlace(line, file), first.place))
    } else if (line.kind === 'broken') {
      // Every line before the first header has the same fault: it is told once.
      const isTold = line.fault === 'no-section' && diagnostics.length > 0
      if (!isTold) diagnostics.push(broken(line, file))
    }
  }
  return { sections, headers, diagnostics }
}

/** The lines of a value joined by newlines; blank lines among them count, comments do not. */
function joinedValue(lines: readonly ConfLine[], index: number): string {
  const parts: string[] = []
  for (const line of lines.slice(index, endOfValue(lines, index))) {
    if (line.kind === 'option' || line.kind === 'continuation') parts.push(line.value)
    else if (line.kind === 'blank') parts.push('')
  }
  return parts.join('\n')
}

/** The index behind the last continuation line of the setting at `index`. */
export function endOfValue(lines: readonly ConfLine[], index: number): number {
  let end = index + 1
  for (let next = end; next < lines.length; next += 1) {
    const kind = lines[next]?.kind
    if (kind === 'continuation') end = next + 1
    else if (kind !== 'blank' && kind !== 'comment') break
  }
  return end
}

function broken(line: ConfLine & { readonly fault: ConfFault }, file: string): Diagnostic {
  const common = {
    severity: 'error',
    code: 'conf-syntax',
    place: placeOf(line, file),
    found: line.text.trim(),
  } as const
  switch (line.fault) {
    case 'no-section':
      return {
        ...common,
        message: 'a setting stands before the first section',
        expected: 'a header such as [machine] above it',
        help: line.text.startsWith('\ufeff')
          ? 'save the file as UTF-8 without a byte order mark: it begins with one'
          : 'write the header of its section above this line',
      }
    case 'no-delimiter':
      return {
        ...common,
        message: 'a line is no header, no setting and no comment',
        expected: 'name = value',
        help: 'indent it to continue the value above, or begin it with "#"',
      }
    case 'no-name':
      return {
        ...common,
        message: 'a setting has no name',
        expected: 'name = value',
        help: 'write a name before the separator, or begin the line with "#"',
      }
    default:
      return line.fault satisfies never
  }
}

function repeatedSection(name: string, place: Place, first: Place): Diagnostic {
  return {
    severity: 'error',
    code: 'conf-syntax',
    message: `section [${name}] is there twice`,
    place,
    expected: 'each section once',
    help: `move these settings to line ${first.line}, where [${name}] begins`,
    related: [{ message: `[${name}] begins here`, place: first }],
  }
}

function repeatedSetting(section: string, key: string, place: Place, first: Place): Diagnostic {
  return {
    severity: 'error',
    code: 'conf-syntax',
    message: `section [${section}] sets ${key} twice`,
    place,
    expected: 'each setting once; upper and lower case are the same',
    help: `delete this line or line ${first.line}`,
    related: [{ message: `${key} is set here first`, place: first }],
  }
}

function valuePlace(line: ConfLine & { kind: 'option' }, file: string): Place {
  return line.value === ''
    ? namePlace(line, file)
    : placeOf(line, file, line.valueStart, line.value.length)
}

function namePlace(line: ConfLine & { kind: 'option' }, file: string): Place {
  return placeOf(line, file, line.indent, line.name.length)
}

function placeOf(
  { number, text, indent }: ConfLine,
  file: string,
  start = indent,
  length = text.trim().length,
): Place {
  return {
    file,
    line: number,
    column: characters(text.slice(0, start)) + 1,
    length: characters(text.slice(start, start + length)),
    text,
  }
}

/** A place counts characters, a string counts UTF-16 units. */
function characters(text: string): number {
  return Array.from(text).length
}
