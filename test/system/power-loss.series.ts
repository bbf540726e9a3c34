import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { must } from './command.ts'
import { type AtPoint, eachPoint } from './each-point.ts'
import type { WritingCall } from './injection.ts'
import type { PowerLoss } from './power-loss.fixture.ts'
import { makeRooted, placeIn, unpacked } from './rooted.ts'

const timeout = 3 * 3_600_000

let folder: string
let steward: readonly string[]
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'power-'))
  mkdirSync(join(folder, 'before'))
  steward = await unpacked(folder)
  await makeRooted(steward, placeIn(join(folder, 'before')))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('what was done is there when the power is lost at any rename or sync, and the next run does the rest', {
  timeout,
}, async () => {
  const calls = await onDisk<WritingCall[]>('points', { at: 'points' })
  const all: PowerLoss['at'][] = [...calls, 'end']
  await eachPoint('losses of power', { all, sample: 8 }, ['one', 'two'], (name, at) =>
    onDisk<AtPoint>(name, { at }),
  )
})

test('what is not synced would be missed', async () => {
  const { losses } = await onDisk<AtPoint>('mutant', { at: 'end', neverSyncs: true })
  console.log(`a run that syncs nothing: losses ${losses.length}`)
  expect(losses.length).toBeGreaterThan(0)
})

/** Does it on a disk of its own, which is gone with the mount namespace that it is mounted in. */
async function onDisk<Answer>(
  name: string,
  what: Pick<PowerLoss, 'at' | 'neverSyncs'>,
): Promise<Answer> {
  const own = join(folder, name)
  const loss: PowerLoss = { steward, before: join(folder, 'before'), folder: own, ...what }
  const script = join(import.meta.dirname, 'power-loss.fixture.ts')
  const argv = [process.execPath, script, JSON.stringify(loss)]
  try {
    const { stdout } = await must(['unshare', '--mount', '--propagation', 'private', ...argv])
    return JSON.parse(stdout) as Answer
  } finally {
    rmSync(own, { recursive: true, force: true })
  }
}
