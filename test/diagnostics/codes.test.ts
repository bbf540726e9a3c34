import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { renderDiagnostic } from '../../engine/diagnostics/render.ts'
import { types } from '../../engine/resources/index.ts'
import { compileTexts } from '../compile/road.ts'

test('every code is one that something raises', () => {
  const engine = join(import.meta.dirname, '../../engine')
  const own = join('diagnostics', 'codes.ts')
  const read = (file: string) => readFileSync(join(engine, file), 'utf8')
  const sources = globSync('**/*.{ts,tsx}', { cwd: engine })
    .filter((file) => file !== own)
    .map(read)
    .join('\n')
  const codes = [...read(own).matchAll(/'([a-z-]+)'/g)].map(([, code = '']) => code)
  // As the code of a diagnostic, one of two, or an argument of what makes one.
  const raised = (code: string) =>
    new RegExp(`code: '${code}'|code: .*[?:] '${code}'|: '${code}',$|, '${code}'[,)]`, 'm')
  expect(codes.length).toBeGreaterThan(40)
  expect(codes.filter((code) => !raised(code).test(sources))).toEqual([])
})

/** What stands beside the class `main` in every case. */
const others = {
  'common.yaml': 'class: common\nparameters:\n  group: { type: string, default: root }\n',
  'other/common.yaml': 'class: other::common\n',
  'templates/name.hbs': 'one\n{{greting}}\n',
  'templates/broken.hbs': '{{#if greeting}}\n',
}
const given = {
  conf: '[memcached]\nmemory = lots\n',
  secrets: { password: 'correct-horse' },
}

/**
 * Every mistake that is found in the class `main`, as people read it; the folder's own path and the list of types
 * are left out.
 */
async function told(main: string): Promise<string> {
  const { diagnostics } = await compileTexts({ ...others, 'main.yaml': main }, given)
  const text = diagnostics.map((each) => renderDiagnostic(each)).join('\n\n')
  const shown = text.replaceAll([...types.keys()].toSorted().join(', '), 'TYPES')
  return `\n${shown.replaceAll(/\/tmp\/steward-test-\w+/g, 'DIR')}\n`
}

test('yaml-syntax', async () => {
  expect(
    await told(`class: main
resources: [
`),
  ).toMatchInlineSnapshot(`
  "
  main.yaml:3:1: error: this is no YAML: Flow sequence in block collection must be sufficiently indented and end with a ] [yaml-syntax]
      3 | 
        | ^
  "
`)
})

test('yaml-unquoted', async () => {
  expect(
    await told(`class: main
resources:
  - file: /etc/motd
    when: facts.init == "systemd" ? true : false
  `),
  ).toMatchInlineSnapshot(`
    "
    main.yaml:4:11: error: YAML can't read this expression without quotes (Nested mappings are not allowed in compact mappings) [yaml-unquoted]
        4 |     when: facts.init == "systemd" ? true : false
          |           ^
      help      quote the value: when: 'facts.init == "systemd" ? true : false'
    "
  `)
})

test('yaml-unsupported', async () => {
  expect(
    await told(`class: main
resources:
  - &first
    file: /etc/motd
`),
  ).toMatchInlineSnapshot(`
  "
  main.yaml:4:5: error: anchors and aliases are not part of the manifest language [yaml-unsupported]
      4 |     file: /etc/motd
        |     ^^^^^^^^^^^^^^^
    help      use "defaults:" or "for_each:" instead
  "
`)
})

test('manifest-shape', async () => {
  expect(
    await told(`- file: /etc/motd
`),
  ).toMatchInlineSnapshot(`
  "
  main.yaml:1:1: error: a manifest is a mapping that begins with "class:" or "define:" [manifest-shape]
      1 | - file: /etc/motd
        | ^
  "
`)
})

test('unknown-key', async () => {
  expect(
    await told(`class: main
resource:
  - file: /etc/motd
`),
  ).toMatchInlineSnapshot(`
    "
    main.yaml:2:1: error: the manifest has no key "resource" [unknown-key]
        2 | resource:
          | ^^^^^^^^
      expected  one of: alias_of, allowed_users, assert, class, defaults, define, include, incomplete, let, notices, parameters, resources, resume, steps, summary, tags
      found     resource
      help      did you mean "resources"?
    "
  `)
})

test('unknown-key, beside expressions and wherever it stands', async () => {
  expect(
    await told(`class: main
sumary: What it is for.
parameters:
  greeting: { default: Hello }
resources:
  - file: /etc/motd
    content: \${{ greeting }}
    mode: "999"
`),
  ).toMatchInlineSnapshot(`
    "
    main.yaml:2:1: error: the manifest has no key "sumary" [unknown-key]
        2 | sumary: What it is for.
          | ^^^^^^
      expected  one of: alias_of, allowed_users, assert, class, defaults, define, include, incomplete, let, notices, parameters, resources, resume, steps, summary, tags
      found     sumary
      help      did you mean "summary"?

    main.yaml:4:13: error: "parameters.greeting" of the manifest is not a mapping with type or enum [wrong-value]
        4 |   greeting: { default: Hello }
          |             ^
      expected  a mapping with type or enum
      found     {"default":"Hello"}

    main.yaml:8:11: error: "mode" of file[/etc/motd] is not a mode such as "0644" or "u=rw,g=r" [wrong-value]
        8 |     mode: "999"
          |           ^^^^^
      expected  a mode such as "0644" or "u=rw,g=r"
      found     999
    "
  `)
})

test('unknown-type', async () => {
  expect(
    await told(`class: main
resources:
  - flie: /etc/motd
`),
  ).toMatchInlineSnapshot(`
    "
    main.yaml:3:5: error: there is no resource type "flie" [unknown-type]
        3 |   - flie: /etc/motd
          |     ^^^^
      expected  one of: TYPES, or a define
      help      did you mean "file"?
    "
  `)
})

test('unknown-attribute', async () => {
  expect(
    await told(`class: main
resources:
  - service: nginx
    ensrue: running
`),
  ).toMatchInlineSnapshot(`
  "
  main.yaml:4:5: error: service[nginx] has no attribute "ensrue" [unknown-attribute]
      4 |     ensrue: running
        |     ^^^^^^
    expected  one of: check, enable, ensure, reload, reload_on, restart, restart_on, or a metaparameter
    found     ensrue
    help      did you mean "ensure"?
  "
`)
})

test('missing-attribute', async () => {
  expect(
    await told(`class: main
assert:
  - that: facts.os.id == "debian"
`),
  ).toMatchInlineSnapshot(`
  "
  main.yaml:3:5: error: assert.0 of the manifest lacks "message" [missing-attribute]
      3 |   - that: facts.os.id == "debian"
        |     ^
    help      add: message: …
  "
`)
})

test('wrong-value', async () => {
  expect(
    await told(`class: main
parameters:
  memory_mb: { type: integer, minimum: 64, default: 32 }
resources:
  - file: /etc/motd
    content: \${{ string(memory_mb) }}
`),
  ).toMatchInlineSnapshot(`
  "
  main.yaml:3:53: error: parameter "memory_mb" of main is not at least 64 [wrong-value]
      3 |   memory_mb: { type: integer, minimum: 64, default: 32 }
        |                                                     ^^
    expected  at least 64
    found     32
  "
`)
})

test('unknown-class', async () => {
  expect(
    await told(`class: main
include: [comon]
`),
  ).toMatchInlineSnapshot(`
  "
  main.yaml:2:11: error: main includes comon, which does not exist [unknown-class]
      2 | include: [comon]
        |           ^^^^^
    help      did you mean "common"?
  "
`)
})

test('class-file-name', async () => {
  expect(
    await told(`class: mian
`),
  ).toMatchInlineSnapshot(`
  "
  main.yaml:1:8: error: this file holds mian, and its name says main [class-file-name]
      1 | class: mian
        |        ^^^^
    help      move it to mian.yaml, or write: class: main
  "
`)
})

test('expression-syntax', async () => {
  expect(
    await told(`class: main
resources:
  - file: /etc/motd
    when: facts.os.id = "debian"
`),
  ).toMatchInlineSnapshot(`
  "
  main.yaml:4:23: error: in the expression "facts.os.id = "debian"": Unexpected character: = [expression-syntax]
      4 |     when: facts.os.id = "debian"
        |                       ^
    help      equality is written ==
  "
`)
})

test('expression-type', async () => {
  expect(
    await told(`class: main
resources:
  - file: /etc/motd
    content: \${{ facts.os.id + 1 }}
`),
  ).toMatchInlineSnapshot(`
  "
  main.yaml:4:18: error: in the expression "facts.os.id + 1": no such overload: string + int [expression-type]
      4 |     content: \${{ facts.os.id + 1 }}
        |                  ^^^^^^^^^^^^^^^
  "
`)
})

test('expression-type, of a condition and a list', async () => {
  expect(
    await told(`class: main
let: { names: [a, b] }
resources:
  - file: /srv/\${{ each.value }}
    for_each: names
    when: size(names)
`),
  ).toMatchInlineSnapshot(`
    "
    main.yaml:5:15: error: for_each takes a list or a map [expression-type]
        5 |     for_each: names
          |               ^^^^^
      help      write a list, or one expression, such as \${{ names }}

    main.yaml:6:11: error: "size(names)" is of type int, and a condition is true or false [expression-type]
        6 |     when: size(names)
          |           ^^^^^^^^^^^
    "
  `)
})

test('expression-failed', async () => {
  expect(
    await told(`class: main
resources:
  - file: /etc/motd
    content: \${{ string(1 / (facts.processors.count - 2)) }}
`),
  ).toMatchInlineSnapshot(`
  "
  main.yaml:4:25: error: in the expression "string(1 / (facts.processors.count - 2))": division by zero [expression-failed]
      4 |     content: \${{ string(1 / (facts.processors.count - 2)) }}
        |                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  "
`)
})

test('unknown-name', async () => {
  expect(
    await told(`class: main
let:
  config: /etc/motd
resources:
  - file: \${{ confg }}
`),
  ).toMatchInlineSnapshot(`
  "
  main.yaml:5:15: error: in the expression "confg": "confg" is not a name that is known here [unknown-name]
      5 |   - file: \${{ confg }}
        |               ^^^^^
    help      did you mean "config"?
  "
`)
})

test('unset-value', async () => {
  expect(
    await told(`class: main
parameters:
  greeting: { type: string }
resources:
  - file: /etc/motd
    content: \${{ greeting }}
`),
  ).toMatchInlineSnapshot(`
  "
  main.yaml:6:18: error: in the expression "greeting": "greeting" has no value [unset-value]
      6 |     content: \${{ greeting }}
        |                  ^^^^^^^^
    help      give it a value, or ask is_set(greeting) first
  "
`)
})

test('value-loop', async () => {
  expect(
    await told(`class: main
let:
  a: \${{ b }}
  b: \${{ a }}
`),
  ).toMatchInlineSnapshot(`
  "
  main.yaml:3:3: error: the named values of main go round in a circle: a reads b reads a [value-loop]
      3 |   a: \${{ b }}
        |   ^
  "
`)
})

test('template-syntax', async () => {
  expect(
    await told(`class: main
resources:
  - file: /etc/motd
    template: broken.hbs
`),
  ).toMatchInlineSnapshot(`
  "
  templates/broken.hbs:2:1: error: the template ends inside a block, or between braces: something like {{/if}} is missing [template-syntax]
      2 | 
        | ^
  "
`)
})

test('template-missing', async () => {
  expect(
    await told(`class: main
resources:
  - file: /etc/motd
    template: name.hsb
`),
  ).toMatchInlineSnapshot(`
  "
  main.yaml:4:15: error: file[/etc/motd] has no template: there is no file "name.hsb" [template-missing]
      4 |     template: name.hsb
        |               ^^^^^^^^
    expected  it under one of: templates
    help      did you mean "name.hbs"?
  "
`)
})

test('template-name', async () => {
  expect(
    await told(`class: main
let:
  greeting: hello
resources:
  - file: /etc/motd
    template: name.hbs
`),
  ).toMatchInlineSnapshot(`
  "
  templates/name.hbs:2:3: error: "greting" is not a name that main knows (the template of file[/etc/motd]) [template-name]
      2 | {{greting}}
        |   ^^^^^^^
    help      did you mean "greeting"?
  "
`)
})

test('source-missing', async () => {
  expect(
    await told(`class: main
resources:
  - file: /etc/motd
    source: nowhere
`),
  ).toMatchInlineSnapshot(`
  "
  main.yaml:4:13: error: file[/etc/motd] has no source: there is no file "nowhere" [source-missing]
      4 |     source: nowhere
        |             ^^^^^^^
    expected  it under one of: files
  "
`)
})

test('conf-value', async () => {
  expect(
    await told(`class: main
parameters:
  memory_mb: { type: integer, from: memcached.memory }
resources:
  - file: /etc/motd
    content: \${{ string(memory_mb) }}
`),
  ).toMatchInlineSnapshot(`
  "
  /etc/zulip/zulip.conf:2:10: error: [memcached] memory is not an integer in digits, such as 128 ("memory_mb" of main) [conf-value]
      2 | memory = lots
        |          ^^^^
    expected  an integer in digits, such as 128
    found     lots
    help      write an integer in digits, such as 128
  "
`)
})

test('unknown-parameter', async () => {
  expect(
    await told(`class: main
include:
  - class: common
    with: { grup: zulip }
`),
  ).toMatchInlineSnapshot(`
  "
  main.yaml:4:13: error: common has no parameter "grup" [unknown-parameter]
      4 |     with: { grup: zulip }
        |             ^^^^
    expected  one of: group
    found     grup
    help      did you mean "group"?
  "
`)
})

test('parameter-conflict', async () => {
  expect(
    await told(`class: main
include:
  - { class: common, as: one, with: { group: one } }
  - { class: common, as: two, with: { group: two } }
`),
  ).toMatchInlineSnapshot(`
  "
  main.yaml:4:46: error: "group" of common is given two values: "one" and "two" [parameter-conflict]
      4 |   - { class: common, as: two, with: { group: two } }
        |                                              ^^^
    see       main.yaml:3:46: the other value
    help      set it in one place, or in the site file: parameters: { common: { group: … } }
  "
`)
})

test('duplicate-resource', async () => {
  expect(
    await told(`class: main
resources:
  - file: /etc/motd
    content: one
  - file: /etc//motd
    content: two
`),
  ).toMatchInlineSnapshot(`
  "
  main.yaml:6:14: error: file[/etc/motd] is declared twice, with different "content" [duplicate-resource]
      6 |     content: two
        |              ^^^
    found     "two" here, "one" there
    see       main.yaml:4:14: the other declaration
    help      let only one of them set it
  "
`)
})

test('contradiction', async () => {
  expect(
    await told(`class: main
resources:
  - { file: /etc/app.conf, content: a = 1 }
  - { ini_setting: limit, path: /etc/app.conf, setting: a, value: 2 }
`),
  ).toMatchInlineSnapshot(`
    "
    main.yaml:4:5: error: ini_setting[limit] keeps a part of /etc/app.conf, and file[/etc/app.conf] sets all that is in it [contradiction]
        4 |   - { ini_setting: limit, path: /etc/app.conf, setting: a, value: 2 }
          |     ^
      see       main.yaml:3:5: file[/etc/app.conf]
      help      let one resource alone say what is in the file
    "
  `)
})

test('unresolved-reference', async () => {
  expect(
    await told(`class: main
resources:
  - file: /etc/motd
  - file: /etc/issue
    require: { file: /etc/modt }
`),
  ).toMatchInlineSnapshot(`
  "
  main.yaml:5:14: error: this "require" names file[/etc/modt], which is nowhere in the catalog [unresolved-reference]
      5 |     require: { file: /etc/modt }
        |              ^
    found     file[/etc/modt]
    help      did you mean "file[/etc/motd]"?
  "
`)
})

test('ambiguous-name', async () => {
  expect(
    await told(`class: main
include: [common, other::common]
`),
  ).toMatchInlineSnapshot(`
  "
  main.yaml:2:19: error: main includes common and other::common, whose values would both be read as "common" [ambiguous-name]
      2 | include: [common, other::common]
        |                   ^^^^^^^^^^^^^
    help      give one of them another name: { class: other::common, as: NAME }
  "
`)
})

test('assertion-failed', async () => {
  expect(
    await told(`class: main
assert:
  - that: facts.os.id == "ubuntu"
    message: This needs Ubuntu; it is \${{ facts.os.name }}.
`),
  ).toMatchInlineSnapshot(`
  "
  main.yaml:3:11: error: This needs Ubuntu; it is Debian GNU/Linux 12 (bookworm) [assertion-failed]
      3 |   - that: facts.os.id == "ubuntu"
        |           ^^^^^^^^^^^^^^^^^^^^^^^
  "
`)
})

test('notice', async () => {
  expect(
    await told(`class: main
let: { oldest: 10 }
notices:
  - message: A release before \${{ oldest }} is not known.
  - when: facts.os.id == "ubuntu"
    message: This does not hold.
`),
  ).toMatchInlineSnapshot(`
    "
    notice: main: A release before 10 is not known
    "
  `)
})

test('cycle', async () => {
  expect(
    await told(`class: main
resources:
  - file: /etc/one
    before: { file: /etc/two }
  - file: /etc/two
    before: { file: /etc/one }
`),
  ).toMatchInlineSnapshot(`
  "
  main.yaml:3:5: error: these resources wait for each other: file[/etc/one] → file[/etc/two] → file[/etc/one] [cycle]
      3 |   - file: /etc/one
        |     ^
    see       main.yaml:3:5: file[/etc/one] comes before file[/etc/two]: it is written
    see       main.yaml:5:5: file[/etc/two] comes before file[/etc/one]: it is written
    help      take one of these relations away
  "
`)
})

test('sensitive-value', async () => {
  expect(
    await told(`class: main
parameters:
  password: { type: string, from: secrets.password }
resources:
  - exec: set the password
    command: [/bin/true, "\${{ password }}"]
`),
  ).toMatchInlineSnapshot(`
  "
  main.yaml:6:14: error: "command" of exec[set the password] holds a secret, and every user of the host can read the arguments of a process [sensitive-value]
      6 |     command: [/bin/true, "\${{ password }}"]
        |              ^
    help      hand the secret over by stdin, by a file, or by environment
  "
`)
})

test('alias', async () => {
  expect(
    await told(`class: main
alias_of: main
`),
  ).toMatchInlineSnapshot(`
  "
  main.yaml:2:11: error: the alias main leads to itself [alias]
      2 | alias_of: main
        |           ^^^^
  "
`)
})

test('limit', async () => {
  expect(
    await told(`class: main
let:
  ten: ["", "", "", "", "", "", "", "", "", ""]
  long: \${{ ten.map(a, ten.map(b, ten.map(c, ten.map(d, "0123456789").join("")).join("")).join("")).join("") }}
resources:
  - file: /etc/motd
    content: '\${{ range(170).map(i, long).join("") }} and \${{ long }}'
`),
  ).toMatchInlineSnapshot(`
  "
  main.yaml:7:14: error: this text grows beyond 16 MB [limit]
      7 |     content: '\${{ range(170).map(i, long).join("") }} and \${{ long }}'
        |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  "
`)
})
