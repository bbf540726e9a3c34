import { visibleLine } from '../diagnostics/visible.ts'
import type { PlannedStep } from '../procedure/plan.ts'
import { stopsOf } from '../procedure/stops.ts'
import { partsOf } from '../resources/ref.ts'
import { formatDuration } from './duration.ts'
import { indent } from './layout.ts'
import { type PlanTextOptions, renderPlannedResources } from './plan-text.ts'

const QUIET = new Set<PlannedStep['state']['kind']>(['in sync', 'left out', 'asked', 'done before'])

/** How long services and programs were away when a procedure last ran to its end, in milliseconds by reference. */
export interface Before {
  readonly run: string
  readonly away: ReadonlyMap<string, number>
}

/**
 * What a procedure would do, a line a step, with the plan of each step that would change something below it.
 */
export function renderProcedure(
  name: string,
  steps: readonly PlannedStep[],
  options: PlanTextOptions & { readonly before?: Before | undefined },
): string {
  const { paint, verbose, before } = options
  const shown = steps.filter(({ state }) => verbose || state.kind !== 'left out')
  const lines = shown.flatMap((step) => {
    const title = step.type === 'fail' ? 'fail' : `${step.type} ${visibleLine(known(step.title))}`
    const note = step.note === undefined ? '' : ` (${visibleLine(step.note)})`
    const said =
      step.type === 'fail' && step.state.kind === 'fails'
        ? `refused: ${visibleLine(step.state.message)}`
        : `${title}: ${stateText(step)}`
    const line = `${'  '.repeat(step.depth)}${said}${note}`
    const isQuiet = QUIET.has(step.state.kind)
    const text = isQuiet ? paint('dim', line) : line
    if (step.state.kind !== 'would' || !step.state.plan) return [text]
    const width = options.width - 2 * step.depth - 2
    return [
      text,
      indent(renderPlannedResources(step.state.plan, { ...options, width }), 2 * step.depth + 2),
    ]
  })
  // Of steps that differ only in what is not known yet, one stands for all.
  const distinct = lines.filter((line, index) => line !== lines[index - 1])
  const would = steps.filter(({ state }) => state.kind === 'would' || state.kind === 'later').length
  const end = willFail(steps)
    ? 'A run would end there, and nothing would have been changed.'
    : would === 0
      ? `${name} has nothing to do.`
      : `${would} steps would or may change something.`
  const away = willFail(steps) || would === 0 ? [] : awayText(stopsOf(steps), before)
  return [paint('bold', `Steps of ${name}:`), ...distinct, '', ...away, end].join('\n')
}

const MOST_NAMED = 6

/** What would be stopped or restarted, and how long it was away the last time. */
function awayText(stops: readonly string[], before: Before | undefined): string[] {
  const names = stops.map((ref) => partsOf(ref).title)
  const what = names.length === 0 ? [] : [`Stopped or restarted: ${fewOf(names)}.`]
  const known = [...(before?.away ?? [])].map(
    ([ref, ms]) => `${partsOf(ref).title} ${formatDuration(ms)}`,
  )
  if (before)
    return [...what, `The last time (run ${before.run}) these were away: ${fewOf(known)}.`]
  return names.length === 0
    ? []
    : [...what, 'How long they would be away is not known, for it has not run to its end here yet.']
}

function fewOf(names: readonly string[]): string {
  const rest = names.length - MOST_NAMED
  return visibleLine(
    rest > 1 ? `${names.slice(0, MOST_NAMED).join(', ')} and ${rest} more` : names.join(', '),
  )
}

/** A title as far as it is known: an expression that has no value yet is left open. */
function known(title: string): string {
  return title.replaceAll(/\$\{\{.*?\}\}/g, '…')
}

/** Whether a run would end in failure before it changed anything. */
export function willFail(steps: readonly PlannedStep[]): boolean {
  const changes = ({ state, type }: PlannedStep) =>
    state.kind === 'would' || (state.kind === 'later' && type !== 'query' && type !== 'fail')
  return steps.at(-1)?.state.kind === 'fails' && !steps.some(changes)
}

function stateText({ state }: PlannedStep): string {
  switch (state.kind) {
    case 'in sync':
      return 'in sync'
    case 'left out':
      return 'left out'
    case 'done before':
      return 'done before'
    case 'asked':
      return state.answer === undefined ? 'asked' : visibleLine(state.answer)
    case 'not asked':
      return 'not asked'
    case 'begins':
      return 'steps'
    case 'would':
      return 'would change'
    case 'later':
      return state.decides === 'whether'
        ? `if, known after ${visibleLine(state.on)}`
        : `known after ${visibleLine(state.on)}`
    case 'fails':
      return `fails: ${visibleLine(state.message)}`
  }
}
