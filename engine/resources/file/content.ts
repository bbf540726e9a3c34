import { hash } from 'node:crypto'
import { bytesOf } from '../../host/bytes.ts'
import type { FileStat, HostReader } from '../../host/host.ts'
import type { Change, Shown } from '../type.ts'

/** The change from the bytes that are there to those that are wanted; undefined where they are the same. */
export function contentChange(
  wanted: Buffer,
  path: string,
  stat: FileStat | undefined,
  host: HostReader,
): Change | undefined {
  if (stat?.kind === 'file' && host.holds(path, wanted)) return undefined
  const from = stat?.kind === 'file' ? host.read(path) : undefined
  const to = Buffer.from(wanted)
  return { attribute: 'content', from: digest(from), to: digest(to), content: { from, to } }
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
