import type { Paint, Tone } from '../diagnostics/render.ts'
import { visible, visibleLine } from '../diagnostics/visible.ts'
import type { Action, Plan, PlannedChange, PlannedResource } from '../plan.ts'
import { renderChanges, renderRefresh } from './change-text.ts'
import { type GivenOptions, givenText } from './given-options.ts'
import { columnsOf, indent, padTo, wrapWords } from './layout.ts'

export interface PlanTextOptions {
  readonly paint: Paint
  /** Columns that a line may take; Infinity where nothing is to be wrapped, such as for a file. */
  readonly width: number
  readonly showDiff: boolean
  /** Tells also why nothing is done where nothing is done, and cuts nothing short. */
  readonly verbose: boolean
  /** What the commands that are named have to be given too; nothing where absent. */
  readonly given?: GivenOptions
}

const LOOKS: Readonly<Record<Action, { readonly rune: string; readonly tone: Tone }>> = {
  create: { rune: '+', tone: 'added' },
  change: { rune: '~', tone: 'warning' },
  remove: { rune: '-', tone: 'removed' },
  run: { rune: '>', tone: 'notice' },
  refresh: { rune: '↻', tone: 'notice' },
  later: { rune: '…', tone: 'dim' },
  blocked: { rune: '!', tone: 'error' },
  unknown: { rune: '?', tone: 'warning' },
}

/** Past this a reference stands out of its column, so that one long path does not push all others away. */
const MAX_REF_COLUMNS = 48
/** Words in fewer columns than this are hard to read; they go to a line of their own. */
const MIN_DETAIL_COLUMNS = 30

/**
 * A plan for people, without a last newline: what was edited here and would be overwritten first, for that is what
 * has to be looked at; then what else goes; then all else in the order of the apply, a line each; what is blocked;
 * what is kept; the counts last, where the question follows.
 */
export function renderPlan(plan: Plan, options: PlanTextOptions): string {
  const isOpen = ({ action }: PlannedResource) => action !== 'blocked'
  const {
    edits = [],
    losses = [],
    others = [],
  } = Object.groupBy(plan.resources.filter(isOpen), (resource) =>
    losesEdit(resource) ? 'edits' : losesSomething(resource) ? 'losses' : 'others',
  )
  const blocked = plan.resources.filter((resource) => !isOpen(resource))
  const refColumns = refColumnsOf(plan, options)
  const section = (title: string, resources: readonly PlannedResource[]) => {
    if (resources.length === 0) return []
    const lines = resources.map((resource) => renderResource(resource, refColumns, options))
    return [[...(title === '' ? [] : [options.paint('bold', title)]), ...lines].join('\n')]
  }
  return [
    ...section('What was changed here and is overwritten:', edits),
    ...section(`What ${edits.length === 0 ? 'is' : 'else is'} overwritten or removed:`, losses),
    ...section(edits.length + losses.length === 0 ? '' : 'What else is done:', others),
    ...section('What is blocked:', blocked),
    ...renderNotes(plan, options),
    wrapWords(renderCounts(plan, options), options.width).join('\n'),
  ].join('\n\n')
}

/** The lines of a plan alone, without sections and counts: for the plan of one step. */
export function renderPlannedResources(plan: Plan, options: PlanTextOptions): string {
  const refColumns = refColumnsOf(plan, options)
  return plan.resources.map((resource) => renderResource(resource, refColumns, options)).join('\n')
}

/** `Plan: 3 to create, 1 to change, 0 to remove; 120 in sync.`, and what had to be asked to know. */
function renderCounts(plan: Plan, { paint, given = {} }: PlanTextOptions): string {
  const { counts, inSync, leftAlone = 0, edited = 0, asked, cannotRun } = plan
  const kept = some(edited, 'kept as edited here')
  const rest = [`${inSync} in sync`, ...kept, ...some(leftAlone, 'left alone')].join(', ')
  const noop = plan.resources.filter((resource) => resource.noop).length
  const asides = [
    ...(cannotRun
      ? [`Packages, services and commands are left alone: ${visibleLine(cannotRun)}.`]
      : []),
    ...orphansTold(plan, given),
    ...(asked ? [`${asked} ${asked === 1 ? 'guard was' : 'guards were'} asked, read-only.`] : []),
  ]
  if (plan.resources.length === 0) {
    const are = inSync === 1 ? 'resource is' : 'resources are'
    const others = some(leftAlone, 'left alone')
    const all = [`${inSync} ${are} in sync`, ...kept, ...others].join(', ')
    return [`${paint('bold', 'Nothing to do:')} ${all}.`, ...asides].join(' ')
  }
  const parts = [
    `${counts.create} to create`,
    `${counts.change} to change`,
    `${counts.remove} to remove`,
    ...some(counts.run, 'to run'),
    ...some(counts.refresh, 'to refresh'),
    ...some(counts.later, 'known later'),
    ...some(counts.unknown, 'unknown'),
    ...some(noop, 'would change (noop)'),
    ...some(counts.blocked, 'blocked').map((text) => paint('error', text)),
  ]
  return [`${paint('bold', 'Plan:')} ${parts.join(', ')}; ${rest}.`, ...asides].join(' ')
}

function orphansTold({ orphans }: Plan, given: GivenOptions): string[] {
  if (!orphans || orphans.left === 0) return []
  const { left, edited } = orphans
  const things = left === 1 ? 'thing is' : 'things are'
  const among = edited === 0 ? '' : `, ${left === 1 ? '' : `${edited} of them `}edited here`
  return [
    `${left} ${things} there that steward does not manage any more${among}: steward orphans${givenText(given)}.`,
  ]
}

function some(number: number, what: string): string[] {
  return number === 0 ? [] : [`${number} ${what}`]
}

/** Whether what somebody did to a file here goes; one that was deleted is only made again. */
function losesEdit({ changes }: PlannedResource): boolean {
  return changes.some(({ edit, from }) => edit !== undefined && !isNothing(from))
}

/** A file that is as steward left it has nothing to lose. */
function losesSomething({ type, action, changes }: PlannedResource): boolean {
  if (action === 'remove') return true
  return changes.some(({ attribute, from }) => {
    if (isNothing(from)) return false
    return type === 'file'
      ? /(^|: )(ensure|target)$/.test(attribute)
      : /(^|: )content$/.test(attribute)
  })
}

function isNothing(from: PlannedChange['from']): boolean {
  return from === undefined || from === 'absent'
}

function refColumnsOf({ resources }: Plan, { width }: PlanTextOptions): number {
  const limit = Math.min(MAX_REF_COLUMNS, Math.floor(width / 2))
  let widest = 0
  for (const { ref } of resources) {
    const columns = columnsOf(visibleLine(ref))
    if (columns <= limit) widest = Math.max(widest, columns)
  }
  return widest
}

function renderResource(
  resource: PlannedResource,
  refColumns: number,
  options: PlanTextOptions,
): string {
  const { paint, width, showDiff } = options
  const { rune, tone } = LOOKS[resource.action]
  const ref = padTo(visibleLine(resource.ref), refColumns)
  const head = `  ${paint(tone, rune)} ${ref}`
  const detail = detailOf(resource, options)
  // A long reference pushes what is said of it away, or, where that
  // does not fit any more, to a line of its own.
  const isLong = columnsOf(ref) > refColumns
  const column = (isLong ? columnsOf(ref) : refColumns) + 6
  const below = isLong && width - refColumns - 6 >= MIN_DETAIL_COLUMNS ? refColumns + 6 : 6
  const room = isLong ? columnsOf(detail) : Math.min(MIN_DETAIL_COLUMNS, columnsOf(detail))
  const lines =
    width - column >= room
      ? indent(wrapWords(detail, width - column).join('\n'), column)
          .replace(/^ +/, `${head}  `)
          .split('\n')
      : [head, ...wrapWords(detail, width - below).map((line) => indent(line, below))]
  if (resource.conflict) lines.push(...conflictLines(resource.conflict, paint))
  if (resource.help !== undefined)
    lines.push(indent(`${paint('dim', 'help')}  ${visible(resource.help)}`, 6))
  if (showDiff) lines.push(...diffsOf(resource, paint))
  return lines.map((line) => line.trimEnd()).join('\n')
}

/** What is done, and why. */
function detailOf(resource: PlannedResource, options: PlanTextOptions): string {
  const { action, type, refresh, note, noop } = resource
  const { paint, verbose } = options
  const because = visibleLine(resource.because ?? '')
  const changes = renderChanges(resource.changes, action, options)
  const parts = changes === '' ? [] : [changes]
  if (action === 'later') parts.unshift(paint('dim', `known after ${because}`))
  if (action === 'unknown') parts.unshift(paint('warning', `unknown: ${because}`))
  if (action === 'blocked') parts.unshift(paint('error', because))
  if (refresh) {
    const verb = type === 'exec' ? 'run' : refresh.by
    parts.push(renderRefresh(refresh, { verb, tense: 'present', verbose }))
  }
  const text = parts.join(action === 'later' || action === 'unknown' ? '; ' : ', ')
  const said = note === undefined ? '' : ` ${paint('dim', `(${visibleLine(note)})`)}`
  return `${noop ? 'would change (noop): ' : ''}${text}${said}`.trim()
}

function diffsOf({ changes }: PlannedResource, paint: Paint): string[] {
  const withDiff = changes.filter(({ diff }) => diff && 'text' in diff && diff.text !== '')
  return withDiff.flatMap(({ attribute, diff }) => {
    const heading = withDiff.length === 1 ? [] : [indent(paint('dim', visibleLine(attribute)), 6)]
    const text = diff && 'text' in diff ? diff.text : ''
    return [
      ...heading,
      ...text.split('\n').map((line) => indent(paintDiffLine(visible(line), paint), 6)),
    ]
  })
}

function conflictLines(conflict: string, paint: Paint): string[] {
  return conflict.split('\n').map((line) => indent(paintDiffLine(visible(line), paint), 6))
}

function paintDiffLine(line: string, paint: Paint): string {
  if (line.startsWith('+')) return paint('added', line)
  if (line.startsWith('-')) return paint('removed', line)
  if (line.startsWith('@@')) return paint('notice', line)
  return line.startsWith('\\') || line.startsWith('…') ? paint('dim', line) : line
}

/**
 * What a file keeps though it is declared otherwise is always told; why
 * nothing has to be done, only on request.
 */
function renderNotes(plan: Plan, { paint, verbose }: PlanTextOptions): string[] {
  // Where nothing at all can run, the counts say so once; else what is left alone is named.
  const isKept = ({ ref, note }: { readonly ref: string; readonly note: string }) =>
    ref.startsWith('file[') ||
    note.startsWith('left ') ||
    (note === 'not possible under --root' && plan.cannotRun === undefined)
  const render = (title: string, notes: Plan['notes']) => {
    if (notes.length === 0) return []
    const lines = notes.map(
      ({ ref, note }) => `  ${paint('dim', '=')} ${visibleLine(ref)}: ${visibleLine(note)}`,
    )
    return [[paint('bold', title), ...lines].join('\n')]
  }
  return [
    ...render('What is left as it is:', plan.notes.filter(isKept)),
    ...(verbose
      ? render(
          'Why nothing has to be done:',
          plan.notes.filter((note) => !isKept(note)),
        )
      : []),
  ]
}
