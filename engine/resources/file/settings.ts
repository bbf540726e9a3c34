/** How a file says settings: `ini` has sections, `settings` has none. */
export type Format = 'ini' | 'settings'

/** A setting with all its lines, or a line that is none: a comment, a header, nothing. */
export interface Item {
  /** The same for the same setting, and for lines with the same text. */
  readonly key: string
  readonly isSetting: boolean
  /** The index of its first line. */
  readonly at: number
  readonly lines: readonly string[]
}

const header = /^\s*\[(.*?)\]/
const names = {
  ini: /^\s*([^=:[#;\s][^=:]*?)\s*(?:[=:]|$)/,
  settings: /^\s*([^=#;\s]+)(?:\s*=|\s+|$)/,
} as const

/** The lines of a file as items, each line in one of them. */
export function itemsOf(lines: readonly string[], format: Format): Item[] {
  const items: Item[] = []
  let section = ''
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? ''
    const opened = format === 'ini' ? header.exec(line)?.[1] : undefined
    if (opened !== undefined) section = opened
    const name = opened === undefined ? names[format].exec(line)?.[1] : undefined
    let end = at + 1
    if (name !== undefined) while (end < lines.length && goesOn(lines, end, format)) end++
    const key = name === undefined ? `line\0${line}` : `setting\0${section}\0${name}`
    items.push({ key, isSetting: name !== undefined, at, lines: lines.slice(at, end) })
    at = end
  }
  return items
}

/** Whether a line belongs to the setting before it. Source: Python's configparser; systemd.syntax(7). */
function goesOn(lines: readonly string[], at: number, format: Format): boolean {
  if (lines[at - 1]?.endsWith('\\')) return true
  const line = lines[at] ?? ''
  return format === 'ini' && /^\s+\S/.test(line) && !/^\s*[#;[]/.test(line)
}
