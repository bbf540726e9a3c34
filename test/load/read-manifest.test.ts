import { describe, expect, test } from 'vitest'
import { readManifest } from '../../engine/load/read-manifest.ts'
import { locator } from '../../engine/load/yaml.ts'

const types = new Set(['file', 'service'])

/** The mistakes of a manifest, as `code line:column`. */
function mistakesIn(text: string): string[] {
  const places = locator(text, 'x.yaml')
  const sources = {
    shown: (file: string) => file,
    place: (_file: string, ...rest: Parameters<typeof places.place>) => places.place(...rest),
  }
  return readManifest(text, 'x.yaml', types, sources)
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
