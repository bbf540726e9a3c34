import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { filesWithSecrets, secretsIn } from '../support/canary.ts'
import { folderWith, stewardAlone } from './steward.ts'

/** Values that nobody may see; the second is written otherwise by whoever quotes or escapes. */
const secrets = {
  plain: 'cAnaryPlain7391',
  quoted: `cAn'ary"Quo$te\`d\\7391&<x> %25`,
  lines: 'cAnaryFirst7391\ncAnarySecond7391',
}
const inFile = `[secrets]
plain = ${secrets.plain}
quoted = ${secrets.quoted}
lines = ${secrets.lines.replace('\n', '\n  ')}
`

/** Each way by which a secret goes on, and each by which what fails could tell of it. */
const manifest = (at: string, version: string) => `class: canary
parameters:
  plain: { type: string, from: secrets.plain }
  quoted: { type: string, from: secrets.quoted }
  lines: { type: string, from: secrets.lines }
  made: { type: string, from: secrets.made, generate: { as: hex, length: 32 } }
let:
  all: "\${{ plain }} \${{ quoted }} \${{ lines }}"
resources:
  - file: ${at}/meant/whole
    content: "${version} \${{ all }} \${{ made }}\\n"
    mode: "0600"
  - file: ${at}/meant/templated
    template: canary.hbs
    mode: "0600"
  - file: ${at}/meant/parts
    content: "[a]\\n"
    replace: false
    mode: "0600"
  - ini_setting: part
    path: ${at}/meant/parts
    section: a
    setting: b
    value: \${{ quoted }}
  - file_line: line
    path: ${at}/meant/parts
    line: c = \${{ plain }}
    append_on_no_match: true
    after: "^b"
    require: { ini_setting: part }
  - block_in_file: block
    path: ${at}/meant/parts
    content: "d = \${{ lines }}"
    require: { file_line: line }
  - file: ${at}/meant/refused
    content: \${{ all }}
    mode: "0600"
    validate: [/bin/sh, -c, "cat $1; base64 -w0 $1; od -An -v -tx1 $1 | tr -d ' \\n'; exit 1", sh, "%"]
  - exec: tells what it is given
    command: [/bin/sh, -c, "cat; printf %s \\"$WORD\\"; printf 'a%s' \\"$WORD\\" | base64 -w0"]
    stdin: \${{ all }}
    environment: { WORD: "\${{ quoted }}" }
  - exec: fails with it
    command: [/bin/sh, -c, "cat; printf %s \\"$WORD\\" >&2; exit 3"]
    stdin: \${{ all }}
    environment: { WORD: "\${{ quoted }}" }
  - exec: looks round
    command: [/bin/sh, -c, "grep -alFf - /proc/*/cmdline /proc/[0-9]*/environ > ${at}/seen 2>/dev/null || true"]
    stdin: \${{ plain }}
`
const template = 'json {{json plain}} {{json quoted}}\nshell {{shell quoted}} {{lines}}\n'

/** Mistakes that are about a secret, each in a class of its own. */
const mistakes: Readonly<Record<string, string>> = {
  number:
    'class: number\nparameters:\n  n: { type: integer, from: secrets.plain }\nresources:\n  - file: /x\n    content: "${{ string(n) }}"\n',
  expression:
    'class: expression\nparameters:\n  quoted: { type: string, from: secrets.quoted }\nresources:\n  - file: /x\n    content: "${{ string(int(quoted)) }}"\n',
  title:
    'class: title\nparameters:\n  quoted: { type: string, from: secrets.quoted }\nresources:\n  - file: /x/${{ quoted }}\n    content: x\n',
  argument:
    'class: argument\nparameters:\n  plain: { type: string, from: secrets.plain }\nresources:\n  - exec: e\n    command: [/bin/echo, "${{ plain }}"]\n',
  enumerated:
    'class: enumerated\nparameters:\n  plain: { type: string, from: secrets.plain, enum: [a, b] }\nresources:\n  - file: /x\n    content: ${{ plain }}\n',
  asserted:
    'class: asserted\nparameters:\n  plain: { type: string, from: secrets.plain }\nassert:\n  - that: plain == "x"\n    message: "not ${{ plain }}"\nresources:\n  - file: /x\n    content: ${{ plain }}\n',
  templated:
    'class: templated\nparameters:\n  plain: { type: string, from: secrets.plain }\nresources:\n  - file: /x\n    template: broken.hbs\n',
  attribute:
    'class: attribute\nparameters:\n  plain: { type: string, from: secrets.plain }\nresources:\n  - file: /x\n    content: x\n    mode: ${{ plain }}\n',
}

const inputs = ['--secrets', 'secrets.conf', '--config', 'zulip.conf', '--manifests', 'm']

/** By the name of a command, what follows it; RUN stands for the newest run. */
const uses = (at: string): Readonly<Record<string, readonly (readonly string[])[]>> => {
  const all = [...inputs, '--state', 'state']
  const state = ['--state', 'state']
  const whole = `${at}/meant/whole`
  const everyWay = (...args: string[]) => [args, [...args, '--json']]
  return {
    // First, for an apply overwrites what was edited.
    'local list': everyWay('canary', ...all),
    'local diff': everyWay(whole, ...all),
    'local adopt': [[whole, ...all]],
    'local save': [['saved', ...all]],
    'local restore': [['saved', ...all]],
    'local drop': [[whole, ...all]],
    'local resolve': [[whole, ...all]],
    apply: [
      ...everyWay('canary', '--dry-run', '-v', '--out', 'plan.json', ...all),
      ['canary', '--yes', '-v', ...all],
      ['canary', '--yes', '--json', ...all],
      ['canary', '--plan', 'plan.json', '--yes', ...all],
    ],
    show: everyWay('plan.json', '-v'),
    validate: [...everyWay('canary', ...all), ['--strict', ...all]],
    prove: everyWay('canary', ...all),
    compile: everyWay('canary', ...all),
    classes: [['canary', '-v', '--manifests', 'm', ...state]],
    types: [['file']],
    explain: [
      ...everyWay(whole, 'canary', ...all),
      ...everyWay('exec[fails with it]', 'canary', ...all),
    ],
    graph: ['dot', 'mermaid', 'json'].map((format) => ['canary', '--format', format, ...all]),
    facts: everyWay(),
    'conf get': [['machine.puppet_classes', '--config', 'zulip.conf']],
    'conf set': [['machine.deploy_type', 'production', '--config', 'zulip.conf']],
    'conf unset': [['machine.deploy_type', '--config', 'zulip.conf']],
    'conf add': [
      ['machine.puppet_classes', 'number', '--config', 'zulip.conf', '--manifests', 'm'],
    ],
    'conf remove': [
      ['machine.puppet_classes', 'number', '--config', 'zulip.conf', '--manifests', 'm'],
    ],
    'conf migrate': [['--config', 'zulip.conf', '--manifests', 'm']],
    status: everyWay(...state),
    'orphans list': everyWay(...all),
    'orphans forget': [[`${at}/meant/templated`, ...all]],
    'bucket list': everyWay(...state),
    'bucket show': [[whole, ...state]],
    'bucket diff': everyWay(whole, ...state),
    'bucket restore': [
      [whole, '--dry-run', ...state],
      [whole, '--yes', ...state, '--manifests', 'm'],
    ],
    'bucket gc': [['--keep', '50', ...state]],
    'runs list': everyWay(...state),
    'runs show': everyWay('RUN', '-v', ...state),
    undo: [
      ['RUN', '--dry-run', ...all],
      ['RUN', '--yes', ...all],
    ],
    install: everyWay(
      'release.tar.gz',
      '--dry-run',
      '--hostname',
      'a.example.org',
      '--email',
      'a@example.org',
    ),
    restart: everyWay('--dry-run'),
    start: everyWay('--dry-run'),
    stop: everyWay('--dry-run'),
    rollback: everyWay('--dry-run'),
    'system-update': everyWay('--dry-run'),
    'deployments list': everyWay(),
    'deployments purge': everyWay('--dry-run'),
    manage: [['list_realms']],
  }
}

/** Every command that the program itself lists in its help, groups by their members. */
function commandsOf(folder: string, group: readonly string[] = []): string[] {
  const [, listed = ''] = stewardAlone(folder, ...group, '--help').stdout.split('\nCommands:\n')
  const names = [...listed.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name = '']) => name)
  return names
    .filter((name) => name !== 'help')
    .flatMap((name) => {
      const members = group.length === 0 ? commandsOf(folder, [name]) : []
      return members.length > 0 ? members : [[...group, name].join(' ')]
    })
}

function newestRun(folder: string): string {
  const { stdout } = stewardAlone(folder, 'runs', 'list', '--json', '--state', 'state')
  const [newest] = JSON.parse(stdout || '[]') as { readonly id: string }[]
  return newest?.id ?? 'none'
}

describe.skipIf(process.geteuid?.() !== 0)('a secret (skipped: only root applies)', () => {
  test('is in the output and in the files of no command, but where it is meant to be', {
    timeout: 240_000,
  }, () => {
    const folder = folderWith({
      'zulip.conf': '[machine]\npuppet_classes = canary\n',
      'secrets.conf': inFile,
      'meant/whole': `before steward: ${secrets.plain}\n`,
      'm/templates/canary.hbs': template,
    })
    writeFileSync(join(folder, 'm/canary.yaml'), manifest(folder, 'first'))
    chmodSync(join(folder, 'secrets.conf'), 0o600)
    const commands = uses(folder)
    expect(Object.keys(commands).toSorted()).toEqual(commandsOf(folder).toSorted())

    const isMeant = (path: string, mode: number) =>
      path === 'secrets.conf' ||
      path.startsWith('meant/') ||
      (/^(state.objects|saved)\//.test(path) && mode === 0o600)
    const known: Record<string, string> = { ...secrets }
    const use = (command: string, given: readonly string[]) => {
      const args = given.map((arg) => (arg === 'RUN' ? newestRun(folder) : arg))
      const ran = stewardAlone(folder, ...command.split(' '), ...args)
      const made = /([0-9a-f]{32})\n$/.exec(readFileSync(join(folder, 'meant/whole'), 'utf8'))?.[1]
      if (made !== undefined) known[`made ${made.slice(0, 2)}`] = made
      const told = secretsIn(`${ran.stdout}${ran.stderr}`, known)
      const held = filesWithSecrets(folder, known, isMeant)
      expect([command, ...args, ...told, ...held]).toEqual([command, ...args])
      return ran
    }
    for (const [command, several] of Object.entries(commands))
      for (const given of several) use(command, given)
    expect(readFileSync(join(folder, 'seen'), 'utf8')).toBe('')
    expect(readFileSync(join(folder, 'meant/templated'), 'utf8')).toContain(secrets.plain)

    // With a record, with what was edited here, and with a new version.
    writeFileSync(join(folder, 'meant/whole'), `edited here: ${secrets.quoted}\n`)
    writeFileSync(join(folder, 'm/canary.yaml'), manifest(folder, 'second'))
    const [adopted] = (commands['local adopt'] ?? []).map((given) => use('local adopt', given))
    expect(adopted).toMatchObject({ status: 0 })
    for (const command of [
      'local list',
      'local diff',
      'local save',
      'apply',
      'runs show',
      'bucket list',
    ])
      for (const given of commands[command] ?? []) use(command, given)
  })

  test('is in no message about a mistake', () => {
    const folder = folderWith({
      'zulip.conf': '',
      'secrets.conf': inFile,
      'm/templates/broken.hbs': '{{plain}}{{plain.x}}{{shell}}',
      ...Object.fromEntries(
        Object.entries(mistakes).map(([name, text]) => [`m/${name}.yaml`, text]),
      ),
    })
    for (const name of Object.keys(mistakes)) {
      const ran = stewardAlone(folder, 'apply', name, '--dry-run', ...inputs, '--state', 'state')
      expect([name, ran.status, ...secretsIn(JSON.stringify(ran), secrets)]).toEqual([name, 1])
    }
  })
})
