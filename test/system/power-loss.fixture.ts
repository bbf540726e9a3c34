import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Store } from '../../engine/record/store.ts'
import { command, must, report } from './command.ts'
import type { AtPoint } from './each-point.ts'
import { disturbed, type WritingCall, writingCalls } from './injection.ts'
import {
  applyRooted,
  copyPlace,
  type Expected,
  lossesIn,
  type Place,
  placeIn,
  rootedTree,
  unfinished,
} from './rooted.ts'

/**
 * A run on a disk that loses its power at one point: what had not been written back is gone. Started in a mount
 * namespace of its own; takes what to do as JSON and prints an `AtPoint`, or for `points` every point at which to.
 *
 * The disk is ext4 in a file, mounted so that nothing is written back for as long as a run takes but what is synced. A
 * plain copy of the file while it is mounted is the disk after the cut: to mount that replays its journal. Limits: what
 * was handed to the disk counts as written, in the order in which it came.
 */
export interface PowerLoss {
  readonly steward: readonly string[]
  /** Where the place is that runs begin with. */
  readonly before: string
  /** A folder for the disks. */
  readonly folder: string
  /** What is done at the point; `end` cuts the power once the run is over. */
  readonly at: 'points' | 'end' | WritingCall
  /** Whether calls that sync are only said to have succeeded: a mutant. */
  readonly neverSyncs?: boolean
}

const { steward, before, folder, at, neverSyncs } = JSON.parse(process.argv[2] ?? '') as PowerLoss
mkdirSync(folder, { recursive: true })
const image = join(folder, 'disk')
const place = await placeOn('mounted', image, { isNew: true })
await copyPlace(placeIn(before), place)
await must(['sync', '--file-system', place.folder])

const argv = applyRooted(steward, place)
if (at === 'points') {
  const calls = await writingCalls(argv, place)
  print(calls.filter(({ call }) => /^(rename|f.*sync)/.test(call)))
} else {
  const wasBefore = rootedTree(place)
  const reached = await runUntil(at)
  copyFileSync(image, join(folder, 'lost'))
  // What the run would have come to is told by the disk that kept its power.
  await command(applyRooted(steward, place))
  const expected = { before: wasBefore, goal: rootedTree(place) }
  const after = await placeOn('after', join(folder, 'lost'), { isNew: false })
  const losses = [...lossesIn(after, expected), ...missing(after, expected, at)]
  const next = await command(applyRooted(steward, after))
  losses.push(...unfinished(next, after, expected), ...lossesIn(after, expected))
  print({ reached, losses } satisfies AtPoint)
}

/** Mounts the disk, which is made where it is new. */
async function placeOn(
  name: string,
  disk: string,
  { isNew }: { readonly isNew: boolean },
): Promise<Place> {
  const mounted = join(folder, name)
  mkdirSync(mounted, { recursive: true })
  if (isNew) {
    writeFileSync(disk, '')
    await must(['truncate', '--size', '48M', disk])
    const eager = ['-E', 'lazy_itable_init=0,lazy_journal_init=0']
    await must(['mkfs.ext4', '-q', '-F', '-m', '0', ...eager, disk])
  }
  await must(['mount', '-o', 'loop,commit=600', disk, mounted])
  return { ...placeIn(mounted), log: join(folder, 'calls') }
}

async function runUntil(point: 'end' | WritingCall): Promise<boolean> {
  if (point !== 'end') return (await disturbed(argv, point, 'signal=KILL', place)).reached
  const noSync = [
    'strace',
    '-qq',
    '-f',
    '-o',
    '/dev/null',
    '-e',
    'inject=fsync,fdatasync,syncfs,sync:retval=0',
  ]
  const result = await command([...(neverSyncs === true ? noSync : []), ...argv])
  if (result.exitCode !== 0) throw new Error(report(result))
  return true
}

/** What was done by the record, or by a run that ended well, and is not there. */
function missing(
  { tree, state, ...rest }: Place,
  { before: was, goal }: Expected,
  point: 'end' | WritingCall,
): string[] {
  const now = rootedTree({ tree, state, ...rest })
  const earlier = runsIn(placeIn(before).state)
  const done = Store.reading(state, ({ runs }) =>
    runsIn(state)
      .filter((id) => !earlier.includes(id))
      .flatMap((id) =>
        runs.events(id).flatMap(({ event }) => {
          const { type, outcome, ref } = event as { type: string; outcome?: string; ref?: string }
          const isDone =
            type === 'resource_finished' && outcome !== 'failed' && outcome !== 'skipped'
          return isDone && ref !== undefined ? [ref] : []
        }),
      ),
  )
  const isRecorded = (path: string) => done?.includes(`file[/${path}]`) === true
  return Object.keys({ ...was, ...goal })
    .filter((path) => now[path] !== goal[path] && (point === 'end' || isRecorded(path)))
    .map((path) => `${path} was done before the power was lost, and is not there`)
}

function runsIn(state: string): string[] {
  return Store.reading(state, ({ runs }) => runs.list().map(({ id }) => id)) ?? []
}

function print(value: unknown): void {
  process.stdout.write(JSON.stringify(value))
}
