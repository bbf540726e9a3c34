import { readdirSync } from 'node:fs'
import { join, posix } from 'node:path'
import type { Catalog, CatalogResource } from '../../engine/compile/catalog.ts'
import type { Library } from '../../engine/load/library.ts'
import { ensureOf, type FileDesired } from '../../engine/resources/file/desired.ts'
import type { Row } from './row.ts'

/** What of ours answers a row. */
export interface Counterpart {
  /** Absent for a class. */
  readonly resource?: CatalogResource
  /** Its attributes, in the words of the rows' type. */
  readonly attributes: Readonly<Record<string, unknown>>
}

/** Types that keep one file of their own, root's and readable by all, which no attribute says. */
const ownFileTypes: ReadonlySet<string> = new Set(['cron', 'sysctl'])

/** The resources of a catalog of ours, found by the rows of a real one. */
export class Counterparts {
  readonly #catalog: Catalog
  readonly #library: Library
  readonly #byRef = new Map<string, CatalogResource>()
  readonly #byPath = new Map<string, Counterpart>()
  readonly #classes: ReadonlySet<string>

  constructor(catalog: Catalog, library: Library) {
    this.#catalog = catalog
    this.#library = library
    this.#classes = classesOf(catalog, library)
    for (const resource of catalog.resources) this.#byRef.set(resource.ref, resource)
    // What a resource declares of a path outranks what comes with a tree or another type.
    const files = catalog.resources.filter(({ type }) => type === 'file')
    const others = catalog.resources.filter(({ type }) => type !== 'file')
    for (const resource of others) this.#addPathsOf(resource)
    for (const file of files) this.#addTreeOf(file)
    for (const file of files) this.#byPath.set(pathOf(file.title), ofFile(file))
  }

  /** undefined where nothing of ours answers the row. */
  find(row: Row): Counterpart | undefined {
    switch (row.type) {
      case 'class':
        return this.#classes.has(this.#library.find(row.title)?.name ?? row.title)
          ? { attributes: {} }
          : undefined
      case 'file':
        return this.#byPath.get(row.title)
      case 'service':
        return this.#resource('service', row.title) ?? this.#resource('service', unitOf(row.title))
      case 'exec':
        return row.title.includes('://')
          ? this.#download(row.title)
          : this.#resource('exec', row.title)
      default:
        return this.#resource(row.type, row.title)
    }
  }

  /** Whether there is a resource whose reference matches. */
  has(matches: (ref: string) => boolean): boolean {
    return this.#catalog.resources.some(({ ref }) => matches(ref))
  }

  /** The services that a change of a resource refreshes, by their names without the suffix. */
  servicesRefreshedBy(resource: CatalogResource): readonly string[] {
    return this.#catalog.edges.flatMap(({ from, to, refresh }) => {
      const target = this.#catalog.resources[to]
      return from === resource.index && refresh && target?.type === 'service'
        ? [target.title.replace(/\.service$/, '')]
        : []
    })
  }

  #resource(type: string, title: string): Counterpart | undefined {
    const resource = this.#byRef.get(`${type}[${title}]`)
    return resource && { resource, attributes: { ...resource.desired } }
  }

  /** Whatever fetches this address. */
  #download(url: string): Counterpart | undefined {
    const resource = this.#catalog.resources.find(({ title, desired }) =>
      JSON.stringify([title, desired]).includes(JSON.stringify(url)),
    )
    if (!resource) return undefined
    const ensured = (resource.footprint.ensures ?? []).map((thing) => thing.replace(/^path:/, ''))
    return { resource, attributes: { creates: ensured, ...resource.desired } }
  }

  #addPathsOf(resource: CatalogResource): void {
    const { footprint, type } = resource
    const ownFile = ownFileTypes.has(type) ? { owner: 'root', group: 'root', mode: '0644' } : {}
    for (const [things, ensure] of [
      [footprint.removes ?? [], 'absent'],
      [footprint.ensures ?? [], 'present'],
    ] as const) {
      for (const thing of things) {
        if (!thing.startsWith('path:')) continue
        const attributes = { ...ownFile, ...resource.desired, ensure }
        this.#byPath.set(thing.slice('path:'.length), { resource, attributes })
      }
    }
  }

  /** What lies below a directory whose tree is copied. */
  #addTreeOf(resource: CatalogResource): void {
    const { source, recurse, owner, group, mode } = resource.desired as FileDesired
    if (recurse !== true || source === undefined) return
    for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
      const inTree = join(entry.parentPath, entry.name).slice(source.length)
      const ensure = entry.isDirectory() ? 'directory' : 'file'
      const attributes = { ensure, owner, group, mode }
      this.#byPath.set(pathOf(resource.title) + inTree, { resource, attributes })
    }
  }
}

function ofFile(resource: CatalogResource): Counterpart {
  const desired = resource.desired as FileDesired
  return { resource, attributes: { ...desired, ensure: ensureOf(desired) } }
}

function pathOf(title: string): string {
  return posix.normalize(title).replace(/(?<=.)\/$/, '')
}

function unitOf(name: string): string {
  return `${name}.service`
}

/**
 * The classes that a catalog was made of. One without resources leaves no trace in it, and counts
 * where a class that is there includes it.
 */
function classesOf(catalog: Catalog, library: Library): ReadonlySet<string> {
  const holding = new Set(catalog.resources.flatMap(({ containers }) => containers))
  const reached = new Set<string>()
  const visit = (name: string) => {
    const manifest = library.find(name)
    if (!manifest || reached.has(manifest.name)) return
    reached.add(manifest.name)
    for (const include of manifest.include) visit(include.class)
  }
  for (const name of catalog.classes) visit(name)
  // What only a define includes.
  for (const container of holding) {
    const name = /^class\[(.*)\]$/.exec(container)?.[1]
    if (name !== undefined) visit(name)
  }
  return new Set(
    [...reached].filter(
      (name) => holding.has(`class[${name}]`) || library.find(name)?.resources.length === 0,
    ),
  )
}
