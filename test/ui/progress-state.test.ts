import { describe, expect, test } from 'vitest'
import type { Event } from '../../engine/events.ts'
import { ProgressState } from '../../engine/ui/progress-state.ts'
import { events, planned } from './run-events.ts'

const paint = (_tone: string, text: string) => text
const started = (ref: string): Event => ({ type: 'resource_started', ref, action: 'create' })
const finished = (ref: string): Event => ({
  type: 'resource_finished',
  ref,
  outcome: 'unchanged',
  changes: [],
  durationMs: 0,
})

function following(previous: Record<string, number>, refs = planned) {
  return new ProgressState({ planned: refs, previous: new Map(Object.entries(previous)), paint })
}

describe('a view', () => {
  test('counts what was planned, and nothing else', () => {
    const progress = following({})
    for (const event of events.slice(0, 5)) progress.take(event, 0)
    expect(progress.view(0)).toMatchObject({ done: 1, planned: 3 })
  })

  test('names what runs, since when, and how long it took before', () => {
    const progress = following({ 'package[memcached]': 30_000 })
    progress.take(started('package[memcached]'), 1000)
    progress.take(started('file[/new]'), 2000)
    expect(progress.view(13_000).running).toEqual([
      { name: 'package[memcached]', elapsedMs: 12_000, beforeMs: 30_000 },
      { name: 'file[/new]', elapsedMs: 11_000 },
    ])
    progress.take(finished('package[memcached]'), 14_000)
    expect(progress.view(14_000).running).toHaveLength(1)
  })

  test('has what the act is at, until something has ended', () => {
    const doing: { now?: string } = {}
    const progress = new ProgressState({ planned, previous: new Map(), doing, paint })
    progress.take(started('package[memcached]'), 0)
    doing.now = 'unpacking \u001b[2Jmemcached'
    expect(progress.view(0).doing).toBe('unpacking \\x1b[2Jmemcached')
    progress.take(finished('package[memcached]'), 0)
    expect(progress.view(0)).not.toHaveProperty('doing')
  })

  test('holds what was told, in order, as it was at that moment', () => {
    const progress = following({})
    for (const event of events) progress.take(event, 0)
    const { told } = progress.view(0)
    progress.take({ type: 'notice', message: 'more' }, 0)
    expect(told).toEqual([
      [
        'Applying zulip::memcached: 3 of 123 resources',
        'created      package[memcached]  1.6.18-1  3.2 s',
        'changed      file[/etc/memcached.conf]  content +2 -1 (edited here)',
        'restarted    service[memcached]  because file[/etc/memcached.conf] changed',
      ].join('\n'),
    ])
    expect(progress.view(0).told).toEqual([...told, 'notice       more'])
    expect(progress.view(0).told).toHaveLength(2)
  })
})

describe('what is left', () => {
  const leftMs = (progress: ProgressState, now = 0) => progress.view(now).leftMs

  test('is the sum of what it took before', () => {
    const before = { 'package[memcached]': 30_000, 'service[memcached]': 2000, 'file[/old]': 10 }
    expect(leftMs(following(before))).toBe(32_010)
  })

  test('gets less while something runs, but never less than what waits', () => {
    const before = { 'package[memcached]': 30_000, 'service[memcached]': 2000, 'file[/old]': 0 }
    const progress = following(before)
    progress.take(started('package[memcached]'), 1000)
    expect(leftMs(progress, 11_000)).toBe(22_000)
    expect(leftMs(progress, 99_000)).toBe(2000)
    progress.take(finished('package[memcached]'), 99_000)
    expect(leftMs(progress, 99_000)).toBe(2000)
  })

  test('lets what runs side by side share its time', () => {
    const refs = [{ ref: 'package[a]' }, { ref: 'package[b]' }]
    const progress = following({ 'package[a]': 10_000, 'package[b]': 10_000 }, refs)
    for (const { ref } of refs) progress.take(started(ref), 0)
    expect(leftMs(progress, 5000)).toBe(15_000)
  })

  test('takes what is new for as long as others of its type', () => {
    const refs = [{ ref: 'package[new]' }]
    expect(leftMs(following({ 'package[a]': 1000, 'package[b]': 3000 }, refs))).toBe(2000)
  })

  test('is not told where most of it was never seen, nor at the end', () => {
    expect(leftMs(following({ 'package[memcached]': 30_000 }))).toBeUndefined()
    expect(leftMs(following({}, []))).toBeUndefined()
  })
})
