import { expect, test } from 'vitest'
import { absencesOf } from '../../engine/record/absences.ts'

/** An event of some second; `took` is in seconds too. */
const event = (second: number, ref: string, body: object, took = 0) => ({
  sequence: second,
  at: new Date(second * 1000).toISOString(),
  event: {
    type: 'resource_finished',
    ref,
    outcome: 'changed',
    changes: [],
    durationMs: took * 1000,
    ...body,
  },
})
const ensure = (from: string, to: string) => ({ changes: [{ attribute: 'ensure', from, to }] })

test('what is stopped is away until it runs again, what is restarted for as long as that took', () => {
  const web = 'supervisor_program[web]'
  const away = absencesOf([
    event(10, web, ensure('running', 'stopped'), 2),
    event(11, 'service[db]', { outcome: 'refreshed', refresh: { by: 'restart' } }, 3),
    event(12, 'service[reloaded]', { outcome: 'refreshed', refresh: { by: 'reload' } }, 3),
    event(13, 'file[/etc/x]', ensure('absent', 'file'), 9),
    event(20, web, ensure('stopped', 'running'), 1),
    event(21, 'supervisor_program[late]', ensure('stopped', 'running'), 1),
    event(30, web, ensure('running since 2026-01-01T00:00:00Z', 'running'), 4),
    event(31, 'supervisor_program[ended]', ensure('running', 'stopped'), 1),
  ])
  expect([...away]).toEqual([
    [web, 16_000],
    ['service[db]', 3000],
  ])
})
