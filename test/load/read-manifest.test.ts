import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readManifest } from '../../engine/load/read-manifest.ts'
import { Sources } from '../../engine/load/sources.ts'
import { compileTexts, manifestFolder } from '../compile/road.ts'

const types = new Set(['file', 'service'])

/** The mistakes of a manifest, as `code line:column`. */
function mistakesIn(text: string): string[] {
  const file = join(manifestFolder({ 'x.yaml': text }), 'x.yaml')
  return readManifest(text, file, types, new Sources())
    .diagnostics.map(({ code, place }) => `${code} ${place?.line}:${place?.column}`)
    .sort()
}

const wrong = `  - service: nginx
    ensrue: running
  - flie: /x
`
const atWrong = (line: number) => [`unknown-attribute ${line}:5`, `unknown-type ${line + 1}:5`]

describe('what YAML spoils hides nothing else in the file', () => {
  test.each([
    ['a tag', 'when: !busy', 'yaml-unquoted 4:16'],
    ['a mode that is a number', 'mode: 0644', 'yaml-unquoted 4:11'],
    ['an unquoted condition', 'when: a ? b : c', 'yaml-unquoted 4:11'],
    ['an unquoted expression', 'content: a ${{ b ? "x" : "y" }}', 'yaml-unquoted 4:14'],
    ['an anchor', 'owner: &root root', 'yaml-unsupported 4:18'],
    ['a text that goes on after its quotes', 'owner: "a" b', 'yaml-syntax 4:16'],
    ['a key that stands twice', 'path: x', 'unknown-attribute 4:5'],
  ])('%s', (_title, line, mistake) => {
    const text = `class: x\nresources:\n  - file: /a\n    ${line}\n${wrong}`
    expect(mistakesIn(text)).toEqual([mistake, ...atWrong(6)].sort())
  })

  test('several of them, each told once', () => {
    const text = `class: x
resources:
  - file: /a
    when: a ? b : c
    content: x
    content: y
  - file: /b
    when: b ? c : d
${wrong}`
    expect(mistakesIn(text)).toEqual(
      ['yaml-unquoted 4:11', 'yaml-syntax 6:5', 'yaml-unquoted 8:11', ...atWrong(10)].sort(),
    )
  })

  test('but where the rest can not be read, only that is told', () => {
    const text = `class: x\nresources:\n  - file: "/a\n${wrong}`
    expect(mistakesIn(text).every((each) => each.startsWith('yaml-'))).toBe(true)
  })
})

describe('the declaration of a parameter', () => {
  test.each([
    ['a word that JSON Schema does not know', 'size: { type: integer, form: machine.size }'],
    ['one further below', 'size: { type: array, items: { typ: string } }'],
    ['a limit that is no number', 'size: { type: integer, minimum: few }'],
    ['a pattern that is none', 'size: { type: string, pattern: "[" }'],
  ])('is told with its place where it has %s', (_title, line) => {
    expect(mistakesIn(`class: x\nparameters:\n  ${line}\nresources: []\n`)).toEqual([
      'manifest-shape 3:3',
    ])
  })
  test('is told where it is none at all', () => {
    expect(mistakesIn('class: x\nparameters:\n  size:\nresources: []\n')).toEqual([
      'wrong-value 3:8',
    ])
  })
})

describe('what is wrong with the form of a manifest hides nothing in its expressions', () => {
  const mistakes = async (text: string) => {
    const { diagnostics } = await compileTexts({ 'main.yaml': text })
    return diagnostics.map(({ code, place }) => `${code} ${place?.line}`).sort()
  }

  test('nor does what YAML spoils', async () => {
    expect(
      await mistakes(`class: main
parameters:
  port: { type: integer, default: 80 }
include: [nowhere]
resources:
  - file: /a
    mode: 0644
    content: \${{ prot }}
  - file: /b
    when: a ? b : c
    content: \${{ port + "x" }}
  - service: nginx
    ensrue: running
    before: 5
  - site::none: x
    when: size(port) > 0
`),
    ).toEqual([
      'expression-type 11',
      'expression-type 16',
      'unknown-attribute 13',
      'unknown-class 4',
      'unknown-name 8',
      'unknown-type 15',
      'wrong-value 14',
      'yaml-unquoted 10',
      'yaml-unquoted 7',
    ])
  })

  test('but where names are at fault, nothing is said of who reads them', async () => {
    expect(
      await mistakes(`class: main
parameters:
  port: { typo: integer }
resources:
  - file: /a
    content: "\${{ port }} \${{ other }}"
`),
    ).toEqual(['wrong-value 3'])
  })

  test('of an assertion or condition of another form is told once', async () => {
    expect(
      await mistakes(`class: main
assert:
  - that: 5
    message: five
  - that: nobody
    message: [x]
resources:
  - file: /a
    when: 7
    content: \${{ nobody }}
`),
    ).toEqual(['wrong-value 3', 'wrong-value 6', 'wrong-value 9'])
  })
})
