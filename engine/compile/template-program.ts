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

type Piece = string | Insert | Block
interface Insert {
  /** Whether what it comes to hangs on the item of a `for_each`. */
  readonly varies: boolean
  write(here: Here): string
}
interface Block {
  /** Whether its condition, list or map hangs on the item of a `for_each`. */
  readonly varies: boolean
  /** What it comes to, each piece where it stands. */
  open(here: Here): readonly Stretch[]
}
interface Stretch {
  readonly pieces: readonly Piece[]
  readonly here: Here
}

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
export interface TemplateProgram {
  readonly reads: readonly TemplateRead[]
  /** `values` holds every name of `reads`; an unset one is there as undefined. */
  render(values: Readonly<Record<string, unknown>>): string
  /** Renders what does not hang on `values.each`, which may be another at every call of what it gives. */
  forItems(values: Readonly<Record<string, unknown>>): () => string
}

export function templateProgram(program: hbs.AST.Program): TemplateProgram {
  const maker = new ProgramMaker()
  const pieces = maker.pieces(program, undefined)
  const outermost = (value: unknown): Here => ({
    value,
    key: undefined,
    index: 0,
    isLast: true,
    outer: undefined,
  })
  return {
    reads: [...maker.reads.values()],
    render: (values) => written(pieces, outermost(values)),
    forItems(values) {
      const parts = settled(pieces, outermost(values), [])
      return () => {
        let text = ''
        // Before V8 has optimized it, `for of` makes an object for each part.
        for (let k = 0; k < parts.length; k++) {
          const part = parts[k] as string | (() => string)
          text += typeof part === 'string' ? part : part()
        }
        return text
      }
    },
  }
}

/** Takes the tree of a template apart, and refuses what the language leaves out. */
class ProgramMaker {
  readonly reads = new Map<string, TemplateRead>()
  /** How often it reads the item of a `for_each`. */
  #readsOfItem = 0

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
    const before = this.#readsOfItem
    const read = this.#called(mustache, scope, 'strict')
    return {
      varies: this.#readsOfItem > before,
      write(here) {
        const value = read(here)
        return typeof value === 'string' ? value : shown(value, mustache)
      },
    }
  }

  #block(block: hbs.AST.BlockStatement, scope: Scope | undefined): Piece {
    const name = block.path.type === 'PathExpression' ? block.path.original : ''
    const [param] = block.params
    if (!(name === 'if' || name === 'unless' || name === 'each' || name === 'with'))
      refuse(`there is no block helper "${name}"`, block)
    if (param === undefined || block.params.length > 1) refuse(`${name} takes one value`, block)
    const before = this.#readsOfItem
    const read = this.#expression(param, scope)
    if (name === 'if' || name === 'unless') {
      const zero = block.hash?.pairs.find(({ key }) => key === 'includeZero')
      const isZeroTrue = zero ? this.#expression(zero.value, scope) : () => false
      const varies = this.#readsOfItem > before
      const yes = this.pieces(block.program, scope)
      const inverse = this.pieces(block.inverse, scope)
      const [then, otherwise] = name === 'if' ? [yes, inverse] : [inverse, yes]
      return {
        varies,
        open(here) {
          const value = read(here)
          const isTrue = value === 0 ? Boolean(isZeroTrue(here)) : !isEmpty(value)
          return [{ pieces: isTrue ? then : otherwise, here }]
        },
      }
    }
    const varies = this.#readsOfItem > before
    const names = block.program?.blockParams ?? []
    const pieces = this.pieces(block.program, { isEach: name === 'each', names, outer: scope })
    const inverse = this.pieces(block.inverse, scope)
    return {
      varies,
      open(outer) {
        const value = read(outer)
        if (name === 'with') {
          if (isEmpty(value)) return [{ pieces: inverse, here: outer }]
          return [{ pieces, here: { value, key: undefined, index: 0, isLast: true, outer } }]
        }
        const { items, keys } = itemsOf(value)
        if (items.length === 0) return [{ pieces: inverse, here: outer }]
        return items.map((item, index): Stretch => {
          const isLast = index === items.length - 1
          return {
            pieces,
            here: { value: item, key: keys?.[index] ?? index, index, isLast, outer },
          }
        })
      },
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
    if (name === 'root') {
      if (parts.length === 0)
        refuse('"@root" as a whole can not be read; name what is meant', path, name)
      this.#found(parts, path)
    }
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
    if (head === 'each') this.#readsOfItem++
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
  for (const piece of pieces) {
    if (typeof piece === 'string') text += piece
    else if ('write' in piece) text += piece.write(here)
    else for (const stretch of piece.open(here)) text += written(stretch.pieces, stretch.here)
  }
  return text
}

/** As `written`, but for what varies, which is written when it is called. */
function settled(
  pieces: readonly Piece[],
  here: Here,
  parts: (string | (() => string))[],
): readonly (string | (() => string))[] {
  const add = (text: string) => {
    const last = parts.at(-1)
    if (typeof last === 'string') parts[parts.length - 1] = last + text
    else parts.push(text)
  }
  for (const piece of pieces) {
    if (typeof piece === 'string') add(piece)
    else if ('write' in piece) {
      if (piece.varies) parts.push(() => piece.write(here))
      else add(piece.write(here))
    } else if (piece.varies) parts.push(() => written([piece], here))
    else for (const stretch of piece.open(here)) settled(stretch.pieces, stretch.here, parts)
  }
  return parts
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
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
}

/** Handlebars' notion of a value that is as good as none. */
function isEmpty(value: unknown): boolean {
  return Array.isArray(value) ? value.length === 0 : value !== 0 && !value
}

/** What `each` goes through; the keys of a list are the places of its items. */
function itemsOf(value: unknown): { items: readonly unknown[]; keys?: readonly string[] } {
  if (Array.isArray(value)) return { items: value }
  if (typeof value !== 'object' || value === null) return { items: [] }
  if (Symbol.iterator in value) return { items: [...(value as Iterable<unknown>)] }
  return { items: Object.values(value), keys: Object.keys(value) }
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
