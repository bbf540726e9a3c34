import type { Paint } from '../diagnostics/render.ts'
import { visibleLine } from '../diagnostics/visible.ts'
import type { OwedRefresh } from '../due-refreshes.ts'
import type { Holder } from '../host/lock.ts'
import type { RunRow } from '../record/runs.ts'
import { renderEnding } from './event-text.ts'
import { type GivenOptions, givenText, OF_RECORD } from './given-options.ts'
import { formatTime } from './run-text.ts'

/** What is open on a host. */
export interface Status {
  /** The run that is going on; without its particulars where it has not yet told them. */
  readonly holder?: Partial<Holder>
  /** The last run that came to its end. */
  readonly last?: RunRow
  /** Runs that never came to their end, and after which there was none yet. */
  readonly cutOff: readonly RunRow[]
  readonly owed: readonly OwedRefresh[]
  /** Procedures that were begun and neither ended nor given up. */
  readonly procedures: readonly {
    readonly run: string
    readonly name: string
    readonly command: readonly string[]
  }[]
}

export function renderStatus(
  status: Status,
  { paint, given }: { readonly paint: Paint; readonly given: GivenOptions },
): string {
  const apply = `steward apply${givenText(given, OF_RECORD)}`
  const { holder, last, cutOff, owed, procedures } = status
  const section = (title: string, lines: readonly string[], wayOut: string) =>
    lines.length === 0
      ? []
      : [
          [paint('bold', title), ...lines.map((line) => `  ${visibleLine(line)}`), wayOut].join(
            '\n',
          ),
        ]
  const open = [
    ...section(
      'Cut off:',
      cutOff.map(({ id, command }) => `run ${id}  ${['steward', ...command].join(' ')}`),
      `The next run goes on from where it came to: ${apply}`,
    ),
    ...section(
      'Refreshes that are owed:',
      owed.map(
        ({ listener, by, source, run }) =>
          `${listener}  ${by}, because ${source} changed in run ${run}`,
      ),
      `The next run makes them: ${apply}`,
    ),
    ...section(
      'Procedures that are open:',
      procedures.map(({ run, command }) => `run ${run}  ${['steward', ...command].join(' ')}`),
      'The same command goes on with one; with --abandon it is given up',
    ),
  ]
  return [
    ...(holder ? [renderHolder(holder)] : []),
    ...(open.length === 0 && !holder ? ['Nothing is open.'] : open),
    renderLast(last, paint),
  ].join('\n\n')
}

function renderHolder({ run, pid, since }: Partial<Holder>): string {
  if (run === undefined || since === undefined) return 'A run is going on.'
  return `Going on: ${visibleLine(run)} (process ${pid}), since ${formatTime(since)}`
}

function renderLast(last: RunRow | undefined, paint: Paint): string {
  if (!last) return 'No run has come to its end.'
  const ending = last.summary ? renderEnding(last.summary, { paint }) : ''
  return `The last run: ${visibleLine(last.id)}  ${ending}`.trimEnd()
}
