import { bare, spliced, type TextFile } from './text-file.ts'

type Text = Pick<TextFile, 'lines' | 'end'>

/** Which setting of which section; `""` is the part before the first header. */
export interface IniName {
  readonly section: string
  readonly setting: string
}

/** A setting as it stands: its lines and its value. */
interface Occurrence {
  /** Indexes of lines: the first, and the one behind the last. */
  readonly from: number
  readonly to: number
  readonly indent: string
  /** With the blanks around it; absent where the name stands alone. */
  readonly separator: string | undefined
  /** Lines of a value that goes on are joined by newlines. */
  readonly value: string
}

interface Section {
  readonly name: string
  /** The index of its header; -1 for the part before the first one. */
  readonly header: number
  /** The index behind its last line. */
  readonly to: number
}

const headerPattern = /^\s*\[(.*?)\]\s*(?:[#;].*)?$/
const settingPattern = /^([ \t]*)([^=:[#;\s][^=:]*?)(?:([ \t]*[=:][ \t]*)(.*?))?[ \t]*$/

/** The values that a setting has, one for each time that it stands there. */
export function iniValues(text: Text, name: IniName): string[] {
  return occurrences(text, name).map(({ value }) => value)
}

/**
 * The lines with the setting at that value wherever it stands, each with its own separator; where it stands
 * nowhere, added at the end of its section.
 */
export function withIniValue(
  text: Text,
  name: IniName,
  value: string,
  separator: string,
): readonly string[] {
  const found = occurrences(text, name)
  if (found.length === 0) return withNewSetting(text, name, `${name.setting}${separator}${value}`)
  return found.reduceRight<readonly string[]>((lines, occurrence) => {
    const kept = occurrence.value === '' ? undefined : occurrence.separator
    const line = `${occurrence.indent}${name.setting}${kept ?? separator}${value}`.trimEnd()
    const { from, to } = occurrence
    return spliced({ ...text, lines }, from, to - from, line)
  }, text.lines)
}

/** The lines without the setting; a section whose last setting goes loses its header. */
export function withoutIniSetting(text: Text, name: IniName): readonly string[] {
  const found = occurrences(text, name)
  const gone = new Set(found.flatMap(({ from, to }) => range(from, to)))
  for (const section of sections(text.lines)) {
    if (section.header < 0 || !found.some(({ from }) => isWithin(section, from))) continue
    for (const at of emptied(text.lines, section, gone)) gone.add(at)
  }
  return text.lines.filter((_line, at) => !gone.has(at))
}

/** What else goes with the last setting of a section: nothing where a setting or a comment is left in it. */
function emptied(
  lines: readonly string[],
  section: Section,
  gone: ReadonlySet<number>,
): readonly number[] {
  const isLast = section.to === lines.length
  const end = isLast ? section.to : aboveComments(lines, section.to)
  const left = range(section.header + 1, end).filter((at) => !gone.has(at))
  if (left.some((at) => !isBlank(lines[at]))) return []
  const from = aboveComments(lines, section.header)
  // Of the blank lines around it one gap stays, and none at the end of the file.
  const gap = isLast ? range(aboveBlanks(lines, from), from) : []
  return [...gap, ...range(from, section.header + 1), ...left]
}

function withNewSetting(text: Text, { section: name }: IniName, line: string): readonly string[] {
  const { lines } = text
  const added = line.trimEnd()
  const section = sections(lines).findLast((each) => each.name === name)
  if (section === undefined) {
    const needsGap = lines.length > 0 && !isBlank(lines.at(-1))
    return spliced(text, lines.length, 0, ...(needsGap ? [''] : []), `[${name}]`, added)
  }
  const { header, to } = section
  const bottom = to === lines.length ? to : aboveComments(lines, to)
  const at = Math.max(aboveBlanks(lines, bottom), header + 1)
  const last = occurrencesIn(lines, section).at(-1)
  const isFirst = header < 0 && last === undefined
  const needsGap = isFirst && at < lines.length && !isBlank(lines[at])
  return spliced(text, at, 0, `${last?.indent ?? ''}${added}`, ...(needsGap ? [''] : []))
}

function occurrences({ lines }: Text, { section, setting }: IniName): Occurrence[] {
  return sections(lines)
    .filter(({ name }) => name === section)
    .flatMap((each) => occurrencesIn(lines, each).filter(({ name }) => name === setting))
}

/** Every setting of a section. */
function occurrencesIn(
  lines: readonly string[],
  { header, to: end }: Section,
): (Occurrence & { readonly name: string })[] {
  const found: (Occurrence & { readonly name: string })[] = []
  for (let from = header + 1; from < end; from++) {
    const [, indent = '', name, separator, first = ''] =
      settingPattern.exec(textAt(lines, from)) ?? []
    if (name === undefined) continue
    const values = [first]
    let to = from + 1
    for (; to < end && goesOn(textAt(lines, to), indent); to++)
      values.push(textAt(lines, to).trim())
    found.push({ name, from, to, indent, separator, value: values.join('\n') })
    from = to - 1
  }
  return found
}

/** A line that is indented further and is no setting of its own continues the value above it. */
function goesOn(line: string, indent: string): boolean {
  const [, own = '', name, separator] = settingPattern.exec(line) ?? []
  return name !== undefined && separator === undefined && own.length > indent.length
}

function sections(lines: readonly string[]): Section[] {
  const headers = lines.flatMap((line, at) => {
    const name = headerPattern.exec(bare(line))?.[1]
    return name === undefined ? [] : [{ name: name.trim(), header: at }]
  })
  return [{ name: '', header: -1 }, ...headers].map((section, index) => ({
    ...section,
    to: headers[index]?.header ?? lines.length,
  }))
}

/** The comment right above a header belongs to it. */
function aboveComments(lines: readonly string[], at: number): number {
  let above = at
  while (above > 0 && isComment(lines[above - 1])) above--
  return above
}

function aboveBlanks(lines: readonly string[], at: number): number {
  let above = at
  while (above > 0 && isBlank(lines[above - 1])) above--
  return above
}

function isWithin({ header, to }: Section, at: number): boolean {
  return at > header && at < to
}

function isComment(line: string | undefined): boolean {
  return line !== undefined && /^\s*[#;]/.test(line)
}

function isBlank(line: string | undefined): boolean {
  return line !== undefined && line.trim() === ''
}

function textAt(lines: readonly string[], at: number): string {
  return bare(lines[at] ?? '')
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_none, at) => from + at)
}
