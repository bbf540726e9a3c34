import type { Command } from 'commander'
import { collect, examples, type Run, runs, waitOption } from './declare.ts'

/** `steward conf`. */
export function declareConf(program: Command): void {
  const confCommand = program
    .command('conf')
    .description('read and edit zulip.conf in place, comments and order kept')
    .option('--config <file>', 'this file instead of /etc/zulip/zulip.conf')
    .option('--root <dir>', 'the zulip.conf of this tree')
    .option(
      '--state <dir>',
      'the state folder, with the lock of this host, instead of /var/lib/steward',
    )
    .option(
      '--manifests <dir>',
      'manifests that come before the shipped ones (repeatable)',
      collect,
    )
  const loadConf = () => import('../conf.ts')
  const loadEdit = async () => ({ ...(await loadConf()), ...(await import('../conf-lock.ts')) })
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
        .description('give a setting a value, which the class that reads it must accept')
        .addOption(waitOption()),
      [
        'steward conf set memcached.memory 512',
        'steward conf set application_server.http_only true',
      ],
    ),
    async () => {
      const { set, alone } = await loadEdit()
      return { run: alone(set) as Run }
    },
  )
  runs(
    examples(
      confCommand
        .command('unset <section.key>')
        .description('take a setting away')
        .addOption(waitOption()),
      ['steward conf unset memcached.memory'],
    ),
    async () => {
      const { unset, alone } = await loadEdit()
      return { run: alone(unset) as Run }
    },
  )
  runs(
    examples(
      confCommand
        .command('add <section.key> <value>')
        .description('add to a list, such as a class to machine.puppet_classes')
        .addOption(waitOption()),
      ['steward conf add machine.puppet_classes zulip::profile::redis'],
    ),
    async () => {
      const { add, alone } = await loadEdit()
      return { run: alone(add) as Run }
    },
  )
  runs(
    examples(
      confCommand
        .command('remove <section.key> <value>')
        .description('take something from a list, such as a class from machine.puppet_classes')
        .addOption(waitOption()),
      ['steward conf remove machine.puppet_classes zulip::profile::redis'],
    ),
    async () => {
      const { remove, alone } = await loadEdit()
      return { run: alone(remove) as Run }
    },
  )
  runs(
    examples(
      confCommand
        .command('migrate')
        .description('write the names of today for classes that are listed by an earlier one')
        .addOption(waitOption()),
      ['steward conf migrate'],
    ),
    async () => {
      const { migrate, alone } = await loadEdit()
      return { run: alone(migrate) as Run }
    },
  )
}
