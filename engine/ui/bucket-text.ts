import { visibleLine } from '../diagnostics/visible.ts'
import type { KeptRow } from '../record/bucket.ts'
import { columnsOf, renderTable, wrapIndented } from './layout.ts'
import { type RunTextOptions, whatWasKept } from './run-text.ts'

/** What was kept as a table, in the order given; one below the other where that is too wide. */
export function renderBucket(
  rows: readonly KeptRow[],
  { paint, width = Number.POSITIVE_INFINITY }: RunTextOptions,
): string {
  if (rows.length === 0) return 'The bucket holds nothing.'
  const [heading = '', ...lines] = renderTable(
    ['ID', 'PATH', 'WHAT', 'RUN'],
    rows.map((row) => [
      String(row.id),
      visibleLine(row.path),
      whatWasKept(row),
      visibleLine(row.run),
    ]),
  )
  const isNarrow = [heading, ...lines].some((line) => columnsOf(line) > width)
  if (!isNarrow) return [paint('dim', heading), ...lines].join('\n')
  return rows
    .flatMap((row) => [
      `${row.id}  ${paint('bold', visibleLine(row.path))}`,
      ...wrapIndented(`${whatWasKept(row)}, run ${visibleLine(row.run)}`, width, 2),
    ])
    .join('\n')
}
