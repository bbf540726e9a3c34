import { furtherFileUs, type Goal, goals, growthExponent, peakMbAt10000 } from './goals.ts'
import type { Measurement } from './measure.ts'
import type { Scenario, Workload } from './tool.ts'

/** One timed run. Runs of one round were made right after each other, and are compared with each other. */
export interface Run extends Measurement {
  readonly kind: Workload['kind']
  readonly size: number
  readonly scenario: Scenario
  readonly tool: string
  readonly round: number
  /** Why the figure must not be used, such as an end state that is not the one asked for. */
  readonly fault?: string
}

export const median = (numbers: readonly number[]): number => {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}
const shown = (number: number) =>
  !Number.isFinite(number)
    ? ''
    : number.toFixed(number < 1 ? 3 : number < 10 ? 2 : number < 100 ? 1 : 0)
const valid = (runs: readonly Run[]) => runs.filter(({ fault }) => fault === undefined)

/** The runs of one tool in one cell. */
function runsOf(runs: readonly Run[], cell: Cell, tool: string): Run[] {
  return runs.filter(
    (run) =>
      run.tool === tool &&
      run.kind === cell.kind &&
      run.size === cell.size &&
      run.scenario === cell.scenario,
  )
}
type Cell = Pick<Run, 'kind' | 'size' | 'scenario'>

/**
 * Median over the rounds of the ratio within a round; of their medians where the two never ran in the same one.
 */
function ratio(a: readonly Run[], b: readonly Run[], of: 'cpuMs' | 'wallMs'): number {
  const others = new Map(valid(b).map((run) => [run.round, run[of]]))
  const paired = valid(a).flatMap((run) => {
    const other = others.get(run.round)
    return other === undefined ? [] : [run[of] / other]
  })
  if (paired.length > 0) return median(paired)
  return median(valid(a).map((run) => run[of])) / median([...others.values()])
}

/** The table of one cell as lines of text. */
export function cellTable(runs: readonly Run[], cell: Cell): string {
  const tools = [...new Set(runs.filter((run) => same(run, cell)).map(({ tool }) => tool))]
  const head = [
    '',
    'runs',
    'CPU ms',
    'wall ms',
    'peak MB',
    'CPU/floor',
    'wall/floor',
    'CPU/puppet',
    '',
  ]
  const rows = tools.map((tool) => {
    const own = runsOf(runs, cell, tool)
    const against = (other: string, of: 'cpuMs' | 'wallMs') =>
      shown(ratio(own, runsOf(runs, cell, other), of))
    const notes = [
      ...goals
        .filter((goal) => goal.tool === tool && concerns(goal, cell))
        .map((goal) => verdict(goal, runs, cell)),
      ...new Set(own.flatMap(({ fault }) => fault ?? [])),
    ]
    const good = valid(own)
    return [
      tool,
      String(good.length),
      shown(median(good.map(({ cpuMs }) => cpuMs))),
      shown(median(good.map(({ wallMs }) => wallMs))),
      shown(Math.max(...good.map(({ peakKb }) => peakKb)) / 1024),
      against('floor', 'cpuMs'),
      against('floor', 'wallMs'),
      against('puppet', 'cpuMs'),
      notes.filter((note) => note !== '').join('; '),
    ]
  })
  const title = `${cell.kind}${cell.size > 1 ? ` ${cell.size.toLocaleString('en')}` : ''}: ${cell.scenario}`
  return `${title}\n${aligned([head, ...rows])}`
}

const same = (run: Run, cell: Cell) =>
  run.kind === cell.kind && run.size === cell.size && run.scenario === cell.scenario
const concerns = (goal: Goal, cell: Cell) =>
  goal.kind === cell.kind &&
  goal.scenarios.includes(cell.scenario) &&
  (goal.size === undefined || goal.size === cell.size)

function verdict(goal: Goal, runs: readonly Run[], cell: Cell): string {
  const found = ratio(runsOf(runs, cell, goal.tool), runsOf(runs, cell, goal.against), 'cpuMs')
  if (Number.isNaN(found)) return ''
  return `${met(found <= goal.atMost)}: ${shown(found)} of ${goal.against}, to be at most ${goal.atMost}`
}
export const met = (reached: boolean) => (reached ? 'reached' : 'NOT REACHED')

/** What one more file costs, and how cost grows; empty where fewer than two sizes were run. */
export function growthTable(runs: readonly Run[]): string {
  const files = runs.filter(({ kind }) => kind === 'files')
  const sizes = [...new Set(files.map(({ size }) => size))].sort((a, b) => a - b)
  const tools = [...new Set(files.map(({ tool }) => tool))]
  const rows = (['nothing to do', 'drift', 'dry run', 'first apply'] as const).flatMap((scenario) =>
    tools.flatMap((tool) =>
      sizes.slice(1).flatMap((size, k) => {
        const before = sizes[k] ?? size
        const at = (n: number) => valid(runsOf(files, { kind: 'files', size: n, scenario }, tool))
        const cpu = (n: number) => median(at(n).map(({ cpuMs }) => cpuMs))
        const peak = (n: number) => median(at(n).map(({ peakKb }) => peakKb))
        if (at(before).length === 0 || at(size).length === 0) return []
        const further = ((cpu(size) - cpu(before)) / (size - before)) * 1000
        const exponent = Math.log(cpu(size) / cpu(before)) / Math.log(size / before)
        const looks = tool === 'steward' && scenario === 'nothing to do'
        const notes = [
          ...(looks
            ? [`${met(further <= furtherFileUs)}: at most ${furtherFileUs} µs a further file`]
            : []),
          ...(looks && size === 100_000
            ? [`${met(exponent <= growthExponent)}: exponent at most ${growthExponent}`]
            : []),
          ...(looks && size === 10_000
            ? [
                `${met(peak(size) / 1024 <= peakMbAt10000)}: peak ${shown(peak(size) / 1024)} MB, to be at most ${peakMbAt10000}`,
              ]
            : []),
        ]
        const step = `${before.toLocaleString('en')} to ${size.toLocaleString('en')}`
        const memory = (peak(size) - peak(before)) / (size - before)
        return [
          [scenario, tool, step, shown(further), shown(exponent), shown(memory), notes.join('; ')],
        ]
      }),
    ),
  )
  if (rows.length === 0) return ''
  const head = ['', '', 'files', 'CPU µs a further file', 'exponent', 'peak KB a further file', '']
  return `growth\n${aligned([head, ...rows])}`
}

/** Columns as wide as their widest cell; the first is text, numbers stand to the right, notes to the left. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, k) => Math.max(...rows.map((row) => row[k]?.length ?? 0)))
  const numeric = (k: number) =>
    rows.slice(1).every((row) => /^(NaN|-?Infinity|[-\d.,]*)$/.test(row[k] ?? ''))
  return rows
    .map((row) =>
      row
        .map((text, k) =>
          numeric(k) ? text.padStart(widths[k] ?? 0) : text.padEnd(widths[k] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
