import type { Event, Summary } from '../../engine/events.ts'
import { newContent } from './example.ts'

export const summary: Summary = {
  run: '20260301-120000-ab12',
  status: 'done',
  changed: 2,
  refreshed: 1,
  failed: 0,
  skipped: 0,
  unchanged: 120,
  other: 0,
  durationMs: 42_000,
}

export const planned = [
  { ref: 'package[memcached]' },
  { ref: 'file[/etc/memcached.conf]' },
  { ref: 'service[memcached]' },
]

const finished = { type: 'resource_finished', durationMs: 5, changes: [] } as const

/** A run that goes well. */
export const events: readonly Event[] = [
  { type: 'run_started', run: summary.run, classes: ['zulip::memcached'], planned: 3, total: 123 },
  { type: 'resource_started', ref: 'package[memcached]', action: 'create' },
  {
    ...finished,
    ref: 'package[memcached]',
    outcome: 'changed',
    changes: [{ attribute: 'ensure', from: 'absent', to: '1.6.18-1' }],
    durationMs: 3200,
  },
  { ...finished, ref: 'file[/etc]', outcome: 'unchanged' },
  { type: 'resource_started', ref: 'file[/etc/memcached.conf]', action: 'change' },
  { ...finished, ref: 'file[/etc/memcached.conf]', outcome: 'changed', changes: [newContent] },
  { type: 'resource_started', ref: 'service[memcached]', action: 'refresh' },
  {
    ...finished,
    ref: 'service[memcached]',
    outcome: 'refreshed',
    refresh: { by: 'restart', from: ['file[/etc/memcached.conf]'] },
  },
  { type: 'run_finished', summary },
]
