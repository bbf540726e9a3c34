import type { PlannedResource } from '../plan.ts'
import { isProcess } from '../record/absences.ts'
import type { PlannedStep } from './plan.ts'

/** What runs now and would be stopped or restarted, in its order: references of services and programs. */
export function stopsOf(steps: readonly PlannedStep[]): readonly string[] {
  const planned = steps.flatMap(({ state }) =>
    state.kind === 'would' ? (state.plan?.resources ?? []) : [],
  )
  return [...new Set(planned.filter(isAway).map(({ ref }) => ref))]
}

function isAway({ ref, changes, refresh }: PlannedResource): boolean {
  if (!isProcess(ref)) return false
  const ensure = changes.find(({ attribute }) => attribute === 'ensure')
  return (
    ensure?.to === 'stopped' ||
    String(ensure?.from).startsWith('running') ||
    refresh?.by === 'restart'
  )
}
