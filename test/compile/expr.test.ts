import { isCelError, isCelList, isCelMap, run } from '@bufbuild/cel'
import { strings } from '@bufbuild/cel/ext'
import { describe, expect, test } from 'vitest'
import { ExprError, ExprScope, type Fields, record, Unset } from '../../engine/compile/expr.ts'
import { functions } from '../../engine/compile/functions.ts'

const values = {
  name: 'chat.example.org',
  empty: '',
  count: 3,
  ratio: 0.5,
  on: true,
  words: ['b', 'a', 'c', 'a'],
  numbers: [3, 1, 2],
  settings: { port: 80, host: 'localhost', deep: { list: [1, 2] } },
}
const types = {
  name: 'string',
  empty: 'string',
  count: 'int',
  ratio: 'double',
  on: 'bool',
  words: 'list<string>',
  numbers: 'list<int>',
  settings: 'map<string, dyn>',
} as const

/** Our engine takes plain data, with integers as BigInt where an expression meets them. */
const withBigInts = (value: unknown): unknown =>
  typeof value === 'number' && Number.isInteger(value)
    ? BigInt(value)
    : Array.isArray(value)
      ? value.map(withBigInts)
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, withBigInts(v)]))
        : value

function ours(text: string): unknown {
  const scope = ExprScope.base()
  for (const [name, type] of Object.entries(types)) scope.declare(name, type)
  try {
    return scope.compile(text).evaluate(withBigInts(values) as object)
  } catch (error) {
    if (error instanceof ExprError) return 'an error'
    throw error
  }
}

/** The same by another implementation of CEL, as plain data. */
function theirs(text: string): unknown {
  const result = run(text, withBigInts(values) as never, { funcs: strings })
  return isCelError(result) ? 'an error' : plain(result)
}
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (isCelList(value)) return [...value].map(plain)
  if (isCelMap(value)) return Object.fromEntries([...value].map(([k, v]) => [plain(k), plain(v)]))
  return value
}

const expressions = `
1 + 2 * 3
7 / 2
-7 / 2
7 % 3
-7 % 3
7.0 / 2.0
1 / 0
count - 5
9223372036854775807 + 1
2 == 2.0
count == 3.0
1 < 2 && 2 < 3
on ? "yes" : "no"
!on
!(count > 2) || on
false && (1 / 0 == 1)
true || (1 / 0 == 1)
(1 / 0 == 1) || true
"a" + "b"
"a" < "b"
"é".size()
size("🐘")
size(words)
size(settings)
name.startsWith("chat")
name.endsWith(".org")
name.contains("example")
name.matches("^[a-z]+\\\\.example")
"a" in words
"z" in words
"port" in settings
3 in [1, 2, 3]
words[0]
words[9]
settings.port
settings["host"]
settings.deep.list[1]
settings.nothing
has(settings.port)
has(settings.nothing)
words.map(w, w + "!")
words.filter(w, w != "a")
words.exists(w, w == "c")
words.exists_one(w, w == "a")
words.all(w, size(w) == 1)
numbers.map(n, n > 1, n * 2)
numbers.map(n, words.map(w, w + string(n)))
settings.map(k, k)
settings.exists(k, k == "port")
words + ["d"]
[1, 2] + [3]
words == ["b", "a", "c", "a"]
{"a": 1} == {"a": 1}
{"a": 1, "b": 2}.b
{"a": {"b": [1]}}.a.b[0]
string(count)
string(ratio)
string(1.0)
string(on)
int("42")
int("4x")
int(2.9)
double("1.5")
bool("true")
type(count) == int
"a\\"b"
'it''s'
'it\\'s'
"tab\\there"
"\\u00e9"
r"raw\\n"
"""three
lines"""
"}}" + "{"
words.join(", ")
[].join(",")
"a,b,c".split(",")
"abc".substring(1)
"abc".substring(1, 2)
"abc".charAt(1)
"Abc".lowerAscii()
"abc".upperAscii()
"  a ".trim()
"a-b-c".replace("-", "+")
"abcabc".indexOf("c")
"abcabc".lastIndexOf("c")
duration("90s") == duration("1m30s")
timestamp("2026-01-01T00:00:00Z") < timestamp("2026-01-02T00:00:00Z")
null == null
dyn(1) + dyn("a")
nowhere
count.startsWith("3")
words.map(w, )
1 +
(((1)))
`
  .split(/\n(?!lines)/)
  .filter((line) => line !== '')

/** Where this engine differs from CEL or from the other implementation on purpose, with the reason. */
const differ: Readonly<Record<string, string>> = {
  '2 == 2.0': 'checked before a run: an int is no double',
  'count == 3.0': 'checked before a run: an int is no double',
  '"abc".charAt(1)': 'left out by the library; substring serves',
  '"a-b-c".replace("-", "+")': 'replace is a function here, as every own one',
}

describe('an expression means what CEL says', () => {
  test.each(expressions.filter((text) => !(text in differ)))('%s', (text) => {
    expect(ours(text)).toEqual(theirs(text))
  })

  test.each(Object.entries(differ))('%s differs: %s', (text) => {
    expect(ours(text)).toBe('an error')
    expect(theirs(text)).not.toBe('an error')
  })
})

describe('own functions', () => {
  test.each([
    ['replace("a.b.c", ".", "$&")', 'a$&b$&c'],
    ['remove_suffix("nginx.service", ".service")', 'nginx'],
    ['remove_suffix("nginx", ".service")', 'nginx'],
    ['remove_suffix("nginx", "")', 'nginx'],
    ['flatten([[1, 2], [3], [[4]]])', [1, 2, 3, [4]]],
    ['distinct(words)', ['b', 'a', 'c']],
    ['distinct([1, 1.0, "1", true])', [1, 1, '1', true]],
    ['distinct([{"a": 1}, {"a": 1}, {"a": 2}])', [{ a: 1 }, { a: 2 }]],
    ['sort(words)', ['a', 'a', 'b', 'c']],
    ['sort([10, 9, 1])', [1, 9, 10]],
    ['sort(["\\uffee", "\\U0001F418"])', ['\uffee', '🐘']],
    ['sort(["a", 1])', 'an error'],
    ['range(3)', [0, 1, 2]],
    ['range(2, 4)', [2, 3]],
    ['range(4, 2)', []],
    ['range(1000001)', 'an error'],
    ['min(numbers)', 1],
    ['max(words)', 'c'],
    ['min(3, 2)', 2],
    ['max(1.5, 2.5)', 2.5],
    ['min([])', 'an error'],
    ['lines("a\\nb\\r\\n\\nc\\n")', ['a', 'b', '', 'c']],
    ['lines("")', []],
    ['basename("/etc/nginx/")', 'nginx'],
    ['basename("/")', ''],
    ['dirname("/etc/nginx/")', '/etc'],
    ['dirname("/etc")', '/'],
    ['dirname("a")', '.'],
  ])('%s', (text, expected) => {
    expect(ours(text)).toEqual(expected)
  })

  test('are all described, with the signatures that work', () => {
    const tested = ['is_set', 'or_else', 'replace', 'remove_suffix', 'flatten', 'distinct', 'sort']
    const more = ['range', 'min', 'max', 'lines', 'basename', 'dirname']
    expect(functions.map(({ signatures }) => signatures[0]?.split('(')[0])).toEqual([
      ...tested,
      ...more,
    ])
  })
})

describe('a name without a value', () => {
  const scope = ExprScope.base()
  scope.declare('unset', 'string')
  scope.declare('other', 'string')
  const names = {
    other: 'set',
    get unset(): string {
      throw new Unset('unset')
    },
  }
  const evaluate = (text: string) => scope.compile(text).evaluate(names)

  test.each([
    ['is_set(unset)', false],
    ['is_set(other)', true],
    ['or_else(unset, "else")', 'else'],
    ['or_else(unset + "x", "else")', 'else'],
    ['or_else(other, "else")', 'set'],
    ['is_set(unset) && unset == "x"', false],
    ['[1].map(i, or_else(unset, "else"))', ['else']],
  ])('%s', (text, expected) => {
    expect(evaluate(text)).toEqual(expected)
  })

  test.each(['unset', 'unset + "x"', '[unset]', 'unset == "x" || other == "y"'])(
    'is an error in %s',
    (text) => {
      expect(() => evaluate(text)).toThrow('"unset" has no value')
    },
  )

  test.each([
    ['is_set(nowhere)', 'nowhere'],
    ['or_else(unset, nowhere)', 'nowhere'],
  ])('is something else than a name that nobody knows: %s', (text, subject) => {
    expect(() => evaluate(text)).toThrow(expect.objectContaining({ kind: 'unknown-name', subject }))
  })
})

test('names of the same form each have their own value', () => {
  const status: Fields = { status: 'string' }
  const steps: Fields = { one: status, two: status }
  const scope = ExprScope.base()
  scope.declareRecord('step', steps)
  const step = record(steps, (name) => record(status, () => `of ${name}`))
  for (const name of ['one', 'two'])
    expect(scope.compile(`step.${name}.status`).evaluate({ step })).toBe(`of ${name}`)
})

describe('what an expression reads', () => {
  const reads = (text: string) => ExprScope.base().reads(text)
  test.each([
    ['a + b', ['a', 'b']],
    ['a.b.c', ['a.b']],
    ['a["b"]', ['a']],
    ['a.map(x, x + y)', ['a', 'y']],
    ['a.map(x, x.map(x, x))', ['a']],
    ['x + a.filter(x, x)[0]', ['x', 'a']],
    ['is_set(a) ? a : b', ['a', 'b']],
    ['is_set(a)', []],
    ['or_else(a.b, c)', ['a.b', 'c']],
    ['"a"', []],
  ])('%s', (text, expected) => {
    expect(reads(text)).toEqual(expected)
  })
})

describe('integers', () => {
  const scope = ExprScope.base()
  scope.declare('n', 'int')
  const evaluate = (text: string, n: bigint) => scope.compile(text).evaluate({ n })
  test('leave as plain numbers where those are exact', () => {
    expect(evaluate('n', BigInt(Number.MAX_SAFE_INTEGER))).toBe(Number.MAX_SAFE_INTEGER)
    expect(() => evaluate('n + 1', BigInt(Number.MAX_SAFE_INTEGER))).toThrow('2^53')
    expect(() => evaluate('n - 1', -BigInt(Number.MAX_SAFE_INTEGER))).toThrow('2^53')
  })
  test('are 64-bit inside', () => {
    expect(evaluate('n * 4 / 4', BigInt(Number.MAX_SAFE_INTEGER))).toBe(Number.MAX_SAFE_INTEGER)
  })
})

describe('a mistake is told with its own characters', () => {
  const scope = ExprScope.base()
  scope.declareRecord('facts', { os: { name: 'string' }, count: 'int' })
  test.each([
    ['a + facts.count', 'unknown-name', 'a'],
    ['facts.os.nmae', 'unknown-name', 'nmae'],
    ['facts.count + "x"', 'type', 'facts.count + "x"'],
    ['facts.count = 3', 'syntax', '='],
    ['(facts.count', 'syntax', ''],
  ])('%s', (text, kind, characters) => {
    try {
      scope.compile(text)
    } catch (error) {
      const { kind: found, start, end } = error as ExprError
      expect([found, text.slice(start, end)]).toEqual([kind, characters])
      return
    }
    throw new Error('it was taken')
  })
})

describe('an expression that would not end is stopped', () => {
  const deep = 'range(900).map(a, range(900).filter(b, range(900).exists(c, c == a)))'
  test('after a million items', () => {
    const scope = ExprScope.base()
    expect(() => scope.compile(deep).evaluate({})).toThrow(
      expect.objectContaining({ kind: 'limit', message: 'it takes more than a million steps' }),
    )
    expect(
      scope.compile('size(range(900).map(a, range(900).filter(b, b == a)))').evaluate({}),
    ).toBe(900)
  })

  test('also where another one is worked out in between', () => {
    const scope = ExprScope.base()
    scope.declare('inner', 'int')
    const names = {
      get inner(): bigint {
        return BigInt(scope.compile('size(range(10).map(a, a))').evaluate({}) as number)
      },
    }
    const outer = 'range(1100).map(a, range(1000).filter(b, b < 0) == [inner])'
    expect(() => scope.compile(outer).evaluate(names)).toThrow('a million steps')
  })

  test('in a pattern that goes back and forth', () => {
    const text = `"${'a'.repeat(40)}b".matches("^(a+)+$")`
    expect(ours(text)).toBe(false)
  })
})

test('no expression reaches what JavaScript has besides its names', () => {
  for (const text of [
    'constructor',
    '__proto__',
    'toString',
    'settings.constructor',
    'settings["__proto__"]',
    'name.constructor',
    'words.length',
    'this',
    'globalThis',
  ])
    expect(ours(text), text).toBe('an error')
})
