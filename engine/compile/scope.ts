import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { didYouMean } from '../diagnostics/suggest.ts'
import type { Library } from '../load/library.ts'
import { isObject, type Manifest, type ParameterDecl, type ResourceDecl } from '../load/manifest.ts'
import { holdsExpression } from '../load/schema-errors.ts'
import type { Sources } from '../load/sources.ts'
import type { Path } from '../load/yaml.ts'
import { type CelType, ExprError, type Expression, ExprScope, type Fields } from './expr.ts'
import { type ParsedText, parseText } from './text.ts'

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
  readonly #texts = new Map<
    string,
    ParsedText | { readonly message: string; readonly offset: number } | undefined
  >()

  constructor(library: Library, facts: Fields) {
    this.#library = library
    this.#base = ExprScope.base()
    this.#base.declareRecord('facts', facts)
  }

  /** A text taken apart; undefined where it holds no expression. */
  text(
    text: string,
  ): ParsedText | { readonly message: string; readonly offset: number } | undefined {
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

  /** Checks every expression of a manifest, once. */
  check(manifest: Manifest): void {
    if (this.#checked.has(manifest)) return
    this.#checked.add(manifest)
    const scope = this.for(manifest)
    const { names } = scope
    const checker = new Checker(this, manifest, this.#library.sources)
    for (const [name, decl] of Object.entries(manifest.parameters))
      checker.value(decl.default, ['parameters', name, 'default'], names)
    for (const [index, decl] of manifest.include.entries()) {
      if (!this.#library.find(decl.class)) {
        if (this.#library.isBad(decl.class)) this.meetsBad = true
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
    if (this.#library.isBad(decl.type)) this.meetsBad = true
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

/** What `query` and `step` hold in the expressions of a procedure: its queries by name, and its steps by id or name. */
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
export function parameterType(decl: ParameterDecl): CelType {
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

/** Calls `visit` for every text with an expression below a value. */
export function walkTexts(
  value: unknown,
  path: Path,
  visit: (text: string, path: Path) => void,
): void {
  if (!holdsExpression(value)) return
  if (typeof value === 'string') visit(value, path)
  else if (Array.isArray(value))
    for (const [index, item] of value.entries()) walkTexts(item, [...path, index], visit)
  else if (isObject(value))
    for (const key of Object.keys(value)) walkTexts(value[key], [...path, key], visit)
}

/** An expression that is wrong, as a diagnostic at its own characters. `offset` is where it begins in the text at `path`. */
export function expressionDiagnostic(
  error: ExprError,
  at: {
    readonly sources: Sources
    readonly file: string
    readonly path: Path
    readonly offset: number
    readonly names: ExprScope
    readonly expression: string
  },
): Diagnostic {
  const codes = {
    syntax: 'expression-syntax',
    type: 'expression-type',
    'unknown-name': 'unknown-name',
    failed: 'expression-failed',
    unset: 'unset-value',
    limit: 'limit',
  } as const
  const start = Math.max(0, Math.min(error.start, at.expression.length - 1))
  const length = Math.max(1, Math.min(error.end, at.expression.length) - start)
  const hints: Partial<Record<ExprError['kind'], string | undefined>> = {
    'unknown-name':
      error.subject === undefined ? undefined : didYouMean(error.subject, at.names.names()),
    unset: `give it a value, or ask is_set(${asWritten(error.subject, at.expression)}) first`,
    syntax: /[^=!<>]=[^=]/.test(at.expression) ? 'equality is written ==' : undefined,
  }
  const help = hints[error.kind]
  return {
    severity: 'error',
    code: codes[error.kind],
    message: `in the expression "${at.expression}": ${error.message}`,
    place: at.sources.within(at.file, at.path, at.offset + start, length),
    ...(help ? { help } : {}),
  }
}

/** A name with the alias before it, where the expression has one. */
function asWritten(name: string | undefined, expression: string): string {
  if (name === undefined) return '…'
  return new RegExp(`\\b(?:[a-z_]\\w*\\.)?${RegExp.escape(name)}\\b`).exec(expression)?.[0] ?? name
}

/** Checks the expressions of a manifest against the names that they may use. */
class Checker {
  readonly diagnostics: Diagnostic[] = []
  readonly #scopes: Scopes
  readonly #manifest: Manifest
  readonly #sources: Sources

  constructor(scopes: Scopes, manifest: Manifest, sources: Sources) {
    this.#scopes = scopes
    this.#manifest = manifest
    this.#sources = sources
  }

  decl(decl: ResourceDecl, scope: ManifestScope): void {
    const { meta, path } = decl
    const names = meta.for_each === undefined ? scope.names : scope.eachNames
    if (meta.for_each !== undefined) this.list(meta.for_each, [...path, 'for_each'], scope.names)
    if (meta.when !== undefined) this.condition(meta.when, [...path, 'when'], names)
    for (const [index, title] of decl.titles.entries()) {
      this.value(
        title,
        decl.titles.length > 1 ? [...path, decl.type, index] : [...path, decl.type],
        names,
      )
    }
    for (const key of [
      'before',
      'require',
      'notify',
      'subscribe',
      'needs',
      'provides',
      'tags',
      'noop',
      'sensitive',
      'id',
      'optional',
    ] as const) {
      this.value(meta[key], [...path, key], names)
    }
    for (const [key, value] of Object.entries(decl.attributes)) {
      if ((key === 'steps' || key === 'rescue' || key === 'always') && decl.type === 'block') {
        for (const inner of value as ResourceDecl[]) this.decl(inner, scope)
      } else if (key === 'until' && decl.type === 'query') this.#until(decl, value as string, names)
      else this.value(value, [...path, key], names)
    }
  }

  value(value: unknown, path: Path, names: ExprScope): void {
    walkTexts(value, path, (text, at) => {
      const parsed = this.#parse(text, at)
      for (const part of parsed?.parts ?? []) {
        if (typeof part === 'string') continue
        const checked = this.#compile(part.expression, at, part.offset, names)
        if (checked && !parsed?.alone && /^(list|map|record)/.test(checked.type)) {
          this.#wrong(
            `"${part.expression}" is of type ${checked.type.split('<')[0]}, which can't stand inside a text`,
            at,
            part.offset,
            part.expression.length,
            'join a list with .join(", "), or let the expression stand alone',
          )
        }
      }
    })
  }

  /** `until` reads the answer under the query's own name. */
  #until(decl: ResourceDecl, value: string, names: ExprScope): void {
    const own = names.child()
    for (const title of decl.titles) if (!own.has(title)) own.declare(title, 'map<string, dyn>')
    this.condition(value, [...decl.path, 'until'], own)
  }

  condition(value: string | boolean, path: Path, names: ExprScope): void {
    if (typeof value === 'boolean') return
    const parsed = this.#scopes.text(value)
    const bare =
      parsed && !('message' in parsed) && parsed.alone
        ? parsed.alone
        : { expression: value, offset: 0 }
    const checked = this.#compile(bare.expression, path, bare.offset, names)
    if (checked && checked.type !== 'bool' && checked.type !== 'dyn') {
      this.#wrong(
        `"${bare.expression}" is of type ${checked.type}, and a condition is true or false`,
        path,
        bare.offset,
        bare.expression.length,
      )
    }
  }

  list(value: unknown, path: Path, names: ExprScope): void {
    if (typeof value !== 'string') {
      this.value(value, path, names)
      return
    }
    const parsed = this.#parse(value, path)
    if (!parsed?.alone) {
      this.#wrong(
        'for_each takes a list or a map',
        path,
        0,
        value.length,
        `write a list, or one expression, such as \${{ ${/^[\w.]+$/.test(value) ? value : 'names'} }}`,
      )
      return
    }
    const checked = this.#compile(parsed.alone.expression, path, parsed.alone.offset, names)
    if (checked && !/^(list|map|dyn)/.test(checked.type)) {
      this.#wrong(
        `"${checked.text}" is of type ${checked.type}, and for_each takes a list or a map`,
        path,
        parsed.alone.offset,
        checked.text.length,
      )
    }
  }

  #parse(text: string, path: Path): ParsedText | undefined {
    const parsed = this.#scopes.text(text)
    if (!parsed || !('message' in parsed)) return parsed
    this.diagnostics.push({
      severity: 'error',
      code: 'expression-syntax',
      message: parsed.message,
      place: this.#sources.within(this.#manifest.file, path, parsed.offset, 3),
      help: 'an expression is written ${{ … }}; $${{ stands for the characters themselves',
    })
    return undefined
  }

  #compile(
    expression: string,
    path: Path,
    offset: number,
    names: ExprScope,
  ): Expression | undefined {
    try {
      return names.compile(expression)
    } catch (error) {
      if (!(error instanceof ExprError)) throw error
      this.diagnostics.push(
        expressionDiagnostic(error, {
          sources: this.#sources,
          file: this.#manifest.file,
          path,
          offset,
          names,
          expression,
        }),
      )
      return undefined
    }
  }

  #wrong(message: string, path: Path, offset: number, length: number, help?: string): void {
    this.diagnostics.push({
      severity: 'error',
      code: 'expression-type',
      message,
      place: this.#sources.within(this.#manifest.file, path, offset, length),
      ...(help ? { help } : {}),
    })
  }
}
