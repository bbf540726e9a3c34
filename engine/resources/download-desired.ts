import type { Accounts, FileStat } from '../host/host.ts'
import type { compareTree, TreeRecord } from './download-tree.ts'
import type { ArchiveForm } from './download-unpack.ts'

export interface DownloadDesired {
  readonly ensure?: 'present' | 'absent'
  readonly url?: string
  /** SHA-256 in hexadecimal digits. */
  readonly checksum?: string
  readonly archive?: ArchiveForm
  readonly strip?: number
  readonly members?: readonly string[]
  readonly owner?: string | number
  readonly group?: string | number
  readonly mode?: string
  readonly force?: boolean
  readonly creates?: string | readonly string[]
  /** Empty: none; absent, or `environment`: that of the environment. */
  readonly proxy?: string
  /** Seconds, or text with a unit; 600 s when absent. */
  readonly timeout?: number | string
  readonly help?: string
}

export interface DownloadCurrent {
  /** Whether all that is made of it is there. */
  readonly isUsed: boolean
  /** undefined where nothing is. */
  readonly stat: FileStat | undefined
  readonly accounts: Accounts
  /** Why nothing may be unpacked or written there, as the end of a sentence. */
  readonly untrusted: string | undefined
  /** SHA-256 of the file; undefined where it is none, or not asked for. */
  readonly digest: string | undefined
  /** A directory in which nothing is: what a run that was killed may leave. */
  readonly isEmpty: boolean
  /** What an unpacked directory was made as; undefined where this type did not make it. */
  readonly record: TreeRecord | undefined
  /** By path below the directory: what differs from its record. */
  readonly tree: ReturnType<typeof compareTree> | undefined
}
