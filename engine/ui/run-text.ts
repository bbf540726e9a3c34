import type { Paint } from '../diagnostics/render.ts'
import { visibleLine } from '../diagnostics/visible.ts'
import { changesOf, type Event } from '../events.ts'
import type { Accounts } from '../host/host.ts'
import { type KeptRow, NEW_VERSION } from '../record/bucket.ts'
import type { EventRow, RunRow } from '../record/runs.ts'
import { formatDuration } from './duration.ts'
import { renderEnding, renderEvent } from './event-text.ts'
import { columnsOf, renderTable, wrapIndented } from './layout.ts'

export interface RunTextOptions {
  readonly paint: Paint
  readonly verbose?: boolean
  /** Columns that a line may take; as many as it needs when absent. */
  readonly width?: number | undefined
  /** By which owners have names; numbers where absent. */
  readonly accounts?: Pick<Accounts, 'userName' | 'groupName'>
}

/** Runs as a table, in the order given; one below the other where that is too wide. */
export function renderRuns(
  rows: readonly RunRow[],
  { paint, width = Number.POSITIVE_INFINITY }: RunTextOptions,
): string {
  if (rows.length === 0) return 'No run is on record.'
  const [heading = '', ...lines] = renderTable(
    ['RUN', 'STARTED', 'TOOK', 'STATUS', 'CHANGED', 'FAILED', 'COMMAND', 'CLASSES'],
    rows.map((row) => [
      visibleLine(row.id),
      formatTime(row.started),
      took(row),
      statusOf(row),
      row.summary ? String(changesOf(row.summary)) : '',
      row.summary ? String(row.summary.failed) : '',
      commandOf(row),
      row.classes.map(visibleLine).join(', '),
    ]),
  )
  const table = [heading, ...lines]
  if (table.every((line) => columnsOf(line) <= width))
    return [paint('dim', heading), ...lines].join('\n')
  return rows.map((row) => listed(row, paint, width).join('\n')).join('\n')
}

/** A run by itself: what the table has in columns, in words. */
function listed(row: RunRow, paint: Paint, width: number): string[] {
  const { id, started, summary, classes } = row
  const parts = [
    statusOf(row),
    ...(summary ? [`${changesOf(summary)} changed`, `${summary.failed} failed`] : []),
    formatTime(started),
    ...(took(row) === '' ? [] : [`it took ${took(row)}`]),
  ]
  return [
    paint('bold', visibleLine(id)),
    ...wrapIndented(parts.join(', '), width, 2),
    ...wrapIndented(`steward ${commandOf(row)}`, width, 2),
    ...wrapIndented(classes.map(visibleLine).join(', '), width, 2),
  ]
}

function commandOf({ command }: RunRow): string {
  return command.map(visibleLine).join(' ')
}

/** One run: what was started, what happened, what was kept, how it ended. */
export function renderRun(
  row: RunRow,
  events: readonly EventRow[],
  kept: readonly KeptRow[],
  { paint, verbose = false, accounts }: RunTextOptions,
): string {
  const about = renderTable(
    ['Run', visibleLine(row.id)],
    [
      ['Command', `steward ${commandOf(row)}`],
      ['Classes', row.classes.map(visibleLine).join(', ')],
      ['Started', formatTime(row.started)],
      [
        'Finished',
        row.finished === undefined ? 'no' : `${formatTime(row.finished)}, after ${took(row)}`,
      ],
      ['Status', statusOf(row)],
    ],
  )
  const happened = events
    .map(({ event }) => event as Event)
    .filter(({ type }) => type !== 'run_started')
    .flatMap((event) => renderEvent(event, { paint, verbose }) ?? [])
  const saved = kept
    .filter(({ kind }) => kind !== 'absent')
    .map(
      (was) =>
        `  ${visibleLine(was.path)}  ${whatWasKept(was, accounts)}, by ${visibleLine(was.ref)}`,
    )
  return [
    about.join('\n'),
    ...(happened.length === 0 ? [] : [happened.join('\n')]),
    ...(saved.length === 0 ? [] : [[paint('bold', 'Kept as it was before:'), ...saved].join('\n')]),
    ...(row.summary ? [renderEnding(row.summary, { paint })] : []),
  ].join('\n\n')
}

/** Of owners, names where accounts are given that have some. */
export function whatWasKept(
  { kind, goes, mode, uid, gid }: KeptRow,
  accounts?: Pick<Accounts, 'userName' | 'groupName'>,
): string {
  if (goes === NEW_VERSION) return 'the new version, not put in place'
  if (goes === 'mode') return `its mode ${mode.toString(8).padStart(4, '0')}`
  if (goes !== 'owner') return `the ${visibleLine(kind)}`
  const owner = accounts ? `${accounts.userName(uid)}:${accounts.groupName(gid)}` : `${uid}:${gid}`
  return `its owner ${visibleLine(owner)}`
}

/** A run that was killed never says how it ended; the next one finds out that it has. */
function statusOf({ status, finished }: RunRow): string {
  if (finished !== undefined) return status
  return status === 'running' ? 'not finished' : 'cut off'
}

function took({ started, finished }: RunRow): string {
  return finished === undefined ? '' : formatDuration(Date.parse(finished) - Date.parse(started))
}

/** ISO 8601 as `2026-03-01 12:00:05 UTC`. */
export function formatTime(iso: string): string {
  return `${iso.slice(0, 19).replace('T', ' ')} UTC`
}
