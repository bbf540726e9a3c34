import type { Command } from 'commander'
import { examples, type Run, runs, waitOption, withInputs } from './declare.ts'

/** `steward local`. */
export function declareLocal(program: Command): void {
  const localCommand = program
    .command('local')
    .description('files that were changed here, and what becomes of that')
  const loadLocal = () => import('../local.ts')
  runs(
    examples(
      withInputs(
        localCommand
          .command('list')
          .description('files edited on this host, and what an apply does with each'),
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
        .addOption(waitOption()),
      ['steward local adopt /etc/nginx/nginx.conf'],
    ),
    async () => ({ run: (await loadLocal()).adopt as Run }),
  )
  runs(
    examples(
      withInputs(localCommand.command('drop <file>').description('give up what was adopted'))
        .option('--json', 'as JSON')
        .addOption(waitOption()),
      ['steward local drop /etc/nginx/nginx.conf'],
    ),
    async () => ({ run: (await loadLocal()).drop as Run }),
  )
  runs(
    examples(
      withInputs(
        localCommand
          .command('save <dir>')
          .description(
            'copy the files that were changed here, with owner and mode, into a new folder',
          ),
      ).option('--json', 'as JSON'),
      ['steward local save /root/local-edits'],
    ),
    async () => ({ run: (await import('../local-save.ts')).save as Run }),
  )
  runs(
    examples(
      withInputs(
        localCommand
          .command('restore <dir>')
          .description(
            'bring back what local save copied, with what is new in the manifests since',
          ),
      )
        .option('-n, --dry-run', 'show what would be restored, and change nothing')
        .option('-y, --yes', 'do not ask')
        .option('--as-saved', 'just as it was saved, whatever has become of the files since')
        .option('--json', 'one event a line')
        .option('--no-diff', 'leave out the differences of files')
        .option('-v, --verbose', 'also tell what needs nothing, and what commands print')
        .addOption(waitOption()),
      ['steward local restore /root/local-edits --dry-run'],
    ),
    async () => ({ run: (await import('../local-save.ts')).restore as Run }),
  )
  runs(
    examples(
      withInputs(
        localCommand
          .command('resolve <file>')
          .description('say that a file in conflict now holds its new version, as far as it is to'),
      )
        .option('--json', 'as JSON')
        .addOption(waitOption()),
      ['steward local resolve /etc/nginx/nginx.conf'],
    ),
    async () => ({ run: (await loadLocal()).resolve as Run }),
  )
}
