import { HostError } from '../host/error.ts'
import type { CommandResult, HostReader } from '../host/host.ts'
import { howItEnded } from './must-run.ts'

/** What an archive begins with, in hexadecimal, and how tar is told of it. */
const compressions = {
  '1f8b': '--gzip',
  '425a68': '--bzip2',
  fd377a585a00: '--xz',
  '28b52ffd': '--zstd',
}

/**
 * The command that reads a tar archive, without its arguments: through its standard input, so that its name, from which
 * tar guesses, says nothing, and whoever unpacks it need not be able to open it.
 */
export function tarReading(
  source: string,
  host: HostReader,
  wrapper: readonly string[] = [],
): { readonly argv: readonly string[] } | { readonly fault: string } {
  let begin: string | undefined
  try {
    for (const piece of host.readPieces(source)) {
      begin = piece.subarray(0, 6).toString('hex')
      break
    }
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    return { fault: `${source} can't be read: ${error.message}` }
  }
  if (begin === undefined) return { fault: `${source} is empty` }
  const form = Object.entries(compressions).find(([magic]) => begin.startsWith(magic))?.[1]
  const feed = ['sh', '-c', 'exec "$@" <"$0"', source, ...wrapper]
  return { argv: [...feed, 'tar', '--file=-', ...(form === undefined ? [] : [form])] }
}

/** Where tar says what is wrong; the last line says only that something is. */
export function tarFault(source: string, result: CommandResult): string {
  const said = result.stderr.split('\n').find((line) => line !== '') ?? howItEnded(result)
  return `${source} can't be unpacked: ${said}`
}
