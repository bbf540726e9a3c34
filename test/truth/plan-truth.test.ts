import { describe, expect, test } from 'vitest'
import type { Event } from '../../engine/events.ts'
import type { Plan, PlannedResource } from '../../engine/plan.ts'
import { expectAsPlanned, truthOf } from './plan-truth.ts'

const body = { attribute: 'content', from: 'old', to: 'new' }
const changed = planned({ ref: 'file[/a]', action: 'change', changes: [body] })
const due = { by: 'restart', from: ['file[/a]'] } as const
const done = ended('file[/a]', { outcome: 'changed', changes: [body] })

function planned(own: Partial<PlannedResource>): PlannedResource {
  return { index: 0, ref: '', type: '', title: '', action: 'change', changes: [], ...own }
}
function ended(ref: string, own: object): Event {
  return {
    type: 'resource_finished',
    ref,
    outcome: 'unchanged',
    changes: [],
    durationMs: 1,
    ...own,
  } as Event
}
const finished = { type: 'run_finished', summary: { status: 'done' } } as Event
const planOf = (...resources: PlannedResource[]) => ({ resources }) as unknown as Plan
const compared = (resources: PlannedResource[], events: Event[]) =>
  truthOf(planOf(...resources), [...events, finished])

describe('what came as planned', () => {
  test.each<[string, PlannedResource[], Event[]]>([
    ['is a change to just these values', [changed], [done]],
    [
      'is a refresh by just these changes, and by what was known later',
      [
        changed,
        planned({ ref: 'exec[b]', action: 'later' }),
        planned({ ref: 'service[s]', action: 'refresh', refresh: due }),
      ],
      [
        done,
        ended('exec[b]', { outcome: 'changed' }),
        ended('service[s]', {
          outcome: 'refreshed',
          refresh: { by: 'restart', from: ['file[/a]', 'exec[b]'] },
        }),
      ],
    ],
    [
      'is what waits for something blocked',
      [
        planned({ ref: 'file[/a]', action: 'blocked', because: 'in the way' }),
        planned({ ref: 'file[/a/b]', action: 'blocked', because: 'it waits for file[/a]' }),
      ],
      [
        ended('file[/a]', { outcome: 'failed', error: { code: 'blocked' } }),
        ended('file[/a/b]', { outcome: 'skipped', cause: 'file[/a]' }),
      ],
    ],
    [
      'is a start of a program that fails by then, and was about to fail',
      [
        planned({
          ref: 'supervisor_program[p]',
          changes: [{ attribute: 'ensure', from: 'restarting in a loop', to: 'running' }],
        }),
      ],
      [
        ended('supervisor_program[p]', {
          outcome: 'changed',
          changes: [{ attribute: 'ensure', from: 'failed', to: 'running' }],
        }),
      ],
    ],
    ['is nothing where nothing was to be', [], [ended('file[/c]', {})]],
  ])('%s', (_title, resources, events) => {
    expect(compared(resources, events).wrong).toEqual([])
  })
})

describe('what came otherwise', () => {
  test.each<[string, PlannedResource[], Event[]]>([
    ['is a change to another value', [changed], [ended('file[/a]', { outcome: 'changed' })]],
    ['is no change at all', [changed], [ended('file[/a]', {})]],
    ['is a change that nobody told of', [], [done]],
    ['is something that never came', [changed], []],
    [
      'is a refresh of another kind, or one that nobody told of',
      [planned({ ref: 'service[s]', action: 'refresh', refresh: due })],
      [ended('service[s]', { outcome: 'refreshed', refresh: { ...due, by: 'reload' } })],
    ],
    [
      'is a failure that could have been known',
      [changed],
      [ended('file[/a]', { outcome: 'failed', error: { code: 'blocked' } })],
    ],
  ])('%s', (_title, resources, events) => {
    expect(compared(resources, events).wrong).toHaveLength(1)
    expect(() => expectAsPlanned(planOf(...resources), [...events, finished])).toThrow('otherwise')
  })

  test('is not what failed while it was made, nor what that held up', () => {
    const { failed, wrong } = compared(
      [changed, planned({ ref: 'service[s]', action: 'refresh', refresh: due })],
      [
        ended('file[/a]', { outcome: 'failed', error: { code: 'apply-failed' } }),
        ended('service[s]', { outcome: 'skipped', cause: 'file[/a]' }),
      ],
    )
    expect({ failed, wrong }).toEqual({ failed: 2, wrong: [] })
  })
})

test('what a file that came back made fail, and who had not read it yet, is neither', () => {
  const back = { type: 'put_back', ref: 'program[p]', paths: ['/a'] } as Event
  const program = ended('program[p]', { outcome: 'failed', error: { code: 'refresh-failed' } })
  const service = planned({ ref: 'service[s]', action: 'refresh', refresh: due })
  expect(compared([changed, service], [done, back, program])).toMatchObject({
    held: 1,
    failed: 2,
    wrong: [],
  })
  expect(compared([changed, service], [done, program]).wrong).toHaveLength(2)
})
