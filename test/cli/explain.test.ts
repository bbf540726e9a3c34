import { describe, expect, test } from 'vitest'
import { folderWith, steward } from './steward.ts'

const files = {
  'zulip.conf': '[machine]\npuppet_classes = own::web\n[web]\nport = 8080\n',
  'secrets.conf': '[secrets]\nweb = correcthorsebattery\n',
  'site/own/web.yaml': `class: own::web
parameters:
  port: { type: integer, from: web.port }
  workers: { type: integer, default: "\${{ facts.processors.count * 2 }}" }
  password: { type: string, from: secrets.web }
  plain: { type: string, default: notforeveryone }
defaults:
  file: { owner: root }
let:
  address: "localhost:\${{ port }}"
resources:
  - file: /etc/web
    ensure: directory
  - file: /etc/web/main.conf
    id: main
    tags: [web]
    content: |
      listen \${{ address }}
      workers \${{ workers }}
  - file: /etc/web/list.conf
    template: list.hbs
  - file: /etc/web/secret.conf
    content: "password \${{ password }}"
  - file: /etc/web/hidden.conf
    content: "word \${{ plain }}"
    sensitive: true
  - exec: web
    command: [web, start]
    subscribe: { file: /etc/web/main.conf }
  - user: web
  - group: web
  - own::site: blog
    port: \${{ port }}
  - file: /etc/web/extra
    id: extra
    when: port == 1
`,
  'site/own/site.yaml': `define: own::site
parameters:
  port: { type: integer }
  root: { type: string, default: "/srv/\${{ title }}" }
resources:
  - file: \${{ root }}
    ensure: directory
  - file: \${{ root }}/secret
    when: port == 2
`,
  'site/templates/list.hbs': 'port {{port}}\n',
}
const inputs = ['--manifests', 'site', '--config', 'zulip.conf', '--secrets', 'secrets.conf']

function explain(resource: string, ...more: readonly string[]) {
  return steward(folderWith(files), 'explain', resource, ...inputs, ...more)
}

describe('attributes', () => {
  test('lead to the manifest, the parameter, the line of zulip.conf and the fact', () => {
    const { status, stdout } = explain('file[/etc/web/main.conf]')
    expect(status).toBe(0)
    expect(stdout).toContain('declared at site/own/web.yaml:14:5')
    expect(stdout).toContain('in class[own::web]')
    expect(stdout).toContain('| listen localhost:8080')
    expect(stdout).toMatch(/address = "localhost:8080" {2}\(a named value, site\/own\/web\.yaml:10/)
    expect(stdout).toContain('port = 8080  (web.port at zulip.conf:4)')
    expect(stdout).toMatch(/workers = \d+ {2}\(the default of own::web, site\/own\/web\.yaml:4/)
    expect(stdout).toMatch(/facts\.processors = \{"count":\d+\} {2}\(a fact of the host\)/)
    expect(stdout).toMatch(/owner +root\n +site\/own\/web\.yaml:8:\d+, a default of the class/)
  })

  test('name the template and what it reads', () => {
    const { stdout } = explain('/etc/web/list.conf')
    expect(stdout).toContain('made by site/templates/list.hbs')
    expect(stdout).toContain('port = 8080  (web.port at zulip.conf:4)')
    expect(stdout).not.toMatch(/^template/m)
  })

  test.each(['text', 'json'])('keep secrets, but say which one it is (%s)', (form) => {
    const more = form === 'json' ? ['--json'] : []
    const { stdout } = explain('/etc/web/secret.conf', ...more)
    expect(stdout).toContain('the secret web')
    expect(stdout).not.toContain('correcthorse')
    expect(explain('/etc/web/hidden.conf', ...more).stdout).not.toContain('notforeveryone')
  })
})

describe('order', () => {
  test('tells each neighbour and why', () => {
    const { stdout } = explain('main')
    expect(stdout).toMatch(/Comes after:\n {2}file\[\/etc\/web\] .*needs \/etc\/web$/m)
    expect(stdout).toMatch(/Comes before:\n {2}exec\[web\] .*it is written, and refreshes it$/m)
  })

  test('tells what gave way', () => {
    const manifest = `class: own::loop
resources:
  - package: daemon
    provides: { directories: /etc/daemon }
  - file: /etc/daemon
    ensure: directory
    before: { package: daemon }
`
    const folder = folderWith({ 'site/own/loop.yaml': manifest, 'zulip.conf': '' })
    const args = ['--manifests', 'site', '--config', 'zulip.conf', '--secrets', 'none']
    const { stdout } = steward(folder, 'explain', 'package[daemon]', 'own::loop', ...args)
    expect(stdout).toContain('closed a circle')
    expect(stdout).toContain('package[daemon] before file[/etc/daemon]')
    const dot = steward(folder, 'graph', 'own::loop', ...args).stdout
    expect(dot).toMatch(/n1 -> n0 \[style=dotted, color=red,.* label="dropped"/)
    const json = steward(folder, 'graph', 'own::loop', '--format', 'json', ...args).stdout
    expect(JSON.parse(json)).toMatchObject({
      nodes: [{ ref: 'file[/etc/daemon]' }, { ref: 'package[daemon]' }],
      edges: [{ from: 'file[/etc/daemon]', to: 'package[daemon]', kind: 'written', weak: false }],
      dropped: [{ from: 'package[daemon]', to: 'file[/etc/daemon]', weak: true }],
    })
  })
})

describe('the use of a define', () => {
  test('leads from its parameters to where they came from, and tells what it holds', () => {
    const { status, stdout } = explain('own::site[blog]')
    expect(status).toBe(0)
    expect(stdout).toMatch(/^own::site\[blog\]\n {2}declared at site\/own\/web\.yaml:32:5\n/)
    expect(stdout).toMatch(/port = 8080 {2}\(given at site\/own\/web\.yaml:33\)/)
    expect(stdout).toMatch(/root = "\/srv\/blog" {2}\(the default of own::site, site\/own\/site/)
    expect(stdout).toMatch(/Holds:\n {2}file\[\/srv\/blog\]$/m)
  })
})

describe('what is left out', () => {
  test.each([
    ['file[/etc/web/extra]', 'site/own/web.yaml:36:11', 'port == 1'],
    ['extra', 'site/own/web.yaml:36:11', 'port == 1'],
    ['/srv/blog/secret', 'site/own/site.yaml:9:11', 'port == 2'],
  ])('is told with the condition that leaves it out: %s', (name, place, condition) => {
    const { status, stderr } = explain(name)
    expect(status).toBe(1)
    expect(stderr).toContain(place)
    expect(stderr).toContain(`is left out of the catalog, for this "when" is false: ${condition} [`)
  })
})

describe('refuses', () => {
  test.each([
    ['what does not exist, and offers the nearest', 'file[/etc/web/man.conf]', 'main.conf]"?'],
    ['a title that several have', 'web', 'one of: exec[web], user[web], group[web]'],
    ['what nothing is like', 'service[x]', 'steward compile lists them'],
  ])('%s', (_title, name, words) => {
    const { status, stdout, stderr } = explain(name)
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toContain(words)
  })
})
