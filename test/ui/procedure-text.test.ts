import { expect, test } from 'vitest'
import type { PlannedStep } from '../../engine/procedure/plan.ts'
import { type Before, renderProcedure } from '../../engine/ui/procedure-text.ts'
import { planned, planOf } from './example.ts'

const plain = {
  paint: (_tone: string, text: string) => text,
  width: 120,
  showDiff: true,
  verbose: false,
}

/** A step that would change the state of a program. */
function step(title: string, from: string, to: string): PlannedStep {
  const ref = `supervisor_program[${title}]`
  const changes = [{ attribute: 'ensure', from, to }]
  const plan = planOf([planned(ref, 'change', { changes })])
  return { title, type: 'supervisor_program', depth: 0, state: { kind: 'would', plan } }
}
const restarts = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) =>
  step(name, 'running since 2026-01-01T00:00:00Z', 'running'),
)
const text = (steps: readonly PlannedStep[], before?: Before) =>
  renderProcedure('restart', steps, { ...plain, before })

test('the steps of a procedure end with what stops meanwhile, and for how long it was away before', () => {
  const steps = [
    step('first', 'running', 'stopped'),
    ...restarts,
    step('new', 'stopped', 'running'),
  ]
  expect(text(steps)).toContain(
    '\nStopped or restarted: first, a, b, c, d, e and 3 more.\nHow long they would be away is not known',
  )
  const away = new Map([
    ['supervisor_program[a]', 4100],
    ['supervisor_program[first]', 950],
  ])
  expect(text(steps, { run: 'last', away })).toContain(
    '\nThe last time (run last) these were away: a 4.1 s, first 0.9 s.\n10 steps would',
  )
})

test('of what stops nothing nothing is said', () => {
  expect(text([step('new', 'stopped', 'running')])).not.toMatch(/away|Stopped/)
})
