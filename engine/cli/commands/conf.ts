import type { Command } from 'commander'
import { collect, examples, type Run, runs } from './declare.ts'

/** `steward conf`. */
export function declareConf(program: Command): void {
  const confCommand = program
    .command('conf')
    .description('read and edit zulip.conf in place, comments and order kept')
    .option('--config <file>', 'this file instead of /etc/zulip/zulip.conf')
    .option('--root <dir>', 'the zulip.conf of this tree')
    .option(
      '--manifests <dir>',
      'manifests that come before the shipped ones (repeatable)',
      collect,
    )
  const loadConf = () => import('../conf.ts')
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
      [
        'steward conf set memcached.memory 512',
        'steward conf set application_server.http_only true',
      ],
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
}
