import type { Scenario, Workload } from './tool.ts'

/** A ratio of CPU that is to be reached, taken within one run on one machine. */
export interface Goal {
  readonly kind: Workload['kind']
  /** Every size when absent. */
  readonly size?: number
  readonly scenarios: readonly Scenario[]
  readonly tool: string
  readonly against: string
  readonly atMost: number
}

const looking: readonly Scenario[] = ['nothing to do', 'drift', 'dry run']
const steward = { tool: 'steward' }

export const goals: readonly Goal[] = [
  { ...steward, kind: 'start', scenarios: ['version', 'help'], against: 'floor', atMost: 2 },
  { ...steward, kind: 'files', size: 1_000, scenarios: looking, against: 'floor', atMost: 2.5 },
  { ...steward, kind: 'files', size: 10_000, scenarios: looking, against: 'floor', atMost: 3 },
  { ...steward, kind: 'files', size: 100_000, scenarios: looking, against: 'floor', atMost: 4 },
  { ...steward, kind: 'files', size: 10_000, scenarios: looking, against: 'puppet', atMost: 0.02 },
  { ...steward, kind: 'files', scenarios: ['first apply'], against: 'floor synced', atMost: 1.8 },
  { ...steward, kind: 'mixed', scenarios: looking, against: 'floor', atMost: 2.5 },
  { ...steward, kind: 'graph', size: 20_000, scenarios: ['graph'], against: 'floor', atMost: 8 },
  {
    ...steward,
    kind: 'graph',
    size: 20_000,
    scenarios: ['graph'],
    against: 'cfengine',
    atMost: 0.6,
  },
]

/** CPU for each further file where nothing is to be done, in microseconds. */
export const furtherFileUs = 60
/** How CPU may grow from 10 000 to 100 000 files: as their ratio to this power. */
export const growthExponent = 1.05
/** Peak memory at 10 000 files. */
export const peakMbAt10000 = 100
