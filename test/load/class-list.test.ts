import { expect, test } from 'vitest'
import { classList } from '../../engine/load/class-list.ts'
import { parseConf } from '../../engine/load/conf.ts'

function listOf(line: string) {
  const parsed = parseConf(`[machine]\n${line}\n`, 'zulip.conf')
  const entry = 'conf' in parsed ? parsed.conf.get('machine', 'puppet_classes') : undefined
  if (!entry) throw new Error('no such setting')
  return classList(entry)
}

test.each([
  ['puppet_classes = zulip::a,zulip::b', ['zulip::a', 'zulip::b']],
  ['puppet_classes = ::zulip::a , , zulip::b,', ['zulip::a', 'zulip::b']],
  ['puppet_classes = zulip::a,\n  zulip::b', ['zulip::a', 'zulip::b']],
  ['puppet_classes =', []],
])('%s', (line, classes) => {
  const list = listOf(line)
  expect('classes' in list && list.classes.map(({ name }) => name)).toEqual(classes)
})

test('each has its place', () => {
  expect(listOf('puppet_classes = zulip::a, ::zulip::b')).toMatchObject({
    classes: [
      { name: 'zulip::a', place: { line: 2, column: 18, length: 8 } },
      { name: 'zulip::b', place: { line: 2, column: 28, length: 10 } },
    ],
  })
})

test('names separated by blanks are refused at their place', () => {
  expect(listOf('puppet_classes = x, zulip::a  zulip::b')).toMatchObject({
    diagnostics: [
      {
        code: 'conf-value',
        place: { line: 2, column: 21, length: 18 },
        help: 'write zulip::a, zulip::b',
      },
    ],
  })
})

test('names on several lines without commas are refused', () => {
  expect(listOf('puppet_classes = a\n  b')).toMatchObject({ diagnostics: [{ found: 'a b' }] })
})

test('a comment after the names is told as what it is', () => {
  expect(listOf('puppet_classes = zulip::a ; mine')).toMatchObject({
    diagnostics: [{ help: 'give the comment a line of its own, and write zulip::a' }],
  })
})
