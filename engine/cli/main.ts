import { Command, CommanderError, Option } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import { localEditsChoices } from '../resources/type.ts'
import { withInputs } from './options.ts'
import { diagnosticsOf, showDiagnostics } from './output.ts'

/**
 * The command line. Each command is declared here and lives in a file of its own, which is
 * only loaded when it runs: `--version` and `--help` cost no more than this file. A command
 * gives its exit status; nothing else exits.
 */

type Run = (options: never, ...operands: never[]) => Promise<number>

const program = new Command('steward')
  .description('Typed, declarative configuration management for the servers that run Zulip.')
  .version(packageJson.version, '--version')
  .configureHelp({ sortSubcommands: false, showGlobalOptions: true })
  .exitOverride()

let status = 0

/** Hooks a command's file to its declaration. */
function runs(command: Command, load: () => Promise<{ readonly run: Run }>): void {
  command.action(async (...args: unknown[]) => {
    const operands = args.slice(0, -2)
    const { run } = await load()
    status = await run(command.optsWithGlobals() as never, ...(operands as never[]))
  })
}

function examples(command: Command, lines: readonly string[]): Command {
  return command.addHelpText(
    'after',
    `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`,
  )
}

const collect = (value: string, earlier: readonly string[] = []) => [...earlier, value]

runs(
  examples(
    withInputs(
      program
        .command('apply [class...]')
        .description(
          'make the host what its classes say; without classes, those that zulip.conf lists',
        ),
    )
      .option('-n, --dry-run', 'show what would change, and change nothing')
      .option('-y, --yes', 'do not ask')
      .option('--json', 'one event a line')
      .option(
        '--detailed-exitcodes',
        'exit 2 when something changed or would change, 4 for failures, 12 for conflicts of local edits, or their sum',
      )
      .option(
        '--tags <tag>',
        'only resources with this tag, or of this class or define (repeatable)',
        collect,
      )
      .option(
        '--only <resource>',
        'only this resource and what it needs, such as "file[/etc/motd]" (repeatable)',
        collect,
      )
      .addOption(
        new Option(
          '--local-edits <choice>',
          'what becomes of files that were edited here, whatever manifests say',
        ).choices([...localEditsChoices]),
      )
      .option('--out <file>', 'of a dry run: save its plan, bound to what it was made from')
      .option(
        '--plan <file>',
        'apply a saved plan, and refuse each resource that has changed since',
      )
      .option('--restart', 'begin a procedure anew, although a run of it is open')
      .option('--abandon', 'end the open run of a procedure through its rescue')
      .option('--no-diff', 'leave out the differences of files')
      .option('-v, --verbose', 'also tell what needs nothing, and what commands print')
      .addOption(
        new Option('--wait <seconds>', 'how long to wait while another run holds the host')
          .default(300)
          .argParser(Number),
      ),
    [
      'steward apply --dry-run',
      'steward apply --yes',
      'steward apply --dry-run --out plan.json',
      'steward apply --plan plan.json --yes',
      'steward apply zulip::nginx --tags tls',
      'steward apply zulip::profile::memcached --with memory_mb=512',
    ],
  ),
  () => import('./apply.ts') as Promise<{ run: Run }>,
)

runs(
  examples(
    program
      .command('show <file>')
      .description('print a plan that apply --dry-run --out saved')
      .option('--json', 'as JSON')
      .option('--no-diff', 'leave out the differences of files')
      .option('-v, --verbose', 'also tell what needs nothing'),
    ['steward show plan.json'],
  ),
  () => import('./show.ts') as Promise<{ run: Run }>,
)

runs(
  examples(
    withInputs(
      program
        .command('validate [class...]')
        .description(
          'check manifests, templates and data; without classes, every file of the folders given',
        ),
    )
      .option('--strict', 'prove each class too, as steward prove does')
      .option('--json', 'one finding a line'),
    ['steward validate', 'steward validate --manifests ./site', 'steward validate zulip::voyager'],
  ),
  () => import('./validate.ts') as Promise<{ run: Run }>,
)

runs(
  examples(
    withInputs(
      program
        .command('prove [class...]')
        .description(
          'what can go wrong in an order that the catalog allows; exit 1 where something can',
        ),
    ).option('--json', 'one finding a line'),
    ['steward prove', 'steward prove zulip::voyager', 'steward prove --manifests ./site own::web'],
  ),
  () => import('./prove.ts') as Promise<{ run: Run }>,
)

runs(
  examples(
    withInputs(
      program
        .command('compile [class...]')
        .description('print the catalog: every resource with its attributes, and the order'),
    ).option('--json', 'as JSON'),
    ['steward compile --json', 'steward compile zulip::nginx --facts other-host.json'],
  ),
  () => import('./compile.ts') as Promise<{ run: Run }>,
)

runs(
  examples(
    program
      .command('classes [name...]')
      .description('list the classes, defines and procedures, or tell all of those named')
      .option(
        '--manifests <dir>',
        'manifests that come before the shipped ones (repeatable)',
        collect,
      )
      .option('--state <dir>', 'the state folder instead of /var/lib/steward')
      .option('--json', 'as JSON')
      .option('-v, --verbose', 'also each parameter: type, place in zulip.conf, default'),
    ['steward classes', 'steward classes zulip::profile::memcached'],
  ),
  () => import('./classes.ts') as Promise<{ run: Run }>,
)

runs(
  examples(
    program
      .command('types [type]')
      .description('the reference: resource types, steps, metaparameters, functions, helpers')
      .option('--json', 'as JSON')
      .option('--schema', 'the JSON Schema of manifests, for editors'),
    [
      'steward types',
      'steward types file',
      'steward types metaparameters',
      'steward types --schema > manifest.schema.json',
    ],
  ),
  () => import('./types.ts') as Promise<{ run: Run }>,
)

runs(
  examples(
    withInputs(
      program
        .command('explain <resource> [class...]')
        .description('where each value of a resource came from, and why it stands where it does'),
    ).option('--json', 'as JSON'),
    [
      'steward explain "service[nginx]"',
      'steward explain /etc/memcached.conf zulip::profile::memcached',
    ],
  ),
  () => import('./explain.ts') as Promise<{ run: Run }>,
)

runs(
  examples(
    withInputs(
      program
        .command('graph [class...]')
        .description('print what comes before what, for other programs to draw'),
    ).addOption(
      new Option('--format <format>', 'the language')
        .choices(['dot', 'mermaid', 'json'])
        .default('dot'),
    ),
    ['steward graph | dot -Tsvg > catalog.svg', 'steward graph --format mermaid zulip::nginx'],
  ),
  () => import('./graph.ts') as Promise<{ run: Run }>,
)

const confCommand = program
  .command('conf')
  .description('read and edit zulip.conf in place, comments and order kept')
  .option('--config <file>', 'this file instead of /etc/zulip/zulip.conf')
  .option('--root <dir>', 'the zulip.conf of this tree')
  .option('--manifests <dir>', 'manifests that come before the shipped ones (repeatable)', collect)
const loadConf = () => import('./conf.ts')
runs(
  examples(confCommand.command('get <section.key>').description('print a value'), [
    'steward conf get machine.puppet_classes',
  ]),
  async () => ({ run: (await loadConf()).get as Run }),
)
runs(
  examples(
    confCommand
      .command('set <section.key> <value>')
      .description('give a setting a value, which the class that reads it must accept'),
    ['steward conf set memcached.memory 512', 'steward conf set application_server.http_only true'],
  ),
  async () => ({ run: (await loadConf()).set as Run }),
)
runs(
  examples(confCommand.command('unset <section.key>').description('take a setting away'), [
    'steward conf unset memcached.memory',
  ]),
  async () => ({ run: (await loadConf()).unset as Run }),
)
runs(
  examples(
    confCommand
      .command('add <section.key> <value>')
      .description('add to a list, such as a class to machine.puppet_classes'),
    ['steward conf add machine.puppet_classes zulip::profile::redis'],
  ),
  async () => ({ run: (await loadConf()).add as Run }),
)
runs(
  examples(
    confCommand
      .command('remove <section.key> <value>')
      .description('take something from a list, such as a class from machine.puppet_classes'),
    ['steward conf remove machine.puppet_classes zulip::profile::redis'],
  ),
  async () => ({ run: (await loadConf()).remove as Run }),
)
runs(
  examples(
    confCommand
      .command('migrate')
      .description('write the names of today for classes that are listed by an earlier one'),
    ['steward conf migrate'],
  ),
  async () => ({ run: (await loadConf()).migrate as Run }),
)

runs(
  examples(
    program
      .command('facts')
      .description('print what is true of the host, which expressions read as facts.NAME')
      .option('--root <dir>', 'the facts of this tree instead of the machine itself')
      .option('--facts <file>', 'facts of another host on top, as --json printed them there')
      .option('--json', 'as JSON, which other commands read back with --facts'),
    ['steward facts', 'steward facts --json > this-host.json'],
  ),
  () => import('./facts.ts') as Promise<{ run: Run }>,
)

runs(
  examples(
    program
      .command('status')
      .description('what is open on this host: runs that were cut off, refreshes that are owed')
      .option('--root <dir>', 'that of this tree')
      .option('--state <dir>', 'the state folder instead of /var/lib/steward')
      .option('--json', 'as JSON'),
    ['steward status', 'steward status --json'],
  ),
  () => import('./status.ts') as Promise<{ run: Run }>,
)

runs(
  examples(
    withInputs(
      program
        .command('undo <run> [resource...]')
        .description('put back what a run changed; with resources, what it changed for these'),
    )
      .option('-n, --dry-run', 'show what would be put back, and change nothing')
      .option('-y, --yes', 'do not ask')
      .option('--json', 'one event a line')
      .option('--packages', 'also remove the packages that it installed')
      .option('--no-diff', 'leave out the differences of files')
      .option('-v, --verbose', 'also tell what needs nothing, and what commands print')
      .addOption(
        new Option('--wait <seconds>', 'how long to wait while another run holds the host')
          .default(300)
          .argParser(Number),
      ),
    ['steward undo 20260301-120005-9f3a --dry-run', 'steward undo 20260301 "file[/etc/motd]"'],
  ),
  () => import('./undo.ts') as Promise<{ run: Run }>,
)

const localCommand = program
  .command('local')
  .description('files that were changed here, and what becomes of that')
const loadLocal = () => import('./local.ts')
runs(
  examples(
    withInputs(
      localCommand
        .command('list')
        .description('the files that an apply would overwrite although they were changed here'),
    ).option('--json', 'as JSON'),
    ['steward local list'],
  ),
  async () => ({ run: (await loadLocal()).list as Run }),
)
runs(
  examples(
    withInputs(
      localCommand
        .command('diff <file>')
        .description('what was changed here, and what its new version changes; 1 if anything'),
    ).option('--json', 'as JSON'),
    ['steward local diff /etc/nginx/nginx.conf'],
  ),
  async () => ({ run: (await loadLocal()).diff as Run }),
)
runs(
  examples(
    withInputs(
      localCommand
        .command('adopt <file...>')
        .description('keep what was changed here, and merge it into every later version'),
    )
      .option('--json', 'as JSON')
      .addOption(
        new Option('--wait <seconds>', 'how long to wait while another run holds the host')
          .default(300)
          .argParser(Number),
      ),
    ['steward local adopt /etc/nginx/nginx.conf'],
  ),
  async () => ({ run: (await loadLocal()).adopt as Run }),
)
runs(
  examples(
    withInputs(localCommand.command('drop <file>').description('give up what was adopted'))
      .option('--json', 'as JSON')
      .addOption(
        new Option('--wait <seconds>', 'how long to wait while another run holds the host')
          .default(300)
          .argParser(Number),
      ),
    ['steward local drop /etc/nginx/nginx.conf'],
  ),
  async () => ({ run: (await loadLocal()).drop as Run }),
)
runs(
  examples(
    withInputs(
      localCommand
        .command('resolve <file>')
        .description('say that a file in conflict now holds its new version, as far as it is to'),
    )
      .option('--json', 'as JSON')
      .addOption(
        new Option('--wait <seconds>', 'how long to wait while another run holds the host')
          .default(300)
          .argParser(Number),
      ),
    ['steward local resolve /etc/nginx/nginx.conf'],
  ),
  async () => ({ run: (await loadLocal()).resolve as Run }),
)

const bucketCommand = program
  .command('bucket')
  .description('what was overwritten or removed, and how to have it back')
  .option('--root <dir>', 'the bucket of this tree')
  .option('--state <dir>', 'the state folder instead of /var/lib/steward')
  .option('--json', 'as JSON')
const loadBucket = () => import('./bucket.ts')
runs(
  examples(
    bucketCommand
      .command('list [path]', { isDefault: true })
      .description('what it holds, the newest first; of one path where one is given')
      .addOption(new Option('--limit <number>', 'how many at most').default(50).argParser(Number)),
    ['steward bucket list', 'steward bucket list /etc/nginx/nginx.conf'],
  ),
  async () => ({ run: (await loadBucket()).list as Run }),
)
runs(
  examples(
    bucketCommand
      .command('show <id>')
      .description('print a content, by its number or the path of the newest')
      .option('--to <file>', 'write it to a new file that only its owner can read'),
    ['steward bucket show 12', 'steward bucket show /etc/nginx/nginx.conf --to old.conf'],
  ),
  async () => ({ run: (await loadBucket()).show as Run }),
)
runs(
  examples(
    bucketCommand
      .command('diff <id>')
      .description('what differs between what was kept and what is there now; 1 if anything does'),
    ['steward bucket diff 12', 'steward bucket diff /etc/nginx/nginx.conf'],
  ),
  async () => ({ run: (await loadBucket()).diff as Run }),
)
runs(
  examples(
    bucketCommand
      .command('restore <id>')
      .description('put it back where it was, with its owner and mode, as a run of its own')
      .option('-n, --dry-run', 'show what would be put back, and change nothing')
      .option('-y, --yes', 'do not ask')
      .option(
        '--manifests <dir>',
        'manifests that come before the shipped ones (repeatable)',
        collect,
      )
      .option('--no-diff', 'leave out the differences of files')
      .addOption(
        new Option('--wait <seconds>', 'how long to wait while another run holds the host')
          .default(300)
          .argParser(Number),
      ),
    ['steward bucket restore 12 --dry-run', 'steward bucket restore /etc/nginx/nginx.conf'],
  ),
  async () => ({ run: (await loadBucket()).restore as Run }),
)
runs(
  examples(
    bucketCommand
      .command('gc')
      .description('forget old contents; the newest of each path stays')
      .option('--older-than <duration>', 'what was kept longer ago, such as 90d')
      .option('--keep <number>', 'beyond so many of each path', Number)
      .option('--max-size <megabytes>', 'the oldest, until the rest takes no more', Number)
      .addOption(
        new Option('--wait <seconds>', 'how long to wait while another run holds the host')
          .default(300)
          .argParser(Number),
      ),
    ['steward bucket gc --older-than 90d', 'steward bucket gc --keep 5 --max-size 500'],
  ),
  async () => ({ run: (await loadBucket()).gc as Run }),
)

const runsCommand = program
  .command('runs')
  .description('what earlier runs did on this host')
  .option('--root <dir>', 'the runs of this tree')
  .option('--state <dir>', 'the state folder instead of /var/lib/steward')
  .option('--json', 'as JSON')
const loadRuns = () => import('./runs.ts')
runs(
  examples(
    runsCommand
      .command('list', { isDefault: true })
      .description('the runs, the newest first')
      .addOption(new Option('--limit <number>', 'how many at most').default(20).argParser(Number)),
    ['steward runs list', 'steward runs list --json --limit 1'],
  ),
  async () => ({ run: (await loadRuns()).list as Run }),
)
runs(
  examples(
    runsCommand
      .command('show <run>')
      .description('one run by its id or the beginning of it: what was changed, kept and refused')
      .option('-v, --verbose', 'also what needed nothing, and what commands printed'),
    ['steward runs show 20260301-120005-9f3a', 'steward runs show 20260301 --json'],
  ),
  async () => ({ run: (await loadRuns()).show as Run }),
)

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
        { json: process.argv.includes('--json') },
      )
    },
  })
  for (const each of command.commands) tellMistakes(each, `${name} ${each.name()}`)
}
tellMistakes(program, 'steward')

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
  try {
    await program.parseAsync(process.argv)
  } catch (error) {
    if (error instanceof CommanderError) status = error.exitCode === 0 ? 0 : 1
    else {
      showDiagnostics(diagnosticsOf(error), { json: process.argv.includes('--json') })
      status = 1
    }
  }
  process.exitCode = status === 0 && isLost ? 4 : status
}
