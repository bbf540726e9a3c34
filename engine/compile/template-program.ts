import { TemplateError } from './template-error.ts'
import { helpers, shownScalar } from './template-helpers.ts'

/** Where rendering stands: what `this` is there, and for an item of `each` where it was found. */
interface Here {
  readonly value: unknown
  readonly key: unknown
  readonly index: number
  readonly isLast: boolean
  readonly outer: Here | undefined
}
type Read = (here: Here) => unknown
/** What stands between braces; the rest of a template is plain text. */
type Piece = string | ((here: Here) => string)

/** A block that gives `this` another meaning, as it is written. */
interface Scope {
  readonly isEach: boolean
  /** What it calls its item, and the key of that. */
  readonly names: readonly string[]
  readonly outer: Scope | undefined
}

/** A name that a template reads from its class: `a`, or `a.b` for a member. */
export interface TemplateRead {
  readonly name: string
  readonly line: number
  readonly column: number
}

/** What a parsed template reads, and how it is rendered. Throws `TemplateError`, as rendering does. */
export function templateProgram(program: hbs.AST.Program): {
  readonly reads: readonly TemplateRead[]
  render(values: unknown): string
} {
  const maker = new ProgramMaker()
  const pieces = maker.pieces(program, undefined)
  return {
    reads: [...maker.reads.values()],
    render: (value) =>
      written(pieces, { value, key: undefined, index: 0, isLast: true, outer: undefined }),
  }
}

/** Takes the tree of a template apart, and refuses what the language leaves out. */
class ProgramMaker {
  readonly reads = new Map<string, TemplateRead>()

  pieces(program: hbs.AST.Program | undefined, scope: Scope | undefined): readonly Piece[] {
    const pieces: Piece[] = []
    for (const statement of program?.body ?? []) {
      switch (statement.type) {
        case 'ContentStatement':
          pieces.push((statement as hbs.AST.ContentStatement).value)
          break
        case 'MustacheStatement':
          pieces.push(this.#mustache(statement as hbs.AST.MustacheStatement, scope))
          break
        case 'BlockStatement':
          pieces.push(this.#block(statement as hbs.AST.BlockStatement, scope))
          break
        case 'CommentStatement':
          break
        case 'PartialStatement':
        case 'PartialBlockStatement':
          refuse('partials are not part of the language', statement)
          break
        default:
          refuse('decorators are not part of the language', statement)
      }
    }
    return pieces
  }

  #mustache(mustache: hbs.AST.MustacheStatement, scope: Scope | undefined): Piece {
    if (!mustache.escaped) refuse('nothing is escaped, so two braces do: {{name}}', mustache)
    const read = this.#called(mustache, scope, 'strict')
    return (here) => {
      const value = read(here)
      return typeof value === 'string' ? value : shown(value, mustache)
    }
  }

  #block(block: hbs.AST.BlockStatement, scope: Scope | undefined): Piece {
    const name = block.path.type === 'PathExpression' ? block.path.original : ''
    const [param] = block.params
    if (!(name === 'if' || name === 'unless' || name === 'each' || name === 'with'))
      refuse(`there is no block helper "${name}"`, block)
    if (param === undefined || block.params.length > 1) refuse(`${name} takes one value`, block)
    const read = this.#expression(param, scope)
    if (name === 'if' || name === 'unless') {
      const yes = this.pieces(block.program, scope)
      const inverse = this.pieces(block.inverse, scope)
      const [then, otherwise] = name === 'if' ? [yes, inverse] : [inverse, yes]
      const zero = block.hash?.pairs.find(({ key }) => key === 'includeZero')
      const isZeroTrue = zero ? this.#expression(zero.value, scope) : () => false
      return (here) => {
        const value = read(here)
        const isTrue = value === 0 ? Boolean(isZeroTrue(here)) : !isEmpty(value)
        return written(isTrue ? then : otherwise, here)
      }
    }
    const names = block.program?.blockParams ?? []
    const inside = this.pieces(block.program, { isEach: name === 'each', names, outer: scope })
    const inverse = this.pieces(block.inverse, scope)
    return name === 'with'
      ? (here) => {
          const value = read(here)
          if (isEmpty(value)) return written(inverse, here)
          return written(inside, { value, key: undefined, index: 0, isLast: true, outer: here })
        }
      : (here) => {
          const items = itemsOf(read(here))
          if (items.length === 0) return written(inverse, here)
          const last = items.length - 1
          let text = ''
          for (const [index, [key, value]] of items.entries())
            text += written(inside, { value, key, index, isLast: index === last, outer: here })
          return text
        }
  }

  #expression(node: hbs.AST.Expression, scope: Scope | undefined): Read {
    switch (node.type) {
      case 'PathExpression':
        return this.#path(node as hbs.AST.PathExpression, scope, 'lenient')
      case 'SubExpression':
        return this.#called(node as hbs.AST.SubExpression, scope, 'lenient')
      case 'NullLiteral':
      case 'UndefinedLiteral':
        return () => undefined
      default: {
        const { value } = node as hbs.AST.StringLiteral | hbs.AST.NumberLiteral
        return () => value
      }
    }
  }

  /** A name, or a helper with its arguments. */
  #called(
    node: hbs.AST.MustacheStatement | hbs.AST.SubExpression,
    scope: Scope | undefined,
    how: 'strict' | 'lenient',
  ): Read {
    const { path, params } = node
    if (path.type !== 'PathExpression') refuse('this is no name', node)
    const name = (path as hbs.AST.PathExpression).original
    const helper = Object.hasOwn(helpers, name) ? helpers[name] : undefined
    if (!helper) {
      if (params.length > 0) refuse(`there is no helper "${name}"`, node)
      return this.#path(path as hbs.AST.PathExpression, scope, how)
    }
    const reads = params.map((param) => this.#expression(param, scope))
    return (here) => {
      const values = reads.map((read) => read(here))
      return located(() => helper.call(...values), node)
    }
  }

  /** Strict where the name itself must be there, and not only what it is a member of. */
  #path(path: hbs.AST.PathExpression, scope: Scope | undefined, how: 'strict' | 'lenient'): Read {
    const parts = path.parts as string[]
    const inherited = parts.find((part) => part in Object.prototype)
    if (inherited !== undefined)
      refuse(`"${inherited}" is not a name that is known here`, path, inherited)
    if (path.data) return this.#frameRead(path, scope, how)
    const [head] = parts
    if (head !== undefined && path.depth === 0 && !/^\.|^this\b/.test(path.original)) {
      for (let up = 0, at = scope; at; at = at.outer, up++) {
        const position = at.names.indexOf(head)
        if (position === 0) return members(outside(up, itself), parts.slice(1), path, 'lenient')
        if (position > 0) return members(outside(up, itsKey), parts.slice(1), path, 'lenient')
      }
    }
    const blocks = count(scope)
    if (path.depth > blocks || (head === undefined && path.depth === blocks))
      refuse('there is nothing here that "this" stands for', path)
    // Below `each` or `with` a plain name is a member of the item; `../name` leaves as many blocks.
    if (head !== undefined && path.depth === blocks) this.#found(parts, path)
    return members(outside(path.depth, itself), parts, path, how)
  }

  /** What is known of each block: `@index`, `@key`, `@first`, `@last`, `@root`. */
  #frameRead(
    path: hbs.AST.PathExpression,
    scope: Scope | undefined,
    how: 'strict' | 'lenient',
  ): Read {
    const [name = '', ...parts] = path.parts as string[]
    if (name === 'root') return members(outside(count(scope), itself), parts, path, how)
    let up = 0
    let at = scope
    while (at && (up < path.depth || !at.isEach)) {
      at = at.outer
      up++
    }
    const read = Object.hasOwn(frameReads, name) ? frameReads[name] : undefined
    if (!at || !read) refuse(`"${name}" is not a name that is known here`, path, name)
    return members(outside(up, read), parts, path, how)
  }

  #found([head = '', member]: readonly string[], path: hbs.AST.PathExpression): void {
    const name = member === undefined ? head : `${head}.${member}`
    const { line, column } = path.loc.start
    if (!this.reads.has(name)) this.reads.set(name, { name, line, column: column + 1 })
  }
}

const itself: Read = ({ value }) => value
const itsKey: Read = ({ key }) => key
const frameReads: Readonly<Record<string, Read>> = {
  index: ({ index }) => index,
  key: itsKey,
  first: ({ index }) => index === 0,
  last: ({ isLast }) => isLast,
}

function written(pieces: readonly Piece[], here: Here): string {
  let text = ''
  for (const piece of pieces) text += typeof piece === 'string' ? piece : piece(here)
  return text
}

function count(scope: Scope | undefined): number {
  let blocks = 0
  for (let at = scope; at; at = at.outer) blocks++
  return blocks
}

/** The same read, some blocks further out. */
function outside(up: number, read: Read): Read {
  if (up === 0) return read
  return (here) => {
    let at = here
    for (let left = up; left > 0 && at.outer; left--) at = at.outer
    return read(at)
  }
}

/** A member of a member of what is read. Only what a value has of its own counts. */
function members(
  read: Read,
  names: readonly string[],
  node: hbs.AST.Node,
  how: 'strict' | 'lenient',
): Read {
  if (names.length === 0) return read
  const last = names.at(-1)
  const ways = names.slice(0, -1)
  return (here) => {
    let value = read(here)
    for (const name of ways) value = member(value, name, node)
    return how === 'strict' && !has(value, last as string)
      ? unknownName(last as string, node)
      : member(value, last as string, node)
  }
}

function member(value: unknown, name: string, node: hbs.AST.Node): unknown {
  if (value === undefined || value === null) unknownName(name, node)
  return Object.hasOwn(value as object, name) ? (value as Record<string, unknown>)[name] : undefined
}

function has(value: unknown, name: string): boolean {
  return typeof value === 'object' && value !== null && name in value
}

/** Handlebars' notion of a value that is as good as none. */
function isEmpty(value: unknown): boolean {
  return Array.isArray(value) ? value.length === 0 : value !== 0 && !value
}

function itemsOf(value: unknown): (readonly [key: unknown, item: unknown])[] {
  if (typeof value !== 'object' || value === null) return []
  return Symbol.iterator in value
    ? [...(value as Iterable<unknown>)].map((item, index) => [index, item])
    : Object.entries(value)
}

function shown(value: unknown, node: hbs.AST.Node): string {
  if (value === undefined || value === null) return ''
  return located(() => shownScalar(value), node)
}

function located<T>(act: () => T, { loc: { start } }: hbs.AST.Node): T {
  try {
    return act()
  } catch (error) {
    throw new TemplateError((error as Error).message, start.line, start.column + 1)
  }
}

function unknownName(name: string, node: hbs.AST.Node): never {
  refuse(`"${name}" is not a name that is known here`, node, name)
}

function refuse(message: string, { loc: { start } }: hbs.AST.Node, subject?: string): never {
  throw new TemplateError(message, start.line, start.column + 1, subject)
}
