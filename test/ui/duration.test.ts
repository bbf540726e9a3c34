import { expect, test } from 'vitest'
import { formatDuration } from '../../engine/ui/duration.ts'

test.each([
  [0, '0.0 s'],
  [449, '0.4 s'],
  [9_949, '9.9 s'],
  [9_950, '10 s'],
  [59_600, '1 min'],
  [80_000, '1 min 20 s'],
  [3_600_000, '1 h'],
  [7_500_000, '2 h 5 min'],
])('%i ms is told as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text)
})
