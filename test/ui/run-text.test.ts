import { describe, expect, test } from 'vitest'
import type { KeptRow } from '../../engine/record/bucket.ts'
import type { RunRow } from '../../engine/record/runs.ts'
import { renderRun, renderRuns } from '../../engine/ui/run-text.ts'
import { events, summary } from './run-events.ts'

const paint = (_tone: string, text: string) => text
const done: RunRow = {
  id: summary.run,
  started: '2026-03-01T12:00:00.123Z',
  finished: '2026-03-01T12:01:20.400Z',
  status: 'done',
  command: ['apply', '--yes', 'zulip::memcached'],
  classes: ['zulip::memcached'],
  summary,
}
const { finished: _, summary: __, ...begun } = done
const killed: RunRow = {
  ...begun,
  id: '20260228-080000-0001',
  status: 'running',
  finished: undefined,
  summary: undefined,
}
const kept: KeptRow = {
  id: 1,
  run: done.id,
  ref: 'file[/etc/memcached.conf]',
  path: '/etc/memcached.conf',
  kind: 'file',
  goes: 'all',
  mode: 0o644,
  uid: 0,
  gid: 0,
  hash: 'ab',
  base: undefined,
  target: undefined,
}

describe('runs', () => {
  test('are a table, of which a run that was killed is not said to go on', () => {
    expect(renderRuns([done, killed], { paint })).toMatchInlineSnapshot(`
      "RUN                   STARTED                  TOOK        STATUS        CHANGED  FAILED  COMMAND                       CLASSES
      20260301-120000-ab12  2026-03-01 12:00:00 UTC  1 min 20 s  done          3        0       apply --yes zulip::memcached  zulip::memcached
      20260228-080000-0001  2026-03-01 12:00:00 UTC              not finished                   apply --yes zulip::memcached  zulip::memcached"
    `)
  })

  test('that are none are said to be', () => {
    expect(renderRuns([], { paint })).toBe('No run is on record.')
  })
})

describe('a run', () => {
  const rows = events.map((event, sequence) => ({ sequence, at: done.started, event }))

  test('tells what was started, what happened, what was kept and how it ended', () => {
    const saved = [
      kept,
      { ...kept, path: '/etc/a', goes: 'mode', mode: 0o4755 },
      { ...kept, path: '/etc/b', goes: 'owner', uid: 33, gid: 4 },
      { ...kept, path: '/etc/made', kind: 'absent' },
    ]
    expect(renderRun(done, rows, saved, { paint })).toMatchInlineSnapshot(`
      "Run       20260301-120000-ab12
      Command   steward apply --yes zulip::memcached
      Classes   zulip::memcached
      Started   2026-03-01 12:00:00 UTC
      Finished  2026-03-01 12:01:20 UTC, after 1 min 20 s
      Status    done

      created      package[memcached]  1.6.18-1  3.2 s
      changed      file[/etc/memcached.conf]  content +2 -1 (edited here)
      restarted    service[memcached]  because file[/etc/memcached.conf] changed

      Kept as it was before:
        /etc/memcached.conf  the file, by file[/etc/memcached.conf]
        /etc/a  its mode 4755, by file[/etc/memcached.conf]
        /etc/b  its owner 33:4, by file[/etc/memcached.conf]

      Done: 2 changed, 1 refreshed, 120 in sync; it took 42 s."
    `)
  })

  test('that was killed has no end', () => {
    expect(renderRun(killed, [], [], { paint })).toMatchInlineSnapshot(`
      "Run       20260228-080000-0001
      Command   steward apply --yes zulip::memcached
      Classes   zulip::memcached
      Started   2026-03-01 12:00:00 UTC
      Finished  no
      Status    not finished"
    `)
  })

  test('with hostile text steers no terminal', () => {
    const evil = '\x1b[2J\r\n\x9b'
    const row = { ...killed, id: evil, command: [evil], classes: [evil] }
    const saved = [{ ...kept, path: evil, ref: evil, kind: evil }]
    const event = { type: 'notice', message: evil }
    const text = renderRun(row, [{ sequence: 1, at: evil, event }], saved, { paint })
    expect(text + renderRuns([row], { paint })).not.toMatch(/(?!\n)\p{Cc}/u)
  })
})
