import type { ASTNode, Environment } from '@marcbachmann/cel-js'

/** Every function that the language adds to CEL, with its signatures: the reference is made from this. */
export const functions: readonly {
  readonly signatures: readonly string[]
  readonly description: string
}[] = [
  { signatures: ['is_set(name): bool'], description: 'Whether a parameter has a value.' },
  {
    signatures: ['or_else(name, value): dyn'],
    description: 'The value of the name, or the second argument where it has none.',
  },
  {
    signatures: ['replace(string, string, string): string'],
    description: 'The text with every occurrence of the second argument replaced by the third.',
  },
  {
    signatures: ['remove_suffix(string, string): string'],
    description: 'The text without the suffix, where it ends with it.',
  },
  {
    signatures: ['flatten(list): list'],
    description: 'One level of lists in a list laid out flat.',
  },
  {
    signatures: ['distinct(list): list'],
    description: 'The list without repeated values; the first stays.',
  },
  {
    signatures: ['sort(list): list'],
    description: 'The list in ascending order: numbers by size, text by code point.',
  },
  {
    signatures: ['range(int): list<int>', 'range(int, int): list<int>'],
    description: 'The integers from 0, or from the first argument, up to but without the last.',
  },
  { signatures: ['min(list): dyn', 'min(a, b): dyn'], description: 'The smallest.' },
  { signatures: ['max(list): dyn', 'max(a, b): dyn'], description: 'The largest.' },
  {
    signatures: ['lines(string): list<string>'],
    description: 'The lines of a text, without the line ends and without an empty last one.',
  },
  { signatures: ['basename(string): string'], description: 'The last part of a path.' },
  { signatures: ['dirname(string): string'], description: 'A path without its last part.' },
]

// What the library hands to a function that works on its arguments before they are evaluated.
type Macro = { args: ASTNode[] }
type Runner = { run(ast: ASTNode, ctx: unknown): unknown }
type Checker = { check(ast: ASTNode, ctx: unknown): unknown; getType(name: string): unknown }

/** Makes them known to an environment. `isUnset` tells errors that say that a name has no value. */
export function registerFunctions(env: Environment, isUnset: (error: unknown) => boolean): void {
  env.registerFunction('is_set(ast): bool', (({ args }: Macro) => ({
    async: false,
    typeCheck(checker: Checker, _macro: unknown, ctx: unknown) {
      checker.check(args[0] as ASTNode, ctx)
      return checker.getType('bool')
    },
    evaluate(ev: Runner, _macro: unknown, ctx: unknown) {
      try {
        ev.run(args[0] as ASTNode, ctx)
        return true
      } catch (error) {
        if (isUnset(error)) return false
        throw error
      }
    },
  })) as never)
  env.registerFunction('or_else(ast, ast): dyn', (({ args }: Macro) => ({
    async: false,
    typeCheck(checker: Checker, _macro: unknown, ctx: unknown) {
      checker.check(args[0] as ASTNode, ctx)
      return checker.check(args[1] as ASTNode, ctx)
    },
    evaluate(ev: Runner, _macro: unknown, ctx: unknown) {
      try {
        return ev.run(args[0] as ASTNode, ctx)
      } catch (error) {
        if (isUnset(error)) return ev.run(args[1] as ASTNode, ctx)
        throw error
      }
    },
  })) as never)
  env
    .registerFunction(
      'replace(string, string, string): string',
      (s: string, a: string, b: string) => s.replaceAll(a, () => b),
    )
    .registerFunction('remove_suffix(string, string): string', (s: string, suffix: string) =>
      suffix !== '' && s.endsWith(suffix) ? s.slice(0, -suffix.length) : s,
    )
    .registerFunction('flatten(list<dyn>): list<dyn>', (list: unknown[]) => list.flat(1))
    .registerFunction('distinct(list<dyn>): list<dyn>', (list: unknown[]) => {
      const seen = new Set<string>()
      return list.filter((item) => {
        const key = `${typeof item}:${JSON.stringify(item, (_k, v) => (typeof v === 'bigint' ? `${v}n` : v instanceof Map ? [...v] : v))}`
        return !seen.has(key) && seen.add(key)
      })
    })
    .registerFunction('sort(list<dyn>): list<dyn>', (list: unknown[]) => [...list].sort(compare))
    .registerFunction('range(int): list<int>', (to: bigint) => range(0n, to))
    .registerFunction('range(int, int): list<int>', range)
    .registerFunction('min(list<dyn>): dyn', (list: unknown[]) => extreme(list, -1, 'min'))
    .registerFunction('max(list<dyn>): dyn', (list: unknown[]) => extreme(list, 1, 'max'))
    .registerFunction('min(int, int): int', (a: bigint, b: bigint) => (a < b ? a : b))
    .registerFunction('max(int, int): int', (a: bigint, b: bigint) => (a > b ? a : b))
    .registerFunction('min(double, double): double', (a: number, b: number) => Math.min(a, b))
    .registerFunction('max(double, double): double', (a: number, b: number) => Math.max(a, b))
    .registerFunction('lines(string): list<string>', (s: string) => {
      const lines = s.split(/\r?\n/)
      if (lines.at(-1) === '') lines.pop()
      return lines
    })
    .registerFunction(
      'basename(string): string',
      (s: string) => s.replace(/\/+$/, '').split('/').at(-1) ?? '',
    )
    .registerFunction('dirname(string): string', (s: string) => {
      const parts = s.replace(/\/+$/, '').split('/')
      parts.pop()
      return parts.join('/') || (s.startsWith('/') ? '/' : '.')
    })
}

function compare(a: unknown, b: unknown): number {
  if (typeof a !== typeof b && !(isNumeric(a) && isNumeric(b))) {
    throw new TypeError('a list with values of different types has no order')
  }
  // JavaScript orders text by UTF-16 units; the bytes of UTF-8 are in the order of code points.
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string))
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0
}
const isNumeric = (value: unknown) => typeof value === 'bigint' || typeof value === 'number'

function extreme(list: unknown[], sign: number, name: string): unknown {
  if (list.length === 0) throw new RangeError(`${name}() of an empty list`)
  return list.reduce((best, item) => (compare(item, best) * sign > 0 ? item : best))
}

function range(from: bigint, to: bigint): bigint[] {
  if (to - from > 1_000_000n) throw new RangeError('range() of more than 1 000 000 numbers')
  const out: bigint[] = []
  for (let i = from; i < to; i++) out.push(i)
  return out
}
