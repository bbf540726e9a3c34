import { readFileSync } from 'node:fs'
import Handlebars from 'handlebars'

/** A template that can't be read, parsed or rendered. Lines and columns count from 1. */
export class TemplateError extends Error {
  readonly line: number
  readonly column: number
  /** The name that is not known, where that is the fault. */
  readonly subject: string | undefined
  constructor(message: string, line: number, column: number, subject?: string) {
    super(message)
    this.name = 'TemplateError'
    this.line = line
    this.column = column
    this.subject = subject
  }
}

export interface Template {
  readonly file: string
  readonly text: string
  /** The names of the class that it reads: `a`, or `a.b` for a member. */
  readonly reads: readonly {
    readonly name: string
    readonly line: number
    readonly column: number
  }[]
  /** `values` holds every name of `reads`; an unset one is there as undefined. Throws `TemplateError`. */
  render(values: Readonly<Record<string, unknown>>): string
}

/** Every helper besides Handlebars' own `if`, `unless`, `each` and `with`. */
export const helpers: readonly { readonly usage: string; readonly description: string }[] = [
  {
    usage: '{{join list ", "}}',
    description: 'The items of a list with the separator between them.',
  },
  { usage: '{{ini map}}', description: 'One line "key = value" for each entry of a map.' },
  { usage: '{{json value}}', description: 'The value as JSON on one line.' },
  { usage: '{{shell text}}', description: 'The text quoted as one word for a POSIX shell.' },
]

const engine = Handlebars.create()
// Files are no HTML. Handlebars' own `noEscape` would add two neighbouring numbers up instead of writing both,
// so its escaping function becomes the one that turns a value into text.
Handlebars.Utils.escapeExpression = (value: unknown) =>
  value === undefined || value === null ? '' : shownScalar(value)
for (const name of ['lookup', 'log', 'helperMissing', 'blockHelperMissing'])
  engine.unregisterHelper(name)
engine.registerHelper('join', (list: unknown, separator: unknown) => {
  if (!Array.isArray(list)) throw new Error('join takes a list')
  if (typeof separator !== 'string')
    throw new Error('join takes a separator as its second argument')
  return list.map(shownScalar).join(separator)
})
engine.registerHelper('ini', (map: unknown) => {
  if (typeof map !== 'object' || map === null || Array.isArray(map))
    throw new Error('ini takes a map')
  const entries = map instanceof Map ? [...map] : Object.entries(map)
  return entries.map(([key, value]) => `${key} = ${shownScalar(value)}`).join('\n')
})
engine.registerHelper('json', (value: unknown) =>
  JSON.stringify(value instanceof Map ? Object.fromEntries(value) : value),
)
engine.registerHelper('shell', (text: unknown) => `'${shownScalar(text).replaceAll("'", `'\\''`)}'`)
const known = new Set(['if', 'unless', 'each', 'with', 'join', 'ini', 'json', 'shell'])

function shownScalar(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return String(value)
  throw new Error(
    value === undefined || value === null ? 'a value is not set' : 'a list or a map is no text',
  )
}

/** Reads and parses a template file. Throws `TemplateError`. */
export function loadTemplate(file: string): Template {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new TemplateError(`the template can't be read: ${(error as Error).message}`, 1, 1)
  }
  return parseTemplate(text, file)
}

export function parseTemplate(text: string, file: string): Template {
  let program: hbs.AST.Program
  try {
    program = engine.parse(text)
  } catch (error) {
    const message = (error as Error).message
    const line = Number(/line (\d+)/.exec(message)?.[1] ?? 1)
    const detail = message.split('\n').at(-1) ?? message
    throw new TemplateError(
      detail.endsWith("got 'EOF'")
        ? 'the template ends inside a block, or between braces: something like {{/if}} is missing'
        : `this is no template: ${detail}`,
      line,
      1,
    )
  }
  const reads = new Map<string, { name: string; line: number; column: number }>()
  const visitor = new NameVisitor((name, path) => {
    const { line, column } = path.loc.start
    if (!reads.has(name)) reads.set(name, { name, line, column: column + 1 })
  })
  visitor.accept(program)
  // One lazily made function a template: rendering ten thousand files costs one compilation.
  let compiled: ((values: unknown) => string) | undefined
  return {
    file,
    text,
    reads: [...reads.values()],
    render(values) {
      compiled ??= engine.compile(program, {
        strict: true,
        // A frame for each item of each block is only made where something reads it.
        data: visitor.readsFrames,
        knownHelpersOnly: true,
        knownHelpers: Object.fromEntries([...known].map((name) => [name, true])),
      })
      try {
        const text = compiled(values)
        // V8 holds a text that was put together as a tree of its pieces until somebody looks at all of it, as
        // this does: ten thousand files would be a million pieces.
        Buffer.byteLength(text)
        return text
      } catch (error) {
        const e = error as Error & { lineNumber?: number; column?: number; endLineNumber?: number }
        const missing = /^"(.+)" not defined/.exec(e.message)?.[1]
        throw new TemplateError(
          missing === undefined
            ? e.message.replace(/ - \d+:\d+$/, '')
            : `"${missing}" is not a name that is known here`,
          e.lineNumber ?? Number(/ - (\d+):/.exec(e.message)?.[1] ?? 1),
          (e.column ?? Number(/ - \d+:(\d+)$/.exec(e.message)?.[1] ?? 0)) + 1,
          missing,
        )
      }
    },
  }
}

/** Finds the names that a template reads from its class, and refuses what the language leaves out. */
class NameVisitor extends Handlebars.Visitor {
  /** Whether it reads what Handlebars keeps of each block: `@index`, `@key`, `@first`, `@last`, `@root`. */
  readsFrames = false
  readonly #found: (name: string, path: hbs.AST.PathExpression) => void
  /** Names that a block binds, and whether the block replaces `this`. */
  readonly #blocks: { readonly names: ReadonlySet<string>; readonly own: boolean }[] = []

  constructor(found: (name: string, path: hbs.AST.PathExpression) => void) {
    super()
    this.#found = found
  }

  override PartialStatement(partial: hbs.AST.PartialStatement): void {
    this.#refuse('partials are not part of the language', partial)
  }
  override PartialBlockStatement(partial: hbs.AST.PartialBlockStatement): void {
    this.#refuse('partials are not part of the language', partial)
  }

  override MustacheStatement(mustache: hbs.AST.MustacheStatement): void {
    this.#call(mustache)
  }
  override SubExpression(call: hbs.AST.SubExpression): void {
    this.#call(call)
  }

  override BlockStatement(block: hbs.AST.BlockStatement): void {
    const name = block.path.type === 'PathExpression' ? block.path.original : ''
    if (!known.has(name)) this.#refuse(`there is no block helper "${name}"`, block)
    for (const param of block.params) this.accept(param)
    const names = new Set(block.program?.blockParams ?? [])
    // Also with a name for the item, `this` is the item.
    this.#blocks.push({ names, own: name === 'each' || name === 'with' })
    if (block.program) this.accept(block.program)
    this.#blocks.pop()
    if (block.inverse) this.accept(block.inverse)
  }

  override PathExpression(path: hbs.AST.PathExpression): void {
    if (path.data) {
      this.readsFrames = true
      return
    }
    const [head, member] = path.parts as string[]
    const inherited = path.parts.find(
      (part) => typeof part === 'string' && part in Object.prototype,
    )
    if (inherited !== undefined)
      this.#refuse(`"${String(inherited)}" is not a name that is known here`, path)
    // Below `each` or `with` a plain name is a member of the item; `../name` leaves as many blocks.
    const own = this.#blocks.filter((block) => block.own).length
    if (head === undefined) {
      if (path.depth >= own) this.#refuse('there is nothing here that "this" stands for', path)
      return
    }
    if (path.depth === 0 && this.#blocks.some((block) => block.names.has(head))) return
    if (path.depth < own) return
    this.#found(member === undefined ? head : `${head}.${member}`, path)
  }

  #call(node: hbs.AST.MustacheStatement | hbs.AST.SubExpression): void {
    if ('escaped' in node && !node.escaped)
      this.#refuse('nothing is escaped, so two braces do: {{name}}', node)
    const path = node.path
    if (
      path.type === 'PathExpression' &&
      (node.params.length > 0 || known.has((path as hbs.AST.PathExpression).original))
    ) {
      const name = (path as hbs.AST.PathExpression).original
      if (!known.has(name)) this.#refuse(`there is no helper "${name}"`, node)
      for (const param of node.params) this.accept(param)
      return
    }
    this.accept(path)
  }

  #refuse(message: string, node: hbs.AST.Node): never {
    throw new TemplateError(message, node.loc.start.line, node.loc.start.column + 1)
  }
}
