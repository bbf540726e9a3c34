import type { Event } from '../events.ts'
import { normalPath } from '../resources/path.ts'
import { partsOf } from '../resources/ref.ts'
import type { KeptRow } from './bucket.ts'
import type { RunRow } from './runs.ts'
import type { Store } from './store.ts'

interface RunChanges {
  readonly kept: readonly KeptRow[]
  readonly events: readonly Event[]
  /** References of what it may have changed too, though nothing on record tells how. */
  readonly unsure: readonly string[]
}

/** Types of which a reference says what it makes. */
const MADE_BY_NAME = new Set(['file', 'group', 'package', 'user'])
const NOTHING_THERE = {
  id: 0,
  kind: 'absent',
  goes: 'all',
  mode: 0,
  uid: 0,
  gid: 0,
  hash: undefined,
  target: undefined,
  base: undefined,
}
const MADE = {
  type: 'resource_finished',
  outcome: 'changed',
  changes: [{ attribute: 'ensure', from: 'absent', to: 'present' }],
  durationMs: 0,
} as const

/**
 * What a run changed. What one that was cut off meant to make counts as made, unless a later run says that it made or
 * removed that: the intent was on record before anything was.
 */
export function changesOfRun(store: Store, { id, summary }: RunRow): RunChanges {
  const kept = store.bucket.of(id)
  const events = store.runs.events(id).map(({ event }) => event as Event)
  if (summary) return { kept, events, unsure: [] }
  const told = events.flatMap((event) => (event.type === 'resource_finished' ? event.ref : []))
  const sure = new Set([...kept.map(({ ref }) => ref), ...told])
  const later = store.runs.madeOrRemovedSince(id)
  const unsure: string[] = []
  for (const { ref, action } of store.runs.meant(id)) {
    if (sure.has(ref)) continue
    const { type, title } = partsOf(ref)
    if (action !== 'create' || !MADE_BY_NAME.has(type)) unsure.push(ref)
    else if (later.has(ref)) continue
    else if (type === 'file') kept.push({ ...NOTHING_THERE, run: id, ref, path: normalPath(title) })
    else events.push({ ...MADE, ref })
  }
  return { kept, events, unsure }
}
