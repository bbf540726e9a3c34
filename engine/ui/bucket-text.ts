import { visibleLine } from '../diagnostics/visible.ts'
import type { Collected, KeptRow } from '../record/bucket.ts'
import { columnsOf, renderTable, wrapIndented } from './layout.ts'
import { formatTime, type RunTextOptions, whatWasKept } from './run-text.ts'

/** What was kept as a table, in the order given; one below the other where that is too wide. */
export function renderBucket(
  rows: readonly KeptRow[],
  { paint, width = Number.POSITIVE_INFINITY, accounts }: RunTextOptions,
): string {
  if (rows.length === 0) return 'The bucket holds nothing.'
  const [heading = '', ...lines] = renderTable(
    ['ID', 'PATH', 'WHAT', 'KEPT', 'RUN'],
    rows.map((row) => [
      String(row.id),
      visibleLine(row.path),
      whatWasKept(row, accounts),
      formatTime(row.at ?? ''),
      visibleLine(row.run),
    ]),
  )
  const isNarrow = [heading, ...lines].some((line) => columnsOf(line) > width)
  if (!isNarrow) return [paint('dim', heading), ...lines].join('\n')
  return rows
    .flatMap((row) => [
      `${row.id}  ${paint('bold', visibleLine(row.path))}`,
      ...wrapIndented(
        `${whatWasKept(row, accounts)}, ${formatTime(row.at ?? '')}, run ${visibleLine(row.run)}`,
        width,
        2,
      ),
    ])
    .join('\n')
}

/** What a collection of the bucket forgot and left, and why. */
export function renderCollected({ rows, contents, bytes, left, last }: Collected): string {
  const gone =
    rows === 0
      ? 'Nothing is gone from the bucket.'
      : `${entries(rows)} gone from the bucket, and with ${rows === 1 ? 'it' : 'them'} ${contents} contents of ${bytes} bytes; what is in use elsewhere stays.`
  const others = left - last
  const within = others === 0 ? '' : `, and ${others} within what was asked for`
  const stay =
    left === 0 ? '' : ` ${left} stay: ${last} as the newest of their path, which never go${within}.`
  return `${gone}${stay}`
}

function entries(count: number): string {
  return count === 1 ? '1 entry is' : `${count} entries are`
}
