import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Library } from '../load/library.ts'
import { isObject, type Manifest, type ParameterDecl, type ResourceDecl } from '../load/manifest.ts'
import type { Path } from '../load/yaml.ts'
import { Checker } from './checker.ts'
import { type CelType, ExprScope, type Fields } from './expr.ts'
import { type ParsedText, parseText, type TextError, walkTexts } from './text.ts'

/** The names that the expressions of one manifest may use, with their types: the same for all its instances. */
export interface ManifestScope {
  readonly manifest: Manifest
  readonly names: ExprScope
  /** The same with `each`, for resources under `for_each`. */
  readonly eachNames: ExprScope
  /** Included classes by the name under which their values are read. */
  readonly aliases: ReadonlyMap<string, string>
  /** Those of them that include this class in turn, so that the types of their values are not known. */
  readonly circular: ReadonlySet<string>
  /** Its own values with their types, as those who include it read them. */
  readonly fields: Fields
}

export const eachFields: Fields = { key: 'dyn', value: 'dyn' }

/** By the fields of the facts. What all manifests begin with takes 5 ms to make, which the snapshot holds ready. */
const bases = new WeakMap<Fields, ExprScope>()

function baseOf(facts: Fields): ExprScope {
  let base = bases.get(facts)
  if (base === undefined) {
    base = ExprScope.base()
    base.declareRecord('facts', facts)
    bases.set(facts, base)
  }
  return base
}

/** Works out the scope of each manifest, and checks all of its expressions once. Pure. */
export class Scopes {
  readonly diagnostics: Diagnostic[] = []
  /** Set when a manifest names another that is at fault itself. */
  meetsBad = false
  readonly #library: Library
  readonly #base: ExprScope
  readonly #scopes = new Map<Manifest, ManifestScope>()
  readonly #fields = new Map<Manifest, Fields>()
  readonly #checked = new Set<Manifest>()
  readonly #texts = new Map<string, ParsedText | TextError | undefined>()

  constructor(library: Library, facts: Fields) {
    this.#library = library
    this.#base = baseOf(facts)
  }

  /** A text taken apart; undefined where it holds no expression. */
  text(text: string): ParsedText | TextError | undefined {
    if (!text.includes('${{')) return undefined
    let parsed = this.#texts.get(text)
    if (parsed === undefined) {
      parsed = parseText(text)
      this.#texts.set(text, parsed)
    }
    return parsed
  }

  for(manifest: Manifest): ManifestScope {
    const known = this.#scopes.get(manifest)
    if (known) return known
    const names = this.#base.child()
    const aliases = this.#aliases(manifest)
    const circular = new Set<string>()
    const fields: Record<string, CelType | Fields> = {}
    this.#fields.set(manifest, fields)
    for (const [name, decl] of Object.entries(manifest.parameters)) {
      fields[name] = parameterType(decl)
      names.declare(name, fields[name] as CelType)
    }
    if (manifest.kind === 'define') names.declare('title', 'string')
    if (manifest.steps) {
      const { query, step } = stepFields(manifest.steps)
      names.declareRecord('query', query)
      names.declareRecord('step', step)
    }
    for (const [alias, className] of aliases) {
      const included = this.#library.find(className)
      if (!included || names.has(alias)) continue
      // In a circle of includes the other side's types are not known yet: whatever is asked of it passes.
      const inner = this.#fields.get(included) ?? this.for(included).fields
      if (this.#scopes.has(included)) names.declareRecord(alias, inner)
      else {
        names.declare(alias, 'dyn')
        circular.add(alias)
      }
    }
    for (const name of this.#letOrder(manifest, names)) {
      fields[name] = this.#valueType(manifest.let[name], names)
      names.declare(name, fields[name] as CelType)
    }
    let eachNames: ExprScope | undefined
    const scope: ManifestScope = {
      manifest,
      names,
      get eachNames() {
        if (!eachNames) {
          eachNames = names.child()
          eachNames.declareRecord('each', eachFields)
        }
        return eachNames
      },
      aliases,
      circular,
      fields,
    }
    this.#scopes.set(manifest, scope)
    return scope
  }

  /** Checks what can be checked of a manifest that is at fault. */
  bad(name: string): void {
    this.meetsBad = true
    const rest = this.#library.restOf(name)
    if (rest) this.check(rest)
  }

  /** Checks every expression of a manifest, once. */
  check(manifest: Manifest): void {
    if (this.#checked.has(manifest)) return
    this.#checked.add(manifest)
    const scope = this.for(manifest)
    const { names } = scope
    const checker = new Checker(manifest.file, this.#library.sources, (text) => this.text(text))
    for (const [name, decl] of Object.entries(manifest.parameters))
      checker.value(decl.default, ['parameters', name, 'default'], names)
    for (const [index, decl] of manifest.include.entries()) {
      if (!this.#library.find(decl.class)) {
        if (this.#library.isBad(decl.class)) this.bad(decl.class)
        else this.#unknownClass(manifest, decl.class, ['include', index, 'class'])
      }
      if (decl.when !== undefined) checker.condition(decl.when, ['include', index, 'when'], names)
      checker.value(decl.with, ['include', index, 'with'], names)
    }
    checker.value(manifest.defaults, ['defaults'], names)
    for (const [index, assertion] of manifest.asserts.entries()) {
      checker.condition(assertion.that, ['assert', index, 'that'], names)
      checker.value(assertion.message, ['assert', index, 'message'], names)
    }
    for (const [index, notice] of manifest.notices.entries()) {
      if (notice.when !== undefined)
        checker.condition(notice.when, ['notices', index, 'when'], names)
      checker.value(notice.message, ['notices', index, 'message'], names)
    }
    checker.value(manifest.let, ['let'], names)
    for (const decl of [...manifest.resources, ...(manifest.steps ?? [])]) {
      checker.decl(decl, scope)
      this.#checkType(manifest, decl)
    }
    this.diagnostics.push(...checker.diagnostics)
  }

  /** A type with `::` is a define of its own file. */
  #checkType(manifest: Manifest, decl: ResourceDecl): void {
    if (!decl.type.includes('::')) return
    const define = this.#library.find(decl.type)
    if (this.#library.isBad(decl.type)) this.bad(decl.type)
    if (define?.kind === 'define' || this.#library.isBad(decl.type)) return
    const help = define
      ? `include the class instead: include: [${decl.type}]`
      : this.#library.nearest(decl.type)
    this.diagnostics.push({
      severity: 'error',
      code: 'unknown-type',
      message: define ? `${decl.type} is a class, not a define` : `there is no define ${decl.type}`,
      place: this.#library.sources.place(manifest.file, [...decl.path, decl.type], 'key'),
      ...(help ? { help } : {}),
    })
  }

  #unknownClass(manifest: Manifest, name: string, path: Path): void {
    const help = this.#library.nearest(name)
    this.diagnostics.push({
      severity: 'error',
      code: 'unknown-class',
      message: `${manifest.name} includes ${name}, which does not exist`,
      place: this.#library.sources.place(manifest.file, path),
      ...(help ? { help } : {}),
    })
  }

  #aliases(manifest: Manifest): Map<string, string> {
    const aliases = new Map<string, string>()
    for (const decl of manifest.include) {
      const alias = decl.as ?? decl.class.split('::').at(-1) ?? decl.class
      const other = aliases.get(alias)
      if (other !== undefined && other !== decl.class) {
        this.diagnostics.push({
          severity: 'error',
          code: 'ambiguous-name',
          message: `${manifest.name} includes ${other} and ${decl.class}, whose values would both be read as "${alias}"`,
          place: this.#library.sources.place(manifest.file, decl.path),
          help: `give one of them another name: { class: ${decl.class}, as: NAME }`,
        })
        continue
      }
      aliases.set(alias, decl.class)
    }
    return aliases
  }

  /** Named values so that each comes after those that it reads; a loop is an error. */
  #letOrder(manifest: Manifest, names: ExprScope): string[] {
    const order: string[] = []
    const state = new Map<string, 'busy' | 'done'>()
    const visit = (name: string, trail: readonly string[]): void => {
      if (state.get(name) === 'done') return
      if (state.get(name) === 'busy') {
        const loop = [...trail.slice(trail.indexOf(name)), name]
        this.diagnostics.push({
          severity: 'error',
          code: 'value-loop',
          message: `the named values of ${manifest.name} go round in a circle: ${loop.join(' reads ')}`,
          place: this.#library.sources.place(manifest.file, ['let', name], 'key'),
        })
        return
      }
      state.set(name, 'busy')
      for (const read of this.#readsOf(manifest.let[name], names)) {
        if (read in manifest.let) visit(read, [...trail, name])
      }
      state.set(name, 'done')
      order.push(name)
    }
    for (const name of Object.keys(manifest.let)) visit(name, [])
    return order
  }

  #readsOf(value: unknown, names: ExprScope): string[] {
    const found: string[] = []
    walkTexts(value, [], (text) => {
      const parsed = this.text(text)
      if (!parsed || 'message' in parsed) return
      for (const part of parsed.parts) {
        if (typeof part === 'string') continue
        try {
          found.push(...names.reads(part.expression).map((name) => name.split('.')[0] ?? name))
        } catch {
          // Bad syntax is told when the manifest is checked.
        }
      }
    })
    return found
  }

  #valueType(value: unknown, names: ExprScope): CelType {
    if (typeof value === 'string') {
      const parsed = this.text(value)
      if (!parsed || 'message' in parsed || !parsed.alone) return 'string'
      try {
        return names.compile(parsed.alone.expression).type
      } catch {
        return 'dyn'
      }
    }
    if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'double'
    if (typeof value === 'boolean') return 'bool'
    if (Array.isArray(value)) {
      const types = new Set(value.map((item) => this.#valueType(item, names)))
      const [only] = types
      return types.size === 1 && only !== undefined && !only.includes('<')
        ? `list<${only}>`
        : 'list<dyn>'
    }
    return isObject(value) ? 'map<string, dyn>' : 'dyn'
  }
}

const answerNames = new WeakMap<
  readonly ResourceDecl[],
  { readonly query: Fields; readonly step: Fields }
>()

/** What `query` and `step` hold in a procedure's expressions: queries by name, and steps by id or name. */
export function stepFields(steps: readonly ResourceDecl[]): {
  readonly query: Fields
  readonly step: Fields
} {
  const known = answerNames.get(steps)
  if (known) return known
  const query: Record<string, CelType> = {}
  const step: Record<string, Fields> = {}
  const status: Fields = { status: 'string' }
  const visit = (decls: readonly ResourceDecl[]): void => {
    for (const { type, titles, meta, attributes } of decls) {
      for (const title of titles) {
        if (type === 'query') query[title] = 'map<string, dyn>'
        if (/^[a-z_][a-z0-9_]*$/i.test(title)) step[title] = status
      }
      if (meta.id !== undefined) step[meta.id] = status
      if (type !== 'block') continue
      for (const part of ['steps', 'rescue', 'always'])
        visit((attributes[part] as readonly ResourceDecl[] | undefined) ?? [])
    }
  }
  visit(steps)
  const fields = { query, step }
  answerNames.set(steps, fields)
  return fields
}

/** The expression type of a declared parameter. */
function parameterType(decl: ParameterDecl): CelType {
  if (decl.type === undefined)
    return decl.enum?.every((value) => typeof value === 'string') ? 'string' : 'dyn'
  switch (decl.type) {
    case 'integer':
      return 'int'
    case 'number':
      return 'double'
    case 'boolean':
      return 'bool'
    case 'array': {
      const inner = decl.items?.type
      return inner === 'string' ? 'list<string>' : inner === 'integer' ? 'list<int>' : 'list<dyn>'
    }
    case 'object':
      return 'map<string, dyn>'
    case 'string':
      return 'string'
  }
}
