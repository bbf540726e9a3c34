import { type Command, Option } from 'commander'

/** What a command's file gives: its options first, then its operands, as commander hands them over. */
export type Run = (options: never, ...operands: never[]) => Promise<number>

let status = 0

/** The exit status of the command that ran: 0 where none did. */
export function exitStatus(): number {
  return status
}

/** Hooks a command's file to its declaration. */
export function runs(command: Command, load: () => Promise<{ readonly run: Run }>): void {
  command.action(async (...args: unknown[]) => {
    const operands = args.slice(0, -2)
    const { run } = await load()
    status = await run(command.optsWithGlobals() as never, ...(operands as never[]))
  })
}

export function examples(command: Command, lines: readonly string[]): Command {
  return command.addHelpText(
    'after',
    `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`,
  )
}

/** The values of an option that can be repeated. */
export const collect = (value: string, earlier: readonly string[] = []) => [...earlier, value]

/** The option of every command that holds the host while it runs. */
export function waitOption(): Option {
  return new Option('--wait <seconds>', 'how long to wait while another run holds the host')
    .default(300)
    .argParser(Number)
}

/** Adds the options that say where things are read from. */
export function withInputs(command: Command): Command {
  return command
    .option(
      '--manifests <dir>',
      'manifests that come before the shipped ones (repeatable)',
      collect,
    )
    .option('--root <dir>', 'manage this tree instead of the machine itself')
    .option('--state <dir>', 'the state folder instead of /var/lib/steward')
    .option('--config <file>', 'read this file instead of /etc/zulip/zulip.conf')
    .option('--secrets <file>', 'read this file instead of /etc/zulip/zulip-secrets.conf')
    .option('--site <file>', 'read this file instead of /etc/steward/site.yaml')
    .option('--facts <file>', 'facts of another host, as `steward facts --json` prints them')
    .option(
      '--with <name=value>',
      'a parameter of the one class that is named (repeatable)',
      collect,
    )
}
