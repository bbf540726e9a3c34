import { isGlob, matchesPath, staticPrefix } from '../resources/path-glob.ts'
import { append } from './append.ts'

/**
 * Paths and globs that resources write, to be asked which of them a glob
 * meets. Filled once, sorted when first asked.
 */
export class PathIndex {
  readonly #exact = new Map<string, number[]>()
  readonly #globs: { readonly glob: string; readonly prefix: string; readonly writer: number }[] =
    []
  #sorted: string[] | undefined

  add(path: string, writer: number): void {
    if (isGlob(path)) this.#globs.push({ glob: path, prefix: staticPrefix(path), writer })
    else append(this.#exact, path, writer)
  }

  matching(pattern: string): readonly number[] {
    const found = new Set<number>()
    if (!isGlob(pattern)) for (const writer of this.#exact.get(pattern) ?? []) found.add(writer)
    else {
      const prefix = staticPrefix(pattern)
      this.#sorted ??= [...this.#exact.keys()].sort()
      for (let i = lowerBound(this.#sorted, prefix); i < this.#sorted.length; i++) {
        const path = this.#sorted[i] as string
        if (!path.startsWith(prefix)) break
        if (matchesPath(path, pattern))
          for (const writer of this.#exact.get(path) ?? []) found.add(writer)
      }
    }
    const prefix = isGlob(pattern) ? staticPrefix(pattern) : pattern
    // Two globs meet where one may reach below the other's fixed part.
    for (const { glob, prefix: other, writer } of this.#globs) {
      if (
        isGlob(pattern)
          ? prefix.startsWith(other) || other.startsWith(prefix)
          : matchesPath(pattern, glob)
      )
        found.add(writer)
    }
    return [...found]
  }
}

function lowerBound(sorted: readonly string[], value: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as string) < value) low = middle + 1
    else high = middle
  }
  return low
}
