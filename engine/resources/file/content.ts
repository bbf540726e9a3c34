import { hash } from 'node:crypto'
import { bytesOf } from '../../host/bytes.ts'
import type { FileStat, HostReader } from '../../host/host.ts'
import { largestRead } from '../../host/read.ts'
import type { Change, Shown } from '../type.ts'

/** The change from the bytes that are there to those that are wanted; undefined where they are the same. */
export function contentChange(
  wanted: Buffer,
  path: string,
  stat: FileStat | undefined,
  host: HostReader,
): Change | undefined {
  if (stat?.kind === 'file' && host.holds(path, wanted)) return undefined
  const isLarge = isTooLarge(stat)
  const from = stat?.kind === 'file' && !isLarge ? host.read(path) : undefined
  const to = Buffer.from(wanted)
  const called = isLarge ? `${stat?.size} bytes` : digest(from)
  return { attribute: 'content', from: called, to: digest(to), content: { from, to } }
}

/** Whether it is a file that is not to be held in memory: `from` of a change is then unknown. */
export function isTooLarge(stat: FileStat | undefined): boolean {
  return stat?.kind === 'file' && stat.size > largestRead
}

/** Contents are compared whole; this only names them for people. */
function digest(content: Buffer | undefined): Shown {
  return content && `sha256:${hash('sha256', content).slice(0, 8)}`
}

/** Where texts are encoded one after the other: ten thousand files in sync take no room. */
const room = Buffer.allocUnsafeSlow(64 * 1024)

/** The bytes of a text, good until the next call. */
export function bytesForNow(text: string): Buffer {
  // A character takes three bytes at most.
  if (text.length * 3 > room.length || !text.isWellFormed()) return bytesOf(text)
  return room.subarray(0, room.write(text))
}
