import type { Event } from '../events.ts'
import { partsOf } from '../resources/ref.ts'
import type { EventRow } from './runs.ts'

/**
 * How long services and programs were away in a run, in milliseconds by reference, the longest first: from when one was
 * stopped to when it ran again, or for as long as its restart took.
 */
export function absencesOf(events: readonly EventRow[]): ReadonlyMap<string, number> {
  const away = new Map<string, number>()
  const stopped = new Map<string, number>()
  for (const row of events) {
    const event = row.event as Event
    if (event.type !== 'resource_finished' || !isProcess(event.ref)) continue
    const { ref, outcome, durationMs } = event
    const add = (ms: number) => away.set(ref, (away.get(ref) ?? 0) + ms)
    const at = Date.parse(row.at)
    if (outcome === 'refreshed' && event.refresh?.by === 'restart') add(durationMs)
    const ensure = event.changes.find(({ attribute }) => attribute === 'ensure')
    if (outcome !== 'changed' || !ensure) continue
    if (ensure.to === 'stopped') stopped.set(ref, at - durationMs)
    else if (String(ensure.from).startsWith('running')) add(durationMs)
    else if (stopped.has(ref)) add(at - (stopped.get(ref) ?? at))
    if (ensure.to !== 'stopped') stopped.delete(ref)
  }
  return new Map([...away].sort(([, one], [, other]) => other - one))
}

/** Whether it is a service or a program of supervisor. */
export function isProcess(ref: string): boolean {
  const { type } = partsOf(ref)
  return type === 'service' || type === 'supervisor_program'
}
