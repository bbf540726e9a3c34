import type { Catalog } from '../compile/catalog.ts'
import type { HostReader } from '../host/host.ts'
import type { ResourceType } from '../resources/type.ts'
import type { Coverage } from './managed.ts'
import type { Store } from './store.ts'

/** What is asked for when orphans are to be removed: files alone, or packages and services with them. */
export type OrphanKind = 'files' | 'packages'

/** Something that was managed once, is there still, and is not declared any more. */
export interface Orphan {
  /** The resource that it was, or was a part of. */
  readonly ref: string
  /** Where it lies; absent where it is no path. */
  readonly path?: string
  readonly what: 'dropped, unedited' | 'dropped, edited' | 'dropped'
  /** Why it is never removed by steward. */
  readonly stays?: string
  /** What removes it, where that is asked for. */
  readonly removal?: Removal
}

export interface Removal {
  readonly kind: OrphanKind
  readonly type: string
  readonly title: string
  readonly desired: object
}

export interface OrphanInput {
  readonly catalog: Catalog
  readonly coverage: Coverage
  readonly store: Store
  readonly host: HostReader
  readonly types: ReadonlyMap<string, ResourceType>
}
