import type { Command } from 'commander'
import { examples, type Run, runs, waitOption } from './declare.ts'

/** The commands that run a Zulip server: each runs the procedure of that name. */
export function declareServerCommands(program: Command): void {
  const loadServer = () => import('../server.ts')
  const server = (usage: string, description: string) =>
    program
      .command(usage)
      .description(description)
      .option('-n, --dry-run', 'show the steps, and touch nothing')
      .option('--json', 'one event a line')
      .option('-v, --verbose', 'also tell what needs nothing, and what commands print')
      .option('--no-diff', 'leave out the differences of files')
      .option('--skip-checks', 'do not have the release look at its settings first')
      .addOption(waitOption())
  runs(
    examples(
      program
        .command('install [archive]')
        .description('make a Zulip server of a bare host, from a release or from git')
        .option('--git <ref>', 'a tag, branch or commit, instead of an archive')
        .option('--hostname <name>', 'the name of the server in addresses')
        .option('--email <address>', 'who is told of errors')
        .option('--self-signed-cert', 'make a certificate where there is none')
        .option(
          '--no-init-db',
          'leave the database empty and the server stopped, to restore a backup',
        )
        .option('--classes <list>', 'what zulip.conf begins with where there is none')
        .option('-n, --dry-run', 'show the steps, and touch nothing')
        .option('-y, --yes', 'do not ask')
        .option('--json', 'one event a line')
        .option('-v, --verbose', 'also tell what needs nothing, and what commands print')
        .option('--no-diff', 'leave out the differences of files')
        .option('--restart', 'begin anew instead of going on with a run that was cut off')
        .option('--abandon', 'give up a run that was cut off')
        .addOption(waitOption()),
      [
        'steward install zulip-server-10.1.tar.gz --hostname zulip.example.org --email admin@example.org --self-signed-cert',
        'steward install --git 10.1 --hostname zulip.example.org --email admin@example.org --dry-run',
      ],
    ),
    async () => ({ run: (await loadServer()).install as Run }),
  )
  runs(
    examples(
      server(
        'restart [deployment]',
        'restart the server, worker by worker; with a deployment, from that one',
      )
        .option('--less-graceful', 'stop all workers first, and start them at the end')
        .option('--only-django', 'only the processes that answer requests')
        .option('--fill-cache', 'fill memcached first')
        .option('--skip-client-reloads', 'do not tell browsers and apps to reload'),
      [
        'steward restart',
        'steward restart --dry-run',
        'steward restart /home/zulip/deployments/last',
      ],
    ),
    async () => ({ run: (await loadServer()).restart as Run }),
  )
  runs(
    examples(server('start', 'start what does not run of the server'), ['steward start']),
    async () => ({ run: (await loadServer()).start as Run }),
  )
  runs(
    examples(server('stop', 'stop the server, but not what it stands on, such as the database'), [
      'steward stop',
      'steward stop --dry-run',
    ]),
    async () => ({ run: (await loadServer()).stop as Run }),
  )
  runs(
    examples(
      server(
        'rollback [deployment]',
        'run the deployment before the current one again, or another; not its configuration or database',
      )
        .option('-y, --yes', 'do not ask')
        .option('--force', 'although migrations have changed the database that it does not have'),
      [
        'steward rollback --dry-run',
        'steward rollback /home/zulip/deployments/2026-03-01-12-00-00',
      ],
    ),
    async () => ({ run: (await loadServer()).rollback as Run }),
  )
  runs(
    examples(
      program
        .command('system-update')
        .description(
          'upgrade the packages of the system; what Zulip runs on while the server is stopped',
        )
        .option('-n, --dry-run', 'show what would be upgraded, and touch nothing')
        .option('-y, --yes', 'do not ask')
        .option('--json', 'one event a line')
        .option('-v, --verbose', 'also tell what needs nothing, and what commands print')
        .addOption(waitOption()),
      ['steward system-update --dry-run', 'steward system-update'],
    ),
    async () => ({ run: (await loadServer()).systemUpdate as Run }),
  )
  const deployments = program
    .command('deployments')
    .description('the releases that lie on this host, and what can be rolled back to')
    .option('--json', 'as JSON')
  const loadDeployments = () => import('../deployments.ts')
  runs(
    examples(
      deployments
        .command('list', { isDefault: true })
        .description('each with its version, its size, and whether it can be rolled back to'),
      ['steward deployments'],
    ),
    async () => ({ run: (await loadDeployments()).list as Run }),
  )
  runs(
    examples(
      deployments
        .command('purge')
        .description(
          'remove those that are old, but for current, last and next, and what only they used',
        )
        .option('--threshold <days>', 'how many days they are kept (default: 14)')
        .option('-n, --dry-run', 'show what would go, and touch nothing')
        .option('-y, --yes', 'do not ask')
        .option('-v, --verbose', 'also tell what needs nothing, and what commands print')
        .addOption(waitOption()),
      ['steward deployments purge --dry-run', 'steward deployments purge --threshold 30'],
    ),
    async () => ({ run: (await loadServer()).purge as Run }),
  )
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
