import { type Region, regionsOf } from './merge-lines.ts'
import { mergeSettings, type SettingConflict } from './merge-settings.ts'
import type { Format } from './settings.ts'

/** Lines that both sides changed, in different ways. Texts without their line ends' difference. */
export interface Conflict {
  /** Where they begin in the present text, from 1. */
  readonly line: number
  readonly present: readonly string[]
  readonly base: readonly string[]
  readonly wanted: readonly string[]
}

/** What becomes of two descendants of one text. */
export type Merge =
  | { readonly merged: Buffer }
  | { readonly conflicts: readonly Conflict[] }
  /** Why they are not merged at all. */
  | { readonly unmergeable: string }

/**
 * Merges what two sides made of one base: `present` on the host, `wanted` of the manifests. By lines; where the format
 * is told, by settings, so that two that stand side by side do not contradict each other. Bytes are kept as they are,
 * UTF-8 or not; line ends and a missing last newline are the side's that changed them.
 */
export function merge(
  base: Uint8Array,
  present: Uint8Array,
  wanted: Uint8Array,
  format?: Format,
): Merge {
  const sides = [base, present, wanted].map(textOf) as [Text, Text, Text]
  if (sides.some(({ isBinary }) => isBinary)) return { unmergeable: 'it is no text' }
  const [of, here, there] = sides
  const regions = regionsOf(of.lines, here.lines, there.lines)
  if (!regions) return { unmergeable: 'too many of its lines differ' }
  const lines = { base: of.lines, here: here.lines, there: there.lines }
  const found = format ? mergeSettings(regions, lines, format) : mergeLines(regions)
  if ('conflicts' in found) {
    const conflicts = found.conflicts.map(({ at, here: present, base, there: wanted }) => {
      return { line: at + 1, present, base, wanted }
    })
    return { conflicts }
  }
  const end = changed(of.end, here.end, there.end)
  const lastEnd = changed(of.hasLastEnd, here.hasLastEnd, there.hasLastEnd) ? end : ''
  const text = found.lines.join(end) + (found.lines.length > 0 ? lastEnd : '')
  return { merged: Buffer.from(text, 'latin1') }
}

function mergeLines(
  regions: readonly Region[],
): { readonly lines: readonly string[] } | { readonly conflicts: readonly SettingConflict[] } {
  const conflicts = regions.flatMap((region) => (region.ok ? [] : region))
  return conflicts.length > 0 ? { conflicts } : { lines: regions.flatMap(({ ok }) => ok ?? []) }
}

/** A text, each byte a character. */
interface Text {
  readonly lines: readonly string[]
  /** Windows' line end only where every line has it; else it is a part of the lines that do. */
  readonly end: '\n' | '\r\n'
  readonly hasLastEnd: boolean
  readonly isBinary: boolean
}

function textOf(bytes: Uint8Array): Text {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  const end = text.includes('\n') && !/(?<!\r)\n/.test(text) ? '\r\n' : '\n'
  const hasLastEnd = text === '' || text.endsWith(end)
  const lines = text.split(end)
  if (hasLastEnd) lines.pop()
  return { lines, end, hasLastEnd, isBinary: text.includes('\0') }
}

/** The value of the side that changed it. */
function changed<T>(base: T, present: T, wanted: T): T {
  return present === base ? wanted : present
}
