import { diff3Merge } from 'node-diff3'

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

/** The work grows with the square of the lines; so many take a second. */
const MAX_LINES = 5000

/**
 * Merges by lines what two sides made of one base: `present` on the host, `wanted` of the manifests. Bytes are kept as
 * they are, UTF-8 or not; line ends and a missing last newline are the side's that changed them.
 */
export function merge(base: Uint8Array, present: Uint8Array, wanted: Uint8Array): Merge {
  const sides = [base, present, wanted].map(textOf) as [Text, Text, Text]
  if (sides.some(({ isBinary }) => isBinary)) return { unmergeable: 'it is no text' }
  if (sides.some(({ lines }) => lines.length > MAX_LINES))
    return { unmergeable: `it has more than ${MAX_LINES} lines` }
  const [of, here, there] = sides
  const merged: string[] = []
  const conflicts: Conflict[] = []
  for (const { ok, conflict } of diff3Merge(here.lines, of.lines, there.lines)) {
    if (ok) merged.push(...ok)
    if (conflict) {
      const { a, aIndex, b, o } = conflict
      conflicts.push({ line: aIndex + 1, present: a, base: o, wanted: b })
    }
  }
  if (conflicts.length > 0) return { conflicts }
  const end = changed(of.end, here.end, there.end)
  const lastEnd = changed(of.hasLastEnd, here.hasLastEnd, there.hasLastEnd) ? end : ''
  return { merged: Buffer.from(merged.join(end) + (merged.length > 0 ? lastEnd : ''), 'latin1') }
}

/** A text, each byte a character. */
interface Text {
  readonly lines: readonly string[] & string[]
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
