import type { LocalEdits } from '../resources/type.ts'
import type { RunFlags } from './locked.ts'
import type { CommonFlags } from './options.ts'

export interface ApplyFlags extends CommonFlags, RunFlags {
  readonly json?: boolean
  readonly dryRun?: boolean
  readonly detailedExitcodes?: boolean
  readonly tags?: readonly string[]
  readonly only?: readonly string[]
  readonly localEdits?: LocalEdits
  readonly removeOrphans?: boolean
  /** With `removeOrphans`: packages and services too. */
  readonly packages?: boolean
  /** A file that the plan is written to, or read from. */
  readonly out?: string
  readonly plan?: string
  readonly restart?: boolean
  readonly abandon?: boolean
  readonly diff: boolean
}

/** A conflict is a failure too. */
export function exitStatus(
  how: { readonly changed: boolean; readonly failed: boolean; readonly conflicts?: boolean },
  { detailedExitcodes = false }: Pick<ApplyFlags, 'detailedExitcodes'>,
): number {
  const { changed, failed, conflicts = false } = how
  return (failed ? 4 : 0) + (detailedExitcodes ? (changed ? 2 : 0) + (conflicts ? 8 : 0) : 0)
}
