import { describe, expect, test } from 'vitest'
import { fileLine } from '../../engine/resources/file-line.ts'
import type { Resource } from '../../engine/resources/type.ts'
import { fakeHost } from '../support/fake-host.ts'

type Desired = Parameters<typeof fileLine.footprint>[0]['desired']

const path = '/etc/app'

function declared(desired: Partial<Desired>): Resource<Desired> {
  return {
    ref: 'file_line[x]',
    type: 'file_line',
    title: 'x',
    desired: { path, line: 'x=1', ...desired },
  }
}
function hostWith(content: string) {
  return fakeHost({ files: { [path]: content } })
}
async function verdictOn(host: ReturnType<typeof fakeHost>, resource: Resource<Desired>) {
  const [current] = await fileLine.probe([resource], host)
  if (current === undefined) throw new Error('no state')
  return fileLine.diff(resource, current)
}

test.each<readonly [string, string, Partial<Desired>, string]>([
  ['a line is added at the end', 'a\n', {}, 'a\nx=1\n'],
  ['a line is added to an empty file', '', {}, 'x=1\n'],
  ['a last line without end gets one', 'a', {}, 'a\nx=1\n'],
  ['a new line ends as the first one does', 'a\r\nb\n', {}, 'a\r\nb\nx=1\r\n'],
  ['a line is added behind what after meets', 'a\nb\n', { after: '^a' }, 'a\nx=1\nb\n'],
  ['a line is added at the end where after meets nothing', 'a\n', { after: 'q' }, 'a\nx=1\n'],
  ['a line is added behind each', 'a\na\n', { after: 'a', multiple: true }, 'a\nx=1\na\nx=1\n'],
  ['what matches is replaced', 'a\n#x=0\nb\n', { match: '^#?x=' }, 'a\nx=1\nb\n'],
  ['all that match are replaced', 'x=0\nx=2\n', { match: '^x', multiple: true }, 'x=1\nx=1\n'],
  ['what matches no more is added', 'a\n', { match: '^x' }, 'a\nx=1\n'],
  ['match goes before after', 'a\nx=0\n', { match: '^x', after: 'a' }, 'a\nx=1\n'],
  ['a replaced last line ends', 'a\nx=0', { match: '^x' }, 'a\nx=1\n'],
  ['a last line that is not touched keeps no end', 'x=0\nb', { match: '^x' }, 'x=1\nb'],
  ['every equal line is removed', 'x=1\na\nx=1\n', { ensure: 'absent' }, 'a\n'],
  [
    'what matches is removed',
    'a\nx=7\n',
    { ensure: 'absent', match: '^x', match_for_absence: true },
    'a\n',
  ],
])('%s', async (_title, before, desired, after) => {
  const host = hostWith(before)
  expect(await verdictOn(host, declared(desired))).not.toEqual({ changes: [] })
  await fileLine.apply(declared(desired), [], host)
  expect(host.text(path)).toBe(after)
  expect(await verdictOn(host, declared(desired))).toEqual({ changes: [] })
})

test.each<readonly [string, string, Partial<Desired>, string | undefined]>([
  ['a line that is there', 'a\nx=1', {}, undefined],
  ['a line that is there beside one that matches', 'x=0\nx=1\n', { match: '^x' }, undefined],
  [
    'one that matches, to be kept',
    'x=0\n',
    { match: '^x', replace: false },
    'the line that matches is kept',
  ],
  [
    'none that matches, to be left',
    'a\n',
    { match: '^x', append_on_no_match: false },
    'no line matches',
  ],
  ['a line that is absent', 'x=2\n', { ensure: 'absent' }, undefined],
  ['match without match_for_absence', 'x=2\n', { ensure: 'absent', match: '^x' }, undefined],
])('in sync is %s', async (_title, content, desired, note) => {
  const expected = note === undefined ? { changes: [] } : { changes: [], note }
  expect(await verdictOn(hostWith(content), declared(desired))).toEqual(expected)
})

describe('several matches without multiple', () => {
  test.each<readonly [string, Partial<Desired>]>([
    ['match', { match: '^x' }],
    ['after', { after: '^x' }],
    ['match', { ensure: 'absent', match: '^x', match_for_absence: true }],
  ])('of %s fail the resource and leave the file: %j', async (attribute, desired) => {
    const host = hostWith('x=0\na\nx=2\n')
    const blocked = `file_line[x]: its ${attribute} meets the lines 1, 3 of /etc/app, and one was expected`
    expect(await verdictOn(host, declared(desired))).toMatchObject({ blocked })
    await expect(fileLine.apply(declared(desired), [], host)).rejects.toThrow('the lines 1, 3')
    expect(host.writes).toEqual([])
  })
})

test('a file that is missing fails, and has every line absent', async () => {
  const missing = declared({ path: '/etc/none' })
  expect(await verdictOn(hostWith(''), missing)).toEqual({
    blocked: 'file_line[x]: there is no file /etc/none',
    help: 'declare it: - { file: /etc/none, ensure: present }',
  })
  const gone = declared({ path: '/etc/none', ensure: 'absent' })
  expect(await verdictOn(hostWith(''), gone)).toEqual({ changes: [] })
})

test('diff tells old and new lines', async () => {
  const host = hostWith('x=0\nx=2\n')
  const desired = { match: '^x', multiple: true }
  expect(await verdictOn(host, declared(desired))).toEqual({
    changes: [{ attribute: 'line', from: ['x=0', 'x=2'], to: 'x=1' }],
  })
  const absent = { ...desired, ensure: 'absent', match_for_absence: true } as const
  expect(await verdictOn(host, declared(absent))).toEqual({
    changes: [
      { attribute: 'ensure', from: 'present', to: 'absent' },
      { attribute: 'line', from: ['x=0', 'x=2'], to: undefined },
    ],
  })
})

test('check', () => {
  expect(fileLine.check?.(declared({ match: '(' }))?.attribute).toBe('match')
  expect(fileLine.check?.(declared({ after: '[' }))?.attribute).toBe('after')
  expect(fileLine.check?.(declared({ path: '/a/..' }))?.attribute).toBe('path')
  const { line: _line, ...rest } = declared({}).desired
  const without = (desired: Partial<Desired>) =>
    fileLine.check?.({ ...declared({}), desired: { ...rest, ...desired } })
  expect(without({})?.attribute).toBe('line')
  expect(without({ ensure: 'absent', match_for_absence: true })?.attribute).toBe(
    'match_for_absence',
  )
  expect(without({ ensure: 'absent', match_for_absence: true, match: 'x' })).toBeUndefined()
})
