import { describe, expect, test } from 'vitest'
import type { Facts } from '../../engine/facts/schema.ts'
import { renderClasses } from '../../engine/ui/classes-text.ts'
import { renderFacts } from '../../engine/ui/facts-text.ts'
import { columnsOf } from '../../engine/ui/layout.ts'
import { renderEntry, renderReference } from '../../engine/ui/reference-text.ts'
import { renderRuns } from '../../engine/ui/run-text.ts'
import { summary } from './run-events.ts'

const paint = (_tone: string, text: string) => text
const sentence = 'What it is for, in words that take more than a line of a narrow terminal.'
const attribute = {
  name: 'access_log_retention_days',
  type: 'an integer from 1 up',
  description: sentence,
  required: true,
  default: 14,
  examples: [14, 400],
}
const entry = { name: 'cron', description: sentence, attributes: [attribute], examples: [] }

const texts: Readonly<Record<string, (width: number) => string>> = {
  classes: (width) =>
    [false, true]
      .map((verbose) =>
        renderClasses(
          [
            {
              name: 'zulip::profile::app_frontend_base',
              kind: 'class',
              summary: sentence,
              file: 'manifests/zulip/x.yaml',
              parameters: ['one_parameter', 'another_parameter', 'a_third_one'].map((name) => ({
                ...attribute,
                name,
                from: 'application_server.access_log',
              })),
              incomplete: [sentence],
            },
            { name: 'a', kind: 'alias', aliasOf: 'b', file: 'a', parameters: [], incomplete: [] },
          ],
          { paint, width, verbose },
        ),
      )
      .join('\n'),
  types: (width) =>
    [
      renderEntry(entry, { paint, width }),
      renderReference(
        {
          types: [entry],
          steps: [entry],
          metaparameters: entry,
          manifest: [entry],
          functions: [
            {
              signatures: ['replace(text, what, by)', 'replace(list, what, by)'],
              description: sentence,
            },
          ],
          helpers: [{ usage: '{{join list separator}}', description: sentence }],
        },
        { paint, width },
      ),
    ].join('\n'),
  facts: (width) =>
    renderFacts(
      {
        os: { family: 'Debian', id: 'debian', name: 'Debian GNU/Linux 12 (bookworm), and more' },
        mounts: [{ path: '/', device: '/dev/vda', type: 'ext4', size_mb: 100, free_mb: 50 }],
      } as unknown as Facts,
      { paint, width },
    ),
  'runs list': (width) =>
    renderRuns(
      [
        {
          id: summary.run,
          started: '2026-03-01T12:00:00.123Z',
          finished: '2026-03-01T12:01:20.400Z',
          status: 'done',
          command: ['apply', '--yes'],
          classes: ['zulip::profile::base', 'zulip::profile::memcached', 'zulip::nginx'],
          summary,
        },
      ],
      { paint, width },
    ),
}

describe.each(Object.entries(texts))('%s', (_name, render) => {
  test.each([40, 60, 79])('fits %i columns, but for words that are longer', (width) => {
    const over = render(width)
      .split('\n')
      .filter((line) => columnsOf(line) > width && line.trim().includes(' '))
    expect(over).toEqual([])
  })

  test('says the same in any width', () => {
    const words = (width: number) => new Set(render(width).split(/[\s,]+/))
    for (const word of words(200)) if (/^[a-z_:]{4,}$/.test(word)) expect(words(40)).toContain(word)
  })
})

test('a run takes its class from a table where that fits, and stands by itself where it does not', () => {
  const [at200 = '', at60 = ''] = [200, 60].map((width) => texts['runs list']?.(width))
  expect(at200.split('\n')[0]).toMatch(/^RUN +STARTED/)
  expect(at60).toMatchInlineSnapshot(`
    "20260301-120000-ab12
      done, 3 changed, 0 failed, 2026-03-01 12:00:00 UTC, it
      took 1 min 20 s
      steward apply --yes
      zulip::profile::base, zulip::profile::memcached,
      zulip::nginx"
  `)
})
