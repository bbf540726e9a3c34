import { expect, test } from 'vitest'
import {
  isKnownMiss,
  knownMisses,
  mutants,
  rootedEdges,
  tried,
  triedInRoot,
} from '../prove/mutants.ts'

const sampled = process.env.STEWARD_TEST_SERIES === 'sample'

test('prove finds at least 95 % of the mutants of our own manifests that matter', () => {
  const all = { matter: 0, found: 0 }
  for (const kind of ['edge', 'word'] as const) {
    const own = mutants.filter((mutant) => mutant.kind === kind)
    const some = sampled ? own.filter((_, index) => index % 4 === 0) : own
    const { matter, found, beyond, missed } = tried(some)
    console.log(
      `${kind}s: ${some.length} of ${own.length} mutants, ${matter} matter, ${found} of them found; ${beyond} found that show no harm`,
    )
    for (const each of missed) console.log(`  missed: ${each}`)
    expect(matter).toBeGreaterThan(0)
    expect(missed.filter((each) => !isKnownMiss(each))).toEqual([])
    if (kind === 'word' && !sampled) expect(missed).toHaveLength(knownMisses.length)
    all.matter += matter
    all.found += found
  }
  expect(all.found / all.matter).toBeGreaterThanOrEqual(0.95)
})

test('prove finds all edges without which an apply into a root goes wrong', async () => {
  const some = sampled ? rootedEdges.filter((_, index) => index % 4 === 0) : rootedEdges
  const { matter, found, beyond, missed } = await triedInRoot(some)
  console.log(
    `edges in a root: ${some.length} of ${rootedEdges.length}, ${matter} matter, ${found} of them found; ${beyond} found that show no harm`,
  )
  expect(matter).toBeGreaterThan(0)
  expect(missed).toEqual([])
})
