import { structuredPatch } from 'diff'
import { visible } from './diagnostics/visible.ts'

/** How two contents differ, for people: as text with three lines of context, or why that can't be shown. */
export type ContentDiff =
  | { readonly text: string; readonly added: number; readonly removed: number }
  | { readonly unshown: string }

const MAX_BYTES = 2_000_000
const MAX_SHOWN_LINES = 400
/** A limit of lines and not of time: the same contents give the same diff. The work grows with its square. */
const MAX_EDITED_LINES = 3000

/** A unified diff of two contents without its two header lines. */
export function contentDiff(from: Uint8Array, to: Uint8Array, title: string): ContentDiff {
  const sizes = `${from.length} → ${to.length} bytes`
  if (from.includes(0) || to.includes(0)) return { unshown: `binary, ${sizes}` }
  if (from.length + to.length > MAX_BYTES) return { unshown: `too large to show, ${sizes}` }
  const patch = structuredPatch(title, title, decode(from), decode(to), undefined, undefined, {
    context: 3,
    maxEditLength: MAX_EDITED_LINES,
  })
  if (!patch) return { unshown: `more than ${MAX_EDITED_LINES} lines differ, ${sizes}` }
  let added = 0
  let removed = 0
  const lines: string[] = []
  for (const hunk of patch.hunks) {
    lines.push(`@@ -${hunk.oldStart},${hunk.oldLines} +${hunk.newStart},${hunk.newLines} @@`)
    for (const line of hunk.lines) {
      if (line.startsWith('+')) added++
      else if (line.startsWith('-')) removed++
      lines.push(visible(line))
    }
  }
  const shown =
    lines.length > MAX_SHOWN_LINES
      ? [...lines.slice(0, MAX_SHOWN_LINES), `… ${lines.length - MAX_SHOWN_LINES} more lines`]
      : lines
  return { text: shown.join('\n'), added, removed }
}

function decode(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}
