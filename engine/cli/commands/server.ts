import type { Command } from 'commander'
import { examples, type Run, runs, waitOption } from './declare.ts'

/** The options of a command that runs a procedure. */
const asProcedure = (command: Command): Command =>
  command
    .option('-n, --dry-run', 'show the steps, and touch nothing')
    .option('--json', 'one event a line')
    .option('-v, --verbose', 'also tell what needs nothing, and what commands print')
    .option('--no-diff', 'leave out the differences of files')
    .addOption(waitOption())

/** Of one that the same command goes on with where it was cut off. */
const asContinued = (command: Command): Command =>
  asProcedure(command)
    .option('--restart', 'begin anew instead of going on with a run that was cut off')
    .option('--abandon', 'give up a run that was cut off')

const YES = ['-y, --yes', 'do not ask'] as const
const SKIP_CHECKS = ['--skip-checks', 'do not run `manage.py check` first'] as const
const FILL_CACHE = ['--fill-cache', 'fill memcached first'] as const
const SKIP_CLIENT_RELOADS = [
  '--skip-client-reloads',
  'do not tell browsers and apps to reload',
] as const

/** The commands of a Zulip server's life: each runs the procedure of that name. */
export function declareServerCommands(program: Command): void {
  const loadServer = () => import('../server.ts')
  const server = (usage: string, description: string) =>
    program.command(usage).description(description)
  runs(
    examples(
      asContinued(
        server(
          'install [archive]',
          'make a Zulip server of a bare host, from a release or from git',
        )
          .option('--git <ref>', 'a tag, branch or commit, instead of an archive')
          .option(
            '--hostname <name>',
            'the host name that users reach the server by (EXTERNAL_HOST)',
          )
          .option('--email <address>', "the administrator's address (ZULIP_ADMINISTRATOR)")
          .option(
            '--self-signed-cert',
            'make a certificate where there is none; browsers will warn of it',
          )
          .option(
            '--no-init-db',
            'leave the database empty and the server stopped, to restore a backup',
          )
          .option(
            '--classes <list>',
            'comma-separated classes for a new zulip.conf (default: zulip::voyager)',
          ),
      ),
      [
        'steward install zulip-server-10.1.tar.gz --hostname zulip.example.org --email admin@example.org --self-signed-cert',
        'steward install --git 10.1 --hostname zulip.example.org --email admin@example.org --dry-run',
      ],
    ),
    async () => ({ run: (await loadServer()).install as Run }),
  )
  runs(
    examples(
      asProcedure(
        server(
          'restart [deployment]',
          'restart the server, worker by worker; with a deployment, from that one',
        ).option(...SKIP_CHECKS),
      )
        .option('--less-graceful', 'stop all workers first, and start them at the end')
        .option('--only-django', 'only the processes that answer requests')
        .option(...FILL_CACHE)
        .option(...SKIP_CLIENT_RELOADS),
      [
        'steward restart',
        'steward restart --dry-run',
        'steward restart /home/zulip/deployments/last',
      ],
    ),
    async () => ({ run: (await loadServer()).restart as Run }),
  )
  runs(
    examples(
      asProcedure(
        server('start', "start the server's programs that are not running").option(...SKIP_CHECKS),
      )
        .option(...FILL_CACHE)
        .option(...SKIP_CLIENT_RELOADS),
      ['steward start'],
    ),
    async () => ({ run: (await loadServer()).start as Run }),
  )
  runs(
    examples(
      asProcedure(
        server('stop', 'stop the server, but not what it stands on, such as the database'),
      ),
      ['steward stop', 'steward stop --dry-run'],
    ),
    async () => ({ run: (await loadServer()).stop as Run }),
  )
  runs(
    examples(
      asContinued(
        server(
          'rollback [deployment]',
          'run the deployment before the current one again, or another; not its configuration or database',
        )
          .option(...YES)
          .option(...SKIP_CHECKS)
          .option('--skip-hooks', 'do not run the programs of /etc/zulip/hooks')
          .option('--force', 'even if the database has migrations that the release lacks'),
      ),
      [
        'steward rollback --dry-run',
        'steward rollback /home/zulip/deployments/2026-03-01-12-00-00',
      ],
    ),
    async () => ({ run: (await loadServer()).rollback as Run }),
  )
  runs(
    examples(
      asContinued(
        server(
          'system-update',
          "upgrade the host's packages; Zulip is stopped while its database, nginx and the like are",
        ).option(...YES),
      ),
      ['steward system-update --dry-run', 'steward system-update'],
    ),
    async () => ({ run: (await loadServer()).systemUpdate as Run }),
  )
  declareDeployments(program)
  declareManage(program)
}

function declareDeployments(program: Command): void {
  const deployments = program
    .command('deployments')
    .description('the releases that lie on this host, and what can be rolled back to')
  runs(
    examples(
      deployments
        .command('list', { isDefault: true })
        .description('each with its version, its size, and whether it can be rolled back to')
        .option('--json', 'as JSON'),
      ['steward deployments'],
    ),
    async () => ({ run: (await import('../deployments.ts')).list as Run }),
  )
  runs(
    examples(
      asContinued(
        deployments
          .command('purge')
          .description(
            'remove old deployments, and caches that only they used; never current, last or next',
          )
          .option('--threshold <days>', 'how many days they are kept (default: 14)'),
      ),
      ['steward deployments purge --dry-run', 'steward deployments purge --threshold 30'],
    ),
    async () => ({ run: (await import('../server.ts')).purge as Run }),
  )
}

function declareManage(program: Command): void {
  const manage = program
    .command('manage')
    .argument('[subcommand]', "a subcommand of Zulip's manage.py")
    .argument('[arguments...]', 'what it is given, as it stands')
    .description("run manage.py of the current deployment as Zulip's own user")
  runs(
    examples(manage, [
      'steward manage list_realms',
      'steward manage shell',
      'steward manage export --help',
    ]),
    async () => ({
      run: async (flags: never, ...operands: never[]) => {
        if (operands[0] !== undefined)
          return ((await import('../manage.ts')).run as Run)(flags, ...operands)
        manage.outputHelp()
        return 0
      },
    }),
  )
}
