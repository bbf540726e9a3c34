import { append } from '../compile/append.ts'
import type { CatalogResource } from '../compile/catalog.ts'
import { unitTemplate } from '../compile/edges.ts'
import { parentPath } from '../resources/path.ts'
import { isGlob, matchesPath, staticPrefix } from '../resources/path-glob.ts'

const NONE: readonly number[] = []

/** Who has to do with what, as indexes of resources by thing or path. */
export class Things {
  readonly ensures = new Map<string, number[]>()
  readonly provides = new Map<string, number[]>()
  readonly removes = new Map<string, number[]>()
  /** By path, those that keep a part of the file. */
  readonly edits = new Map<string, number[]>()
  /** By path, those that may write it and say no more. */
  readonly writes = new Map<string, number[]>()
  readonly globs: { readonly glob: string; readonly prefix: string; readonly writer: number }[] = []
  /** By mount point. */
  readonly covers = new Map<string, number>()

  constructor(resources: readonly CatalogResource[]) {
    for (const { index, footprint } of resources) {
      for (const thing of footprint.ensures ?? []) append(this.ensures, thing, index)
      for (const thing of footprint.provides ?? []) append(this.provides, thing, index)
      for (const thing of footprint.removes ?? []) append(this.removes, thing, index)
      if (footprint.covers !== undefined) this.covers.set(footprint.covers, index)
      const edited = new Set(footprint.edits?.map(({ path }) => path))
      for (const path of edited) append(this.edits, path, index)
      for (const path of footprint.writes ?? []) {
        if (isGlob(path)) this.globs.push({ glob: path, prefix: staticPrefix(path), writer: index })
        else if (!edited.has(path)) append(this.writes, path, index)
      }
    }
  }

  /**
   * Any of these brings a thing: what ensures or provides it. A path is there when its nearest ancestor is that
   * somebody brings. Empty where nothing in the catalog does, or where the resource that asks does so itself.
   */
  bringers(
    thing: string,
    asking: number,
  ): { readonly thing: string; readonly by: readonly number[] } {
    let key = thing
    for (;;) {
      const found = this.#bringersOf(key)
      if (found.length > 0) {
        // A file is not met by itself where it asks for its folder; a package that brings its own user is.
        const others = found.filter((index) => index !== asking)
        if (others.length === found.length) return { thing: key, by: others }
        if (this.provides.get(key)?.includes(asking)) return { thing: key, by: NONE }
        if (others.length > 0) return { thing: key, by: others }
      }
      if (!key.startsWith('path:/') || key === 'path:/') return { thing: key, by: NONE }
      key = `path:${parentPath(key.slice(5))}`
    }
  }

  #bringersOf(key: string): readonly number[] {
    const ensured = this.ensures.get(key)
    const provided =
      this.provides.get(key) ??
      (key.startsWith('unit:') ? this.provides.get(unitTemplate(key)) : undefined)
    if (!ensured) return provided ?? NONE
    return provided ? [...ensured, ...provided] : ensured
  }

  /** Those that may write a path because it lies below what they fill. */
  fillers(path: string): readonly number[] {
    return this.globs.flatMap(({ glob, prefix, writer }) =>
      path.startsWith(prefix) && matchesPath(path, glob) ? [writer] : [],
    )
  }
}
