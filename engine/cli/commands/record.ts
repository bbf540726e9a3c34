import { type Command, Option } from 'commander'
import { examples, type Run, runs, waitOption, withInputs } from './declare.ts'

/** The commands that tell what the record of this host holds, and the one that takes a run back. */
export function declareRecordCommands(program: Command): void {
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
    () => import('../status.ts') as Promise<{ run: Run }>,
  )

  runs(
    examples(
      withInputs(
        program
          .command('undo <run> [resource...]')
          .description(
            'put back what a run changed; with resources, what it changed for these; `last` is the newest run that changed something',
          ),
      )
        .option('-n, --dry-run', 'show what would be put back, and change nothing')
        .option('-y, --yes', 'do not ask')
        .option('--json', 'one event a line')
        .option('--packages', 'also remove the packages that it installed')
        .option('--no-diff', 'leave out the differences of files')
        .option('-v, --verbose', 'also tell what needs nothing, and what commands print')
        .addOption(waitOption()),
      ['steward undo last --dry-run', 'steward undo 20260301-120005-9f3a "file[/etc/motd]"'],
    ),
    () => import('../undo.ts') as Promise<{ run: Run }>,
  )

  const orphans = program
    .command('orphans')
    .description('what was managed once, is there, and is not managed any more')
  const loadOrphans = () => import('../orphans.ts')
  runs(
    examples(
      withInputs(
        orphans
          .command('list', { isDefault: true })
          .description('each with what becomes of it; nothing is removed'),
      ).option('--json', 'as JSON'),
      ['steward orphans', 'steward orphans --json'],
    ),
    async () => ({ run: (await loadOrphans()).list as Run }),
  )
  runs(
    examples(
      withInputs(
        orphans
          .command('forget <name...>')
          .description('name it no more, by path or reference; it stays as it is'),
      )
        .option('--json', 'as JSON')
        .addOption(waitOption()),
      ['steward orphans forget /etc/nginx/conf.d/old.conf'],
    ),
    async () => ({ run: (await loadOrphans()).forget as Run }),
  )

  const runsCommand = program
    .command('runs')
    .description('what earlier runs did on this host')
    .option('--root <dir>', 'the runs of this tree')
    .option('--state <dir>', 'the state folder instead of /var/lib/steward')
    .option('--json', 'as JSON')
  const loadRuns = () => import('../runs.ts')
  runs(
    examples(
      runsCommand
        .command('list', { isDefault: true })
        .description('the runs, the newest first')
        .addOption(
          new Option('--limit <number>', 'how many at most').default(20).argParser(Number),
        ),
      ['steward runs list', 'steward runs list --json --limit 1'],
    ),
    async () => ({ run: (await loadRuns()).list as Run }),
  )
  runs(
    examples(
      runsCommand
        .command('show <run>')
        .description(
          'one run by its id, the beginning of it, or `last`, the newest that changed something: what was changed, kept and refused',
        )
        .option('-v, --verbose', 'also what needed nothing, and what commands printed'),
      ['steward runs show last', 'steward runs show 20260301-120005-9f3a --json'],
    ),
    async () => ({ run: (await loadRuns()).show as Run }),
  )
}
