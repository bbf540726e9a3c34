import { setTimeout as sleep } from 'node:timers/promises'
import { cleanup, render } from 'ink-testing-library'
import { afterEach, describe, expect, test } from 'vitest'
import type { Event, Summary } from '../../engine/events.ts'
import { columnsOf } from '../../engine/ui/layout.ts'
import { Progress, showProgress } from '../../engine/ui/progress.tsx'
import type { ProgressView } from '../../engine/ui/progress-state.ts'
import { events, planned, summary } from './run-events.ts'
import { Screen } from './screen.ts'

afterEach(cleanup)
const paint = (_tone: string, text: string) => text

describe('a frame', () => {
  const view: ProgressView = {
    told: ['created      file[/a]  file'],
    running: [{ name: 'package[memcached]', elapsedMs: 12_400, beforeMs: 30_000 }],
    done: 3,
    planned: 12,
    leftMs: 40_000,
  }
  const frameOf = (rest: Partial<ProgressView> = {}, isStopping = false, ending?: string) =>
    render(<Progress view={{ ...view, ...rest }} tick={0} {...{ paint, isStopping, ending }} />)
      .lastFrame()
      ?.trimEnd()

  test('has what is finished above, what runs below it, and how much is left', () => {
    expect(frameOf()).toMatchInlineSnapshot(`
      "created      file[/a]  file
      ⠋ package[memcached]  12 s, took 30 s before
      3 of 12 done, about 40 s left"
    `)
  })

  test('names only a few of many that run at once', () => {
    const running = Array.from({ length: 80 }, (_, n) => ({ name: `package[p${n}]`, elapsedMs: 0 }))
    expect(frameOf({ running })).toMatchInlineSnapshot(`
      "created      file[/a]  file
      ⠋ package[p0]  0 s
      ⠋ package[p1]  0 s
      ⠋ package[p2]  0 s
      ⠋ package[p3]  0 s
      ⠋ package[p4]  0 s
        and 75 more
      3 of 12 done, about 40 s left"
    `)
  })

  test('says what the act is at that takes long', () => {
    expect(frameOf({ doing: 'setting up nginx, 3 of 12' })).toContain(
      '\n  setting up nginx, 3 of 12\n3 of 12 done',
    )
  })

  test('says that it stops, and what a second signal does', () => {
    expect(frameOf({}, true)).toMatch(/\nstopping after this; once more stops at once$/)
  })

  test('at the end holds what was told and the summary', () => {
    expect(frameOf({}, false, 'Done.')).toBe('created      file[/a]  file\nDone.')
  })

  test('guesses nothing where nothing is known', () => {
    const { leftMs: _, ...unknown } = view
    const running = [{ name: 'exec[x]', elapsedMs: 900 }]
    expect(
      render(
        <Progress
          view={{ ...unknown, running }}
          tick={1}
          {...{ paint }}
          isStopping={false}
          ending={undefined}
        />,
      ).lastFrame(),
    ).toMatch(/⠙ exec\[x\] {2}0 s\n3 of 12 done$/)
  })
})

async function* slowly(list: readonly Event[], pauseMs: number): AsyncGenerator<Event, Summary> {
  for (const event of list) {
    yield event
    await sleep(pauseMs)
  }
  return summary
}

describe('showProgress', () => {
  const show = (screen: Screen, run: AsyncIterator<Event, Summary>) =>
    showProgress(run, {
      planned,
      previous: new Map(),
      out: screen as unknown as NodeJS.WriteStream,
      paint,
    })

  test.each([0, 60])(
    'leaves every line once and the summary last, %i ms apart',
    async (pauseMs) => {
      const screen = new Screen()
      expect(await show(screen, slowly(events, pauseMs))).toEqual(summary)
      expect(screen.lines).toEqual([
        'Applying zulip::memcached: 3 of 123 resources',
        'created      package[memcached]  1.6.18-1  3.2 s',
        'changed      file[/etc/memcached.conf]  content +2 -1 (edited here)',
        'restarted    service[memcached]  because file[/etc/memcached.conf] changed',
        'Done: 2 changed, 1 refreshed, 120 in sync; it took 42 s.',
        '',
      ])
    },
  )

  test('draws what runs meanwhile', async () => {
    const screen = new Screen()
    await show(screen, slowly(events.slice(0, 2), 250))
    expect(screen.written).toMatch(/package\[memcached\] {2}0 s/)
    expect(screen.written).toContain('0 of 3 done')
  })

  test('keeps to the screen that was there, and shows the cursor again', async () => {
    const screen = new Screen()
    await show(screen, slowly(events, 0))
    expect(screen.written).not.toContain('\x1b[?1049h')
    expect(screen.written).not.toContain('\x1b[2J')
    expect(screen.written.lastIndexOf('\x1b[?25h')).toBeGreaterThan(
      screen.written.lastIndexOf('\x1b[?25l'),
    )
  })

  test('fits 40 columns', async () => {
    const screen = new Screen({ columns: 40 })
    await show(screen, slowly(events, 60))
    for (const line of screen.lines) expect(columnsOf(line)).toBeLessThanOrEqual(40)
    expect(screen.lines.join(' ').replace(/ +/g, ' ')).toContain(
      'because file[/etc/memcached.conf] changed',
    )
  })

  test('draws while work never waits, and lets signals have their turn', async () => {
    const screen = new Screen()
    let turns = 0
    const timer = setInterval(() => turns++, 10)
    async function* busy(): AsyncGenerator<Event, Summary> {
      for (let n = 0; n < 6; n++) {
        const until = performance.now() + 60
        while (performance.now() < until);
        yield { type: 'notice', message: `${n}` }
      }
      return summary
    }
    await show(screen, busy())
    clearInterval(timer)
    expect(turns).toBeGreaterThan(1)
    expect(screen.lines).toHaveLength(8)
  })

  test('gives the terminal back where the run throws', async () => {
    const screen = new Screen()
    async function* broken(): AsyncGenerator<Event, Summary> {
      yield { type: 'notice', message: 'so far so good' }
      throw new Error('the disk is gone')
    }
    await expect(show(screen, broken())).rejects.toThrow('the disk is gone')
    expect(screen.lines.join('')).toBe('notice       so far so good')
    expect(screen.listenerCount('resize')).toBe(0)
  })
})
