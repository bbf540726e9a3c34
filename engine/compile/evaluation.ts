import type { Diagnostic, Place } from '../diagnostics/diagnostic.ts'
import { didYouMean } from '../diagnostics/suggest.ts'
import type { Library } from '../load/library.ts'
import { isObject, type Manifest } from '../load/manifest.ts'
import { holdsExpression } from '../load/schema-errors.ts'
import type { Path } from '../load/yaml.ts'
import { ExprError, type ExprScope, recordOf, recordWith, toCel, Unset } from './expr.ts'
import { expressionDiagnostic } from './expression-diagnostic.ts'
import { Failed, Instance, type Value, ValueLoop } from './instance.ts'
import { type Data, parameterValue, type With } from './parameter.ts'
import { collectTexts, sameValue } from './plain-data.ts'
import { eachFields, type Scopes } from './scope.ts'

/** An item of `for_each`. */
export interface Each {
  readonly key: string | number
  readonly value: unknown
  /** Which of the two are secret; neither when absent. */
  readonly secret?: { readonly key: boolean; readonly value: boolean }
}

/** Where an expression stands. */
export interface Spot {
  readonly instance: Instance
  readonly path: Path
  readonly each?: Each | undefined
}

/** The `when` that leaves something out, and where it stands. */
export interface LeftOut {
  /** As it is written. */
  readonly when: string
  readonly file: string
  readonly path: Path
}

/** Classes with their values: evaluates each class once, and every expression where it stands. */
export class Evaluation {
  readonly scopes: Scopes
  readonly diagnostics: Diagnostic[] = []
  /** In the order in which their resources are to stand: what is included comes first. */
  readonly instances: Instance[] = []
  /** Every text that was worked out from a secret: it is never shown, wherever it turns up. */
  readonly secrets = new Set<string>()
  /** Secrets that are made in this run, for there are none yet, with their names. */
  readonly generated = new Map<string, string>()
  /** Classes that an include leaves out by its `when`, as references. */
  readonly absent = new Map<string, LeftOut>()
  readonly library: Library
  readonly data: Data
  readonly #classes = new Map<string, Instance>()
  readonly #facts: object
  readonly #eachNames = new WeakMap<Each, Record<string, unknown>>()
  /** Values given by `with`, by class and parameter: of earlier passes, and of this one. */
  readonly #withs: Map<string, Map<string, With>>
  /** Those that were given in this pass. */
  readonly #given = new Set<With>()
  /** Whether nothing that a reference may name is missing because of a mistake. */
  isWhole = true
  /**
   * Set when a `with` came after its parameter had been read with
   * another value: which one, and where it stands.
   */
  late: { readonly name: string; readonly given: Pick<With, 'file' | 'path'> } | undefined

  constructor(library: Library, data: Data, scopes: Scopes, withs: Map<string, Map<string, With>>) {
    this.library = library
    this.data = data
    this.scopes = scopes
    this.#withs = withs
    this.#facts = recordOf(data.factFields, data.facts, 'facts')
  }

  /**
   * The instance of a class, made when it is first asked for with all that it
   * includes; undefined where there is none.
   */
  include(name: string, isNamed: boolean): Instance | undefined {
    const manifest = this.library.find(name)
    if (!manifest) return undefined
    const known = this.#classes.get(manifest.name)
    if (known) return known
    if (manifest.kind === 'define') {
      this.isWhole = false
      this.diagnostics.push({
        severity: 'error',
        code: 'unknown-class',
        message: `${name} is a define, not a class`,
        place: this.library.sources.place(manifest.file, ['define']),
        help: `use it like a resource type: ${name}: TITLE`,
      })
      return undefined
    }
    const instance = this.#make(manifest, `class[${manifest.name}]`, [])
    this.#classes.set(manifest.name, instance)
    const withs = this.#withs.get(manifest.name)
    for (const [parameter, decl] of Object.entries(manifest.parameters)) {
      instance.define(parameter, () =>
        parameterValue(this, {
          instance,
          name: parameter,
          decl,
          given: withs?.get(parameter) ?? this.#withs.get(manifest.name)?.get(parameter),
          isNamed,
        }),
      )
    }
    if (isNamed) this.#unknownOptions(manifest)
    this.#includes(instance)
    this.instances.push(instance)
    return instance
  }

  /** A use of a define: `given` are its parameters as written at the use. */
  use(
    manifest: Manifest,
    title: string,
    given: Readonly<Record<string, Value>>,
    at: { readonly file: string; readonly path: Path },
    containers: readonly string[],
  ): Instance {
    const instance = this.#make(manifest, `${manifest.name}[${title}]`, containers)
    instance.set('title', title)
    for (const key of Object.keys(given)) {
      if (key in manifest.parameters) continue
      const help = didYouMean(key, Object.keys(manifest.parameters))
      this.diagnostics.push({
        severity: 'error',
        code: 'unknown-attribute',
        message: `${instance.ref} has no parameter "${key}"`,
        place: this.library.sources.place(at.file, [...at.path, key], 'key'),
        expected: `one of: ${Object.keys(manifest.parameters).sort().join(', ')}, or a metaparameter`,
        found: key,
        ...(help ? { help } : {}),
      })
    }
    for (const [name, decl] of Object.entries(manifest.parameters)) {
      const value = given[name]
      const with_ = value && {
        value: value.value,
        secret: value.secret,
        secretNames: value.secretNames,
        file: at.file,
        path: [...at.path, name],
      }
      instance.define(name, () =>
        parameterValue(this, { instance, name, decl, given: with_, isNamed: false }),
      )
    }
    this.#includes(instance)
    return instance
  }

  /** Evaluates every text below a value. Throws `Failed` after telling what is wrong; other signals pass. */
  value(raw: unknown, spot: Spot): Omit<Value, 'origin'> {
    const state: SecretState = { secret: false, secretNames: undefined }
    const value = this.#resolve(raw, spot, spot.path, state)
    return { value, secret: state.secret, secretNames: state.secretNames }
  }

  /** A condition; what is no boolean fails. */
  condition(raw: string | boolean, spot: Spot): boolean {
    if (typeof raw === 'boolean') return raw
    const parsed = this.scopes.text(raw)
    const bare =
      parsed && !('message' in parsed) && parsed.alone
        ? parsed.alone
        : { expression: raw, offset: 0 }
    const { value, secret } = this.#evaluate(bare.expression, bare.offset, spot, spot.path)
    if (typeof value === 'boolean') return value
    this.#fail(spot, spot.path, {
      code: 'expression-type',
      message: `the condition "${bare.expression}" is neither true nor false`,
      ...(secret ? {} : { found: JSON.stringify(value) }),
    })
  }

  /**
   * Whether what a name of an expression or template stands for is secret. Only asked once its value was had.
   */
  isSecret(name: string, { instance, each }: Pick<Spot, 'instance' | 'each'>): boolean {
    if (!each || !(name === 'each' || name.startsWith('each.'))) return instance.isSecret(name)
    if (!each.secret) return false
    const { key, value } = each.secret
    return name === 'each' ? key || value : name === 'each.key' ? key : value
  }

  /**
   * Forgets values that were given in an earlier pass and not in this one; then they have to settle once more.
   */
  forgetStale(): void {
    for (const [className, table] of this.#withs) {
      for (const [parameter, given] of table) {
        if (this.#given.has(given)) continue
        table.delete(parameter)
        this.late = { name: `"${parameter}" of ${className}`, given }
      }
    }
  }

  /** The `until` of a query, which reads the answer under the query's own name. */
  until(
    instance: Instance,
    condition: string | boolean,
    path: Path,
    answer: { readonly name: string; readonly value: object; readonly isSecret: boolean },
  ): boolean {
    if (typeof condition === 'boolean') return condition
    const names = instance.scope.names.child()
    if (!names.has(answer.name)) names.declare(answer.name, 'map<string, dyn>')
    try {
      const value = names
        .compile(condition)
        .evaluate(
          Object.assign(Object.create(instance.names), { [answer.name]: toCel(answer.value) }),
        )
      if (typeof value === 'boolean') return value
    } catch (error) {
      if (!(error instanceof ExprError)) throw error
      const told = answer.isSecret ? readsSecret(condition) : error
      this.diagnostics.push(
        expressionDiagnostic(told, {
          sources: this.library.sources,
          file: instance.manifest.file,
          path,
          offset: 0,
          names,
          expression: condition,
        }),
      )
      throw new Failed()
    }
    this.#fail({ instance, path }, path, {
      code: 'expression-type',
      message: `the condition "${condition}" is neither true nor false`,
    })
  }

  /** The names of an instance, with `each` where there is one. */
  namesOf(instance: Instance, each: Each | undefined): Record<string, unknown> {
    if (!each) return instance.names
    let names = this.#eachNames.get(each)
    if (!names) {
      names = Object.create(instance.names) as Record<string, unknown>
      names.each = recordWith(eachFields, { key: toCel(each.key), value: toCel(each.value) })
      this.#eachNames.set(each, names)
    }
    return names
  }

  #make(manifest: Manifest, ref: string, containers: readonly string[]): Instance {
    this.scopes.check(manifest)
    const instance = new Instance(this.scopes.for(manifest), ref, containers)
    instance.set('facts', this.#facts)
    for (const [name, raw] of Object.entries(manifest.let)) {
      const path = ['let', name]
      instance.define(name, () => ({
        ...this.value(raw, { instance, path }),
        origin: { by: 'let', file: manifest.file, path },
      }))
    }
    return instance
  }

  #includes(instance: Instance): void {
    const { manifest, scope } = instance
    // A name whose class is not there has no value: is_set(alias.x) is false.
    for (const decl of manifest.include) {
      const alias = decl.as ?? decl.class.split('::').at(-1) ?? decl.class
      const target = this.library.find(decl.class)
      if (!target || scope.aliases.get(alias) !== decl.class) continue
      try {
        const path = [...decl.path, 'when']
        if (decl.when !== undefined && !this.condition(decl.when, { instance, path })) {
          const { fields } = this.scopes.for(target)
          instance.names[alias] ??= scope.circular.has(alias) ? {} : recordOf(fields, {}, alias)
          const { file } = manifest
          this.absent.set(`class[${target.name}]`, { when: String(decl.when), file, path })
          continue
        }
        for (const [parameter, raw] of Object.entries(decl.with))
          this.#give(target, parameter, raw, instance, [...decl.path, 'with', parameter])
      } catch (error) {
        if (this.#isTold(error)) continue
        throw error
      }
      const included = this.include(decl.class, false)
      if (!included) continue
      instance.aliases.set(alias, included)
      const fields = this.scopes.for(target).fields
      Object.defineProperty(instance.names, alias, {
        configurable: true,
        enumerable: true,
        get: () => (scope.circular.has(alias) ? included.asMap(fields) : included.asRecord(fields)),
      })
    }
  }

  #give(target: Manifest, parameter: string, raw: unknown, instance: Instance, path: Path): void {
    const { file } = instance.manifest
    if (!(parameter in target.parameters)) {
      this.#unknownParameter(target, parameter, this.library.sources.place(file, path, 'key'))
      return
    }
    const given: With = { ...this.value(raw, { instance, path }), file, path }
    this.#given.add(given)
    const name = `"${parameter}" of ${target.name}`
    const table = this.#withs.get(target.name) ?? new Map<string, With>()
    this.#withs.set(target.name, table)
    const other = table.get(parameter)
    if (other && other.file === file && samePath(other.path, path)) {
      if (!sameValue(other.value, given.value)) this.late = { name, given }
      table.set(parameter, given)
      return
    }
    if (other && !sameValue(other.value, given.value)) {
      this.diagnostics.push({
        severity: 'error',
        code: 'parameter-conflict',
        message: `"${parameter}" of ${target.name} is given two values: ${shown(other)} and ${shown(given)}`,
        place: this.library.sources.place(file, path),
        related: [
          { message: 'the other value', place: this.library.sources.place(other.file, other.path) },
        ],
        help: `set it in one place, or in the site file: parameters: { ${target.name}: { ${parameter}: … } }`,
      })
      return
    }
    if (other) {
      this.#given.add(other)
      return
    }
    table.set(parameter, given)
    const instanceOf = this.#classes.get(target.name)
    if (instanceOf?.isSettled(parameter)) {
      const peeked = instanceOf.peek(parameter)
      if (!peeked || !sameValue(peeked.value, given.value)) this.late = { name, given }
    }
  }

  #unknownOptions(manifest: Manifest): void {
    for (const name of Object.keys(this.data.options)) {
      if (!(name in manifest.parameters)) this.#unknownParameter(manifest, name, undefined)
    }
  }

  #unknownParameter({ name, parameters }: Manifest, found: string, place: Place | undefined): void {
    const known = Object.keys(parameters)
    const help = didYouMean(found, known)
    this.diagnostics.push({
      severity: 'error',
      code: 'unknown-parameter',
      message: `${name} has no parameter "${found}"`,
      ...(place ? { place } : {}),
      expected: `one of: ${known.sort().join(', ') || 'it takes none'}`,
      found,
      ...(help ? { help } : {}),
    })
  }

  #resolve(raw: unknown, spot: Spot, path: Path, state: SecretState): unknown {
    if (typeof raw === 'string') {
      const parsed = this.scopes.text(raw)
      if (!parsed) return raw
      if ('message' in parsed) throw new Failed()
      if (parsed.alone) {
        const { expression, offset } = parsed.alone
        const found = this.#evaluate(expression, offset, spot, path)
        noteSecret(state, found)
        return found.value
      }
      let out = ''
      for (const part of parsed.parts) {
        if (typeof part === 'string') {
          out += part
          continue
        }
        const found = this.#evaluate(part.expression, part.offset, spot, path)
        noteSecret(state, found)
        const { value } = found
        if (typeof value === 'object' || value === undefined) {
          this.#fail(spot, path, {
            code: 'expression-type',
            message: `"${part.expression}" is ${Array.isArray(value) ? 'a list' : value === null || value === undefined ? 'empty' : 'a map'}, which can't stand inside a text`,
            help: 'join a list with .join(", "), or let the expression stand alone',
          })
        }
        out += String(value as string | number | bigint | boolean)
        if (out.length > MAX_TEXT)
          this.#fail(spot, path, { code: 'limit', message: 'this text grows beyond 16 MB' })
      }
      return out
    }
    if (!holdsExpression(raw)) return raw
    if (Array.isArray(raw))
      return raw.map((item, index) => this.#resolve(item, spot, [...path, index], state))
    if (isObject(raw)) {
      const out: Record<string, unknown> = {}
      for (const key of Object.keys(raw))
        out[key] = this.#resolve(raw[key], spot, [...path, key], state)
      return out
    }
    return raw
  }

  #evaluate(text: string, offset: number, spot: Spot, path: Path): Omit<Value, 'origin'> {
    const { instance, each } = spot
    const scope = instance.scope
    const names = each ? scope.eachNames : scope.names
    let expression: ReturnType<ExprScope['compile']>
    try {
      expression = names.compile(text)
    } catch (error) {
      // Told when the manifest was checked.
      if (error instanceof ExprError) throw new Failed()
      throw error
    }
    try {
      const { alone, ofItem } = expression
      const value =
        alone !== undefined && instance.has(alone)
          ? instance.value(alone).value
          : ((each && ofItem && textOf(each, ofItem)) ??
            expression.evaluate(this.namesOf(instance, each)))
      const secret = expression.reads.some((name) => this.isSecret(name, spot))
      if (!secret) return { value, secret }
      collectTexts(value, this.secrets)
      return {
        value,
        secret,
        secretNames: expression.reads.flatMap((name) => instance.secretNames(name)),
      }
    } catch (error) {
      // What went wrong with a secret is not told, for the words may hold it.
      const told =
        error instanceof Unset
          ? new ExprError('unset', error.message, { start: 0, end: text.length }, error.subject)
          : error instanceof ExprError &&
              error.kind !== 'unset' &&
              expression.reads.some((name) => this.isSecret(name, spot))
            ? readsSecret(text)
            : error
      if (told instanceof ExprError) {
        this.diagnostics.push(
          expressionDiagnostic(told, {
            sources: this.library.sources,
            file: instance.manifest.file,
            path,
            offset,
            names,
            expression: text,
          }),
        )
        throw new Failed()
      }
      if (error instanceof ValueLoop) {
        this.#fail(spot, path, {
          code: 'value-loop',
          message: error.message,
          help: 'let one of the values stand on its own',
        })
      }
      throw error
    }
  }

  #isTold(error: unknown): boolean {
    return error instanceof Failed
  }

  #fail(spot: Spot, path: Path, diagnostic: Omit<Diagnostic, 'severity' | 'place'>): never {
    this.diagnostics.push({
      severity: 'error',
      ...diagnostic,
      place: this.library.sources.place(spot.instance.manifest.file, path),
    })
    throw new Failed()
  }
}

const MAX_TEXT = 16_000_000

/**
 * A text below an item of `for_each`, as the expression language would give it; undefined where there is none.
 */
function textOf(each: Each, members: readonly string[]): string | undefined {
  let value: unknown = each
  for (const member of members) {
    if (!isObject(value) || !Object.hasOwn(value, member)) return undefined
    value = value[member]
  }
  return typeof value === 'string' ? value : undefined
}

function readsSecret(text: string): ExprError {
  const whole = { start: 0, end: text.length }
  return new ExprError('failed', 'it reads a secret, and fails on its value', whole)
}

function samePath(a: Path, b: Path): boolean {
  return a.length === b.length && a.every((step, index) => step === b[index])
}

/** What became known of secrets while the texts below a value were evaluated. */
interface SecretState {
  secret: boolean
  secretNames: readonly string[] | undefined
}

function noteSecret(state: SecretState, { secret, secretNames }: Omit<Value, 'origin'>): void {
  if (!secret) return
  state.secret = true
  if (secretNames) state.secretNames = [...(state.secretNames ?? []), ...secretNames]
}

function shown(given: With): string {
  return given.secret ? '(secret)' : JSON.stringify(given.value)
}
