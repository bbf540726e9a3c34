import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Conf, parseConf } from '../../engine/load/conf.ts'
import { nastyConf } from './conf-texts.ts'

function read(text: string): Conf {
  const parsed = parseConf(text, 'zulip.conf')
  if ('diagnostics' in parsed) throw new Error(parsed.diagnostics[0]?.message)
  return parsed.conf
}
function mistakes(text: string) {
  const parsed = parseConf(text, 'zulip.conf')
  return 'diagnostics' in parsed ? parsed.diagnostics : []
}

describe('parseConf', () => {
  test('takes both separators, lower-cases names and strips values', () => {
    const conf = read('[Machine]\nPuppet_Classes =  a, b \nport:80\n')
    expect(conf.sections()).toEqual(['Machine'])
    expect(conf.get('Machine', 'PUPPET_classes')?.value).toBe('a, b')
    expect(conf.get('Machine', 'port')?.value).toBe('80')
    expect(conf.get('machine', 'port')).toBeUndefined()
  })

  test('joins indented lines and inner blank lines, and leaves comments between them out', () => {
    const conf = read('[a]\nk = 1\n  2\n\n  # no\n  3 ; yes\n\n\nl = 4\n')
    expect(conf.get('a', 'k')?.value).toBe('1\n2\n\n3 ; yes')
    expect(conf.get('a', 'l')?.value).toBe('4')
  })

  test('shows [DEFAULT] in every section, defaults first and overridden in place', () => {
    const conf = read('[a]\nx = 1\nz = 2\n[DEFAULT]\ny = 3\nz = 4\n[b]\n')
    expect([...(conf.section('a') ?? [])].map(([key, { value }]) => [key, value])).toEqual([
      ['y', '3'],
      ['z', '2'],
      ['x', '1'],
    ])
    expect(conf.get('b', 'z')?.value).toBe('4')
    expect(conf.get('c', 'z')).toBeUndefined()
    expect(conf.section('c')).toBeUndefined()
    expect(conf.sections()).toEqual(['a', 'b'])
  })

  test('tells where a value stands, counting characters', () => {
    const conf = read('[a]\n\u{1f600} = b\nc =\n  d\n')
    expect(conf.get('a', '\u{1f600}')?.place).toEqual({
      file: 'zulip.conf',
      line: 2,
      column: 5,
      length: 1,
      text: '\u{1f600} = b',
    })
    expect(conf.get('a', 'c')?.place).toMatchObject({ line: 3, column: 1, length: 1 })
  })

  test('tells every mistake at its place', () => {
    const text = 'x = 1\ny\n[a]\nk = 1\nnonsense\n= 2\nK: 3\n[b]\n[a]\n[]\n'
    expect(mistakes(text).map(({ code, place }) => [code, place?.line, place?.column])).toEqual([
      ['conf-syntax', 1, 1],
      ['conf-syntax', 5, 1],
      ['conf-syntax', 6, 1],
      ['conf-syntax', 7, 1],
      ['conf-syntax', 9, 1],
      ['conf-syntax', 10, 1],
    ])
    expect(mistakes('[a]\nk = 1\nK: 3\n')).toMatchInlineSnapshot(`
      [
        {
          "code": "conf-syntax",
          "expected": "each setting once; upper and lower case are the same",
          "help": "delete this line or line 2",
          "message": "section [a] sets k twice",
          "place": {
            "column": 1,
            "file": "zulip.conf",
            "length": 1,
            "line": 3,
            "text": "K: 3",
          },
          "related": [
            {
              "message": "k is set here first",
              "place": {
                "column": 5,
                "file": "zulip.conf",
                "length": 1,
                "line": 2,
                "text": "k = 1",
              },
            },
          ],
          "severity": "error",
        },
      ]
    `)
  })

  test('refuses a byte order mark and says so', () => {
    expect(mistakes('\ufeff[a]\n')[0]?.help).toContain('byte order mark')
  })

  const hasPython = spawnSync('python3', ['--version']).status === 0
  test.skipIf(!hasPython)(
    `agrees with Python's configparser${hasPython ? '' : ' (skipped: python3 is not installed)'}`,
    () => {
      const texts = fc.sample(nastyConf, { numRuns: 4000, seed: 7 })
      const expected = askPython(texts)
      for (const [index, text] of texts.entries()) {
        expect({ text, ...summary(text) }).toEqual({ text, ...expected[index] })
      }
      // The texts are worth asking about: many of each kind.
      expect(expected.filter(({ isError }) => isError).length).toBeGreaterThan(400)
      expect(expected.filter(({ sections }) => sections.length > 1).length).toBeGreaterThan(400)
    },
  )
})

interface Summary {
  readonly isError: boolean
  /** Per section its settings in order, [DEFAULT] first. */
  readonly sections: readonly (readonly [string, readonly (readonly [string, string])[]])[]
}

function summary(text: string): Summary {
  const parsed = parseConf(text, 'zulip.conf')
  if ('diagnostics' in parsed) return { isError: true, sections: [] }
  const { conf } = parsed
  return {
    isError: false,
    sections: ['DEFAULT', ...conf.sections()].map((name) => [
      name,
      [...(conf.section(name) ?? [])].map(([key, { value }]) => [key, value] as const),
    ]),
  }
}

function askPython(texts: readonly string[]): Summary[] {
  const script = `
import configparser, io, json, sys
answers = []
for text in json.load(sys.stdin):
    parser = configparser.RawConfigParser()
    try:
        parser.read_file(io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8"))
        sections = [["DEFAULT", list(parser.defaults().items())]]
        sections += [[name, parser.items(name)] for name in parser.sections()]
        answers.append({"isError": False, "sections": sections})
    except configparser.Error:
        answers.append({"isError": True, "sections": []})
json.dump(answers, sys.stdout)
`
  const { stdout, stderr } = spawnSync('python3', ['-c', script], {
    input: JSON.stringify(texts),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout) as Summary[]
}
