import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { merge } from '../../engine/resources/file/merge.ts'

const merged = (base: string, present: string, wanted: string) => {
  const found = merge(Buffer.from(base), Buffer.from(present), Buffer.from(wanted))
  return 'merged' in found ? found.merged.toString() : found
}
const numbered = (size: number, from = 0) =>
  Array.from({ length: size }, (_, line) => `line ${from + line}\n`).join('')

describe('a text of more than five thousand lines', () => {
  const long = numbered(50_000)
  test('is merged where few of them differ', () => {
    const here = `mine\n${long}`.replace('line 40000\n', '')
    const there = `${long}new\n`.replace('line 25000\n', 'LINE 25000\n')
    const both = here.replace('line 25000\n', 'LINE 25000\n')
    expect(merged(long, here, there)).toBe(`${both}new\n`)
  })
  test('tells the lines that both changed, by where they are here', () => {
    const here = `mine\n${long}`.replace('line 30000\n', 'mine\n')
    const there = long.replace('line 30000\n', 'new\n')
    expect(merged(long, here, there)).toEqual({
      conflicts: [{ line: 30_002, present: ['mine'], base: ['line 30000'], wanted: ['new'] }],
    })
  })
  test('is not merged where too many differ, and that is told at once', () => {
    const other = numbered(50_000, 100_000)
    expect(merged(long, other, `${long}new\n`)).toEqual({
      unmergeable: 'too many of its lines differ',
    })
    expect(merged(long, other, `${other}new\n`)).toEqual({
      unmergeable: 'too many of its lines differ',
    })
  })
  test('is merged as a short one would be', () => {
    const pad = numbered(5000, 100)
    const lines = fc.uniqueArray(fc.integer({ min: 0, max: 12 }), { maxLength: 8 })
    const text = (numbers: readonly number[]) => numbers.map((each) => `${each}\n`).join('')
    fc.assert(
      fc.property(lines, lines, lines, (base, here, there) => {
        const sides = [base, here, there].map(text) as [string, string, string]
        const short = merged(...sides)
        const found = merged(...(sides.map((side) => side + pad) as [string, string, string]))
        if (typeof short === 'string') expect(found).toBe(short + pad)
        else expect(found).toMatchObject({ conflicts: expect.any(Array) })
      }),
      { numRuns: 60 },
    )
  })
})
