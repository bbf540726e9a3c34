import { isUtf8 } from 'node:buffer'
import { HostError } from './error.ts'

/**
 * A name as the system gave it, in the text form of `HostReader`: a byte that does not
 * decode is U+DC00 + byte. Source: PEP 383.
 */
export function textOf(bytes: Uint8Array): string {
  if (isUtf8(bytes)) return Buffer.from(bytes).toString()
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes[at] ?? 0)
    const sequence = bytes.subarray(at, at + length)
    if (sequence.length === length && isUtf8(sequence)) {
      text += Buffer.from(sequence).toString()
      at += length
    } else {
      text += String.fromCharCode(0xdc00 + (bytes[at] ?? 0))
      at += 1
    }
  }
  return text
}

/**
 * The bytes that a text in that form stands for. Throws where it holds a lone surrogate that stands for none.
 */
export function bytesOf(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text)
  const parts = text.split(/([\udc80-\udcff])/u)
  return Buffer.concat(
    parts.map((part, index) => {
      if (index % 2 === 1) return Buffer.of(part.charCodeAt(0) - 0xdc00)
      if (!part.isWellFormed()) throw new HostError('EINVAL', text, 'is no possible file name')
      return Buffer.from(part)
    }),
  )
}

/** What to hand to `node:fs`: the text itself wherever that is enough, which is nearly always. */
export function systemPath(text: string): string | Buffer {
  return text.isWellFormed() ? text : bytesOf(text)
}

/** How many bytes a UTF-8 sequence with this first byte has. */
function sequenceLength(first: number): number {
  if (first >= 0xf0) return 4
  if (first >= 0xe0) return 3
  return first >= 0xc0 ? 2 : 1
}
