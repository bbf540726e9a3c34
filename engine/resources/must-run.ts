import type { CommandOptions, CommandResult, Host } from '../host/host.ts'
import { ApplyError } from './type.ts'

/**
 * Runs a command that has to succeed; anything but exit code 0 becomes an
 * `ApplyError` that says what ran and what it printed.
 */
export async function mustRun(
  host: Host,
  ref: string,
  argv: readonly string[],
  options?: CommandOptions,
): Promise<CommandResult> {
  const result = await host.run(argv, options)
  if (result.exitCode !== 0) throw commandFailed(ref, result)
  return result
}

function commandFailed(ref: string, result: CommandResult): ApplyError {
  const output = (result.stderr.trim() || result.stdout.trim()).split('\n').slice(-20).join('\n')
  const exit = howItEnded(result)
  const reason = output.split('\n').at(-1) || exit
  return new ApplyError(`${ref}: ${result.argv[0]} failed: ${reason}`, {
    ran: { argv: result.argv, exit, output },
  })
}

export function howItEnded({ startError, timedOut, signal, exitCode }: CommandResult): string {
  if (startError !== undefined) return `could not be started: ${startError}`
  if (timedOut) return 'ended because its time was up'
  return signal === undefined ? `exit code ${exitCode}` : `ended by ${signal}`
}
