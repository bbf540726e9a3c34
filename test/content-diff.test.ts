import { describe, expect, test } from 'vitest'
import { contentDiff } from '../engine/content-diff.ts'

const diff = (from: string | Uint8Array, to: string | Uint8Array) =>
  contentDiff(Buffer.from(from), Buffer.from(to), '/x')
const lines = (count: number, of: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => `${of(index)}\n`).join('')

describe('contentDiff', () => {
  test('shows what differs with three lines around it, and counts it', () => {
    const from = lines(20, String)
    expect(diff(from, from.replace('10\n', 'ten\n'))).toEqual({
      text: '@@ -8,7 +8,7 @@\n 7\n 8\n 9\n-10\n+ten\n 11\n 12\n 13',
      added: 1,
      removed: 1,
    })
  })

  test('shows a line end that is missing', () => {
    expect(diff('a\n', 'a')).toMatchObject({ text: expect.stringContaining('No newline') })
  })

  test('lets no content steer the terminal', () => {
    expect(JSON.stringify(diff('a\n', '\u001b[2J\r\n'))).not.toMatch(/\\u001b|\\r/)
  })

  test.each([
    ['binary', Buffer.from([0, 1]), Buffer.from([0, 2]), /^binary, 2 → 2 bytes$/],
    ['what is too large', 'a'.repeat(1_500_000), 'b'.repeat(1_500_000), /^too large to show/],
  ])('does not show %s', (_title, from, to, expected) => {
    expect(diff(from, to)).toEqual({ unshown: expect.stringMatching(expected) })
  })

  test('cuts off what nobody would read to the end', () => {
    const shown = diff(
      lines(1000, (n) => `a${n}`),
      lines(1000, (n) => `b${n}`),
    )
    expect('text' in shown && shown.text.split('\n').at(-1)).toMatch(/^… \d+ more lines$/)
  })

  test('gives up where nearly everything differs', () => {
    const shown = diff(
      lines(40_000, (n) => `a${n * 7}`),
      lines(40_000, (n) => `b${n * 3}`),
    )
    expect(shown).toEqual({ unshown: expect.stringMatching(/^more than 3000 lines differ, /) })
  })
})
