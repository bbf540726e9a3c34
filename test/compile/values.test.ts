import { describe, expect, test } from 'vitest'
import { compile } from '../../engine/compile/compile.ts'
import { compileInput } from './input.ts'
import { attributeOf, catalogOf, manifestFolder, mistakesOf, orderOf, resourceOf } from './road.ts'

const contentOf = async (texts: Parameters<typeof catalogOf>[0], given = {}) =>
  attributeOf(await catalogOf(texts, given), 'file[/x]', 'content')

describe('an included class', () => {
  test('is read under two names where it is included twice', async () => {
    expect(
      await contentOf({
        'main.yaml': `class: main
include:
  - { class: inner, as: one }
  - { class: inner, as: two }
resources:
  - file: /x
    content: \${{ one.value }} \${{ two.value }}
`,
        'inner.yaml': 'class: inner\nlet:\n  value: same\n',
      }),
    ).toBe('same same')
  })

  test('that is left out has no values, which can be asked', async () => {
    const texts = {
      'main.yaml': `class: main
include: [{ class: inner, when: facts.init == "openrc" }]
resources:
  - file: /x
    content: '\${{ or_else(inner.value, "none") }} \${{ is_set(inner.value) ? "set" : "unset" }}'
`,
      'inner.yaml': 'class: inner\nlet:\n  value: there\n',
    }
    expect(await contentOf(texts)).toBe('none unset')
    expect(await contentOf(texts, { facts: { init: 'openrc' } })).toBe('there set')
  })

  test('is evaluated once, however often it is included', async () => {
    const catalog = await catalogOf({
      'main.yaml': 'class: main\ninclude: [a, b]\n',
      'a.yaml': 'class: a\ninclude: [c]\n',
      'b.yaml': 'class: b\ninclude: [c, a]\n',
      'c.yaml': 'class: c\nresources:\n  - file: /x\n',
    })
    expect(catalog.resources).toHaveLength(1)
  })
})

describe('text from zulip.conf becomes what its parameter is declared as', () => {
  const main = (type: string) => `class: main
parameters:
  value: { ${type}, from: section.key }
resources:
  - file: /x
    content: '\${{ is_set(value) ? "[" + string(value) + "]" : "unset" }}'
`
  test.each([
    ['type: string', ' a b ', '[a b]'],
    ['type: string', '', '[]'],
    ['type: string', '${{ x }}', '[${{ x }}]'],
    ['type: integer', '012', '[12]'],
    ['type: integer', '-3', '[-3]'],
  ])('%s of %j', async (type, text, expected) => {
    expect(await contentOf(main(type), { conf: `[section]\nkey = ${text}\n` })).toBe(expected)
  })

  test.each([
    ['type: integer', '1.5'],
    ['type: integer', ''],
    ['type: integer', '0x10'],
    ['type: integer', '9007199254740993'],
    ['type: integer', '١٢'],
    ['type: integer, minimum: 5', '4'],
    ['type: string, enum: [a, b]', 'c'],
  ])('%s of %j is refused at the line of zulip.conf', async (type, text) => {
    const mistakes = await mistakesOf(main(type), { conf: `[section]\nkey = ${text}\n` })
    expect(mistakes).toHaveLength(1)
    expect(mistakes[0]).toContain('/etc/zulip/zulip.conf:2:')
  })

  test('is refused also where nothing reads the parameter', async () => {
    const text = 'class: main\nparameters:\n  port: { type: integer, from: x.port, default: 1 }\n'
    const mistakes = await mistakesOf(text, { conf: '[x]\nport = many\n' })
    expect(mistakes).toHaveLength(1)
    expect(mistakes[0]).toContain('/etc/zulip/zulip.conf:2:')
  })

  test('a stronger value leaves a bad weaker one unread', async () => {
    const given = { conf: '[section]\nkey = bad\n', with: { value: '7' } }
    expect(await contentOf(main('type: integer'), given)).toBe('[7]')
  })
})

test('$${{ stands for the characters themselves', async () => {
  expect(
    await contentOf(`class: main
let:
  v: value
resources:
  - file: /x
    content: '$\${{ v }} \${{ v }} \${{ "}}" }}'
`),
  ).toBe('${{ v }} value }}')
})

test('values of the site file and of the command line are plain data', async () => {
  const texts = `class: main
parameters:
  a: { type: string }
  b: { type: string }
resources:
  - file: /x
    content: \${{ a }} \${{ b }}
`
  const given = { site: 'parameters: { main: { a: "${{ b }}" } }', with: { b: '${{ a }}' } }
  expect(await contentOf(texts, given)).toBe('${{ b }} ${{ a }}')
})

describe('YAML that would be spoilt is refused with the line to write', () => {
  test.each([
    ['a tag', 'when: !busy', "quote the value: when: '!busy'"],
    ['a tag of YAML itself', 'mode: !!str 0644', 'without the tag'],
    ['a number as mode', 'mode: 0644', 'write: mode: "0644"'],
    ['a number as mode, written octal', 'mode: 0o644', 'write: mode: "0644"'],
    ['a condition with a colon', 'when: a ? b : c', "quote the value: when: 'a ? b : c'"],
    ['a map in an expression', 'content: ${{ {"a": 1}.a }}', 'content: \'${{ {"a": 1}.a }}\''],
    ['a comment in an expression', 'content: ${{ "a" + b #c }}', "quote the value: content: '${{ "],
    ['an anchor', 'content: &a x', '"defaults:"'],
    ['an alias', 'content: *a', '"defaults:"'],
    ['a merge key', '<<: { mode: "0644" }', 'plain text'],
    ['a number that is not exact', 'content: 9007199254740993', '"9007199254740993"'],
    ['a key that stands twice', 'mode: "0644"\n    mode: "0600"', 'remove one'],
  ])('%s', async (_title, line, help) => {
    const folder = manifestFolder({
      'main.yaml': `class: main\nresources:\n  - file: /x\n    ${line}\n`,
    })
    const { diagnostics } = compile(await compileInput(folder))
    expect(diagnostics.length).toBeGreaterThan(0)
    expect(diagnostics[0]?.place?.line).toBeGreaterThanOrEqual(4)
    expect(diagnostics.map((each) => each.help).join('\n')).toContain(help)
  })

  test.each([
    ['nesting', `class: main\nlet:\n  x: ${'['.repeat(120)}${']'.repeat(120)}\n`, '100 levels'],
    ['nesting without end', `class: main\nlet:\n  x: ${'['.repeat(200_000)}\n`, ''],
    ['size', `class: main\n# ${'x'.repeat(8_000_000)}\n`, '8 MB'],
  ])('too much %s', async (_title, text, message) => {
    const mistakes = await mistakesOf(text)
    expect(mistakes.length).toBeGreaterThan(0)
    expect(mistakes.join('\n')).toContain(message)
  })
})

describe('the same input', () => {
  const texts = {
    'main.yaml': `class: main
include: [other]
let: { b: "\${{ a }}", a: x }
resources:
  - file: /etc/\${{ each.value }}
    for_each: [c, a, b]
    content: \${{ b }}
    tags: [z, y]
  - service: nginx
    restart_on: [/etc/**]
`,
    'other.yaml': 'class: other\nresources:\n  - user: zulip\n    groups: [b, a]\n',
  }
  const bytes = async (folder: string) => {
    const { catalog } = compile(await compileInput(folder))
    return JSON.stringify(catalog, (_key, value: unknown) =>
      value instanceof Set || value instanceof Map ? [...value] : value,
    ).replaceAll(folder, 'DIR')
  }

  test('gives the same catalog, byte for byte', async () => {
    expect(await bytes(manifestFolder(texts))).toBe(await bytes(manifestFolder(texts)))
  })

  test('with its named values and parameters in another order gives the same resources', async () => {
    const turned = {
      ...texts,
      'main.yaml': texts['main.yaml'].replace('b: "${{ a }}", a: x', 'a: x, b: "${{ a }}"'),
    }
    expect(await bytes(manifestFolder(turned))).toBe(await bytes(manifestFolder(texts)))
  })
})

describe('order', () => {
  test('keeps to the manifest where nothing asks for another', async () => {
    const catalog = await catalogOf(
      'class: main\nresources:\n  - file: [/c, /a, /b]\n  - exec: [z, y]\n    command: [/bin/true]\n',
    )
    expect(orderOf(catalog)).toEqual(['file[/c]', 'file[/a]', 'file[/b]', 'exec[z]', 'exec[y]'])
  })

  test('a weak edge gives way to strong ones, also where the same pair has both', async () => {
    const catalog = await catalogOf(`class: main
resources:
  - file: /etc/app/early
    content: x
    before: { package: app }
  - file: /etc/app
    ensure: directory
  - package: app
    provides: { directories: [/etc/app], commands: [app] }
  - exec: app
    command: [/usr/bin/app]
    needs: { commands: [app] }
    require: { package: app }
`)
    expect(orderOf(catalog)).toEqual([
      'file[/etc/app]',
      'file[/etc/app/early]',
      'package[app]',
      'exec[app]',
    ])
    expect(catalog.dropped).toHaveLength(1)
  })

  test('packages that are free go together, and only when nothing else is', async () => {
    const catalog = await catalogOf(`class: main
resources:
  - package: one
  - file: /srv/a
    content: x
  - package: two
  - file: /srv/after
    content: x
    require: { package: one }
  - package: three
    require: { file: /srv/after }
`)
    expect(orderOf(catalog)).toEqual([
      'file[/srv/a]',
      'package[one]',
      'package[two]',
      'file[/srv/after]',
      'package[three]',
    ])
    const batch = (ref: string) => catalog.batches[resourceOf(catalog, ref).index]
    expect(batch('package[one]')).toBe(batch('package[two]'))
    expect(batch('package[three]')).not.toBe(batch('package[two]'))
    expect(batch('file[/srv/a]')).toBe(-1)
  })
})

test('a service that listens to what is nowhere is told where it says so', async () => {
  const text = `class: main
resources:
  - service: web
    restart_on: [{ file: /etc/nowhere }]
`
  expect(await mistakesOf(text)).toEqual([
    'unresolved-reference main.yaml:4:17 "restart_on" of service[web] names file[/etc/nowhere], which is nowhere in the catalog',
  ])
})
