import { describe, expect, test } from 'vitest'
import { renderDiagnostic } from '../../engine/diagnostics/render.ts'
import { attributeOf, catalogOf, compileTexts, mistakesOf, resourceOf } from './road.ts'

const password = 'correct-horse'
const given = { secrets: { password, other: 'battery-staple' } }
const main = (rest: string) => `class: main
parameters:
  password: { type: string, from: secrets.password }
${rest}`
const common = `class: common
parameters:
  password: { type: string, from: secrets.password }
  port: { type: integer, default: 11211 }
`
const sensitiveOf = async (
  texts: Parameters<typeof catalogOf>[0],
  ref: string,
): Promise<string[]> => [...resourceOf(await catalogOf(texts, given), ref).sensitive]

describe('the mark of a secret follows its value', () => {
  test.each([
    ['alone', '${{ password }}'],
    ['inside text', 'password = ${{ password }}'],
    ['through a named value', '${{ line }}'],
    ['through a named value of a named value', '${{ lines.join("") }}'],
    ['through a function', '${{ replace(password, "horse", "cow") }}'],
    ['through a macro', '${{ [password].map(p, p + "!")[0] }}'],
    ['through a condition on it', '${{ size(password) > 3 ? "long" : "short" }}'],
    ['through or_else', '${{ or_else(password, "none") }}'],
  ])('%s', async (_title, content) => {
    const text = main(`let:
  line: p=\${{ password }}
  lines: ["\${{ line }}", b]
resources:
  - file: /etc/x
    content: ${JSON.stringify(content)}
`)
    expect(await sensitiveOf(text, 'file[/etc/x]')).toEqual(['content'])
  })

  test.each([
    ['a member of an included class', '${{ common.password }}'],
    ['a member by index', '${{ common["password"] }}'],
    ['the whole class in a macro', '${{ [common].map(c, c.password)[0] }}'],
  ])('through %s', async (_title, content) => {
    const texts = {
      'main.yaml': `class: main\ninclude: [common]\nresources:\n  - file: /etc/x\n    content: ${JSON.stringify(content)}\n`,
      'common.yaml': common,
    }
    expect(await sensitiveOf(texts, 'file[/etc/x]')).toEqual(['content'])
  })

  test('and not to what stands beside it', async () => {
    const texts = {
      'main.yaml':
        'class: main\ninclude: [common]\nresources:\n  - file: /etc/x\n    content: "${{ string(common.port) }}"\n',
      'common.yaml': common,
    }
    expect(await sensitiveOf(texts, 'file[/etc/x]')).toEqual([])
  })

  test('through with and the parameters of a define', async () => {
    const texts = {
      'main.yaml': main(`include:
  - class: inner
    with: { given: "\${{ password }}" }
resources:
  - site::note: one
    text: \${{ password }}
`),
      'inner.yaml':
        'class: inner\nparameters:\n  given: { type: string }\nresources:\n  - file: /etc/inner\n    content: ${{ given }}\n',
      'site/note.yaml':
        'define: site::note\nparameters:\n  text: { type: string }\nresources:\n  - file: /etc/note\n    content: ${{ text }}\n',
    }
    expect(await sensitiveOf(texts, 'file[/etc/inner]')).toEqual(['content'])
    expect(await sensitiveOf(texts, 'file[/etc/note]')).toEqual(['content'])
  })

  test.each([
    ['a list that is written', '["${{ password }}", plain]', '/etc/0', ['content']],
    ['its plain neighbour', '["${{ password }}", plain]', '/etc/1', []],
    ['a map that is written', '{ one: "${{ password }}" }', '/etc/one', ['content']],
    ['a list that an expression gives', '${{ [password] }}', '/etc/0', ['content']],
  ])('through for_each over %s', async (_title, items, path, sensitive) => {
    const text = main(`resources:
  - file: /etc/\${{ each.key }}
    for_each: ${items}
    content: \${{ each.value }}
`)
    expect(await sensitiveOf(text, `file[${path}]`)).toEqual(sensitive)
  })

  test.each([
    ['a parameter', '{{password}}'],
    ['a named value', '{{line}}'],
    ['a member of an included class', '{{common.password}}'],
    ['an item of for_each', '{{each.value}}'],
    ['this', '{{this.password}}'],
    ['a list in a block', '{{#each all as |one|}}{{one}}{{/each}}'],
    ['the name above a block', '{{#each plain}}{{../password}}{{/each}}'],
    ['a helper', '{{shell password}}'],
    ['a condition', '{{#if password}}set{{/if}}'],
  ])('through a template that reads %s', async (_title, template) => {
    const texts = {
      'main.yaml': main(`include: [common]
let:
  line: p=\${{ password }}
  all: ["\${{ password }}"]
  plain: [a]
resources:
  - file: /etc/x
    for_each: ["\${{ password }}"]
    template: x.hbs
`),
      'common.yaml': common,
      'templates/x.hbs': template,
    }
    expect(await sensitiveOf(texts, 'file[/etc/x]')).toEqual(['content'])
  })

  test('into a resource that was declared with the same value in the open', async () => {
    const text = main(`resources:
  - file: /etc/x
    content: ${password}
  - file: /etc/x
    content: \${{ password }}
`)
    expect(await sensitiveOf(text, 'file[/etc/x]')).toEqual(['content'])
  })
})

test('what is redacted everywhere is the secret, not the lines around it', async () => {
  const texts = {
    'main.yaml': main(`resources:
  - file: /etc/x
    template: x.hbs
  - file: /etc/y
    content: "[server]\\npassword = \${{ password }}\\n"
  - file: /etc/z
    sensitive: true
    owner: root
    mode: "0640"
    content: all of this is kept
`),
    'templates/x.hbs': '[server]\npassword = {{password}}\n',
  }
  const catalog = await catalogOf(texts, given)
  expect([...catalog.secrets].sort()).toEqual(['all of this is kept', password])
  expect(attributeOf(catalog, 'file[/etc/x]', 'content')).toBe(`[server]\npassword = ${password}\n`)
})

describe('is refused', () => {
  test.each([
    ['as a title', 'file: /etc/${{ password }}', 6],
    [
      'as a title by for_each',
      'file: "/etc/${{ each.value }}"\n    for_each: ["${{ password }}"]',
      6,
    ],
    [
      'as a title by the key of a map',
      'file: "/etc/${{ each.key }}"\n    for_each: "${{ {password: 1} }}"',
      6,
    ],
    ['in a command', 'exec: x\n    command: [a, "${{ password }}"]', 6],
    ['in a guard', 'exec: x\n    command: [a]\n    unless: [b, "-p${{ password }}"]', 6],
    ['in a shell text', 'exec: x\n    shell: echo ${{ password }}', 6],
  ])('%s', async (_title, resource) => {
    const mistakes = await mistakesOf(main(`resources:\n  - ${resource}\n`), given)
    expect(mistakes).toHaveLength(1)
    expect(mistakes[0]).toMatch(/^sensitive-value /)
  })
})

describe('an error shows no secret', () => {
  const expressions = [
    'int(password)',
    '{"a": 1}[password]',
    'dyn([1, 2])[password]',
    'bool(password)',
    '"a".matches(password + "(")',
    'dyn(password) + 3',
    'duration(password) == duration("1s")',
  ]
  test.each(expressions)('of the expression %s', async (expression) => {
    const text = main(
      `resources:\n  - file: /x\n    content: ${JSON.stringify(`x\${{ ${expression} }}`)}\n`,
    )
    await shows(text)
  })

  test.each([
    [
      'an assertion',
      'assert:\n  - that: size(password) < 3\n    message: ${{ password }} is too long.\n',
    ],
    ['a condition', 'resources:\n  - file: /x\n    when: dyn(password)\n'],
    ['a for_each', 'resources:\n  - file: /x\n    for_each: ${{ dyn(password) }}\n'],
    ['an attribute', 'resources:\n  - file: /x\n    mode: ${{ password }}\n'],
    [
      'a resource that is declared twice',
      'resources:\n  - file: /x\n    content: ${{ password }}\n  - file: /x\n    content: plain\n',
    ],
  ])('of %s', async (_title, rest) => shows(main(rest)))

  test('of a parameter', async () => {
    await shows(
      'class: main\nparameters:\n  password: { type: integer, from: secrets.password }\nresources:\n  - file: /x\n    content: "${{ password }}"\n',
    )
    await shows(
      'class: main\nparameters:\n  password: { type: string, enum: [a, b], from: secrets.password }\nresources:\n  - file: /x\n    content: ${{ password }}\n',
    )
  })

  test('of two values given by with', async () => {
    await shows({
      'main.yaml': main(`include:
  - class: inner
    with: { given: "\${{ password }}" }
  - second
`),
      'second.yaml': 'class: second\ninclude:\n  - class: inner\n    with: { given: plain }\n',
      'inner.yaml': 'class: inner\nparameters:\n  given: { type: string }\n',
    })
  })

  async function shows(texts: Parameters<typeof compileTexts>[0]): Promise<void> {
    const { diagnostics } = await compileTexts(texts, given)
    expect(diagnostics.length).toBeGreaterThan(0)
    expect(JSON.stringify(diagnostics)).not.toContain(password)
    expect(diagnostics.map((each) => renderDiagnostic(each)).join('\n')).not.toContain(password)
  }
})

test('where a value came from is told without the secret', async () => {
  const text = main(`resources:
  - file: /etc/\${{ each.key }}
    for_each: { a: "\${{ password }}" }
    content: \${{ each.value }} \${{ password }}
`)
  const catalog = await catalogOf(text, { ...given, withSources: true })
  const source = resourceOf(catalog, 'file[/etc/a]').sources.get('content')
  expect(source?.reads.map(({ value }) => value)).toEqual(['(secret)', '(secret)'])
})

describe('a secret that is generated', () => {
  const text = (form: string) => `class: main
parameters:
  key: { type: string, from: secrets.key, generate: ${form} }
include: [other]
resources:
  - file: /etc/key
    content: \${{ key }}
`
  const other = `class: other
parameters:
  key: { type: string, from: secrets.key, generate: { as: uuid } }
resources:
  - file: /etc/other
    content: \${{ key }}
`
  test.each([
    ['{ as: hex, length: 33 }', /^[0-9a-f]{33}$/],
    ['{ as: alphanumeric, length: 50 }', /^[a-z0-9]{50}$/],
    ['{ as: uuid }', /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/],
  ])('has the form that is asked for: %s', async (form, pattern) => {
    const catalog = await catalogOf(text(form).replace('include: [other]\n', ''))
    expect(attributeOf(catalog, 'file[/etc/key]', 'content')).toMatch(pattern)
  })
  test('is the same wherever it is read in one run, another in the next, and marked', async () => {
    const texts = { 'main.yaml': text('{ as: hex, length: 64 }'), 'other.yaml': other }
    const [first, second] = [await catalogOf(texts), await catalogOf(texts)]
    const key = attributeOf(first, 'file[/etc/key]', 'content')
    expect(attributeOf(first, 'file[/etc/other]', 'content')).toBe(key)
    expect(attributeOf(second, 'file[/etc/key]', 'content')).not.toBe(key)
    expect([...resourceOf(first, 'file[/etc/key]').sensitive]).toEqual(['content'])
    expect(first.secrets).toContain(key)
  })
  test('is the one that is there, where there is one', async () => {
    const catalog = await catalogOf(
      { 'main.yaml': text('{ as: uuid }'), 'other.yaml': other },
      { secrets: { key: 'mine' } },
    )
    expect(attributeOf(catalog, 'file[/etc/key]', 'content')).toBe('mine')
  })
  test('is refused where it is no secret', async () => {
    const text = `class: main
parameters:
  key: { type: string, from: machine.key, generate: { as: uuid } }
`
    expect((await mistakesOf(text)).join()).toContain(
      '"key" of main is to be generated, and is no secret',
    )
  })
})
