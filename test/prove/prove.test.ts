import { describe, expect, test } from 'vitest'
import { renderDiagnostic } from '../../engine/diagnostics/render.ts'
import { findings, proven } from './proven.ts'

test('a finding names both resources with their lines, an order that goes wrong, and what to write', async () => {
  const { findings: found } = await proven(`  - exec: fill
    shell: echo x >>/etc/list
  - file: /etc/list
    content: "1"
`)
  expect(`\n${found.map((each) => renderDiagnostic(each)).join('\n')}\n`).toMatchInlineSnapshot(`
    "
    main.yaml:3:5: error: exec[fill] names /etc/list, and nothing says whether file[/etc/list], which writes it, comes before or after [unmet-need]
        3 |   - exec: fill
          |     ^
      found     an order that goes wrong: exec[fill], then file[/etc/list]
      see       main.yaml:5:5: file[/etc/list]
      help      write in exec[fill]: require: { file: /etc/list }; or before, where it is meant to come first
    "
  `)
})

const nginx = '  - package: nginx-full\n'

describe('a need', () => {
  test('that only a package meets which was put behind it is found, with the way that puts it there', async () => {
    const text = `${nginx}  - file: /etc/nginx/conf.d/x.conf
    content: x
    before: { file: /etc/y }
  - file: /etc/y
    content: x
    before: { package: nginx-full }
`
    const { findings: found } = await proven(text)
    expect(found).toMatchObject([
      {
        code: 'dropped-edge',
        message:
          'file[/etc/nginx/conf.d/x.conf] needs /etc/nginx/conf.d, which only package[nginx-full] brings: that order gave way, for it would have closed a circle',
        found:
          'an order that goes wrong, and the only one: file[/etc/nginx/conf.d/x.conf] → file[/etc/y] → package[nginx-full]',
      },
    ])
  })

  test('that something else meets before makes an order that gave way harmless', async () => {
    const text = `${nginx}  - file: [/etc/nginx, /etc/nginx/conf.d]
    ensure: directory
  - file: /etc/nginx/conf.d/x.conf
    content: x
    before: { package: nginx-full }
`
    expect(await findings(text)).toEqual([])
  })

  test('that another resource takes away is found', async () => {
    const text = `  - package: memcached
    ensure: absent
  - service: memcached
    ensure: running
`
    expect(await findings(text)).toEqual([
      'taken-back service[memcached] needs unit memcached.service, and package[memcached] removes it',
    ])
  })

  test('of a service that is only stopped is none, and its package goes after it', async () => {
    const text = `  - package: memcached
    ensure: absent
  - service: memcached
    ensure: stopped
`
    expect(await findings(text)).toEqual([])
  })

  test('of a program that a script calls is found though nobody wrote it down', async () => {
    const script = (more: string) => `${nginx}  - exec: test
    shell: |
      set -eu
      if nginx -t; then echo well; fi
    creates: /srv/tested
${more}`
    expect(await findings(script(''))).toEqual([
      'unmet-need exec[test] names the command nginx, and nothing says that package[nginx-full], which brings it, comes first',
    ])
    expect(await findings(script('    needs: { commands: [nginx] }\n'))).toEqual([])
  })
})

test('an account that a script gives a file to is a need that nobody has to write', async () => {
  const script = (more: string) => `  - user: own
    ensure: present
  - exec: make
    shell: |
      touch /srv/new
      chown -R own:own /srv/new
    creates: /srv/new
${more}`
  expect(await findings(script(''))).toEqual([
    'unmet-need exec[make] names the user own, and nothing says that user[own], which brings it, comes first',
    'unmet-need exec[make] names the group own, and nothing says that user[own], which brings it, comes first',
  ])
  expect(await findings(script('    needs: { users: [own], groups: [own] }\n'))).toEqual([])
})

describe('two writes of one thing', () => {
  test('are found where both decide all of it', async () => {
    const text = `  - cron: x
    schedule: 0 3 * * *
    command: x
  - file: /etc/cron.d/x
    content: x
    require: { cron: x }
`
    expect(await findings(text)).toEqual([
      'taken-back cron[x] and file[/etc/cron.d/x] both decide all that is in /etc/cron.d/x',
    ])
  })

  test('are found where one removes what the other makes', async () => {
    const text = `  - exec: make
    command: [touch, /srv/x]
    creates: /srv/x
  - file: /srv/x
    ensure: absent
`
    expect(await findings(text)).toContain(
      'taken-back exec[make] brings /srv/x, and file[/srv/x] removes it',
    )
  })

  test('need an order where they differ', async () => {
    const text = (more: string) => `  - exec: make
    command: [/usr/bin/make-list, /srv/list]
    creates: /srv/list
  - exec: complete
    command: [/usr/bin/make-list, --complete, /srv/list]
    creates: /srv/list
${more}`
    expect(await findings(text(''))).toContain(
      'unordered-writes exec[make] and exec[complete] both write /srv/list, and nothing says which comes first',
    )
    expect(await findings(text('    require: { exec: make }\n'))).toEqual([])
  })

  test('are found where two settings of the kernel are one', async () => {
    const text = `  - sysctl: vm.overcommit_memory
    value: 1
  - sysctl: vm/overcommit_memory
    value: 2
`
    expect(await findings(text)).toEqual([
      'taken-back sysctl[vm.overcommit_memory] and sysctl[vm/overcommit_memory] both decide all that is in /proc/sys/vm/overcommit_memory',
    ])
  })

  test('of different parts of a file are no finding', async () => {
    const text = `  - file: /etc/list
    ensure: present
  - file_line: one
    path: /etc/list
    line: one
  - file_line: two
    path: /etc/list
    line: two
`
    expect(await findings(text)).toEqual([])
  })

  test('of which one is a package that was put behind on purpose are no finding', async () => {
    const text = `${nginx}  - file: /etc/nginx
    ensure: directory
  - file: /etc/nginx/nginx.conf
    content: x
    before: { package: nginx-full }
`
    expect(await findings(text)).toEqual([])
  })
})

describe('what one resource takes back from another', () => {
  test.each([
    [
      'a member of a group',
      `  - user: own
    ensure: present
    groups: [adm]
  - group: adm
    ensure: present
    members: []
    membership: inclusive
`,
      'taken-back user[own] sees to it that own belongs to adm, and group[adm] takes that back',
    ],
    [
      'a group of a user',
      `  - group: adm
    ensure: present
    members: [own]
  - user: own
    ensure: present
    groups: []
    membership: inclusive
`,
      'taken-back group[adm] sees to it that own belongs to adm, and user[own] takes that back',
    ],
    [
      'a unit under another name',
      `  - service: nginx
    enable: true
  - service: nginx.service
    enable: false
`,
      'taken-back service[nginx] sees to it that nginx.service has enable: true, and service[nginx.service] takes that back',
    ],
    [
      'the folder that something lies in',
      `  - file: /srv/own
    ensure: absent
    force: true
  - file: /srv/own/deep/x
    content: x
`,
      'taken-back file[/srv/own/deep/x] needs /srv/own/deep, and file[/srv/own] removes it',
    ],
  ])('is found: %s', async (_what, text, expected) => {
    expect(await findings(text)).toEqual([expected])
  })

  test('is nothing where both say the same, or only add', async () => {
    const text = `  - user: own
    ensure: present
    groups: [adm]
  - group: adm
    ensure: present
    members: [other]
  - user: other
    ensure: present
  - service: nginx
    enable: true
  - service: nginx.service
    enable: true
`
    expect(await findings(text)).toEqual([])
  })
})

describe('a service', () => {
  const service = (more: string) => `${nginx}  - file: /etc/nginx/nginx.conf
    content: x
  - service: nginx
    ensure: running
${more}`

  test('that does not hear of a change to the configuration of its package is found', async () => {
    expect(await findings(service(''))).toEqual([
      'unheard-change /etc/nginx/nginx.conf lies where service[nginx] reads, and a change by file[/etc/nginx/nginx.conf] does not restart or reload it',
    ])
  })

  test.each([
    ['restart_on', '    restart_on: [/etc/nginx/nginx.conf]\n'],
    ['reload_on', '    reload_on: [/etc/nginx/**]\n'],
    ['subscribe', '    subscribe: { file: /etc/nginx/nginx.conf }\n'],
  ])('hears of it by %s', async (_key, more) => {
    expect(await findings(service(more))).toEqual([])
  })

  test('hears of it through a command that it listens to', async () => {
    const text = `${nginx}  - file: /etc/nginx/nginx.conf
    content: x
    notify: { exec: compress }
  - exec: compress
    command: [compress, /etc/nginx/nginx.conf]
    refreshonly: true
    notify: { service: nginx }
  - service: nginx
    ensure: running
`
    expect(await findings(text)).toEqual([])
  })

  test('has to hear of a file that is named in what it reads, but not of a program', async () => {
    const text = (mode: string, more: string) => `  - file: /etc/systemd/system/own.service
    content: |
      [Service]
      EnvironmentFile=/etc/own.env
      ExecStart=/usr/local/bin/own --quiet
  - file: /etc/own.env
    content: x
    mode: "0644"
  - file: /usr/local/bin/own
    content: x
    mode: "${mode}"
  - service: own
    ensure: running
${more}`
    const env =
      'unheard-change file[/etc/systemd/system/own.service], which service[own] reads, names /etc/own.env, and a change by file[/etc/own.env] does not restart or reload it'
    const program =
      'unmet-need file[/etc/systemd/system/own.service], which service[own] reads, names /usr/local/bin/own, and nothing says that file[/usr/local/bin/own] is there before'
    expect(await findings(text('0755', ''))).toEqual([env, program])
    expect(
      await findings(
        text('0755', '    restart_on: [/etc/own.env]\n    require: { file: /usr/local/bin/own }\n'),
      ),
    ).toEqual([])
  })

  test('reads what its package brings, wherever that lies', async () => {
    const text = `  - package: memcached
  - file: /etc/default/memcached
    content: x
  - service: memcached
    ensure: running
`
    expect(await findings(text)).toEqual([
      'unheard-change /etc/default/memcached is configuration of the package of service[memcached], and a change by file[/etc/default/memcached] does not restart or reload it',
    ])
  })

  test('of an instance reads what lies in the folders of that instance', async () => {
    const text = `  - file: [/etc/own, /etc/own/1, /etc/own/1/main, /etc/own/2, /etc/own/2/main]
    ensure: directory
  - file: [/etc/own/1/main/x.conf, /etc/own/2/main/x.conf]
    content: x
  - service: own@1-main
    ensure: running
`
    expect(await findings(text)).toEqual([
      'unheard-change /etc/own/1/main/x.conf lies where service[own@1-main] reads, and a change by file[/etc/own/1/main/x.conf] does not restart or reload it',
    ])
  })

  test('has nothing to do with what cron and logrotate read', async () => {
    const text = `${nginx}  - file: /etc/logrotate.d/nginx
    content: x
  - service: nginx
    ensure: running
`
    expect(await findings(text)).toEqual([])
  })
})

test('a command that runs only when it is told to, and whom nobody tells, is found', async () => {
  const text = `  - exec: update
    command: [update]
    refreshonly: true
`
  expect(await findings(text)).toEqual([
    'unheard-change exec[update] runs only when something that it listens to changes, and it listens to nothing',
  ])
})

describe('a secret', () => {
  const given = { secrets: { word: 'correct-horse' } }
  const main = (resources: string) => `class: main
parameters:
  word: { type: string, from: secrets.word }
resources:
${resources}`
  const file = (more: string) =>
    main(`  - file: /srv/x
    content: "\${{ word }}"
${more}`)

  test.each([
    ['no mode', '', 'no mode is given, and a new file has 0644'],
    ['0644', '    mode: "0644"\n', 'mode 0644'],
    ['a symbolic one', '    mode: u=rw,g-r\n', 'mode u=rw,g-r'],
  ])('in a file with %s is found', async (_title, more, found) => {
    const proof = await proven(file(more), given)
    expect(proof.findings).toMatchObject([{ code: 'readable-secret', found }])
    expect(JSON.stringify(proof.findings)).not.toContain('correct-horse')
  })

  test.each([
    ['0640', '    mode: "0640"\n'],
    ['a symbolic one', '    mode: u=rw,g=r,o=\n'],
    ['any in a folder that is closed', '  - file: /srv\n    ensure: directory\n    mode: "0750"\n'],
  ])('in a file with %s is in order', async (_title, more) => {
    expect(await findings(file(more), given)).toEqual([])
  })

  test('that a setting brings counts by the mode of its file', async () => {
    const setting = (mode: string) =>
      main(`  - file: /etc/x.ini
    ensure: present
    mode: "${mode}"
  - ini_setting: word
    path: /etc/x.ini
    setting: word
    value: "\${{ word }}"
`)
    expect(await findings(setting('0644'), given)).toEqual([
      'readable-secret ini_setting[word] writes a secret (value) into /etc/x.ini, which others can read',
    ])
    expect(await findings(setting('0600'), given)).toEqual([])
  })
})

test('commands that say nothing of what they write are listed, and are no finding', async () => {
  const text = `  - exec: opaque
    command: [make-something]
  - exec: plain
    command: [make-something]
    creates: /srv/x
  - exec: told
    command: [make-something, --else]
    provides: { files: [/srv/y] }
`
  const { findings: found, opaque } = await proven(text)
  expect([found, opaque.map(({ ref }) => ref)]).toEqual([[], ['exec[opaque]']])
})
