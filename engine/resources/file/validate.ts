import { posix } from 'node:path'
import type { Host } from '../../host/host.ts'
import { howItEnded } from '../must-run.ts'
import { ApplyError, type Change } from '../type.ts'
import type { FileDesired } from './desired.ts'

/**
 * Asks the command of a file about its new content, where it gets one. Throws `ApplyError` with what it said; gives
 * why nobody was asked, where the command isn't there.
 */
export async function validateContent(
  path: string,
  { validate }: FileDesired,
  changes: readonly Change[],
  host: Host,
): Promise<string | undefined> {
  const content = changes.find(({ attribute }) => attribute === 'content')?.content?.to
  if (validate === undefined || content === undefined || host.cannotRun !== undefined)
    return undefined
  const candidate = host.candidate(posix.basename(path), content)
  try {
    const argv = validate.map((part) =>
      part.replaceAll(/%%?/g, (found) => (found === '%%' ? '%' : candidate.path)),
    )
    const result = await host.run(argv)
    if (result.exitCode === 0) return undefined
    if (result.startError === 'ENOENT') return `not validated, for there is no ${validate[0]}`
    const exit = howItEnded(result)
    const output = `${result.stdout}${result.stderr}`.replaceAll(candidate.path, path).trim()
    throw new ApplyError(
      `${path} is left as it is, for \`${validate.join(' ')}\` finds fault with its new content: ${exit}`,
      { ran: { argv: validate, exit, output } },
    )
  } finally {
    candidate.remove()
  }
}
