import type { LocalEdits } from '../type.ts'
import type { Format } from './settings.ts'

/** A text that is made whenever it is asked for: the bodies of ten thousand files need not be held. */
export interface LateText {
  toString(): string
}

/** What a manifest may say of a file. An attribute that is absent is left as it is. */
export interface FileDesired {
  readonly ensure?: Ensure
  /** Bytes that are not UTF-8 are lone surrogates, as in the names of a host. */
  readonly content?: string | LateText
  /** Rendered into `content` and gone by the time of a probe. */
  readonly template?: string
  /** Absolute by the time of a probe, and on the side of the manifests. */
  readonly source?: string
  readonly target?: string
  readonly owner?: string | number
  readonly group?: string | number
  readonly mode?: string
  readonly recurse?: boolean
  readonly recurselimit?: number
  readonly purge?: boolean
  readonly ignore?: string | readonly string[]
  readonly force?: boolean
  readonly links?: 'manage' | 'follow'
  readonly replace?: boolean
  readonly local_edits?: LocalEdits
  readonly format?: Format
  readonly validate?: readonly string[]
}

/** What no manifest declares any more and is to go. */
interface Orphaned extends FileDesired {
  readonly onlyEmpty: true
}

/** Whether a directory is to go only while nothing is in it. */
export function isOrphaned(desired: FileDesired): desired is Orphaned {
  return 'onlyEmpty' in desired
}

export type Ensure = 'file' | 'directory' | 'link' | 'absent' | 'present'

/**
 * What the path is to be, also where only `target` or a content says so; undefined where
 * what is there is managed and nothing made.
 */
export function ensureOf(desired: FileDesired): Ensure | undefined {
  if (desired.ensure !== undefined) return desired.ensure
  if (desired.target !== undefined) return 'link'
  const hasBody =
    desired.content !== undefined || desired.template !== undefined || desired.source !== undefined
  return hasBody ? 'file' : undefined
}

/**
 * Whether a link at the path is passed through. What is removed, or is to be a link, is always the path itself.
 */
export function followsLink(desired: FileDesired): boolean {
  const ensure = ensureOf(desired)
  return desired.links === 'follow' && ensure !== 'absent' && ensure !== 'link'
}
