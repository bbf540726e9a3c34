import type { Ground } from './command.ts'
import type { CommandOptions, CommandResult } from './host.ts'

/** Runs a guard where it can't change the files of the host, or says why there is no such place. */
export async function guardCommand(
  _argv: readonly string[],
  _options: CommandOptions,
  _ground: Ground,
): Promise<CommandResult | { readonly unavailable: string }> {
  return { unavailable: 'no private file system is made yet' }
}
