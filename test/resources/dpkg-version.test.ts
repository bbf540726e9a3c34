import { execFileSync, spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareVersions } from '../../engine/resources/dpkg-version.ts'

const hasDpkg = spawnSync('dpkg', ['--version']).status === 0

describe('compareVersions', () => {
  test.each([
    ['1.0', '1.00', 0],
    ['1.0', '1.0-0', 0],
    ['1.0', '0:1.0', 0],
    ['1.0', '1.0-1', -1],
    ['1.0~rc1', '1.0', -1],
    ['1.0~~', '1.0~', -1],
    ['1.0', '1.0a', -1],
    ['1.0a', '1.0+', -1],
    ['1.9', '1.10', -1],
    ['9.0', '1:0.1', -1],
    ['1-2-3', '1-2-4', -1],
    ['1.22.1-9+deb12u1', '1.22.1-9+deb12u11', -1],
    ['0.20240101000000000000', '0.20240101000000000001', -1],
    ['1.0-1', '1.0-1~bpo12+1', 1],
  ])('%s against %s is %i', (a, b, order) => {
    expect(Math.sign(compareVersions(a, b))).toBe(order)
    expect(Math.sign(compareVersions(b, a))).toBe(order === 0 ? 0 : -order)
  })

  test('orders any three versions without a circle', () => {
    const { version } = arbitraries
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        const [low, middle, high] = [a, b, c].sort(compareVersions) as [string, string, string]
        expect(compareVersions(low, middle)).toBeLessThanOrEqual(0)
        expect(compareVersions(low, high)).toBeLessThanOrEqual(0)
      }),
    )
  })

  test.skipIf(!hasDpkg)(
    'agrees with dpkg --compare-versions (skipped where there is no dpkg)',
    () => {
      const pairs = fc.sample(fc.tuple(arbitraries.version, arbitraries.version), 400)
      // One shell asks dpkg about all of them: a process for each from here would take seconds more.
      const script = `while read -r a b; do
      if dpkg --compare-versions "$a" lt "$b"; then echo -1
      elif dpkg --compare-versions "$a" gt "$b"; then echo 1; else echo 0; fi
    done`
      const input = pairs.map(([a, b]) => `${a} ${b}\n`).join('')
      const answers = execFileSync('sh', ['-c', script], { input, encoding: 'utf8' })
      const ours = pairs.map(([a, b]) => `${a} ${b} ${Math.sign(compareVersions(a, b))}`)
      const theirs = answers.trim().split('\n')
      expect(ours).toEqual(pairs.map(([a, b], at) => `${a} ${b} ${theirs[at]}`))
    },
    60_000,
  )
})

/** Versions near each other, of few characters, so that many comparisons are close. */
const arbitraries = (() => {
  const piece = fc.constantFrom('0', '1', '9', '10', '010', 'a', 'B', '~', '+', '.', 'rc')
  const tail = fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join(''))
  const version = fc
    .tuple(fc.constantFrom('', '0:', '1:'), fc.constantFrom('0', '1', '01'), tail, fc.option(tail))
    .map(([epoch, start, rest, revision]) => {
      return `${epoch}${start}${rest}${revision ? `-${revision}` : ''}`
    })
  return { version }
})()
