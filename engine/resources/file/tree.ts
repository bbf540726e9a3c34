import { HostError } from '../../host/error.ts'
import type { FileStat, HostReader } from '../../host/host.ts'
import { joinPath } from '../path.ts'
import type { FileHistory } from '../type.ts'
import { withAdopted } from './adopted.ts'
import type { Entry, Goal } from './compare.ts'
import { contentChange } from './content.ts'
import type { Declared } from './declared.ts'
import type { FileDesired } from './desired.ts'
import { globMatcher } from './glob.ts'
import { source } from './source.ts'

/** A directory that recurses. */
export interface Tree {
  readonly title: string
  /** Where it lies: what the title leads to under `links: follow`. */
  readonly path: string
  readonly desired: FileDesired
  /** Owner, group and mode of everything below, and what may give way. */
  readonly goal: Goal
  readonly declared: Declared
  /** By path, the edits that belong to every version of a file. */
  readonly adopted: FileHistory['adopted']
  /** Whether other classes of the host, which are left out, may have files here. */
  readonly isPartial: boolean
}

interface Directory {
  /** Below the title; empty for the title itself. */
  readonly name: string
  readonly depth: number
  /** Whether the host has it as a directory. */
  readonly isThere: boolean
  /** Where it is copied from, if from anywhere. */
  readonly source?: string
  /**
   * The real directories that led to the source and the source itself: a
   * link back to one of them would never end.
   */
  readonly way: readonly string[]
}

interface Child {
  readonly name: string
  readonly path: string
  readonly stat: FileStat | undefined
}

/**
 * Every path below the directory that it has a say in, parents before children: the tree of the source, what
 * else is there where owner, group or mode are declared, and strangers where it purges.
 */
export function* entriesBelow(tree: Tree, host: HostReader, isThere: boolean): Generator<Entry> {
  const root: Directory = { name: '', depth: 0, isThere, way: [] }
  const from = tree.desired.source
  yield* new Walk(tree, host).below(
    from === undefined ? root : { ...root, source: from, way: [source.realPath(from)] },
  )
}

/** The files that a directory copies from its source, by their names below it. */
export function copiedNames(desired: FileDesired): string[] {
  const { source: top, links = 'manage', recurselimit = Number.POSITIVE_INFINITY } = desired
  const ignores = globMatcher(desired.ignore)
  const below = (from: string, name: string, depth: number): string[] =>
    source.list(from).flatMap((base) => {
      if (ignores(base)) return []
      const [path, own] = [joinPath(from, base), joinName(name, base)]
      const kind = source.kind(path, links)
      if (kind === 'file') return [own]
      return kind === 'directory' && depth < recurselimit ? below(path, own, depth + 1) : []
    })
  return top === undefined || recurselimit < 1 ? [] : below(top, '', 1)
}

class Walk {
  readonly #tree: Tree
  readonly #host: HostReader
  readonly #ignores: (name: string) => boolean
  readonly #hasAttributes: boolean

  constructor(tree: Tree, host: HostReader) {
    const { desired, goal } = tree
    this.#tree = tree
    this.#host = host
    this.#ignores = globMatcher(desired.ignore)
    this.#hasAttributes = Boolean(goal.owner ?? goal.group ?? goal.mode)
  }

  *below(directory: Directory): Generator<Entry> {
    if (directory.depth >= (this.#tree.desired.recurselimit ?? Number.POSITIVE_INFINITY)) return
    const copied = new Set(directory.source === undefined ? [] : source.list(directory.source))
    const found = directory.isThere ? this.#host.list(this.#path(directory.name)) : []
    for (const base of new Set([...copied, ...found])) {
      const name = joinName(directory.name, base)
      if (this.#ignores(base) || this.#isDeclared(name)) continue
      const path = this.#path(name)
      const child = { name, path, stat: directory.isThere ? this.#host.stat(path) : undefined }
      if (copied.has(base)) yield* this.#copied(child, directory, base)
      else if (child.stat !== undefined) yield* this.#local(child, child.stat, directory)
    }
  }

  *#copied(child: Child, directory: Directory, base: string): Generator<Entry> {
    const { path, stat } = child
    const { goal, desired } = this.#tree
    const from = joinPath(directory.source ?? '/', base)
    const kind = source.kind(from, desired.links ?? 'manage')
    if (kind === 'file') {
      const adopted = this.#tree.adopted?.get(path)
      const wanted = withAdopted(source.read(from), path, { adopted, format: desired.format })
      const found =
        'blocked' in wanted
          ? { mistake: wanted }
          : { content: contentChange(wanted, path, stat, this.#host) }
      yield { ...child, goal: { ...goal, ensure: 'file' }, ...found }
    } else if (kind === 'link') {
      const target = stat?.kind === 'link' ? this.#host.readLink(path) : undefined
      yield { ...child, goal: { ...goal, ensure: 'link', target: source.readLink(from) }, target }
    } else if (kind === 'directory') {
      yield { ...child, goal: { ...goal, ensure: 'directory' } }
      const isThere = stat?.kind === 'directory'
      // What is kept in the directory's place holds nothing.
      if (stat !== undefined && !isThere && !goal.replace) return
      const way = wayTo(from, directory.way)
      yield* this.below({ ...inside(child, directory), isThere, source: from, way })
    } else {
      throw new HostError(kind === undefined ? 'ENOENT' : 'EINVAL', from, whyNotCopied(kind))
    }
  }

  /** What is there, and not in the source. */
  *#local(child: Child, stat: FileStat, directory: Directory): Generator<Entry> {
    const { goal, desired, declared } = this.#tree
    const isStranger = desired.purge === true && !this.#both(child.name, declared.isBelow)
    if (isStranger) {
      const stays = this.#whyItStays(child, stat)
      yield { ...child, goal: { ensure: 'absent', force: goal.force, replace: true }, stays }
      if (stays === undefined) return
    } else if (this.#hasAttributes) {
      yield { ...child, goal }
    }
    if (stat.kind === 'directory' && (this.#hasAttributes || desired.purge === true)) {
      yield* this.below({ ...inside(child, directory), isThere: true, way: [] })
    }
  }

  #whyItStays({ path }: Child, { kind }: FileStat): string | undefined {
    if (this.#tree.isPartial)
      return `${path} stays: nothing is purged where only some of the host's classes are applied`
    if (kind === 'file' || kind === 'link') return undefined
    if (!this.#tree.goal.force) return `${path} stays: a ${kind} is purged only with force`
    return kind === 'directory' && this.#holdsIgnored(path)
      ? `${path} stays: it holds something that is ignored`
      : undefined
  }

  #holdsIgnored(directory: string): boolean {
    if (this.#tree.desired.ignore === undefined) return false
    return this.#host.list(directory).some((base) => {
      const path = joinPath(directory, base)
      const isDirectory = (): boolean => this.#host.stat(path)?.kind === 'directory'
      return this.#ignores(base) || (isDirectory() && this.#holdsIgnored(path))
    })
  }

  #path(name: string): string {
    return joinPath(this.#tree.path, name)
  }

  #isDeclared(name: string): boolean {
    return this.#both(name, this.#tree.declared.has)
  }

  /** Others may name the path as the title does, or as the title's link leads to it. */
  #both(name: string, holds: (path: string) => boolean): boolean {
    return holds(this.#path(name)) || holds(joinPath(this.#tree.title, name))
  }
}

function inside({ name }: Child, { depth }: Directory): Pick<Directory, 'name' | 'depth'> {
  return { name, depth: depth + 1 }
}

function joinName(parent: string, base: string): string {
  return parent === '' ? base : `${parent}/${base}`
}

function wayTo(from: string, way: readonly string[]): readonly string[] {
  const real = source.realPath(from)
  if (way.includes(real)) throw new HostError('ELOOP', from, 'leads back to a directory above it')
  return [...way, real]
}

function whyNotCopied(kind: string | undefined): string {
  return kind === undefined ? 'is a link to nothing' : `is a ${kind}, which can't be copied`
}
