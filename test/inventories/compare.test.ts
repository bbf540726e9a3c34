import { describe, expect, test } from 'vitest'
import { catalogOf } from '../compile/road.ts'
import { type Comparison, compare } from './compare.ts'
import { library } from './configuration.ts'
import type { Rule } from './differences.ts'
import type { Row } from './row.ts'
import { openTable } from './table.ts'

function row(type: string, title: string, stated: Readonly<Record<string, string>> = {}): Row {
  return { type, title, class: 'zulip::x', stated: new Map(Object.entries(stated)) }
}
function rule(rest: Partial<Rule>): Rule {
  return { id: 'a-rule', type: 'file', title: '/srv/x', resources: 1, reason: 'Because.', ...rest }
}
/** Rows beside a class with these resources, written as in a manifest. */
async function compared(
  resources: readonly string[],
  rows: readonly Row[],
  rules: readonly Rule[] = [],
): Promise<Comparison> {
  const manifest = ['class: main', 'resources:', ...resources.map((text) => `  - ${text}`)]
  return compare('9x-test', rows, await catalogOf(manifest.join('\n')), library, rules)
}
const openOf = ({ open }: Comparison) =>
  open.map(({ row, attribute, stated, ours }) =>
    attribute === undefined ? `no ${row.title}` : `${attribute} ${stated} ${ours}`,
  )

describe('a resource is alike', () => {
  test.each([
    [
      'in mode where the search bit makes it so',
      '{ file: /srv/x, ensure: directory, mode: "0750" }',
      row('file', '/srv/x', { ensure: 'directory', mode: '0640' }),
    ],
    [
      'as a file that a cron job keeps',
      '{ cron: job, schedule: "5  * * * *", command: /x/manage.py y, user: zulip }',
      row('file', '/etc/cron.d/job', { ensure: 'file', owner: 'root', mode: '0644' }),
    ],
    [
      'as a job at the same time, whatever the path of its program',
      '{ cron: job, schedule: "5  * * * *", command: "cd / && /x/manage.py y", user: zulip }',
      row('cron', 'job', { schedule: '5 * * * *', user: 'zulip', command: 'manage.py y' }),
    ],
    [
      'as a package that is there by default',
      '{ package: git }',
      row('package', 'git', { ensure: 'installed' }),
    ],
    [
      'as a service with its suffix',
      '{ service: git.service, ensure: running, enable: false }',
      row('service', 'git', { ensure: 'running', enable: 'false' }),
    ],
    [
      'as a download, by its address and what comes of it',
      '{ exec: fetch, command: [get, "https://x/y", "ABC"], creates: /srv/y }',
      row('exec', 'https://x/y', { creates: '/srv/y', sha256: 'abc' }),
    ],
    [
      'in groups that are among ours',
      '{ user: git, groups: [zulip, ssl-cert] }',
      row('user', 'git', { groups: 'ssl-cert', membership: 'minimum' }),
    ],
  ])('%s', async (_title, resource, wanted) => {
    expect(openOf(await compared([resource], [wanted]))).toEqual([])
  })
})

describe('a resource differs', () => {
  test.each([
    [
      'in mode',
      '{ file: /srv/x, content: "", mode: "0750" }',
      row('file', '/srv/x', { ensure: 'file', mode: '0640' }),
      ['mode 0640 0750'],
    ],
    [
      'where ours leaves the owner open',
      '{ file: /srv/x, content: "" }',
      row('file', '/srv/x', { owner: 'zulip' }),
      ['owner zulip undefined'],
    ],
    [
      'where ours removes it',
      '{ file: /srv/x, ensure: absent }',
      row('file', '/srv/x', { owner: 'zulip' }),
      ['ensure present absent'],
    ],
    [
      'in the target of a link',
      '{ file: /srv/x, target: /a }',
      row('file', '/srv/x', { ensure: 'link', target: '/b' }),
      ['target /b /a'],
    ],
    [
      'in what a job runs',
      '{ cron: job, schedule: "5 * * * *", command: manage.py y }',
      row('cron', 'job', { user: 'zulip', command: 'manage.py z' }),
      ['user zulip undefined', 'command manage.py z manage.py y'],
    ],
    [
      'in that no service hears of its change',
      '{ file: /srv/x, content: "" }',
      row('file', '/srv/x', { refreshes: 'nginx' }),
      ['refreshes nginx '],
    ],
    ['where there is none', '{ package: git }', row('package', 'jq'), ['no jq']],
    ['as a class', '{ package: git }', row('class', 'zulip::timesync'), ['no zulip::timesync']],
  ])('%s', async (_title, resource, wanted, expected) => {
    expect(openOf(await compared([resource], [wanted]))).toEqual(expected)
  })
})

test('a service hears of a change where ours reloads it too', async () => {
  const resources = [
    '{ file: /srv/x, content: "" }',
    '{ service: nginx, ensure: running, reload_on: [/srv/*] }',
  ]
  const wanted = row('file', '/srv/x', { refreshes: 'nginx' })
  expect(openOf(await compared(resources, [wanted]))).toEqual([])
})

describe('a rule', () => {
  const missing = row('file', '/srv/x', { mode: '0640' })
  const other = '{ file: /srv/y, content: "" }'
  const present = '{ file: /srv/x, content: "", mode: "0640" }'
  test('covers what is not there', async () => {
    const { open, covered, wrong } = await compared([other], [missing], [rule({})])
    expect([open, covered.length, wrong]).toEqual([[], 1, []])
  })
  test('covers an attribute and no other', async () => {
    const { open, wrong } = await compared(
      ['{ file: /srv/x, content: "", mode: "0600" }'],
      [row('file', '/srv/x', { mode: '0640', owner: 'root' })],
      [rule({ attribute: 'mode' })],
    )
    expect(open.map(({ attribute }) => attribute)).toEqual(['owner'])
    expect(wrong).toEqual([])
  })
  test.each([
    ['there is such a resource', [present], {}, 'there is a file[/srv/x] of ours'],
    ['the attribute agrees', [present], { attribute: 'mode' }, 'does not differ in mode'],
    ['there is nothing to differ', [other], { attribute: 'mode' }, 'that could differ in mode'],
    ['nothing stands in its place', [other], { by: 'exec[*]' }, 'no exec[*] of ours that stands'],
  ])('is told to be wrong where %s', async (_title, resources, rest, fault) => {
    const { wrong } = await compared(resources, [missing], [rule(rest)])
    expect(wrong).toEqual([expect.stringContaining(fault)])
  })
  test('says nothing of other configurations', async () => {
    const { open, wrong } = await compared([present], [missing], [rule({ in: '10-*' })])
    expect([open, wrong]).toEqual([[], []])
  })
})

test('a table that is too long ends in counts by class', async () => {
  const comparison = await compared(['{ package: git }'], [row('package', 'a'), row('file', '/b')])
  expect(openTable(comparison, comparison.open, 1)).toBe(
    [
      '9x-test: 2 differences from the 2 resources of the real catalog',
      '  zulip::x (1)',
      '    package[a]',
      '  and 1 more: zulip::x 1',
    ].join('\n'),
  )
})
