import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { type Conf, defaultSection, endOfValue, parseConf, settingName } from './conf.ts'
import { type ConfLine, readLines, stripEnd } from './conf-lines.ts'

/** The whole new text, or why nothing was edited. */
export type ConfEdit = { readonly text: string } | { readonly diagnostics: readonly Diagnostic[] }

/**
 * zulip.conf with that setting in that section, all else byte for byte as it was. A setting that is there keeps
 * its line; a new one goes to the end of its section, written as the settings around it are; a new section goes
 * to the end of the file. Refused (conf-syntax): a file with mistakes, and a name or value that would not be
 * read back as given, such as a value of several lines. `file` is how mistakes name it.
 */
export function setConf(
  text: string,
  section: string,
  key: string,
  value: string,
  file = 'zulip.conf',
): ConfEdit {
  const parsed = parseConf(text, file)
  if ('diagnostics' in parsed) return parsed
  const refused = refusal(section, key, value)
  if (refused) return { diagnostics: [refused] }
  const lines = readLines(text)
  const at = findSetting(lines, section, key)
  const edited =
    at === undefined ? insertSetting(lines, section, key, value) : replaceValue(lines, at, value)
  return isFaithful(parsed.conf, edited, { section, key, value })
    ? { text: edited }
    : { diagnostics: [unwritable(section, key, value)] }
}

/**
 * zulip.conf without that setting; its section's header and all comments stay. Unchanged where it is not set.
 */
export function unsetConf(
  text: string,
  section: string,
  key: string,
  file = 'zulip.conf',
): ConfEdit {
  const parsed = parseConf(text, file)
  if ('diagnostics' in parsed) return parsed
  const lines = readLines(text)
  const at = findSetting(lines, section, key)
  if (at === undefined) return { text }
  const removed = lines.slice(at, endOfValue(lines, at)).filter((line) => line.kind !== 'comment')
  return { text: joined(lines.filter((line) => !removed.includes(line))) }
}

/** The index of the line that sets it in that very section. */
function findSetting(lines: readonly ConfLine[], section: string, key: string): number | undefined {
  let current: string | undefined
  for (const [index, line] of lines.entries()) {
    if (line.kind === 'header') current = line.section
    const isName = line.kind === 'option' && settingName(line.name) === settingName(key)
    if (isName && current === section) return index
  }
  return undefined
}

/** What stood on further lines goes; comments between them stay. */
function replaceValue(lines: readonly ConfLine[], at: number, value: string): string {
  const end = endOfValue(lines, at)
  return joined(
    lines.flatMap((line, index) => {
      if (index < at || index >= end) return [line]
      if (line.kind === 'option') return [{ ...line, text: withValue(line, value) }]
      return line.kind === 'comment' ? [line] : []
    }),
  )
}

function withValue(line: ConfLine & { kind: 'option' }, value: string): string {
  const before = line.text.slice(0, line.valueStart)
  const after = line.text.slice(line.valueStart + line.value.length)
  if (value === '') return stripEnd(before)
  // "name =" without a value shows by the blank before "=" that one belongs after it.
  const isSpaced = /^\s/.test(line.separator) && !/\s$/.test(line.separator + after)
  return line.value === '' && isSpaced ? `${before}${after} ${value}` : `${before}${value}${after}`
}

function insertSetting(
  lines: readonly ConfLine[],
  section: string,
  key: string,
  value: string,
): string {
  const end = lines.find((line) => line.end !== '')?.end ?? '\n'
  const header = lines.findLastIndex((line) => line.kind === 'header' && line.section === section)
  const { separator } = lastOption(lines, header) ?? { separator: ' = ' }
  const setting = stripEnd(`${key}${separator}${value}`)
  if (header < 0) {
    const needsBlank = lines.length > 0 && lines.at(-1)?.kind !== 'blank'
    const added = `${needsBlank ? end : ''}[${section}]${end}${setting}${end}`
    return joined(terminated(lines, end)) + added
  }
  const at = endOfSection(lines, header)
  const before = terminated(lines.slice(0, at), end)
  return `${joined(before)}${indentAt(lines, header, at)}${setting}${end}${joined(lines.slice(at))}`
}

/** The last setting of that section that shows a separator before a value, else the last of the file. */
function lastOption(
  lines: readonly ConfLine[],
  header: number,
): (ConfLine & { kind: 'option' }) | undefined {
  const isModel = (line: ConfLine) => line.kind === 'option' && line.value !== ''
  const own =
    header < 0 ? undefined : lines.slice(header, nextHeader(lines, header)).findLast(isModel)
  const model = own ?? lines.findLast(isModel)
  return model?.kind === 'option' ? model : undefined
}

function nextHeader(lines: readonly ConfLine[], header: number): number {
  const next = lines.findIndex((line, index) => index > header && line.kind === 'header')
  return next < 0 ? lines.length : next
}

/**
 * Behind the section's last line, before the blank lines that end it and
 * the comment right above the next header.
 */
function endOfSection(lines: readonly ConfLine[], header: number): number {
  const next = nextHeader(lines, header)
  let at = next
  if (next < lines.length) while (lines[at - 1]?.kind === 'comment') at -= 1
  while (lines[at - 1]?.kind === 'blank') at -= 1
  return at
}

/**
 * The indentation of the section's settings; in an empty section that of the line that follows, which would
 * otherwise become a continuation of the new setting.
 */
function indentAt(lines: readonly ConfLine[], header: number, at: number): string {
  const last = lines.slice(header, at).findLast((line) => line.kind === 'option')
  const next = lines.slice(at).find((line) => line.kind === 'header' || line.kind === 'option')
  const model = last ?? next
  return model ? model.text.slice(0, model.indent) : ''
}

/** With an end on the last line, so that something can follow it. */
function terminated(lines: readonly ConfLine[], end: string): ConfLine[] {
  return lines.map((line) => (line.end === '' ? { ...line, end } : line))
}

function joined(lines: readonly ConfLine[]): string {
  return lines.map((line) => line.text + line.end).join('')
}

interface Setting {
  readonly section: string
  readonly key: string
  readonly value: string
}

/** Whether the edited text says what was asked, and otherwise what the file said before. */
function isFaithful(before: Conf, edited: string, { section, key, value }: Setting): boolean {
  const parsed = parseConf(edited, before.file)
  if ('diagnostics' in parsed) return false
  const after = parsed.conf
  if (after.get(section, key)?.value !== value) return false
  const name = settingName(key)
  // A section that is new shows what DEFAULT says.
  const show = (conf: Conf, at: string) => conf.section(at) ?? conf.section(defaultSection)
  const isKept = (conf: Conf, other: Conf, at: string) =>
    [...(show(conf, at) ?? [])].every(
      ([each, entry]) => each === name || show(other, at)?.get(each)?.value === entry.value,
    )
  return [defaultSection, ...before.sections(), ...after.sections()].every(
    (at) => isKept(before, after, at) && isKept(after, before, at),
  )
}

function refusal(section: string, key: string, value: string): Diagnostic | undefined {
  return /[\r\n]/.test(section + key + value) ? unwritable(section, key, value) : undefined
}

function unwritable(section: string, key: string, value: string): Diagnostic {
  const found = JSON.stringify(/[\r\n]/.test(value) ? value : `[${section}] ${key} = ${value}`)
  return {
    severity: 'error',
    code: 'conf-syntax',
    message: `${section}.${key} can't be written to zulip.conf so that it is read back as given`,
    expected: 'a value on one line without blanks around it, under a name without "=" and ":"',
    found,
    help: 'give several values as a comma-separated list, and edit anything else by hand',
  }
}
