import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { locator, parseYaml } from '../../engine/load/yaml.ts'

const readBack = (text: string) => {
  const { value, diagnostics } = parseYaml(text, 'x.yaml')
  expect(diagnostics).toEqual([])
  return value
}
const codes = (text: string) =>
  parseYaml(text, 'x.yaml').diagnostics.map(
    ({ code, place }) => `${code} ${place?.line}:${place?.column}`,
  )

describe('parseYaml', () => {
  const key = fc.stringMatching(/^[a-z][a-z0-9_ -]{0,6}$/).filter((name) => name !== 'mode')
  const plain = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    ),
  })).value

  test('gives back plain data as it was written out', () => {
    fc.assert(
      fc.property(plain, (value) => {
        fc.pre(!JSON.stringify(value).includes('${{'))
        expect(readBack(stringify(value, { aliasDuplicateObjects: false }))).toEqual(value)
      }),
    )
  })

  test('finds every value again at its own place', () => {
    fc.assert(
      fc.property(fc.dictionary(key, plain, { minKeys: 1, noNullPrototype: true }), (value) => {
        const text = stringify(value, { aliasDuplicateObjects: false })
        const places = locator(text, 'x.yaml')
        for (const name of Object.keys(value)) {
          const { line, column, text: shown } = places.place([name], 'key')
          const at = text.split('\n')[line - 1] ?? ''
          expect(shown).toBe(at)
          expect(
            at
              .slice(column - 1)
              .replace(/^["']/, '')
              .startsWith(name),
            text,
          ).toBe(true)
        }
      }),
    )
  })

  test.each([
    ['an empty file', '', null],
    ['a byte order mark', '\uFEFFa: 1\n', { a: 1 }],
    ['a text of several lines', 'a: |\n  x\n  y\n', { a: 'x\ny\n' }],
    [
      'words that older YAML took for true',
      'a: [yes, no, on, off]\n',
      { a: ['yes', 'no', 'on', 'off'] },
    ],
    ['a number in old octal as what it says', 'a: 0644\n', { a: 644 }],
    ['a date as text', 'a: 2026-11-22\n', { a: '2026-11-22' }],
    ['an expression that YAML leaves whole', 'a: ${{ b }}\n', { a: '${{ b }}' }],
    ['an inherited name as a key like any other', 'constructor: 1\n', { constructor: 1 }],
  ])('reads %s', (_title, text, value) => {
    expect(readBack(text)).toEqual(value)
  })

  test.each([
    ['two documents', 'a: 1\n---\nb: 2\n', /yaml-syntax/],
    ['a tab as indentation', 'a:\n\tb: 1\n', /yaml-syntax 2:1/],
    ['an inherited key of JavaScript', '__proto__: 1\n', /yaml-unsupported 1:1/],
    ['a list as key', '? [a]\n: b\n', /yaml-unsupported/],
    ['a mode without quotes, wherever it stands', 'x:\n  - mode: 755\n', /yaml-unquoted 2:11/],
    ['an alias bomb, at once', `a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n`, /yaml-unsupported/],
  ])('refuses %s', (_title, text, expected) => {
    expect(codes(text).join('\n')).toMatch(expected)
  })

  test('tells all that it refuses in one go', () => {
    expect(codes('a: !x 1\nb:\n  mode: 0644\nc: &d e\n')).toHaveLength(3)
  })
})

describe('a place', () => {
  const text = `class: main
let:
  one: "a \${{ first }} b"
  two: |
    line
    \${{ second }}
  three: 'it''s \${{ third }}'
list: [x, { y: z }]
`
  const places = locator(text, 'x.yaml')
  const at = (place: { line: number; column: number; length?: number }) =>
    (text.split('\n')[place.line - 1] ?? '').slice(
      place.column - 1,
      place.column - 1 + (place.length ?? 1),
    )

  test.each([
    [['class'], 'value', 'main'],
    [['class'], 'key', 'class'],
    [['list', 1, 'y'], 'value', 'z'],
    [['list', 1, 'y'], 'key', 'y'],
    [['list', 0], 'value', 'x'],
    [['let', 'nowhere'], 'value', 'o'],
  ] as const)('of %j (%s) is where it stands', (path, on, expected) => {
    expect(at(places.place(path, on))).toBe(expected)
  })

  test.each([
    ['one', '${{ first }}', 'first'],
    ['two', '${{ second }}', 'second'],
    ['three', '${{ third }}', 'third'],
  ])('inside the text of %s is that of its own characters', (name, whole, word) => {
    const value = (readBack(text) as { let: Record<string, string> }).let[name] ?? ''
    const offset = value.indexOf(whole) + whole.indexOf(word)
    expect(at(places.within(['let', name], offset, word.length))).toBe(word)
  })
})
