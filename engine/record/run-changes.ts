import type { Event } from '../events.ts'
import { normalPath } from '../resources/path.ts'
import { partsOf } from '../resources/ref.ts'
import type { KeptRow } from './bucket.ts'
import type { RunRow } from './runs.ts'
import type { Store } from './store.ts'

export interface RunChanges {
  readonly kept: readonly KeptRow[]
  readonly events: readonly Event[]
  /** References of what it may have changed too, though nothing on record tells how. */
  readonly unsure: readonly string[]
  /** Files that it meant to make and may have come to, as they would have been kept: see `madeAsMeant`. */
  readonly meant: readonly KeptRow[]
}

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
} as const

/**
 * What a run changed. Of one that was cut off the record lacks the end: of the last window of changes it has only what
 * was meant. What a later run made or removed since is not this one's doing.
 */
export function changesOfRun(store: Store, { id, summary }: RunRow): RunChanges {
  const kept = store.bucket.of(id)
  const events = store.runs.events(id).map(({ event }) => event as Event)
  if (summary) return { kept, events, unsure: [], meant: [] }
  const told = events.flatMap((event) => (event.type === 'resource_finished' ? event.ref : []))
  const sure = new Set([...kept.map(({ ref }) => ref), ...told])
  const later = store.runs.toldSince(id)
  const unsure: string[] = []
  const meant: KeptRow[] = []
  for (const { ref, action } of store.runs.meant(id)) {
    if (sure.has(ref)) continue
    const { type, title } = partsOf(ref)
    if (action === 'create' && later.get(ref)) continue
    if (action !== 'create' || type !== 'file' || later.has(ref)) unsure.push(ref)
    else meant.push({ ...NOTHING_THERE, run: id, ref, path: normalPath(title) })
  }
  return { kept, events, unsure, meant }
}
