import { isUtf8 } from 'node:buffer'
import { posix, relative } from 'node:path'
import type { DiagnosticCode } from '../diagnostics/codes.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { HostError } from '../host/error.ts'
import type { HostReader } from '../host/host.ts'
import { type Trace, tracePath } from '../host/trust.ts'

export interface TextFile {
  readonly text: string
  /** As the user would name it. */
  readonly file: string
  readonly trace: Trace
}

/**
 * A UTF-8 file of the managed tree with its links followed; undefined where there is none. A byte order mark is
 * kept. Refused with `code`: what is no regular file, and bytes that are not UTF-8 (at the first of them).
 */
export function readTextFile(
  host: HostReader,
  path: string,
  code: DiagnosticCode,
): TextFile | { readonly diagnostics: readonly Diagnostic[] } | undefined {
  const file = shownPath(host, path)
  try {
    const trace = tracePath(host, path)
    if (!trace.stat) return undefined
    const bytes = host.read(trace.path)
    if (isUtf8(bytes)) {
      return { text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes), file, trace }
    }
    return { diagnostics: [notUtf8(bytes, file, code)] }
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    return {
      diagnostics: [
        {
          severity: 'error',
          code: error.code === 'EACCES' ? 'no-permission' : code,
          message: `${file} can't be read`,
          expected: 'a file that this user may read',
          found: error.message,
          help: error.code === 'EACCES' ? 'run steward as root' : `look at it: ls -l ${file}`,
        },
      ],
    }
  }
}

/** A path of the managed tree as the user would name it: relative where it lies below where they stand. */
export function shownPath(host: HostReader, path: string): string {
  const whole = posix.join(host.root, path)
  const below = relative(process.cwd(), whole)
  return below === '' || below.startsWith('..') || process.cwd() === '/' ? whole : below
}

function notUtf8(bytes: Uint8Array, file: string, code: DiagnosticCode): Diagnostic {
  const good = goodPrefix(bytes)
  const lines = new TextDecoder().decode(bytes.subarray(0, good)).split(/\r\n|\r|\n/)
  return {
    severity: 'error',
    code,
    message: `${file} is not UTF-8 text`,
    place: {
      file,
      line: lines.length,
      column: Array.from(lines.at(-1) ?? '').length + 1,
    },
    expected: 'UTF-8',
    found: `the byte 0x${bytes[good]?.toString(16).padStart(2, '0')}`,
    help: `find its encoding with "file ${file}", and convert it with iconv`,
  }
}

/** How many bytes at the start are whole UTF-8 characters. */
function goodPrefix(bytes: Uint8Array): number {
  let good = 0
  while (good < bytes.length) {
    const size = [1, 2, 3, 4].find((each) => isUtf8(bytes.subarray(good, good + each)))
    if (size === undefined || good + size > bytes.length) break
    good += size
  }
  return good
}
