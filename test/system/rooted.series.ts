import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { command } from './command.ts'
import { type AtPoint, eachPoint, spread } from './each-point.ts'
import { disturbed, type WritingCall, writingCalls } from './injection.ts'
import {
  applyRooted,
  copyPlace,
  type Expected,
  isDone,
  lossesIn,
  makeRooted,
  type Place,
  placeIn,
  rootedTree,
  unfinished,
  unpacked,
  untold,
} from './rooted.ts'

const timeout = 6 * 3_600_000

let folder: string
let steward: readonly string[]
let before: Place
let expected: Expected
let calls: readonly WritingCall[]
/** Where runs are disturbed, several at once. */
let places: readonly Place[]

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rooted-'))
  steward = await unpacked(folder)
  before = placeIn(join(folder, 'before'))
  await makeRooted(steward, before)
  places = ['one', 'two'].map((name) => placeIn(join(folder, name)))
  for (const { log } of places) mkdirSync(join(log, '..'), { recursive: true })
  calls = await callsOf(steward)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The calls of an undisturbed run, which also says what all others are to come to. */
async function callsOf(argv: readonly string[]): Promise<WritingCall[]> {
  const [place] = places as readonly [Place]
  await copyPlace(before, place)
  const found = await writingCalls(applyRooted(argv, place), place)
  expected = { before: rootedTree(before), goal: rootedTree(place) }
  return found
}

test('a run that is killed at any of its writes tears and loses nothing, and is finished by the next', {
  timeout,
}, async () => {
  await eachPoint('kills in a root', { all: calls, sample: 30 }, places, (place, point) =>
    killed(steward, place, point),
  )
})

test('a record that drops commits would be found by that', { timeout }, async () => {
  const forgetful = [process.execPath, join(import.meta.dirname, 'forgetful-steward.fixture.ts')]
  const [place] = places as readonly [Place]
  const points = spread(await callsOf(forgetful), 8)
  let [killedAt, lossy] = [0, 0]
  for (const point of points) {
    const { reached, losses } = await killed(forgetful, place, point)
    if (reached) killedAt++
    if (losses.length > 0) lossy++
  }
  console.log(`kills of a record that drops commits: ${killedAt}, with losses ${lossy}`)
  expect(lossy).toBeGreaterThan(0)
})

test('a write that the system refuses tears and loses nothing, is told, and made up for by the next run', {
  timeout,
}, async () => {
  const errors = ['ENOSPC', 'EIO', 'EROFS', 'EACCES']
  // Of SQLite's writes, which are most, each meets one of the errors: SQLite tells only two kinds.
  const all = calls.flatMap((point, index) => {
    const own = point.call === 'pwrite64' ? errors.slice(index % 4, (index % 4) + 1) : errors
    return own.map((error) => ({ ...point, error }))
  })
  await eachPoint('faults', { all, sample: 40 }, places, async (place, point) => {
    await copyPlace(before, place)
    const { result, reached } = await disturbed(
      applyRooted(steward, place),
      point,
      `error=${point.error}`,
      place,
    )
    const losses = lossesIn(place, expected)
    if (reached) losses.push(...untold(result, place, isDone(place, expected)))
    return { reached, losses: [...losses, ...(await afterNextRun(place))] }
  })
})

async function killed(argv: readonly string[], place: Place, point: WritingCall): Promise<AtPoint> {
  await copyPlace(before, place)
  const { reached } = await disturbed(applyRooted(argv, place), point, 'signal=KILL', place)
  const losses = lossesIn(place, expected)
  return { reached, losses: [...losses, ...(await afterNextRun(place))] }
}

/** What an undisturbed run leaves undone, or has lost. */
async function afterNextRun(place: Place): Promise<string[]> {
  const result = await command(applyRooted(steward, place))
  return [...unfinished(result, place, expected), ...lossesIn(place, expected)]
}
