import { afterAll, beforeAll, expect, test } from 'vitest'
import { applyCrowd, expectConvergence, resetCrowd, tracedImage, undisturbed } from './crowd.ts'
import { eachPoint } from './each-point.ts'
import { greet, greeting, resetGreeting, setUpGreeting, welcome } from './greeting.ts'
import { killPoints, runAndKill } from './kill-points.ts'
import { connectRig, type TestHost } from './rig.ts'
import { steward } from './steward.ts'

const timeout = 6 * 3_600_000

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
  await eachPoint(
    'kills of an apply',
    { all, sample: 30 },
    [first, second],
    async (host, point) => {
      const reached = await expectConvergence(host, point, goal)
      return { reached, losses: [] }
    },
  )
})

test('a procedure that is killed at any of its writes is continued', { timeout }, async () => {
  for (const host of [first, second]) await setUpGreeting(host)
  await resetGreeting(first)
  const all = await killPoints(first, ['steward', ...greet])
  const points = { all, sample: 20 }
  await eachPoint('kills of a procedure', points, [first, second], async (host, point) => {
    await resetGreeting(host)
    const reached = await runAndKill(host, ['steward', ...greet], point)
    await steward(host, greet, { exitCode: 0 })
    expect(await greeting(host), `killed at ${point.call} ${point.nth}`).toBe(welcome)
    return { reached, losses: [] }
  })
})
