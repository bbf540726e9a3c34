import { expect, test } from 'vitest'
import { parseDurationMs } from '../../engine/resources/duration.ts'

test.each([
  [0, 0],
  [1.5, 1500],
  ['90s', 90_000],
  ['1.5 h', 5_400_000],
  ['250ms', 250],
  ['5m', 300_000],
  ['2d', 172_800_000],
  ['1w', 604_800_000],
  ['5', undefined],
  ['5 minutes', undefined],
  ['-1s', undefined],
  ['', undefined],
])('%j is %s ms', (value, ms) => {
  expect(parseDurationMs(value)).toBe(ms)
})
