import fc from 'fast-check'
import stringWidth from 'string-width'
import { describe, expect, test } from 'vitest'
import { columnsOf, padTo, renderTable, wrapWords } from '../../engine/ui/layout.ts'

describe('columnsOf', () => {
  test('agrees with string-width on every text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(columnsOf(text)).toBe(stringWidth(text))
      }),
    )
  })

  test('agrees with string-width on every character that it counts by itself', () => {
    const characters = Array.from({ length: 0x2fff }, (_, code) => String.fromCharCode(code))
    expect(characters.filter((text) => columnsOf(text) !== stringWidth(text))).toEqual([])
  })

  test('counts no colour', () => {
    expect(columnsOf('\x1b[32m日本\x1b[39m →')).toBe(6)
  })
})

describe('wrapWords', () => {
  test('breaks between words only, and loses none', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z/]{1,12}$/)),
        fc.integer({ min: 1, max: 30 }),
        (words, width) => {
          const lines = wrapWords(words.join(' '), width)
          expect(lines.join(' ')).toBe(words.join(' '))
          for (const line of lines) expect(line.length <= width || !line.includes(' ')).toBe(true)
        },
      ),
    )
  })
})

test('a table lines up by columns, not by characters', () => {
  expect(
    renderTable(
      ['A', 'B'],
      [
        ['日本', 'x'],
        ['abc', 'y'],
      ],
    ),
  ).toEqual(['A     B', '日本  x', 'abc   y'])
  expect(padTo('日', 3)).toBe('日 ')
})
