import { type Command, Option } from 'commander'
import { collect, examples, type Run, runs, waitOption } from './declare.ts'

/** `steward bucket`. */
export function declareBucket(program: Command): void {
  const bucketCommand = program
    .command('bucket')
    .description('what was overwritten or removed, and how to have it back')
    .option('--root <dir>', 'the bucket of this tree')
    .option('--state <dir>', 'the state folder instead of /var/lib/steward')
    .option('--json', 'as JSON')
  const loadBucket = () => import('../bucket.ts')
  runs(
    examples(
      bucketCommand
        .command('list [path]', { isDefault: true })
        .description('what it holds, the newest first; of one path where one is given')
        .addOption(
          new Option('--limit <number>', 'how many at most').default(50).argParser(Number),
        ),
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
        .description(
          'what differs between what was kept and what is there now; 1 if anything does',
        ),
      ['steward bucket diff 12', 'steward bucket diff /etc/nginx/nginx.conf'],
    ),
    async () => ({ run: (await loadBucket()).diff as Run }),
  )
  runs(
    examples(
      bucketCommand
        .command('restore [id]')
        .description('put it back where it was, with its owner and mode, as a run of its own')
        .option(
          '--before <run>',
          'instead of one: all files below /etc that this run or a later one overwrote or removed',
        )
        .option('-n, --dry-run', 'show what would be put back, and change nothing')
        .option('-y, --yes', 'do not ask')
        .option(
          '--manifests <dir>',
          'manifests that come before the shipped ones (repeatable)',
          collect,
        )
        .option('--no-diff', 'leave out the differences of files')
        .addOption(waitOption()),
      [
        'steward bucket restore 12 --dry-run',
        'steward bucket restore /etc/nginx/nginx.conf',
        'steward bucket restore --before 2026-03-01T12-00-00-4f1c --dry-run',
      ],
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
        .addOption(waitOption()),
      ['steward bucket gc --older-than 90d', 'steward bucket gc --keep 5 --max-size 500'],
    ),
    async () => ({ run: (await loadBucket()).gc as Run }),
  )
}
