import { describe, expect, test } from 'vitest'
import { exampleFacts } from '../facts/example.ts'
import { type Case, result } from './catalog.ts'
import { conf, library, names, nine, secrets, systems, ten } from './every-class.ts'

/** The mistakes of a class on a system, in words. */
const mistakes = (name: string, system: keyof typeof systems, release: object) => {
  const facts = { os: { ...exampleFacts.os, ...systems[system] }, release } as Case['facts']
  return result({ conf, secrets, classes: [name], ...(facts && { facts }) }).diagnostics.flatMap(
    ({ severity, message }) => (severity === 'error' ? [message] : []),
  )
}

describe.each(names)('%s', (name) => {
  test.each([
    ['debian', ten],
    ['jammy', nine],
    ['noble', ten],
  ] as const)('compiles on %s for Zulip $version', (system, release) => {
    expect(mistakes(name, system, release)).toEqual([])
  })
})

test('all that Zulip is made of is refused on another system, in one sentence', () => {
  // These make sense on any Debian.
  const general = [
    'zulip::sasl_modules',
    'zulip::snakeoil',
    'zulip::certificate',
    'zulip::timesync',
  ]
  for (const name of names) {
    const found = mistakes(name, 'bullseye', ten)
    const { resources, include } = library.read(name) ?? {}
    const isOnlySettings = resources?.length === 0 && include?.length === 0
    if (isOnlySettings || general.includes(name)) continue
    expect([name, found]).toEqual([
      name,
      [expect.stringMatching(/^Zulip needs debian 12, .*; this is Debian GNU\/Linux 11/)],
    ])
  }
})
