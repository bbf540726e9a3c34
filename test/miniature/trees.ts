/** A text that a tree has otherwise than the base. */
interface Edit {
  readonly path: string
  /** What the base has there, once. */
  readonly from: string
  readonly to: string
}

interface Tree {
  readonly version: string
  /** What a release does with it, beginning from `first`. */
  readonly is: string
  /** Folders of overlays/, each laid over what came before. */
  readonly overlays?: readonly string[]
  readonly edits?: readonly Edit[]
  /** Files of the base that it does not have. */
  readonly without?: readonly string[]
  /** Cuts the archive off in the middle. Its git tree is whole. */
  readonly isCutOff?: boolean
}

const anotherColumn: Edit = {
  path: 'zerver/models/message.py',
  from: '    search_tsvector =',
  to: '    is_translated = models.BooleanField(default=False)\n    search_tsvector =',
}
const anotherEnvironment: Edit = {
  path: 'requirements/prod.txt',
  from: 'pika\n',
  to: 'pika>=1.2\n',
}
const untilMended = (what: string): string =>
  `if not os.path.exists("/etc/zulip/mended"):\n${what} until /etc/zulip/mended is there")\n`

/** Every tree that can be built, by name: the base, with these few differences. */
export const trees = {
  first: { version: '9.1', is: 'what a server begins with (A)' },
  same: { version: '9.2', is: 'neither migrations nor other configuration (A′)' },
  migration: {
    version: '9.3',
    is: 'one migration, after which earlier releases can write no message (B)',
    overlays: ['migration'],
    edits: [anotherColumn],
  },
  configuration: {
    version: '10.0',
    is: 'other configuration, for that of Zulip 10 differs from that of 9, and another Python environment (C)',
    edits: [anotherEnvironment],
  },
  both: {
    version: '10.1',
    is: 'a migration, other configuration and another Python environment (B and C)',
    overlays: ['migration'],
    edits: [anotherColumn, anotherEnvironment],
  },
  'bad-migration': {
    version: '9.4',
    is: 'two migrations, the second of which fails (D)',
    overlays: ['bad-migration'],
  },
  'bad-check': {
    version: '9.5',
    is: 'a check of the settings that fails (D)',
    overlays: ['bad-check'],
    edits: [
      {
        path: 'zerver/apps.py',
        from: 'import checks',
        to: 'import checks, obstacle',
      },
    ],
  },
  'bad-assets': {
    version: '9.6',
    is: 'static files that cannot be built from git; those of the archive are whole (D)',
    overlays: ['bad-assets'],
    edits: [
      {
        path: 'package.json',
        from: 'node tools/build.js',
        to: 'node tools/obstacle.js && node tools/build.js',
      },
    ],
  },
  'bad-archive': {
    version: '9.7',
    is: 'an archive that ends too early (D)',
    isCutOff: true,
  },
  'bad-settings': {
    version: '9.8',
    is: 'a setting, SEARCH_LANGUAGE, without which no command of the tree runs (D)',
    edits: [
      {
        path: 'zproject/settings.py',
        from: 'EXTERNAL_HOST, ZULIP_ADMINISTRATOR  #',
        to: 'EXTERNAL_HOST, SEARCH_LANGUAGE, ZULIP_ADMINISTRATOR  #',
      },
    ],
  },
  'bad-start': {
    version: '9.9',
    is: 'an event system that ends as soon as it is started (D)',
    edits: [
      {
        path: 'zerver/management/commands/runtornado.py',
        from: '        address, port =',
        to: `        import os\n\n        ${untilMended('            raise SystemExit("it ends')}        address, port =`,
      },
    ],
  },
  'bad-answer': {
    version: '9.10',
    is: 'an application that runs, and answers every request by 500 (D)',
    edits: [
      {
        path: 'zproject/wsgi.py',
        from: 'application = ',
        to: `${untilMended('    raise ValueError("nothing is answered')}application = `,
      },
    ],
  },
  'bad-apply': {
    version: '9.11',
    is: 'a class of its own that cannot be applied (D)',
    overlays: ['bad-apply'],
  },
  'without-migration': {
    version: '9.0',
    is: 'lacks a migration that `first` has (E)',
    without: ['zerver/migrations/0003_draft.py'],
  },
  'renamed-class': {
    version: '9.12',
    is: 'calls zulip::voyager zulip::profile::voyager (F)',
    overlays: ['renamed-class'],
  },
} as const satisfies Record<string, Tree>

export type TreeName = keyof typeof trees
export const treeNames = Object.keys(trees) as TreeName[]

/** The same with every key, whether a tree has it or not. */
export const treeOf = (name: TreeName): Tree => trees[name]
