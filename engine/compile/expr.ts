import { setFlagsFromString } from 'node:v8'
import { type ASTNode, Environment, EvaluationError, ParseError } from '@marcbachmann/cel-js'
import { registerFunctions } from './functions.ts'

/**
 * Expressions: CEL behind one door. Values are plain data outside (integers are safe JS numbers) and CEL's own
 * inside (integers are BigInt). Everything that the language adds to CEL is in `functions`, and nowhere else.
 */

/** A CEL type as text: `int`, `list<string>`, `map<string, dyn>`, … */
export type CelType = string

/** An expression that can't be parsed, checked or evaluated; offsets are into its own text. */
export class ExprError extends Error {
  readonly kind: 'syntax' | 'type' | 'unknown-name' | 'failed' | 'unset' | 'limit'
  readonly start: number
  readonly end: number
  /** The name that is not known or not set. */
  readonly subject: string | undefined
  constructor(
    kind: ExprError['kind'],
    message: string,
    range: { readonly start: number; readonly end: number },
    subject?: string,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'ExprError'
    this.kind = kind
    this.start = range.start
    this.end = range.end
    this.subject = subject
  }
}

/** Thrown by a name instead of giving a value; passes through an expression untouched. */
export abstract class Signal extends Error {}

/** Thrown by a name that has no value; `is_set` and `or_else` catch it. */
export class Unset extends Signal {
  readonly subject: string
  constructor(subject: string) {
    super(`"${subject}" has no value`)
    this.name = 'Unset'
    this.subject = subject
  }
}

/** Thrown by a name whose value is only known later: an answer of a procedure that has not been asked. */
export class Unknown extends Signal {
  readonly subject: string
  constructor(subject: string) {
    super(`"${subject}" is known later`)
    this.name = 'Unknown'
    this.subject = subject
  }
}

class TooManySteps extends Error {}

/** Items that macros have gone over in the expression that is being evaluated. */
let steps = 0
const MAX_STEPS = 1_000_000

export interface Expression {
  readonly text: string
  readonly type: CelType
  /** Names that it reads, `a` or `a.b` for the first member below a name. `is_set(x)` does not read x. */
  readonly reads: readonly string[]
  /** Set where the whole expression is one name: its value needs no conversion. */
  readonly alone: string | undefined
  /**
   * Set where the whole expression is a member of `each`: the names below it. Ten
   * thousand items need no conversion for a text.
   */
  readonly ofItem: readonly string[] | undefined
  evaluate(names: object): unknown
}

/**
 * Names with their types, against which expressions are checked. Immutable once an expression was made from it.
 */
export class ExprScope {
  readonly #env: Environment
  readonly #names: Map<string, CelType>
  /**
   * Fields that have a type already, by its name: the values of the same
   * fields are of one class, which has one type.
   */
  readonly #types: Map<Fields, string>
  readonly #cache = new Map<string, Expression>()

  private constructor(env: Environment, names: Map<string, CelType>, types: Map<Fields, string>) {
    this.#env = env
    this.#names = names
    this.#types = types
  }

  static base(): ExprScope {
    return new ExprScope(baseEnvironment(), new Map(), new Map())
  }

  child(): ExprScope {
    return new ExprScope(this.#env.clone(), new Map(this.#names), new Map(this.#types))
  }

  /** A name with fixed members, such as `facts`: an unknown member is found before a run. */
  declareRecord(name: string, fields: Readonly<Record<string, CelType | Fields>>): void {
    this.#names.set(name, 'record')
    this.#env.registerVariable(name, this.#recordType(`record_${name}`, fields))
  }

  #recordType(name: string, fields: Fields): string {
    const known = this.#types.get(fields)
    if (known !== undefined) return known
    const types: Record<string, string> = {}
    for (const [member, type] of Object.entries(fields)) {
      types[member] = typeof type === 'string' ? type : this.#recordType(`${name}_${member}`, type)
    }
    this.#env.registerType(name, { ctor: recordClass(fields), fields: types } as never)
    this.#types.set(fields, name)
    return name
  }

  declare(name: string, type: CelType): void {
    this.#names.set(name, type)
    this.#env.registerVariable(name, type)
  }

  has(name: string): boolean {
    return this.#names.has(name)
  }
  names(): Iterable<string> {
    return this.#names.keys()
  }

  /** The names that an expression reads, without checking it. Throws `ExprError` for bad syntax. */
  reads(text: string): readonly string[] {
    return readNames(parse(this.#env, text).ast)
  }

  /** Parses and checks. Throws `ExprError`. */
  compile(text: string): Expression {
    const known = this.#cache.get(text)
    if (known) return known
    if (text.includes('matches')) setFlagsFromString(boundPatterns)
    const parsed = parse(this.#env, text)
    const checked = parsed.check()
    if (!checked.valid) throw fromCelError(checked.error, 'type', text)
    const ast = parsed.ast
    const expression: Expression = {
      text,
      type: checked.type ?? 'dyn',
      reads: readNames(ast),
      alone: ast.op === 'id' ? ast.args : undefined,
      ofItem: membersOf(ast, 'each'),
      evaluate(names) {
        // A name may have to be worked out by another expression, which has steps of its own.
        const outer = steps
        steps = 0
        try {
          return fromCel(parsed(names as Record<string, unknown>))
        } catch (error) {
          const signal = causeOf(error, Signal)
          if (signal instanceof Unset) {
            throw new ExprError('unset', signal.message, whole(text), signal.subject, error)
          }
          if (signal) throw signal
          if (error instanceof ExprError) throw error
          if (causeOf(error, TooManySteps)) {
            throw new ExprError('limit', 'it takes more than a million steps', whole(text))
          }
          throw fromCelError(error, 'failed', text)
        } finally {
          steps = outer
        }
      },
    }
    this.#cache.set(text, expression)
    return expression
  }
}

export interface Fields {
  readonly [name: string]: CelType | Fields
}

/** Plain data to CEL values. `type` is the declared type, where there is one: a `double` stays a double. */
export function toCel(value: unknown, type?: CelType): unknown {
  if (typeof value === 'number') {
    return type !== 'double' && Number.isInteger(value) ? BigInt(value) : value
  }
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  if (Array.isArray(value)) {
    const inner = type?.startsWith('list<') ? type.slice(5, -1) : undefined
    return value.map((item) => toCel(item, inner))
  }
  if (value instanceof Map) return new Map([...value].map(([k, v]) => [k, toCel(v)]))
  if (isRecord(value)) return value
  const out: Record<string, unknown> = {}
  for (const key of Object.keys(value)) out[key] = toCel((value as Record<string, unknown>)[key])
  return out
}

const RECORD = Symbol('record')
const recordClasses = new WeakMap<object, new (values: object) => object>()

function isRecord(value: object): boolean {
  return RECORD in value
}

/**
 * The value of a name that was declared with `declareRecord`: `get` gives each member, already as CEL wants it,
 * and is only called for members that an expression reads.
 */
export function record(fields: Fields, get: (member: string) => unknown): object {
  const Class = recordClass(fields)
  const value = new Class({})
  for (const member of Object.keys(fields)) {
    Object.defineProperty(value, member, { enumerable: true, get: () => get(member) })
  }
  return value
}

/** Data under declared fields, as a record of records; a field whose value is absent is unset. */
export function recordOf(
  fields: Fields,
  data: Readonly<Record<string, unknown>>,
  path: string,
): object {
  return record(fields, (member) => {
    const value = data[member]
    const name = `${path}.${member}`
    if (value === undefined || value === null) throw new Unset(name)
    const field = fields[member]
    if (typeof field === 'object') return recordOf(field, value as Record<string, unknown>, name)
    return toCel(value, field)
  })
}

/** The same with values that are at hand, for a record that is made many times. */
export function recordWith(fields: Fields, values: Readonly<Record<string, unknown>>): object {
  return Object.assign(new (recordClass(fields))({}), values)
}

function recordClass(fields: Fields): new (values: object) => object {
  let Class = recordClasses.get(fields)
  if (!Class) {
    Class = class {
      readonly [RECORD] = true
    } as unknown as new (
      values: object,
    ) => object
    recordClasses.set(fields, Class)
  }
  return Class
}

/** CEL values to plain data. Throws where an integer is no safe integer. */
function fromCel(value: unknown): unknown {
  if (typeof value === 'bigint') {
    if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < -BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new RangeError(`${value} is larger than ±(2^53 − 1)`)
    }
    return Number(value)
  }
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(fromCel)
  if (value instanceof Map) return new Map([...value].map(([k, v]) => [fromCel(k), fromCel(v)]))
  if (value instanceof Set) return [...value].map(fromCel)
  const out: Record<string, unknown> = {}
  for (const key of Object.keys(value)) out[key] = fromCel((value as Record<string, unknown>)[key])
  return out
}

function parse(env: Environment, text: string) {
  try {
    return env.parse(text)
  } catch (error) {
    throw fromCelError(error, 'syntax', text)
  }
}

const whole = (text: string) => ({ start: 0, end: text.length })

function fromCelError(error: unknown, kind: 'syntax' | 'type' | 'failed', text: string): ExprError {
  if (error instanceof ExprError) return error
  const cel = error as { summary?: string; code?: string; range?: { start: number; end: number } }
  const range = cel.range ?? whole(text)
  const message = (cel.summary ?? (error instanceof Error ? error.message : String(error))).replace(
    /[.\s]+$/,
    '',
  )
  if (cel.code === 'unknown_variable') {
    const name = text.slice(range.start, range.end)
    return new ExprError(
      'unknown-name',
      `"${name}" is not a name that is known here`,
      range,
      name,
      error,
    )
  }
  const member = /^No such key: (\S+)/.exec(message)?.[1]
  if (member !== undefined) {
    return new ExprError('unknown-name', `there is no "${member}" here`, range, member, error)
  }
  const actual =
    error instanceof ParseError ? 'syntax' : error instanceof EvaluationError ? 'failed' : kind
  return new ExprError(actual, message, range, undefined, error)
}

function causeOf<T extends Error>(
  error: unknown,
  type: abstract new (subject: string) => T,
): T | undefined {
  for (let e = error; e instanceof Error; e = e.cause) if (e instanceof type) return e
  return undefined
}

function readNames(ast: ASTNode): string[] {
  const names = new Set<string>()
  const bound = new Set<string>()
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const item of node) visit(item)
      return
    }
    if (typeof node !== 'object' || node === null || !('op' in node)) return
    const { op, args } = node as { op: string; args: unknown }
    if (op === 'id') {
      if (!bound.has(args as string)) names.add(args as string)
      return
    }
    if (op === 'call' && Array.isArray(args) && args[0] === 'is_set') return
    if (op === '.' && Array.isArray(args) && (args[0] as ASTNode).op === 'id') {
      const root = (args[0] as ASTNode).args as string
      if (!bound.has(root)) names.add(`${root}.${args[1]}`)
      return
    }
    if (op === 'rcall' && Array.isArray(args)) {
      // The first argument of a macro such as `list.map(x, …)` is a name that it binds.
      const [method, receiver, rest] = args as [string, ASTNode, ASTNode[]]
      visit(receiver)
      const first = rest[0]
      const binds = first?.op === 'id' && MACROS.has(method) && !bound.has(first.args)
      if (binds) bound.add(first.args)
      visit(rest)
      if (binds) bound.delete(first.args)
      return
    }
    visit(args)
  }
  visit(ast)
  return [...names]
}

/** The names in `a.b.c` below the name `a`; undefined for any other expression. */
function membersOf({ op, args }: ASTNode, name: string): readonly string[] | undefined {
  if (op === 'id') return args === name ? [] : undefined
  if (op !== '.') return undefined
  const [receiver, member] = args
  const members = membersOf(receiver, name)
  return members && [...members, member]
}

const MACROS = new Set(['map', 'filter', 'all', 'exists', 'exists_one', 'bind'])

/**
 * Patterns that would go back and forth without end fall back to an engine whose time is linear. Set only once
 * `matches` is used: V8 takes nothing that was compiled without this flag, 30 ms where the bundle is loaded.
 */
const boundPatterns = '--enable-experimental-regexp-engine-on-excessive-backtracks'

let isCounted = false

/**
 * Has every item that a macro goes over counted. The library sets the item in a context that it does not
 * export; the first one that a macro hands out leads to the method that all of them share.
 */
function countSteps(): void {
  if (isCounted) return
  interface Context {
    setIterValue(...args: unknown[]): unknown
  }
  const counting = new Environment()
  counting.registerFunction('steward_context(ast): bool', (() => ({
    async: false,
    typeCheck: (checker: { getType(name: string): unknown }) => checker.getType('bool'),
    evaluate(_ev: unknown, _macro: unknown, context: Context) {
      const shared = Object.getPrototypeOf(context) as Context
      const set = Reflect.get(shared, 'setIterValue') as () => unknown
      shared.setIterValue = function (this: Context, ...args: unknown[]) {
        if (++steps > MAX_STEPS) throw new TooManySteps()
        return Reflect.apply(set, this, args)
      }
      isCounted = true
      return true
    },
  })) as never)
  counting.evaluate('[0].all(x, steward_context(x))')
  if (!isCounted) throw new Error('the steps of expressions could not be counted')
}

function baseEnvironment(): Environment {
  const env = new Environment({ homogeneousAggregateLiterals: false, enableOptionalTypes: true })
  registerFunctions(env, (error) => causeOf(error, Unset) !== undefined)
  countSteps()
  return env
}
