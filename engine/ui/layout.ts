import { stripVTControlCharacters } from 'node:util'
import stringWidth from 'string-width'
import type { Paint } from '../diagnostics/render.ts'

/** Text of one column a character, which is nearly all: the general answer takes a hundred times longer. */
const SINGLE = /^[\x20-\x7e\u00a1-\u00ac\u00ae-\u02ff\u2190-\u21ff…–]*$/

/** How many columns of a terminal a line takes; colour takes none. */
export function columnsOf(text: string): number {
  const bare = stripVTControlCharacters(text)
  return SINGLE.test(bare) ? bare.length : stringWidth(bare)
}

/** Fills up with blanks on the right to so many columns. */
export function padTo(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - columnsOf(text)))
}

/** Breaks a line between words; a word that is too long for the width keeps a line of its own. */
export function wrapWords(text: string, width: number): string[] {
  if (columnsOf(text) <= width) return [text]
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line !== '' && columnsOf(longer) > width) {
      lines.push(line)
      line = word
    } else line = longer
  }
  return [...lines, line]
}

/** Columns that a text needs beside something; with less it stands below. */
export const LEAST_ROOM = 40
/** A narrower column is no help: a line goes over the edge instead. */
const NARROWEST = 20

/** Breaks a text between words into lines that stand so far in. */
export function wrapIndented(text: string, width: number, margin: number): string[] {
  return wrapWords(text, Math.max(NARROWEST, width - margin)).map((line) => indent(line, margin))
}

/** A name and what is noted of it: behind it where that fits, else below and further in. */
export function withNotes(
  {
    name,
    notes,
    margin,
  }: { readonly name: string; readonly notes: string; readonly margin: number },
  paint: Paint,
  width: number,
): string[] {
  const line = `${' '.repeat(margin)}${paint('bold', name)}  ${paint('dim', notes)}`
  if (columnsOf(line) <= width) return [line]
  const below = wrapIndented(notes, width, margin + 2)
  return [indent(paint('bold', name), margin), ...below.map((each) => paint('dim', each))]
}

/** Puts every line of a text this far in. */
export function indent(text: string, columns: number): string {
  const blanks = ' '.repeat(columns)
  return text
    .split('\n')
    .map((line) => blanks + line)
    .join('\n')
}

/** Rows as columns that line up, the heading first. The last column may be of any length. */
export function renderTable(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
): string[] {
  const all = [heading, ...rows]
  const widths = heading.map((_, column) =>
    Math.max(...all.map((row) => columnsOf(row[column] ?? ''))),
  )
  return all.map((row) =>
    row
      .map((cell, column) => padTo(cell, widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
