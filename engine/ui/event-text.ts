import { type Paint, renderDiagnostic, type Tone } from '../diagnostics/render.ts'
import { visible, visibleLine } from '../diagnostics/visible.ts'
import type { Event, Summary } from '../events.ts'
import { actionOf } from '../plan.ts'
import { renderChanges, renderRefresh } from './change-text.ts'
import { formatDuration } from './duration.ts'
import { type GivenOptions, givenText, OF_RECORD } from './given-options.ts'
import { indent } from './layout.ts'

type Started = Extract<Event, { type: 'run_started' }>
type Finished = Extract<Event, { type: 'resource_finished' }>
type StepFinished = Extract<Event, { type: 'step_finished' }>

export interface EventTextOptions {
  readonly paint: Paint
  /** Tells also what begins, what needed nothing and what commands printed. */
  readonly verbose: boolean
}

/** What is done in less time is told without it. Milliseconds. */
const NOTABLE_MS = 1000
/** As long as the longest word that begins a line, `done before`. */
const WORD_COLUMNS = 11

/**
 * An event as a line, a failure with all that is known of it below; undefined for what is not
 * told. The end of a run is `renderSummary`'s.
 */
export function renderEvent(event: Event, options: EventTextOptions): string | undefined {
  const { paint, verbose } = options
  switch (event.type) {
    case 'run_started':
      return renderStart(event)
    case 'resource_started':
      return verbose ? line(paint('dim', pad('begun')), event.ref) : undefined
    case 'resource_finished':
      return renderFinished(event, options)
    case 'step_started':
      // What a step changes is told by its resources.
      if (event.kind !== 'steps' && !verbose) return undefined
      return line(paint('bold', pad('step')), stepTitle(event))
    case 'step_finished':
      return renderStep(event, options)
    case 'differs_from_plan':
      return line(paint('warning', pad('differs')), event.message)
    case 'put_back':
      return line(paint('warning', pad('put back')), event.paths.join(', '))
    case 'waiting':
      return line(paint('notice', pad('waiting')), event.message)
    case 'notice':
      return line(paint('notice', pad('notice')), event.message)
    case 'run_finished':
      return undefined
  }
}

function renderStart({ undoes, classes, steps, planned, total }: Started): string {
  const what =
    undoes === undefined
      ? `Applying ${classes.map(visibleLine).join(', ')}`
      : `Undoing run ${visibleLine(undoes)}`
  return `${what}: ${steps === undefined ? `${planned} of ${total} resources` : `${steps} steps`}`
}

export interface SummaryTextOptions {
  readonly paint: Paint
  /** What the commands that are named have to be given too; nothing where absent. */
  readonly given?: GivenOptions
}

const MAX_OVERWRITTEN = 10

/** How a run ended and, where it did not end well, where to look further. */
export function renderSummary(summary: Summary, options: SummaryTextOptions): string {
  const { status, run, overwritten = [] } = summary
  const { given = {} } = options
  const ofRecord = givenText(given, OF_RECORD)
  const restore = givenText(given, ['root', 'state', 'manifests'])
  const lines = [renderEnding(summary, options)]
  if (status !== 'done') lines.push(`All of it: steward runs show ${visibleLine(run)}${ofRecord}`)
  const shown = overwritten.slice(0, MAX_OVERWRITTEN)
  if (shown.length > 0) lines.push('What was changed here and is overwritten can be had back:')
  for (const path of shown) lines.push(`  steward bucket restore ${visibleLine(path)}${restore}`)
  if (overwritten.length > shown.length)
    lines.push(
      `  and ${overwritten.length - shown.length} more: steward undo ${visibleLine(run)}${givenText(given)}`,
    )
  return lines.join('\n')
}

/** How a run ended, in one line. */
export function renderEnding(summary: Summary, { paint }: SummaryTextOptions): string {
  const { changed, refreshed, failed, partly, skipped, unchanged, other, status } = summary
  const { putBack = 0, edited = 0, unknown = 0, noop = 0 } = summary
  const leftAlone = other - edited - unknown - noop
  const parts = [
    `${changed} changed`,
    ...(refreshed > 0 ? [`${refreshed} refreshed`] : []),
    ...(putBack > 0 ? [paint('warning', `${putBack} put back`)] : []),
    ...(failed > 0
      ? [paint('error', `${failed} failed${partly ? ` (${partly} changed before that)` : ''}`)]
      : []),
    ...(skipped > 0 ? [paint('warning', `${skipped} skipped`)] : []),
    ...(unknown > 0 ? [`${unknown} unknown`] : []),
    ...(noop > 0 ? [`${noop} would change (noop)`] : []),
    `${unchanged} in sync`,
    ...(edited > 0 ? [`${edited} kept as edited here`] : []),
    ...(leftAlone > 0 ? [`${leftAlone} left alone`] : []),
  ]
  const took = `${parts.join(', ')}; it took ${formatDuration(summary.durationMs)}.`
  switch (status) {
    case 'done':
      return `${paint('added', 'Done:')} ${took}`
    case 'failed':
      return `${paint('error', 'Failed:')} ${took}`
    case 'interrupted':
      return `${paint('warning', 'Interrupted:')} ${took} The next run goes on from here.`
  }
}

function renderFinished(event: Finished, options: EventTextOptions): string | undefined {
  const { paint, verbose } = options
  const { outcome, note, output, durationMs } = event
  if (outcome === 'unchanged' && !verbose) return undefined
  const { word, tone } = looksOf(event)
  const said = note === undefined ? [] : [paint('dim', `(${visibleLine(note)})`)]
  const took = durationMs < NOTABLE_MS ? [] : [paint('dim', formatDuration(durationMs))]
  const detail = [...detailsOf(event, options), ...said, ...took].join('  ')
  return [
    line(paint(tone, pad(word)), event.ref, detail),
    ...(event.error ? [indent(renderDiagnostic(event.error, { paint }), 2)] : []),
    ...(verbose && output?.trim() ? [indent(visible(output.trimEnd()), 4)] : []),
  ].join('\n')
}

const STEP_TONES: Readonly<Record<StepFinished['status'], Tone>> = {
  'in sync': 'dim',
  done: 'added',
  failed: 'error',
  'left out': 'dim',
  'done before': 'dim',
}

function renderStep(event: StepFinished, { paint, verbose }: EventTextOptions): string | undefined {
  const { status, kind, note, error } = event
  const isTold = kind === 'steps' || (kind === 'act' && (status === 'done' || status === 'failed'))
  const isQuiet =
    status === 'left out' || (isTold && status !== 'done before' && error === undefined)
  if (isQuiet && !verbose) return undefined
  const said = note === undefined ? '' : paint('dim', `(${visibleLine(note)})`)
  const text = line(paint(STEP_TONES[status], pad(status)), stepTitle(event), said)
  return error ? `${text}\n${indent(renderDiagnostic(error, { paint }), 2)}` : text
}

/** A step stands as far in as the blocks around it are deep. */
function stepTitle({ title, depth }: { readonly title: string; readonly depth: number }): string {
  return '  '.repeat(depth) + title
}

function detailsOf(event: Finished, options: EventTextOptions): string[] {
  const { outcome, changes, refresh, cause } = event
  const reason = refresh
    ? [renderRefresh(refresh, { tense: 'past', verbose: options.verbose })]
    : []
  switch (outcome) {
    case 'skipped':
      return cause === undefined ? [] : [`because ${visibleLine(cause)} failed`]
    // What went wrong stands below.
    case 'failed':
      return changes.length === 0
        ? []
        : [`changed before that: ${renderChanges(changes, 'change', options)}`]
    case 'unchanged':
      return []
    case 'changed':
    case 'refreshed':
    case 'noop':
    case 'unknown': {
      const text = renderChanges(changes, actionOf(changes), options)
      return [text, ...reason].filter((part) => part !== '')
    }
  }
}

function looksOf({ outcome, changes, refresh, ref }: Finished): {
  readonly word: string
  readonly tone: Tone
} {
  switch (outcome) {
    case 'changed':
      return CHANGED[actionOf(changes)] ?? { word: 'changed', tone: 'warning' }
    case 'refreshed':
      if (ref.startsWith('exec[')) return { word: 'ran', tone: 'notice' }
      return { word: refresh ? REFRESHED[refresh.by] : 'refreshed', tone: 'notice' }
    case 'failed':
      return { word: 'failed', tone: 'error' }
    case 'skipped':
      return { word: 'skipped', tone: 'warning' }
    case 'noop':
      return { word: 'noop', tone: 'dim' }
    case 'unknown':
      return { word: 'unknown', tone: 'warning' }
    case 'unchanged':
      return { word: 'in sync', tone: 'dim' }
  }
}

const CHANGED: Partial<
  Record<ReturnType<typeof actionOf>, { readonly word: string; readonly tone: Tone }>
> = {
  create: { word: 'created', tone: 'added' },
  remove: { word: 'removed', tone: 'removed' },
  run: { word: 'ran', tone: 'notice' },
}

const REFRESHED = { restart: 'restarted', reload: 'reloaded', refresh: 'refreshed' } as const

function line(word: string, text: string, detail = ''): string {
  return `${word}  ${visibleLine(text)}${detail === '' ? '' : `  ${detail}`}`
}

function pad(word: string): string {
  return word.padEnd(WORD_COLUMNS)
}
