import { hash } from 'node:crypto'
import { posix } from 'node:path'
import type { CatalogResource } from '../compile/catalog.ts'
import type { HostReader } from '../host/host.ts'
import { largestRead } from '../host/read.ts'
import { owningPackages } from '../resources/dpkg-files.ts'
import { ensureOf, type FileDesired } from '../resources/file/desired.ts'
import { source } from '../resources/file/source.ts'
import { followLinks } from '../resources/links.ts'
import { joinPath, normalPath, parentPath } from '../resources/path.ts'
import { isGlob, matchesPath } from '../resources/path-glob.ts'
import { NO_BASE } from './file-records.ts'
import type { Managed } from './managed.ts'
import type { Orphan, OrphanInput } from './orphan.ts'

type Directory = CatalogResource & { readonly desired: FileDesired }

/** Paths that no resource declares any more. */
export class DroppedPaths {
  readonly #input: OrphanInput
  /** What resources declare, by every name that it has. */
  readonly #declared = new Set<string>()
  /** The same with the links above them followed; made when it is first asked for. */
  #declaredPlaces: ReadonlySet<string> | undefined
  /** By directory, where it lies with every link followed. */
  readonly #places = new Map<string, string>()
  /** What is to be no directory: all below goes with it. */
  readonly #withoutBelow = new Set<string>()
  readonly #globs: string[] = []
  /** Directories that recurse. */
  readonly #trees: Directory[] = []

  constructor(input: OrphanInput) {
    this.#input = input
    for (const resource of input.catalog.resources) {
      const { type, footprint } = resource
      for (const thing of [...(footprint.ensures ?? []), ...(footprint.removes ?? [])])
        if (thing.startsWith('path:')) this.#declared.add(thing.slice('path:'.length))
      for (const thing of footprint.manages ?? [])
        if (thing.startsWith('path:')) this.#declared.add(thing.slice('path:'.length))
      for (const { path } of footprint.edits ?? []) this.#declared.add(path)
      if (type === 'file') this.#declareFile(resource as Directory)
      else this.#globs.push(...(footprint.writes ?? []))
    }
  }

  /** What a resource that was dropped left. */
  of({ ref, paths, recurses }: Managed): Orphan[] {
    const found = paths.flatMap(({ path, kind, target }) => this.#orphan(ref, path, kind, target))
    const [top] = paths
    if (!recurses || !top || found.length === 0) return found
    return [...found, ...this.#below(ref, top.path)]
  }

  /** What the sources of directories that recurse do not hold any more. */
  belowDeclared(): Orphan[] {
    return this.#trees.flatMap(({ ref, title, desired }) => {
      // A directory that purges sees to it itself.
      if (desired.source === undefined || desired.purge === true) return []
      const top = this.#where(normalPath(title), desired)
      const from = desired.source
      return this.#below(ref, top).filter(
        ({ path = top }) =>
          source.kind(joinPath(from, path.slice(top.length + 1)), 'manage') === undefined,
      )
    })
  }

  /** With what packages own, and directories that hold something else, left where they are. */
  settled(orphans: readonly Orphan[]): Orphan[] {
    const going = orphans.flatMap(({ path, removal }) =>
      removal && path !== undefined ? path : [],
    )
    const owners = owningPackages(going, this.#input.host)
    const kept = orphans.map((orphan) => {
      const owner = orphan.path === undefined ? undefined : owners.get(orphan.path)
      return owner === undefined ? orphan : staying(orphan, `it belongs to the package ${owner}`)
    })
    const removed = new Set(kept.flatMap(({ path, removal }) => (removal ? (path ?? []) : [])))
    // The deepest first: one that stays keeps all above it.
    return kept
      .toSorted(({ path: a = '' }, { path: b = '' }) => (a < b ? 1 : -1))
      .map((orphan) => {
        const { path, removal } = orphan
        const { host } = this.#input
        if (!removal || path === undefined || host.stat(path)?.kind !== 'directory') return orphan
        const other = host.list(path).find((name) => !removed.has(joinPath(path, name)))
        if (other === undefined) return orphan
        removed.delete(path)
        return staying(orphan, `it holds ${joinPath(path, other)}`)
      })
      .reverse()
  }

  #declareFile(resource: Directory): void {
    const { title, desired, footprint } = resource
    const path = normalPath(title)
    const where = this.#where(path, desired)
    this.#declared.add(where)
    const ensure = ensureOf(desired)
    if (ensure === 'absent' || ensure === 'file' || ensure === 'link') this.#withoutBelow.add(path)
    if (desired.recurse !== true) return
    if (ensure === 'directory') this.#trees.push(resource)
    this.#globs.push(...(footprint.writes ?? []), joinPath(where, '**'))
  }

  #where(path: string, { links }: FileDesired): string {
    const { host } = this.#input
    if (links !== 'follow' || host.stat(path)?.kind !== 'link') return path
    const followed = followLinks(path, host)
    return 'path' in followed ? followed.path : path
  }

  /** What a directory brought along, as far as it is on record. */
  #below(ref: string, top: string): Orphan[] {
    const { store, host } = this.#input
    const paths = new Set([...store.files.pathsOf(ref), ...store.bucket.madeBy(ref)])
    return [...paths].flatMap((path) => {
      if (!path.startsWith(`${top}/`) || this.#isDeclared(path)) return []
      const stat = host.stat(path)
      const target = stat?.kind === 'link' ? host.readLink(path) : undefined
      return stat ? this.#judged(ref, path, { kind: stat.kind, target }) : []
    })
  }

  #orphan(ref: string, path: string, kind: string, target: string | undefined): Orphan[] {
    const names = [path, this.#placeOf(path)]
    if (this.#isDeclared(path)) return []
    if (this.#globs.some((glob) => names.some((name) => isWithin(name, glob)))) return []
    return this.#judged(ref, path, { kind, target })
  }

  /** Under this or another name, or as a part of what is to go. */
  #isDeclared(path: string): boolean {
    if (this.#declared.has(path)) return true
    for (let above = parentPath(path); above !== '/'; above = parentPath(above))
      if (this.#withoutBelow.has(above)) return true
    this.#declaredPlaces ??= new Set([...this.#declared].map((each) => this.#placeOf(each)))
    return this.#declaredPlaces.has(this.#placeOf(path))
  }

  /** Where it lies with the links above it followed: somebody may have moved a directory, and left a link. */
  #placeOf(path: string): string {
    const directory = parentPath(path)
    let place = this.#places.get(directory)
    if (place === undefined) {
      const followed = followLinks(directory, this.#input.host)
      place = 'path' in followed ? followed.path : directory
      this.#places.set(directory, place)
    }
    return joinPath(place, posix.basename(path))
  }

  #judged(
    ref: string,
    path: string,
    was: { readonly kind: string; readonly target: string | undefined },
  ): Orphan[] {
    const { host, store } = this.#input
    const stat = host.stat(path)
    if (stat === undefined) return []
    const isMade = store.bucket.wasMade(path)
    // A folder that others made is not what steward left.
    if (was.kind === 'directory' && !isMade) return []
    const orphan = { ref, path }
    const edit = stat.kind === was.kind ? this.#edit(path, was, host) : `it is a ${stat.kind} now`
    if (edit !== undefined) return [{ ...orphan, what: 'dropped, edited', stays: edit }]
    const what = 'dropped, unedited'
    if (!isMade) return [{ ...orphan, what, stays: 'it was here before steward' }]
    // What is on no record can't be told from an edit, and holds nothing.
    const local_edits = store.files.find(path) ? 'keep' : 'overwrite'
    const desired = { ensure: 'absent', local_edits, onlyEmpty: true }
    return [{ ...orphan, what, removal: { kind: 'files', type: 'file', title: path, desired } }]
  }

  /** What somebody did to it since steward left it. */
  #edit(
    path: string,
    { kind, target }: { readonly kind: string; readonly target: string | undefined },
    host: HostReader,
  ): string | undefined {
    const { files } = this.#input.store
    if (kind === 'link')
      return host.readLink(path) === target ? undefined : 'it leads elsewhere now'
    if (kind !== 'file') return undefined
    const row = files.find(path)
    const stat = host.stat(path)
    if (!row || row.base === NO_BASE)
      return stat?.size === 0 ? undefined : 'steward did not write what it holds'
    if (files.adopted().has(path)) return 'what was edited here was adopted'
    if (stat !== undefined && stat.size > largestRead) return 'it is too large to be compared'
    if (hash('sha256', host.read(path)) !== row.base) return 'it was edited here'
    const isGiven = stat?.mode === row.mode && stat.uid === row.uid && stat.gid === row.gid
    return isGiven ? undefined : 'it was given another mode or owner here'
  }
}

function staying(orphan: Orphan, stays: string): Orphan {
  const { removal: _removal, ...rest } = orphan
  return { ...rest, stays }
}

function isWithin(path: string, glob: string): boolean {
  return isGlob(glob) ? matchesPath(path, glob) : path === glob
}
