import { type Command, Option } from 'commander'
import { localEditsChoices } from '../../resources/type.ts'
import { collect, examples, type Run, runs, waitOption, withInputs } from './declare.ts'

/** The commands that compile a catalog, and those that tell what one can be made of. */
export function declareCatalogCommands(program: Command): void {
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
          'besides 4 for failures: exit 2 when something changed or would change, 12 for conflicts of local edits, or their sum',
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
        .option(
          '--remove-orphans',
          'also remove files that were managed once, are not any more, and were not edited here',
        )
        .option(
          '--packages',
          'with --remove-orphans: packages that steward installed, and services too',
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
        .addOption(waitOption()),
      [
        'steward apply --dry-run',
        'steward apply --yes',
        'steward apply --dry-run --out plan.json',
        'steward apply --dry-run --remove-orphans',
        'steward apply --plan plan.json --yes',
        'steward apply zulip::nginx --tags tls',
        'steward apply zulip::profile::memcached --with memory_mb=512',
      ],
    ),
    () => import('../apply.ts') as Promise<{ run: Run }>,
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
    () => import('../show.ts') as Promise<{ run: Run }>,
  )

  runs(
    examples(
      withInputs(
        program
          .command('validate [class...]')
          .description(
            'check manifests, templates and data; without classes, every file of the folders given and zulip.conf with the classes that it lists',
          ),
      )
        .option('--strict', 'prove each class too, as steward prove does')
        .option('--json', 'one finding a line'),
      [
        'steward validate',
        'steward validate --manifests ./site',
        'steward validate zulip::voyager',
      ],
    ),
    () => import('../validate.ts') as Promise<{ run: Run }>,
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
      [
        'steward prove',
        'steward prove zulip::voyager',
        'steward prove --manifests ./site own::web',
      ],
    ),
    () => import('../prove.ts') as Promise<{ run: Run }>,
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
    () => import('../compile.ts') as Promise<{ run: Run }>,
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
    () => import('../classes.ts') as Promise<{ run: Run }>,
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
    () => import('../types.ts') as Promise<{ run: Run }>,
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
    () => import('../explain.ts') as Promise<{ run: Run }>,
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
    () => import('../graph.ts') as Promise<{ run: Run }>,
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
    () => import('../facts.ts') as Promise<{ run: Run }>,
  )
}
