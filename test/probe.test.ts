import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compile } from '../engine/compile/compile.ts'
import { localHost } from '../engine/host/local.ts'
import { type Plan, plan, wouldChange } from '../engine/plan.ts'
import { probe } from '../engine/probe.ts'
import { types } from '../engine/resources/index.ts'
import { compileInput } from './compile/input.ts'
import { catalogOf, manifestFolder, temporaryFolder } from './compile/road.ts'
import { fakeHost } from './support/fake-host.ts'

/** The plan of the class `main` on this machine, `DIR` being a folder of the test's own. */
async function planOf(text: string, prepare: (folder: string) => void = () => {}) {
  const folder = temporaryFolder()
  prepare(folder)
  const manifests = manifestFolder({ 'main.yaml': text.replaceAll('DIR', folder) })
  const { catalog, diagnostics } = compile(await compileInput(manifests))
  if (!catalog) throw new Error(JSON.stringify(diagnostics))
  const host = localHost()
  const states = await probe({ catalog, types, host })
  const planned = plan({ catalog, states, types, cannotRun: host.cannotRun })
  return { planned, folder, brief: briefOf(planned, folder) }
}

/** `create file[DIR/x]`, with what it waits for and what refreshes it. */
const briefOf = ({ resources }: Plan, folder: string): string[] =>
  resources.map(({ action, ref, because, refresh }) =>
    [
      action,
      ref,
      ...(because === undefined ? [] : [`because of ${because}`]),
      ...(refresh ? [`${refresh.by} by ${refresh.from.join(', ')}`] : []),
    ]
      .join(' ')
      .replaceAll(folder, 'DIR'),
  )

const guarded = await localHost().guard(['/bin/true'])
const unasked = 'unavailable' in guarded ? guarded.unavailable : false

describe.skipIf(unasked)('a guard', () => {
  test('is asked only where nothing that it depends on is about to change', async () => {
    const { brief, planned } = await planOf(
      `class: main
resources:
  - file: DIR/in-sync
    content: x
  - file: DIR/new
    content: x
  - exec: on its own
    command: [/bin/true]
    unless: [/bin/true]
  - exec: behind what is in sync
    command: [/bin/true]
    unless: [/bin/true]
    require: { file: DIR/in-sync }
  - exec: behind what changes
    command: [/bin/true]
    unless: [/bin/true]
    require: { file: DIR/new }
  - exec: further behind
    command: [/bin/true]
    onlyif: [/bin/false]
    require: { exec: behind what changes }
`,
      (folder) => writeFileSync(join(folder, 'in-sync'), 'x'),
    )
    expect(brief).toEqual([
      'create file[DIR/new]',
      'later exec[behind what changes] because of file[DIR/new]',
      'later exec[further behind] because of exec[behind what changes]',
    ])
    expect(planned.asked).toBe(2)
    expect(wouldChange(planned)).toBe(true)
  })

  test('is not kept from its answer by what is only told (noop)', async () => {
    const { brief } = await planOf(`class: main
resources:
  - file: DIR/new
    content: x
    noop: true
  - exec: behind it
    command: [/bin/true]
    unless: [/bin/true]
    require: { file: DIR/new }
`)
    expect(brief).toEqual(['create file[DIR/new]'])
  })
})

describe.skipIf(unasked)('what is met needs no program', () => {
  const exec = (name: string, met: string) => `
  - exec: ${name}
    command: [DIR/bin/missing]
    ${met}
    require: { file: DIR/new }`
  const commands = ['creates: DIR/made', 'unless: [/bin/true]', 'unless: [DIR/bin/missing]']
  const text = (content: string) => `class: main
resources:
  - file: DIR/new
    content: ${content}${commands.map((met, index) => exec(`number ${index}`, met)).join('')}
`
  const make = (folder: string) => writeFileSync(join(folder, 'made'), '')

  test('when something before it changes, and a guard is asked again', async () => {
    const { brief, planned } = await planOf(text('x'), make)
    expect(brief).toEqual([
      'create file[DIR/new]',
      'later exec[number 1] because of file[DIR/new]',
      'later exec[number 2] because of file[DIR/new]',
    ])
    expect(planned.counts).toMatchObject({ blocked: 0, later: 2 })
  })

  test('nor does it when nothing changes, unless the guard itself is what is missing', async () => {
    const { brief } = await planOf(text('x'), (folder) => {
      make(folder)
      writeFileSync(join(folder, 'new'), 'x')
    })
    expect(brief).toEqual([expect.stringMatching(/^blocked exec\[number 2\] /)])
  })
})

describe('a plan', () => {
  test('does not say of a file that something is yet to bring that it is in sync', async () => {
    const { brief, planned } = await planOf(
      `class: main
resources:
  - exec: makes
    command: [/bin/true]
    creates: DIR/made
  - file: DIR/made
    mode: "0600"
  - exec: brings
    command: [/bin/true]
    provides: { files: [DIR/brought, DIR/there] }
  - file: DIR/brought
    owner: root
  - file: DIR/there
    owner: root
  - file: DIR/nobody-makes
    mode: "0600"
`,
      (folder) => writeFileSync(join(folder, 'there'), ''),
    )
    expect(brief).toEqual([
      'run exec[makes]',
      'later file[DIR/made] because of exec[makes]',
      'run exec[brings]',
      'later file[DIR/brought] because of exec[brings]',
    ])
    expect(planned.resources[1]?.changes).toEqual([
      { attribute: 'mode', from: undefined, to: '0600' },
    ])
  })

  test('leaves open what comes of a file that a package is yet to bring, or of a link beside it', async () => {
    const catalog = await catalogOf(`class: main
resources:
  - package: nginx
  - file: /etc/nginx/nginx.conf
    content: x
  - file: /etc/nginx/ours.conf
    content: x
  - file: /etc/nginx/sites-enabled/default
    ensure: absent
`)
    const caches = '-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache='
    const simulated =
      '--simulate --yes --allow-downgrades --allow-change-held-packages install nginx'
    const host = fakeHost({
      files: { '/var/lib/dpkg/status': '', '/etc': { kind: 'directory' } },
      commands: {
        [`apt-cache ${caches} policy nginx`]:
          'nginx:\n  Installed: (none)\n  Candidate: 1.22.1-9\n',
        [`apt-get ${caches} ${simulated}`]: '',
      },
    })
    const { resources } = plan({ catalog, types, states: await probe({ catalog, types, host }) })
    expect(briefOf({ resources } as Plan, '/nowhere')).toEqual([
      'create package[nginx]',
      'later file[/etc/nginx/nginx.conf] because of package[nginx]',
      'create file[/etc/nginx/ours.conf]',
      'later file[/etc/nginx/sites-enabled/default] because of package[nginx]',
    ])
  })

  test('leaves open what a command, a package or a server that is yet to come makes of a thing', async () => {
    const { brief } = await planOf(`class: main
resources:
  - exec: makes
    command: [/bin/true]
    creates: DIR/made
  - file: DIR/made
    ensure: file
    mode: "0755"
    require: { exec: makes }
  - exec: brings
    command: [/bin/true]
    provides: { users: [nobody-yet] }
  - user: nobody-yet
    groups: [daemon]
  - rabbitmq_user: guest
    ensure: absent
    require: { exec: brings }
`)
    expect(brief).toEqual([
      'run exec[makes]',
      'later file[DIR/made] because of exec[makes]',
      'run exec[brings]',
      'later user[nobody-yet] because of exec[brings]',
      'later rabbitmq_user[guest] because of exec[brings]',
    ])
  })

  test('leaves open what comes of a file whose place is about to be diverted', async () => {
    const catalog = await catalogOf(`class: main
resources:
  - dpkg_divert: /etc/issue
    divert: /etc/issue.debian
  - file: /etc/issue
    content: ours
  - file: /etc/motd
    content: ours
`)
    const files = { '/etc/issue': 'theirs', '/etc/motd': 'theirs' }
    const asked = async (diversions: string) => {
      const host = fakeHost({ files: { ...files, '/var/lib/dpkg/diversions': diversions } })
      return briefOf(plan({ catalog, types, states: await probe({ catalog, types, host }) }), '/no')
    }
    expect(await asked('')).toEqual([
      'create dpkg_divert[/etc/issue]',
      'later file[/etc/issue] because of dpkg_divert[/etc/issue]',
      'change file[/etc/motd]',
    ])
    expect(await asked('/etc/issue\n/etc/issue.debian\n:\n')).toEqual([
      'change file[/etc/issue]',
      'change file[/etc/motd]',
    ])
  })

  test('leaves open whom supervisor itself starts or stops for what its definitions become', async () => {
    const definition = (word: string) => `[program:${word}]\ncommand=/bin/app ${word}\n`
    const catalog = await catalogOf(`class: main
resources:
  - file: /etc/supervisor/conf.d/changes.conf
    content: ${JSON.stringify(definition('changes'))}
  - file: /etc/supervisor/conf.d/goes.conf
    ensure: absent
  - file: /etc/supervisor/conf.d/stays.conf
    content: ${JSON.stringify(definition('stays'))}
  - service: supervisor
    ensure: running
    reload_on: [/etc/supervisor/conf.d/**]
  - supervisor_program: [changes, stays]
    ensure: running
`)
    const properties =
      'Id,LoadState,LoadError,ActiveState,SubState,UnitFileState,NeedDaemonReload,Type,SourcePath,InactiveExitTimestampMonotonic,InvocationID,MainPID'
    const states = async (goes: Record<string, string>) => {
      const host = fakeHost({
        hasSystemd: true,
        files: {
          '/etc/supervisor/conf.d/changes.conf': definition('changes').replace('app', 'old'),
          '/etc/supervisor/conf.d/stays.conf': definition('stays'),
          '/usr/bin/supervisorctl': '',
          ...goes,
        },
        commands: {
          'supervisorctl status': 'changes STOPPED\nstays STOPPED\n',
          [`systemctl show --property=${properties} -- supervisor.service`]:
            'Id=supervisor.service\nLoadState=loaded\nActiveState=active\nSubState=running\nType=simple\n',
        },
      })
      return briefOf(plan({ catalog, types, states: await probe({ catalog, types, host }) }), '/no')
    }
    expect((await states({})).filter((line) => line.includes('supervisor_program'))).toEqual([
      'later supervisor_program[changes] because of file[/etc/supervisor/conf.d/changes.conf]',
      'change supervisor_program[stays]',
    ])
    const goes = await states({ '/etc/supervisor/conf.d/goes.conf': definition('stays') })
    expect(goes).toContain(
      'later supervisor_program[stays] because of file[/etc/supervisor/conf.d/goes.conf]',
    )
  })

  test('is made on the host as it will be', async () => {
    const { brief } = await planOf(`class: main
resources:
  - file: DIR/a/b/c
    content: x
  - file: DIR/a/b
    ensure: directory
  - file: DIR/a
    ensure: directory
`)
    expect(brief).toEqual(['create file[DIR/a]', 'create file[DIR/a/b]', 'create file[DIR/a/b/c]'])
  })

  test('tells who is refreshed and by what, in the order in which it happens', async () => {
    const { brief } = await planOf(`class: main
resources:
  - file: DIR/one
    content: x
    notify: { exec: first }
  - file: DIR/two
    content: x
    notify: { exec: first }
  - exec: first
    command: [/bin/true]
    refreshonly: true
    notify: { exec: second }
  - exec: second
    command: [/bin/true]
    refreshonly: true
  - exec: silent
    command: [/bin/true]
    refreshonly: true
`)
    expect(brief).toEqual([
      'create file[DIR/one]',
      'create file[DIR/two]',
      'run exec[first] refresh by file[DIR/one], file[DIR/two]',
      'run exec[second] refresh by exec[first]',
    ])
  })

  test('of a host that is as it is to be holds nothing', async () => {
    const { planned } = await planOf(
      'class: main\nresources:\n  - file: DIR/a\n    ensure: directory\n',
      (folder) => mkdirSync(join(folder, 'a')),
    )
    expect(planned).toMatchObject({ resources: [], inSync: 1, total: 1 })
    expect(wouldChange(planned)).toBe(false)
  })

  test('can be saved and read again without loss', async () => {
    const { planned } = await planOf(`class: main
resources:
  - file: DIR/x
    content: one
    mode: "0600"
`)
    expect(JSON.parse(JSON.stringify(planned))).toEqual(
      JSON.parse(JSON.stringify(structuredClone(planned))),
    )
  })
})

describe('a need', () => {
  const missing = async (text: string, host = fakeHost({ files: { '/bin/true': '' } })) => {
    const catalog = await catalogOf(text)
    const states = await probe({ catalog, types, host })
    return states.flatMap((state) =>
      state?.kind === 'known' && 'blocked' in state.verdict ? [state.verdict.blocked] : [],
    )
  }
  const exec = (needs: string, more = '') => `class: main
resources:
${more}  - exec: x
    command: [/bin/true]
    needs: ${needs}
`

  test.each([
    ['{ directories: /nowhere }', '/nowhere'],
    ['{ users: nobody-here }', 'the user nobody-here'],
    ['{ groups: nobody-here }', 'the group nobody-here'],
    ['{ commands: no-such-command }', 'the command no-such-command'],
  ])('that nothing meets blocks: %s', async (needs, thing) => {
    expect(await missing(exec(needs))).toEqual([
      `exec[x] needs ${thing}, which is not there and which nothing makes`,
    ])
  })

  test.each([
    [
      'a resource that ensures it',
      '{ directories: /srv }',
      '  - file: /srv\n    ensure: directory\n',
    ],
    [
      'a resource that says that it provides it',
      '{ commands: tool }',
      '  - file: /x\n    provides: { commands: tool }\n',
    ],
    [
      'a tree that is written below',
      '{ files: /tree/deep/x }',
      `  - file: /tree\n    ensure: directory\n    source: ${import.meta.dirname}/scenarios/templates-and-files-of-a-site-come-first/manifests/files/tree\n    recurse: true\n`,
    ],
  ])('is met by %s', async (_title, needs, more) => {
    expect(await missing(exec(needs, more))).toEqual([])
  })

  test.each([
    ['{ directories: /srv/there }', { '/srv/there/x': '' }],
    ['{ commands: tool }', { '/usr/local/bin/tool': '' }],
  ])('is met by the host: %s', async (needs, files) => {
    expect(await missing(exec(needs), fakeHost({ files: { '/bin/true': '', ...files } }))).toEqual(
      [],
    )
  })
})
