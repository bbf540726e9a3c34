import type { RunFlags } from './locked.ts'
import type { CommonFlags } from './options.ts'

export interface ApplyFlags extends CommonFlags, RunFlags {
  readonly json?: boolean
  readonly dryRun?: boolean
  readonly detailedExitcodes?: boolean
  readonly tags?: readonly string[]
  readonly only?: readonly string[]
  readonly restart?: boolean
  readonly abandon?: boolean
  readonly diff: boolean
}

export function exitStatus(
  { changed, failed }: { readonly changed: boolean; readonly failed: boolean },
  flags: Pick<ApplyFlags, 'detailedExitcodes'>,
): number {
  return (failed ? 4 : 0) + (flags.detailedExitcodes && changed ? 2 : 0)
}
