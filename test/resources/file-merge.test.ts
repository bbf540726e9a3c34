import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { merge } from '../../engine/resources/file/merge.ts'

const text = (value: string) => Buffer.from(value, 'latin1')
const merged = (base: string, present: string, wanted: string) => {
  const found = merge(text(base), text(present), text(wanted))
  return 'merged' in found ? found.merged.toString('latin1') : found
}

describe('merge', () => {
  test.each([
    ['nothing', 'a\nb\n', 'a\nb\n', 'a\nb\n', 'a\nb\n'],
    ['only here', 'a\nb\n', 'a\nB\n', 'a\nb\n', 'a\nB\n'],
    ['only there', 'a\nb\n', 'a\nb\n', 'A\nb\n', 'A\nb\n'],
    ['both, apart', 'a\nb\nc\n', 'A\nb\nc\n', 'a\nb\nC\n', 'A\nb\nC\n'],
    ['both, alike', 'a\nb\nc\n', 'A\nb\nc\n', 'A\nb\nc\n', 'A\nb\nc\n'],
    ['a line more here, one less there', 'a\nb\nc\n', 'a\nb\nc\nmine\n', 'b\nc\n', 'b\nc\nmine\n'],
    ['from nothing there', '', '', 'a\n', 'a\n'],
    ['to nothing there', 'a\n', 'a\n', '', ''],
  ])('takes what was changed by %s', (_who, base, present, wanted, result) => {
    expect(merged(base, present, wanted)).toBe(result)
  })
  test.each([
    ['a last newline that is missing there', 'a\nb\n', 'A\nb\n', 'a\nb', 'A\nb'],
    ['a last newline that is missing here', 'a\nb', 'a\nb\n', 'A\nb', 'A\nb\n'],
    ['line ends of another kind here', 'a\nb\n', 'a\r\nb\r\n', 'A\nb\n', 'A\r\nb\r\n'],
    ['bytes that are no UTF-8', 'a\nb\nc\n', '\xff\nb\nc\n', 'a\nb\n\xfe\n', '\xff\nb\n\xfe\n'],
    ['one line with a carriage return', 'a\nb\nc\n', 'a\r\nb\nc\n', 'a\nb\nC\n', 'a\r\nb\nC\n'],
  ])('keeps %s', (_what, base, present, wanted, result) => {
    expect(merged(base, present, wanted)).toBe(result)
  })
  test('tells the lines that both changed', () => {
    expect(merged('a\nb\nc\n', 'a\nmine\nc\n', 'a\nnew\nc\n')).toEqual({
      conflicts: [{ line: 2, present: ['mine'], base: ['b'], wanted: ['new'] }],
    })
  })
  test('merges no bytes that are no text', () => {
    expect(merged('a\0', 'b\0', 'c\0')).toEqual({ unmergeable: 'it is no text' })
  })
  test('with one side unchanged is the other side, whatever they hold', () => {
    const anything = fc.string({
      unit: fc.constantFrom('a', 'b', '\n', '\r', '\xff'),
      maxLength: 30,
    })
    fc.assert(
      fc.property(anything, anything, (base, other) => {
        expect(merged(base, base, other)).toBe(other)
        expect(merged(base, other, base)).toBe(other)
        expect(merged(base, other, other)).toBe(other)
      }),
    )
  })
})
