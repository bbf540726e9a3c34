import type { Adopted } from '../type.ts'
import type { Blocked } from './compare.ts'
import { listOf, shownConflicts } from './conflict-text.ts'
import { merge } from './merge.ts'
import type { Format } from './settings.ts'

/**
 * The version of the manifests that a content with adopted edits came of; undefined where that can't be told. The
 * edits are merged backwards: what they became is the common ground then.
 */
export function withoutAdopted(
  content: Uint8Array,
  adopted: readonly Adopted[],
): Uint8Array | undefined {
  let version = content
  for (const { base, edited } of adopted.toReversed()) {
    const result = merge(edited, base, version)
    if (!('merged' in result)) return undefined
    version = result.merged
  }
  return version
}

/**
 * A version of the manifests with the edits that were adopted of the file at a path; blocked where they contradict
 * each other.
 */
export function withAdopted(
  wanted: Buffer,
  path: string,
  {
    adopted = [],
    format,
  }: { readonly adopted?: readonly Adopted[] | undefined; readonly format?: Format | undefined },
): Buffer | Blocked {
  let whole = wanted
  for (const { base, edited } of adopted) {
    const result = merge(base, edited, whole, format)
    if ('merged' in result) whole = result.merged
    else {
      const why =
        'unmergeable' in result
          ? result.unmergeable
          : `both changed line ${listOf(result.conflicts)} of it`
      return {
        blocked: `the edit that was adopted of ${path} can't be merged into its new version: ${why}`,
        help: `steward local drop ${path} gives it up; edit the file then, and adopt that`,
        conflict: 'conflicts' in result ? shownConflicts(result.conflicts) : '',
      }
    }
  }
  return whole
}
