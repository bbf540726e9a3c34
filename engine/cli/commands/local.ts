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
