import { afterAll, beforeAll, expect, test } from 'vitest'
import { applyCrowd, expectConvergence, resetCrowd, tracedImage, undisturbed } from './crowd.ts'
import { killPoints, spread } from './kill-points.ts'
import { connectRig, type TestHost } from './rig.ts'

const sampleSize = 60

let hosts: TestHost[]
beforeAll(async () => {
  const rig = connectRig()
  const image = await tracedImage(rig)
  hosts = await Promise.all([rig.up('points-1', { image }), rig.up('points-2', { image })])
})
afterAll(() => Promise.all(hosts.map((host) => host.destroy())))

test('a run that is killed at any of its writes is finished by the next', {
  timeout: 6 * 3_600_000,
}, async () => {
  const [first] = hosts
  if (first === undefined) throw new Error('no host')
  const goal = await undisturbed(first)
  await resetCrowd(first)
  const all = await killPoints(first, ['steward', ...applyCrowd])
  const points = process.env.STEWARD_TEST_SERIES === 'sample' ? spread(all, sampleSize) : all
  console.log(`kill points ${points.length} of ${all.length}`)
  let reached = 0
  const waiting = [...points]
  await Promise.all(
    hosts.map(async (host) => {
      for (let point = waiting.shift(); point !== undefined; point = waiting.shift()) {
        if (await expectConvergence(host, point, goal)) reached++
      }
    }),
  )
  console.log(`kill points reached ${reached} of ${points.length}`)
  expect(reached).toBeGreaterThan(points.length * 0.8)
})
