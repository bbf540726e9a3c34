import { visibleLine } from '../diagnostics/visible.ts'
import type { Collected, KeptRow } from '../record/bucket.ts'
import { sizeText } from '../resources/size-text.ts'
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

/** What a collection of the bucket forgot and left. */
export function renderCollected({ rows, bytes, left }: Collected): string {
  const freed = bytes === 0 ? '' : `, ${sizeText(bytes)} freed`
  const gone =
    rows === 0
      ? `No old copy forgotten${freed}.`
      : `${rows} old ${rows === 1 ? 'copy' : 'copies'} forgotten${freed}.`
  if (left === 0) return gone
  const stay = left === 1 ? 'stays' : 'stay'
  return `${gone} ${left} ${stay}; the newest copy of each file is never forgotten.`
}
