import { dirname } from 'node:path/posix'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { didYouMean } from '../diagnostics/suggest.ts'
import { pairs, topologicalOrder } from '../graph.ts'
import type { Sources } from '../load/sources.ts'
import type { RefreshKind, ResourceType, Thing } from '../resources/type.ts'
import { append } from './append.ts'
import type { CatalogResource, Edge } from './catalog.ts'
import { strongCircles, withoutCircles } from './circles.ts'
import type { WrittenReference } from './metaparameters.ts'
import { PathIndex } from './path-index.ts'

/** What the edges are made from. */
export interface EdgeInput {
  readonly resources: readonly CatalogResource[]
  readonly references: readonly (readonly WrittenReference[])[]
  readonly containerReferences: readonly {
    readonly ref: string
    readonly references: readonly WrittenReference[]
  }[]
  /** Whether a `when` leaves out what a reference names, or what that is in. */
  readonly isLeftOut: (ref: string) => boolean
  /** Indexes of the resources whose references may name what is nowhere. */
  readonly optional: ReadonlySet<number>
  /** Classes and defines that are part of the catalog, also where they hold nothing. */
  readonly containers: ReadonlySet<string>
  readonly types: ReadonlyMap<string, ResourceType>
  readonly sources: Sources
}

export interface Ordered {
  readonly edges: readonly Edge[]
  readonly dropped: readonly Edge[]
  readonly order: readonly number[]
  readonly batches: Int32Array
}

/**
 * All edges between resources, and an order that keeps to them. Strong edges are those that
 * are written, and those from what ensures a thing to what needs it; weak ones, from what
 * provides it besides, give way in a circle.
 */
export function orderResources(input: EdgeInput): {
  readonly ordered: Ordered | undefined
  readonly diagnostics: readonly Diagnostic[]
} {
  const maker = new EdgeMaker(input)
  maker.written()
  maker.things()
  maker.listening()
  if (maker.diagnostics.length > 0) return { ordered: undefined, diagnostics: maker.diagnostics }
  const { edges } = maker
  const size = input.resources.length
  const waits = (node: number) =>
    input.types.get(input.resources[node]?.type ?? '')?.applyTogether !== undefined
  const { order, groups } = topologicalOrder(size, pairs(edges), waits)
  // Most catalogs have no circle at all, and are ordered once.
  if (order.length === size)
    return { ordered: { edges, dropped: [], order, batches: groups }, diagnostics: [] }
  const strong = edges.filter((edge) => !edge.weak)
  const circles = strongCircles(input.resources, strong, input.sources)
  if (circles.length > 0) return { ordered: undefined, diagnostics: circles }
  const { kept, dropped } = withoutCircles(size, edges)
  const left = topologicalOrder(size, pairs(kept), waits)
  return {
    ordered: { edges: kept, dropped, order: left.order, batches: left.groups },
    diagnostics: [],
  }
}

const NONE: readonly never[] = []

/**
 * Folders that every Debian host has, so that no package need come first.
 * Source: the package base-files, systemd.
 */
const BASE_FOLDERS = new Set(
  [
    ['', 'boot', 'dev', 'etc', 'home', 'media', 'mnt', 'opt', 'proc', 'root', 'run', 'srv', 'sys'],
    ['tmp', 'usr', 'usr/bin', 'usr/lib', 'usr/local', 'usr/local/bin', 'usr/local/lib'],
    ['usr/local/sbin', 'usr/sbin', 'usr/share', 'usr/src', 'var', 'var/backups', 'var/cache'],
    ['var/lib', 'var/local', 'var/log', 'var/mail', 'var/spool', 'var/tmp', 'bin', 'lib', 'sbin'],
    ['etc/systemd/system', 'etc/apt/sources.list.d', 'etc/apt/preferences.d', 'etc/apt/keyrings'],
  ]
    .flat()
    .map((folder) => `/${folder}`),
)

class EdgeMaker {
  readonly edges: Edge[] = []
  readonly diagnostics: Diagnostic[] = []
  readonly #input: EdgeInput
  /** What references are looked up in; made when there is one. */
  #names:
    | { readonly byRef: Map<string, number>; readonly members: Map<string, number[]> }
    | undefined
  readonly #ensures = new Map<string, number>()
  readonly #removes = new Map<string, number>()
  /** By mount point. */
  readonly #covers = new Map<string, number>()
  readonly #unknown: number[] = []
  readonly #provides = new Map<string, number[]>()
  /** Pairs that have an edge without a refresh already. */
  readonly #seenStrong = new Set<number>()
  readonly #seenWeak = new Set<number>()

  constructor(input: EdgeInput) {
    this.#input = input
    for (const resource of input.resources) {
      const { index, footprint } = resource
      for (const thing of footprint.ensures ?? []) this.#ensures.set(thing, index)
      for (const thing of footprint.removes ?? []) this.#removes.set(thing, index)
      if (footprint.covers !== undefined) this.#covers.set(footprint.covers, index)
      if (footprint.bringsUnknown) this.#unknown.push(index)
      for (const thing of footprint.provides ?? []) append(this.#provides, thing, index)
    }
  }

  /** before, require, notify and subscribe; those of a define's use hold for all that it declares. */
  written(): void {
    for (const { index } of this.#input.resources) {
      for (const reference of this.#input.references[index] ?? []) this.#relate([index], reference)
    }
    for (const { ref, references } of this.#input.containerReferences) {
      for (const reference of references)
        this.#relate(this.#named().members.get(ref) ?? [], reference)
    }
  }

  /** From what ensures or provides a thing to what needs it, and to the thing's own resource. */
  things(): void {
    for (const { index, footprint } of this.#input.resources) {
      for (const thing of footprint.needs ?? []) {
        this.#need(index, thing)
        this.#refuseLeaf(index, thing)
      }
      for (const thing of footprint.after ?? []) this.#need(index, thing)
      for (const thing of footprint.before ?? []) this.#prepare(index, thing)
      for (const thing of footprint.ensures ?? []) {
        // That one package brings another is no reason to install them one after the other.
        if (thing.startsWith('package:')) continue
        // A package that is not known may have configuration of its own
        // there, which is to be replaced and not met.
        if (thing.startsWith('path:/etc/'))
          for (const provider of this.#unknownBefore(index))
            this.#add(provider, index, 'provides', true, thing)
        for (const provider of this.#provides.get(thing) ?? [])
          this.#add(provider, index, 'provides', true, thing)
      }
      for (const thing of footprint.removes ?? [])
        if (thing.startsWith('path:')) this.#removed(index, thing)
    }
  }

  /** From what changes a path that a service reads to the service, which is then refreshed. */
  listening(): void {
    if (!this.#input.resources.some(({ footprint }) => footprint.reads !== undefined)) return
    const paths = this.#pathsOfResources()
    for (const { index, ref, footprint, file, path } of this.#input.resources) {
      for (const { on, by } of footprint.reads ?? []) {
        if (!on.startsWith('/')) {
          const found = this.#lookUp(on)
          if (found) for (const member of found) this.#add(member, index, 'reads', false, on, by)
          else if (!this.#input.optional.has(index) && !this.#input.isLeftOut(on)) {
            const key = by === 'reload' ? 'reload_on' : 'restart_on'
            this.#unresolved(on, `"${key}" of ${ref}`, file, [...path, key])
          }
          continue
        }
        for (const writer of paths.matching(on))
          if (writer !== index) this.#add(writer, index, 'reads', false, on, by)
      }
    }
  }

  #relate(members: readonly number[], reference: WrittenReference): void {
    for (const ref of reference.refs) this.#relateTo(ref, members, reference)
  }

  #relateTo(ref: string, members: readonly number[], reference: WrittenReference): void {
    const others = this.#lookUp(ref)
    if (!others) {
      if (reference.optional || this.#input.isLeftOut(ref)) return
      this.#unresolved(ref, `this "${reference.relation}"`, reference.file, reference.path)
      return
    }
    const forward = reference.relation === 'before' || reference.relation === 'notify'
    const refresh =
      reference.relation === 'notify' || reference.relation === 'subscribe'
        ? ('refresh' as const)
        : undefined
    for (const member of members) {
      for (const other of others) {
        if (member === other) continue
        this.#add(
          forward ? member : other,
          forward ? other : member,
          'written',
          false,
          undefined,
          refresh,
        )
      }
    }
  }

  /**
   * The resources that a reference means: one, or all of a class or define;
   * undefined where there is nothing of that name.
   */
  #lookUp(ref: string): readonly number[] | undefined {
    const { byRef, members } = this.#named()
    const one = byRef.get(ref)
    if (one !== undefined) return [one]
    return members.get(ref) ?? (this.#input.containers.has(ref) ? [] : undefined)
  }

  #named() {
    if (this.#names) return this.#names
    const byRef = new Map<string, number>()
    const members = new Map<string, number[]>()
    for (const { index, ref, id, containers } of this.#input.resources) {
      byRef.set(ref, index)
      if (id !== undefined) byRef.set(id, index)
      for (const container of containers) append(members, container, index)
    }
    this.#names = { byRef, members }
    return this.#names
  }

  #unresolved(ref: string, subject: string, file: string, path: CatalogResource['path']): void {
    const help = didYouMean(ref, [...this.#named().byRef.keys(), ...this.#input.containers])
    this.diagnostics.push({
      severity: 'error',
      code: 'unresolved-reference',
      message: `${subject} names ${ref}, which is nowhere in the catalog`,
      place: this.#input.sources.place(file, path),
      found: ref,
      help: help ?? 'declare it, or write optional: true where it may be missing',
    })
  }

  #need(index: number, thing: Thing): void {
    if (thing.startsWith('path:')) {
      this.#needPath(index, thing)
      if (this.#covers.size > 0) this.#needMount(index, thing.slice(5))
      return
    }
    const ensured = this.#ensures.get(thing)
    if (ensured !== undefined) this.#add(ensured, index, 'needs', false, thing)
    const providers =
      this.#provides.get(thing) ??
      this.#provides.get(unitTemplate(thing)) ??
      (ensured === undefined ? this.#unknownBefore(index) : [])
    for (const provider of providers) this.#add(provider, index, 'provides', true, thing)
    const removed = this.#removes.get(thing)
    if (removed !== undefined) this.#add(index, removed, 'needs', true, thing)
  }

  /** A path is there when its nearest ancestor is that a resource ensures or provides. */
  #needPath(index: number, thing: Thing): void {
    let key: string = thing
    for (let path = thing.slice(5); ; path = dirname(path), key = `path:${path}`) {
      const ensured = this.#ensures.get(key)
      if (ensured !== undefined && ensured !== index) {
        this.#add(ensured, index, 'needs', false, key)
        return
      }
      const providers = this.#provides.get(key)
      if (providers) {
        for (const provider of providers) this.#add(provider, index, 'provides', true, key)
        return
      }
      if (path === '/' || path === '.') break
    }
    if (BASE_FOLDERS.has(thing.slice(5))) return
    for (const provider of this.#unknownBefore(index))
      this.#add(provider, index, 'provides', true, thing)
  }

  /** What lies below a mount point comes after the mount; the mount point itself, which it needs, before. */
  #needMount(index: number, below: string): void {
    for (let path = below; path !== '/' && path !== '.'; path = dirname(path)) {
      const mount = this.#covers.get(path)
      if (mount !== undefined && mount !== index) this.#add(mount, index, 'needs', false, path)
    }
  }

  /** Before what ensures or removes a thing; before what provides it besides where that closes no circle. */
  #prepare(index: number, thing: Thing): void {
    for (const other of [this.#ensures.get(thing), this.#removes.get(thing)])
      if (other !== undefined) this.#add(index, other, 'prepares', false, thing)
    for (const provider of this.#provides.get(thing) ?? [])
      this.#add(index, provider, 'prepares', true, thing)
  }

  /** Nothing can lie below a file: the host need not be asked to know that these two can't both be. */
  #refuseLeaf(index: number, thing: Thing): void {
    const parent = this.#input.resources[this.#ensures.get(thing) ?? index]
    if (!parent?.footprint.isLeaf || parent.index === index) return
    const { ref, file, path, footprint } = this.#input.resources[index] as CatalogResource
    // A command needs the file of its program, and is not below it.
    if (!footprint.ensures?.some((own) => own.startsWith(`${thing}/`))) return
    this.diagnostics.push({
      severity: 'error',
      code: 'wrong-value',
      message: `${ref} lies below ${parent.ref}, which is no directory`,
      place: this.#input.sources.place(file, path),
      related: [
        { message: parent.ref, place: this.#input.sources.place(parent.file, parent.path) },
      ],
      help: 'choose another path for one of them',
    })
  }

  /** What is declared before a resource and may bring what nobody knows. */
  #unknownBefore(index: number): readonly number[] {
    if (this.#unknown.length === 0) return NONE
    // Packages go in one transaction, also where nobody knows what they bring.
    if (this.#input.resources[index]?.footprint.bringsUnknown) return NONE
    return this.#unknown.filter((other) => other < index)
  }

  /** What is removed goes after all that is done below it. */
  #removed(index: number, thing: Thing): void {
    const parent = dirname(thing.slice(5))
    for (let path = parent; ; path = dirname(path)) {
      const above = this.#removes.get(`path:${path}`)
      if (above !== undefined && above !== index) {
        this.#add(index, above, 'needs', false, thing)
        return
      }
      if (path === '/' || path === '.') break
    }
    for (const provider of this.#provides.get(thing) ?? [])
      this.#add(provider, index, 'provides', true, thing)
    this.#needPath(index, `path:${parent}`)
  }

  #add(
    from: number,
    to: number,
    kind: Edge['kind'],
    weak: boolean,
    thing?: string,
    refresh?: RefreshKind,
  ): void {
    if (from === to) return
    if (refresh === undefined) {
      const key = from * this.#input.resources.length + to
      // A weak edge may give way, and then a strong one of the same pair must still be there.
      if (this.#seenStrong.has(key) || (weak && this.#seenWeak.has(key))) return
      const seen = weak ? this.#seenWeak : this.#seenStrong
      seen.add(key)
    }
    const edge = { from, to, kind, weak }
    const because = thing === undefined ? edge : { ...edge, thing }
    this.edges.push(refresh === undefined ? because : { ...because, refresh })
  }

  #pathsOfResources(): PathIndex {
    const index = new PathIndex()
    for (const { index: writer, footprint } of this.#input.resources) {
      for (const thing of [...(footprint.ensures ?? []), ...(footprint.removes ?? [])]) {
        if (thing.startsWith('path:')) index.add(thing.slice(5), writer)
      }
      for (const glob of footprint.writes ?? []) index.add(glob, writer)
    }
    return index
  }
}

/** `unit:postgresql@.service` for `unit:postgresql@15-main.service`. */
export function unitTemplate(thing: string): string {
  return thing.replace(/^(unit:[^@]+@)[^.]+(\..+)$/, '$1$2')
}
