import { Command, CommanderError } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import { declareBucket } from './commands/bucket.ts'
import { declareCatalogCommands } from './commands/catalog.ts'
import { declareConf } from './commands/conf.ts'
import { exitStatus } from './commands/declare.ts'
import { declareLocal } from './commands/local.ts'
import { declareRecordCommands } from './commands/record.ts'
import { declareServerCommands } from './commands/server.ts'
import { diagnosticsOf, showDiagnostics } from './output.ts'

/**
 * The command line. Each command is declared in commands/ and lives in a file of its own, which is
 * only loaded when it runs: `--version` and `--help` cost no more than the declarations. A command
 * gives its exit status; nothing else exits.
 */

const program = new Command('steward')
  .description('Typed, declarative configuration management for the servers that run Zulip.')
  .version(packageJson.version, '--version')
  .configureHelp({ sortSubcommands: false, showGlobalOptions: true })
  .exitOverride()

declareCatalogCommands(program)
declareConf(program)
declareRecordCommands(program)
declareLocal(program)
declareBucket(program)
declareServerCommands(program)

/** Mistakes in the arguments read like all others, and name the command whose help to read. */
function tellMistakes(command: Command, name: string): void {
  command.configureOutput({
    outputError: (text) => {
      const [message = '', suggestion] = text
        .replace(/^error: /, '')
        .trim()
        .split('\n')
      const help = suggestion?.match(/^\(Did you mean (.*)\?\)$/)?.[1]
      showDiagnostics(
        [
          {
            severity: 'error',
            code: 'usage',
            message: message.replaceAll(/'([^']*)'/g, '"$1"').replace(/\.$/, ''),
            help: help === undefined ? `see: ${name} --help` : `did you mean "${help}"?`,
          },
        ],
        { json: isJson() },
      )
    },
  })
  for (const each of command.commands) tellMistakes(each, `${name} ${each.name()}`)
}
tellMistakes(program, 'steward')

/** What is passed on to manage.py says nothing of what steward itself prints. */
function isJson(): boolean {
  return process.argv[2] !== 'manage' && process.argv.includes('--json')
}

/** Marks what follows a subcommand of Zulip's manage.py as no option of steward's own. */
function untouched(argv: readonly string[]): string[] {
  const [node = '', file = '', command, subcommand, ...rest] = argv
  const isPassedOn = command === 'manage' && subcommand !== undefined && !subcommand.startsWith('-')
  return isPassedOn ? [node, file, command, subcommand, '--', ...rest] : [...argv]
}

/** Does what the arguments of this process say, and sets its exit status. */
export async function main(): Promise<void> {
  /** Whether something that was to be read went nowhere. */
  let isLost = false
  // What is under way is finished, whatever becomes of what it says. Whoever reads may
  // have had enough (`steward graph | head`).
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || isLost) return
    isLost = true
    process.exitCode ||= 4
    process.stderr.write(`error: the standard output can't be written: ${error.message}\n`)
  })
  process.stderr.on('error', () => undefined)
  let status: number
  try {
    await program.parseAsync(untouched(process.argv))
    status = exitStatus()
  } catch (error) {
    if (error instanceof CommanderError) status = error.exitCode === 0 ? 0 : 1
    else {
      showDiagnostics(diagnosticsOf(error), { json: isJson() })
      status = 1
    }
  }
  process.exitCode = status === 0 && isLost ? 4 : status
}
