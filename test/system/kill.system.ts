import { afterAll, beforeAll, expect, test } from 'vitest'
import { applyCrowd, expectConvergence, resetCrowd, tracedImage, undisturbed } from './crowd.ts'
import { spread } from './each-point.ts'
import { killPoints } from './kill-points.ts'
import { connectRig, type Rig, type TestHost } from './rig.ts'
import { installedImage, pidOfApply, steward, until } from './steward.ts'

let rig: Rig
let host: TestHost
beforeAll(async () => {
  rig = connectRig()
  host = await rig.up('kill', { image: await tracedImage(rig) })
})
afterAll(() => host?.destroy())

test('a run that is killed at any of eight points is finished by the next', async () => {
  const goal = await undisturbed(host)
  await resetCrowd(host)
  const points = spread(await killPoints(host, ['steward', ...applyCrowd]), 8)
  let reached = 0
  for (const point of points) if (await expectConvergence(host, point, goal)) reached++
  expect(reached).toBeGreaterThanOrEqual(7)
})

/** Until dpkg has finished what was cut off apt can't say what it would do, and packages start their services then. */
const afterApt = 'any'

test('a run that is killed while apt installs is finished by the next', async () => {
  const bare = await rig.up('kill-apt', { image: await installedImage(rig) })
  const run = bare.exec(['steward', 'apply', '--yes'])
  await until(bare, 'pgrep -x dpkg >/dev/null', run, 120_000)
  await bare.shell(`kill -9 $(${pidOfApply})`)
  expect((await run).exitCode).toBe(137)
  await steward(bare, ['apply', '--yes'], { exitCode: 0, surprises: afterApt })
  await steward(bare, ['apply', '--yes', '--detailed-exitcodes'], { exitCode: 0 })
  await bare.destroy()
})

test('a run that a power cut ends while apt installs is finished by the next', async () => {
  const bare = await rig.up('kill-power', { image: await installedImage(rig) })
  const run = bare.exec(['steward', 'apply', '--yes'])
  await until(bare, '[ -e /var/lib/dpkg/info/memcached.list ]', run, 120_000)
  await bare.cutPower()
  await run
  await bare.start()
  await steward(bare, ['apply', '--yes'], { exitCode: 0, surprises: afterApt })
  await steward(bare, ['apply', '--yes', '--detailed-exitcodes'], { exitCode: 0 })
  await bare.destroy()
})
