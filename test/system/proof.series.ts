import { expect, test } from 'vitest'
import { mutants, tried } from '../prove/mutants.ts'

const sampled = process.env.STEWARD_TEST_SERIES === 'sample'

test('prove finds at least 95 % of the mutants of our own manifests that matter', () => {
  for (const kind of ['edge', 'word'] as const) {
    const all = mutants.filter((mutant) => mutant.kind === kind)
    const some = sampled ? all.filter((_, index) => index % 4 === 0) : all
    const { matter, found, beyond, missed } = tried(some)
    console.log(
      `${kind}s: ${some.length} of ${all.length} mutants, ${matter} matter, ${found} of them found; ${beyond} found that show no harm`,
    )
    for (const each of missed) console.log(`  missed: ${each}`)
    expect(matter).toBeGreaterThan(0)
  }
  const { matter, found } = tried(mutants)
  expect(found / matter).toBeGreaterThanOrEqual(0.95)
})
