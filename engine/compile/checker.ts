import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { metaparameters, type ResourceDecl } from '../load/manifest.ts'
import type { Sources } from '../load/sources.ts'
import type { Path } from '../load/yaml.ts'
import { ExprError, type Expression, type ExprScope } from './expr.ts'
import { expressionDiagnostic } from './expression-diagnostic.ts'
import { type ParsedText, type parseText, walkTexts } from './text.ts'

/** Checks the expressions of a manifest against the names that they may use. */
export class Checker {
  readonly diagnostics: Diagnostic[] = []
  readonly #file: string
  readonly #sources: Sources
  readonly #parseText: typeof parseText

  constructor(file: string, sources: Sources, parse: typeof parseText) {
    this.#file = file
    this.#sources = sources
    this.#parseText = parse
  }

  decl(
    decl: ResourceDecl,
    scope: { readonly names: ExprScope; readonly eachNames: ExprScope },
  ): void {
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
    for (const key of metaparameters) {
      if (key === 'for_each' || key === 'when' || meta[key] === undefined) continue
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
    const parsed = this.#parseText(value)
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
    const parsed = this.#parseText(text)
    if (!parsed || !('message' in parsed)) return parsed
    this.diagnostics.push({
      severity: 'error',
      code: 'expression-syntax',
      message: parsed.message,
      place: this.#sources.within(this.#file, path, parsed.offset, 3),
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
          file: this.#file,
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
      place: this.#sources.within(this.#file, path, offset, length),
      ...(help ? { help } : {}),
    })
  }
}
