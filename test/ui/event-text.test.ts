import { describe, expect, test } from 'vitest'
import type { Event, Summary } from '../../engine/events.ts'
import { renderEvent, renderSummary } from '../../engine/ui/event-text.ts'
import { newContent } from './example.ts'

const paint = (_tone: string, text: string) => text
const render = (event: Event, verbose = false) => renderEvent(event, { paint, verbose })
type Finished = Extract<Event, { type: 'resource_finished' }>
const finished = (
  ref: string,
  outcome: Finished['outcome'],
  rest: Partial<Finished> = {},
): Event => ({
  type: 'resource_finished',
  ref,
  outcome,
  changes: [],
  durationMs: 3,
  ...rest,
})

describe('an event', () => {
  test.each<[string, Event, string | undefined]>([
    [
      'of the start says what is applied',
      { type: 'run_started', run: 'r', classes: ['a', 'b'], planned: 3, total: 120 },
      'Applying a, b: 3 of 120 resources',
    ],
    [
      'of something made tells its values',
      finished('file[/a]', 'changed', {
        changes: [
          { attribute: 'ensure', from: 'absent', to: 'file' },
          { attribute: 'mode', from: undefined, to: '0644' },
        ],
      }),
      'created      file[/a]  file, mode 0644',
    ],
    [
      'of a change tells what it was, and how long it took where that was long',
      finished('file[/a]', 'changed', { changes: [newContent], durationMs: 12_345 }),
      'changed      file[/a]  content +2 -1 (edited here)  12 s',
    ],
    [
      'of a removal says so',
      finished('file[/a]', 'changed', {
        changes: [{ attribute: 'ensure', from: 'file', to: 'absent' }],
      }),
      'removed      file[/a]  ensure file → absent',
    ],
    [
      'of a failure tells what was changed before it',
      finished('user[a]', 'failed', {
        changes: [{ attribute: 'shell', from: '/bin/sh', to: '/bin/bash' }],
        error: { severity: 'error', code: 'apply-failed', message: 'user[a]: no' },
      }),
      'failed       user[a]  changed before that: shell /bin/sh → /bin/bash\n  error: user[a]: no [apply-failed]',
    ],
    [
      'of a command names it, and what it found out',
      finished('exec[migrate]', 'changed', {
        changes: [{ attribute: 'run', from: undefined, to: 'manage.py migrate' }],
        note: 'nothing was left to do',
      }),
      'ran          exec[migrate]  manage.py migrate  (nothing was left to do)',
    ],
    [
      'of a restart says why',
      finished('service[nginx]', 'refreshed', { refresh: { by: 'restart', from: ['file[/a]'] } }),
      'restarted    service[nginx]  because file[/a] changed',
    ],
    [
      'of a command that runs on a refresh says why',
      finished('exec[x]', 'refreshed', { refresh: { by: 'refresh', from: ['file[/a]'] } }),
      'ran          exec[x]  because file[/a] changed',
    ],
    [
      'of something skipped names the root cause',
      finished('file[/b]', 'skipped', { cause: 'package[nginx]' }),
      'skipped      file[/b]  because package[nginx] failed',
    ],
    [
      'of noop tells what it would be',
      finished('file[/b]', 'noop', { changes: [{ attribute: 'mode', from: '0600', to: '0644' }] }),
      'noop         file[/b]  mode 0600 → 0644',
    ],
    ['of what was in sync is not told', finished('file[/b]', 'unchanged'), undefined],
    [
      'of a beginning is not told',
      { type: 'resource_started', ref: 'x', action: 'run' },
      undefined,
    ],
    [
      'tells what differs from the plan',
      { type: 'differs_from_plan', ref: 'x', message: 'file[/a] is already as it is to be' },
      'differs      file[/a] is already as it is to be',
    ],
    [
      'of a step stands as far in as it is deep',
      { type: 'step_started', kind: 'steps', step: 'stop', title: 'stop the server', depth: 1 },
      'step           stop the server',
    ],
    [
      'of the end of a step says how it ended',
      {
        type: 'step_finished',
        kind: 'query',
        step: 's',
        title: 'migrate',
        depth: 0,
        status: 'done before',
        note: 'nothing to migrate',
      },
      'done before  migrate  (nothing to migrate)',
    ],
    ['tells what is waited for', { type: 'waiting', message: 'for apt' }, 'waiting      for apt'],
  ])('%s', (_title, event, text) => {
    expect(render(event)).toBe(text)
  })

  test('of a failure holds all that is known', () => {
    const event = finished('service[nginx]', 'failed', {
      durationMs: 1500,
      error: {
        severity: 'error',
        code: 'refresh-failed',
        message: 'service[nginx] did not come back after a restart',
        ran: { argv: ['systemctl', 'restart', 'nginx'], exit: 'exit 1', output: 'one\ntwo\n' },
        help: 'journalctl --unit nginx',
      },
    })
    expect(render(event)).toMatchInlineSnapshot(`
      "failed       service[nginx]  1.5 s
        error: service[nginx] did not come back after a restart [refresh-failed]
          ran       systemctl restart nginx
          exit      exit 1
          output    one
                    two
          help      journalctl --unit nginx"
    `)
  })

  test('shows what a command printed only on request, and harmless', () => {
    const event = finished('exec[x]', 'changed', {
      changes: [{ attribute: 'run', from: undefined, to: 'x' }],
      output: 'one\n\x1b[2Jtwo\n',
    })
    expect(render(event)).toBe('ran          exec[x]  x')
    expect(render(event, true)).toBe('ran          exec[x]  x\n    one\n    \\x1b[2Jtwo')
  })

  test('tells on request also what begins and what was in sync', () => {
    expect(render({ type: 'resource_started', ref: 'x[y]', action: 'run' }, true)).toBe(
      'begun        x[y]',
    )
    expect(render(finished('x[y]', 'unchanged', { note: 'kept' }), true)).toBe(
      'in sync      x[y]  (kept)',
    )
  })

  test('with hostile text steers no terminal', () => {
    const evil = '\x1b[2J\r\n\x9b'
    const events: Event[] = [
      { type: 'run_started', run: evil, classes: [evil], planned: 1, total: 1 },
      { type: 'notice', message: evil },
      { type: 'waiting', message: evil },
      { type: 'differs_from_plan', ref: evil, message: evil },
      { type: 'step_started', kind: 'steps', step: evil, title: evil, depth: 1 },
      {
        type: 'step_finished',
        kind: 'query',
        step: evil,
        title: evil,
        depth: 1,
        status: 'failed',
        note: evil,
      },
      finished(evil, 'skipped', { cause: evil, note: evil }),
      finished(evil, 'failed', { error: { severity: 'error', code: 'bug', message: evil } }),
    ]
    for (const event of events) {
      expect(render(event, true)).not.toMatch(/(?!\n)\p{Cc}/u)
    }
  })
})

describe('a summary', () => {
  const summary: Summary = {
    run: '20260301-120000-ab12',
    status: 'done',
    changed: 3,
    refreshed: 1,
    failed: 0,
    skipped: 0,
    unchanged: 120,
    other: 0,
    durationMs: 42_000,
  }

  test('counts only what there was', () => {
    expect(renderSummary(summary, { paint })).toBe(
      'Done: 3 changed, 1 refreshed, 120 in sync; it took 42 s.',
    )
  })

  test('counts what is kept and left alone in the words of the plan', () => {
    const kept: Summary = { ...summary, other: 7, edited: 2, unknown: 1, noop: 3 }
    expect(renderSummary(kept, { paint })).toBe(
      'Done: 3 changed, 1 refreshed, 1 unknown, 3 would change (noop), 120 in sync, 2 kept as edited here, 1 left alone; it took 42 s.',
    )
  })

  test('names commands with the options that say where things lie', () => {
    const overwritten = Array.from({ length: 11 }, (_, number) => `/etc/${number}`)
    const failed: Summary = { ...summary, status: 'failed', failed: 1, overwritten }
    const given = { root: 'a tree', state: 'state', config: 'my.conf', manifests: ['m', 'n'] }
    const lines = renderSummary(failed, { paint, given }).split('\n')
    expect(lines[1]).toBe(
      "All of it: steward runs show 20260301-120000-ab12 --root 'a tree' --state state",
    )
    expect(lines[3]).toBe(
      "  steward bucket restore /etc/0 --root 'a tree' --state state --manifests m --manifests n",
    )
    expect(lines.at(-1)).toBe(
      "  and 1 more: steward undo 20260301-120000-ab12 --root 'a tree' --state state --config my.conf --manifests m --manifests n",
    )
  })

  test('of a failure says how to look further', () => {
    const failed: Summary = { ...summary, status: 'failed', failed: 1, skipped: 2, other: 1 }
    expect(renderSummary(failed, { paint })).toMatchInlineSnapshot(`
      "Failed: 3 changed, 1 refreshed, 1 failed, 2 skipped, 120 in sync, 1 left alone; it took 42 s.
      All of it: steward runs show 20260301-120000-ab12"
    `)
  })

  test('of an interrupted run says that the next one goes on', () => {
    expect(renderSummary({ ...summary, status: 'interrupted' }, { paint })).toMatchInlineSnapshot(`
      "Interrupted: 3 changed, 1 refreshed, 120 in sync; it took 42 s. The next run goes on from here.
      All of it: steward runs show 20260301-120000-ab12"
    `)
  })
})
