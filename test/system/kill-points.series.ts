import { afterAll, beforeAll, expect, test } from 'vitest'
import { applyCrowd, expectConvergence, resetCrowd, tracedImage, undisturbed } from './crowd.ts'
import { greet, greeting, resetGreeting, setUpGreeting, welcome } from './greeting.ts'
import { type KillPoint, killPoints, runAndKill, spread } from './kill-points.ts'
import { connectRig, type TestHost } from './rig.ts'
import { steward } from './steward.ts'

const timeout = 6 * 3_600_000
const sampled = process.env.STEWARD_TEST_SERIES === 'sample'

let first: TestHost
let second: TestHost
beforeAll(async () => {
  const rig = connectRig()
  const image = await tracedImage(rig)
  first = await rig.up('points-1', { image })
  second = await rig.up('points-2', { image })
})
afterAll(async () => {
  await first?.destroy()
  await second?.destroy()
})

test('a run that is killed at any of its writes is finished by the next', { timeout }, async () => {
  const goal = await undisturbed(first)
  await resetCrowd(first)
  const all = await killPoints(first, ['steward', ...applyCrowd])
  await eachPoint('apply', all, 60, (host, point) => expectConvergence(host, point, goal))
})

test('a procedure that is killed at any of its writes is continued', { timeout }, async () => {
  for (const host of [first, second]) await setUpGreeting(host)
  await resetGreeting(first)
  const all = await killPoints(first, ['steward', ...greet])
  await eachPoint('procedure', all, 40, async (host, point) => {
    await resetGreeting(host)
    const reached = await runAndKill(host, ['steward', ...greet], point)
    await steward(host, greet, { exitCode: 0 })
    expect(await greeting(host), `killed at ${point.call} ${point.nth}`).toBe(welcome)
    return reached
  })
})

/**
 * Takes the points, or a sample of that size, on both hosts at once.
 * `body` tells whether its point was reached.
 */
async function eachPoint(
  title: string,
  all: readonly KillPoint[],
  sampleSize: number,
  body: (host: TestHost, point: KillPoint) => Promise<boolean>,
): Promise<void> {
  const points = sampled ? spread(all, sampleSize) : all
  console.log(`${title}: kill points ${points.length} of ${all.length}`)
  const waiting = [...points]
  let reached = 0
  const worker = async (host: TestHost): Promise<void> => {
    for (let point = waiting.shift(); point !== undefined; point = waiting.shift()) {
      if (await body(host, point)) reached++
    }
  }
  await Promise.all([worker(first), worker(second)])
  console.log(`${title}: kill points reached ${reached} of ${points.length}`)
  // A run may take a few calls less than the one that was counted, but not many.
  expect(reached).toBeGreaterThan(points.length * 0.95)
}
