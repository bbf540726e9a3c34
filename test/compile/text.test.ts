import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseText } from '../../engine/compile/text.ts'

const parsed = (text: string) => {
  const found = parseText(text)
  if (!found || 'message' in found) throw new Error(found?.message ?? 'no expression')
  return found
}
const expressionsOf = (text: string) =>
  parsed(text).parts.flatMap((part) => (typeof part === 'string' ? [] : [part.expression]))

describe('parseText', () => {
  test.each([
    ['a text without expressions', 'plain $x {{ y }} }}'],
    ['an empty text', ''],
  ])('leaves %s alone', (_title, text) => {
    expect(parseText(text)).toBeUndefined()
  })

  test.each([
    ['${{ a }}', ['a']],
    ['x${{a}}y${{ b }}z', ['a', 'b']],
    ['${{ "}}" }}', ['"}}"']],
    ['${{ \'}}\' + "}}" }}', ['\'}}\' + "}}"']],
    ['${{ "a\\"}}" }}', ['"a\\"}}"']],
    ['${{ r"\\" }}${{ b }}', ['r"\\"', 'b']],
    ['${{ """a"}}""" }}', ['"""a"}}"""']],
    ['${{ {"a": {"b": 1}} }}', ['{"a": {"b": 1}}']],
    ['${{ {"a": {"b": 1}}}}', ['{"a": {"b": 1}}']],
    ['${{ a\n  + b }}', ['a\n  + b']],
  ])('finds the end of %j', (text, expected) => {
    expect(expressionsOf(text)).toEqual(expected)
  })

  test('tells an expression that stands alone, whose value keeps its type', () => {
    expect(parsed('${{ a }}').alone).toEqual({ expression: 'a', offset: 4 })
    expect(parsed(' ${{ a }}').alone).toBeUndefined()
    expect(parsed('${{ a }}${{ b }}').alone).toBeUndefined()
  })

  test.each([
    ['$${{ a }}', '${{ a }}'],
    ['x $${{', 'x ${{'],
    ['$$${{', '$${{'],
    ['$${{$${{', '${{${{'],
  ])('takes %j as text', (text, literal) => {
    expect(parsed(text).parts).toEqual([literal])
  })

  test('takes $${{ and an expression side by side', () => {
    expect(parsed('$${{ a }} ${{ b }}').parts).toEqual([
      '${{ a }} ',
      { expression: 'b', offset: 14 },
    ])
  })

  test.each([
    ['${{ a', 0, 'no closing'],
    ['xy${{ "}}"', 2, 'no closing'],
    ['a ${{ }}', 2, 'is empty'],
    ['${{ a }} ${{ {}', 9, 'no closing'],
  ])('refuses %j at its place', (text, offset, message) => {
    expect(parseText(text)).toEqual({ offset, message: expect.stringContaining(message) })
  })

  test('puts back together what it takes apart', () => {
    const literal = fc.string().filter((text) => !text.includes('${{') && !text.endsWith('$'))
    const expression = fc.constantFrom('a', 'a.b + 1', '"}}"', '\'a\' + r"\\"', '{"a": {"b": c}}')
    const pieces = fc.array(
      fc.oneof(
        literal,
        expression.map((text) => ({ text })),
      ),
      { minLength: 1 },
    )
    fc.assert(
      fc.property(pieces, (list) => {
        const text = list
          .map((piece) => (typeof piece === 'string' ? piece : `\${{ ${piece.text} }}`))
          .join('')
        const found = parseText(text)
        if (!text.includes('${{')) {
          expect(found).toBeUndefined()
          return
        }
        expect(
          parsed(text)
            .parts.map((part) => (typeof part === 'string' ? part : `\${{ ${part.expression} }}`))
            .join(''),
        ).toBe(text)
        for (const part of parsed(text).parts)
          if (typeof part !== 'string')
            expect(text.slice(part.offset, part.offset + part.expression.length)).toBe(
              part.expression,
            )
      }),
    )
  })
})
