import type { CommandOptions, CommandResult } from '../host/host.ts'
import { howItEnded } from './must-run.ts'

/** A program with its arguments, a list of such, or text for the shell. */
export type Guard = string | readonly string[] | readonly (readonly string[])[]

/** One command of `unless` or `onlyif`. */
export interface GuardCommand {
  readonly kind: 'unless' | 'onlyif'
  readonly argv: readonly string[]
  /** As people know it. */
  readonly text: string
}

export type GuardAnswer =
  /** Every guard lets the command run; why, where one was asked. */
  | { readonly run: true; readonly because: string | undefined }
  | { readonly run: false; readonly because: string }
  /** A guard gave no answer: it could not be started, took too long, or died. */
  | { readonly failed: string; readonly result: CommandResult }
  /** No guard can be asked here, and why. */
  | { readonly unavailable: string }

/** Runs one guard: read-only in a probe, plainly in an apply that has no other way. */
export type Ask = (
  argv: readonly string[],
  options: CommandOptions,
) => Promise<CommandResult | { readonly unavailable: string }>

/** In the order in which they are asked. */
export function guardsOf(guards: {
  readonly unless?: Guard
  readonly onlyif?: Guard
}): GuardCommand[] {
  return (['unless', 'onlyif'] as const).flatMap((kind) => {
    const guard = guards[kind]
    return guard === undefined
      ? []
      : commandsOf(guard).map((argv) => ({ kind, argv, text: textOf(argv) }))
  })
}

/** Asks until one says that there is nothing to do. Exit code 0 is yes, any other is no. */
export async function askGuards(
  guards: readonly GuardCommand[],
  options: CommandOptions,
  ask: Ask,
): Promise<GuardAnswer> {
  let because: string | undefined
  for (const { kind, argv, text } of guards) {
    const result = await ask(argv, options)
    if ('unavailable' in result) return result
    if (result.exitCode === undefined) {
      return { failed: `the guard \`${text}\` gave no answer: ${howItEnded(result)}`, result }
    }
    const saysYes = result.exitCode === 0
    const answer = `${kind} \`${text}\` says ${saysYes ? 'yes' : `no (exit code ${result.exitCode})`}`
    if (saysYes === (kind === 'unless')) return { run: false, because: answer }
    because ??= answer
  }
  return { run: true, because }
}

/**
 * What a plan shows of a command: for the shell only its text, or how long that is; else the
 * arguments, quoted where they hold blanks.
 */
export function textOf(argv: readonly string[]): string {
  const [program, option, script = ''] = argv
  if (program === '/bin/sh' && option === '-c' && argv.length === 3) {
    const lines = script.trimEnd().split('\n')
    return lines.length > 1 ? `a shell script of ${lines.length} lines` : script
  }
  return argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`)).join(' ')
}

export function shellArgv(text: string): readonly string[] {
  return ['/bin/sh', '-c', text]
}

function commandsOf(guard: Guard): readonly (readonly string[])[] {
  if (typeof guard === 'string') return [shellArgv(guard)]
  return isListOfCommands(guard) ? guard : [guard]
}

function isListOfCommands(
  guard: readonly string[] | readonly (readonly string[])[],
): guard is readonly (readonly string[])[] {
  return Array.isArray(guard[0])
}
