import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Path } from '../load/yaml.ts'
import type { Footprint, RefreshKind, Resource } from '../resources/type.ts'

/** A resource with all that the later stages need to know of it. */
export interface CatalogResource extends Resource {
  /** Its place in the catalog, which is the order of the manifests. */
  readonly index: number
  readonly id: string | undefined
  readonly tags: readonly string[]
  readonly noop: boolean
  /** Attributes whose values are never shown; `*` for all of them. */
  readonly sensitive: ReadonlySet<string>
  /** The classes and defines that hold it, the innermost first: `class[zulip::nginx]`. */
  readonly containers: readonly string[]
  /** Where it is declared; a second declaration of the same resource is not kept. */
  readonly file: string
  readonly path: Path
  readonly footprint: Footprint
  /** Why it is in the catalog, where no manifest declares it. */
  readonly why?: string
  /** For `explain`: how each attribute got its value. */
  readonly sources: ReadonlyMap<string, ValueSource>
}

/** Where the value of an attribute stands, and what it was made from. */
export interface ValueSource {
  readonly file: string
  readonly path: Path
  /** The text as written, where it holds expressions. */
  readonly text?: string
  /** The template that made it. */
  readonly template?: string
  /** The names that it reads. */
  readonly reads: readonly ValueRead[]
}

/** A name that was read, its value as JSON, and in words where the value came from. */
export interface ValueRead {
  readonly name: string
  readonly value: string
  readonly origin: string
  /** The text that it was made from, where that holds expressions, and what that reads in turn. */
  readonly text?: string
  readonly reads?: readonly ValueRead[]
}

/** The use of a define, for `explain`. */
export interface DefineUse {
  readonly ref: string
  readonly file: string
  readonly path: Path
  /** The classes and defines that hold it, the innermost first. */
  readonly containers: readonly string[]
  readonly parameters: readonly ValueRead[]
}

/** Why one resource comes before another. */
export type EdgeKind = 'written' | 'contains' | 'needs' | 'reads' | 'provides' | 'prepares'

export interface Edge {
  /** Indexes of resources. */
  readonly from: number
  readonly to: number
  readonly kind: EdgeKind
  /** A weak edge gives way where it would close a circle. */
  readonly weak: boolean
  /** What `to` does when `from` changes. */
  readonly refresh?: RefreshKind
  /** What both have to do with: a thing, or the path that is read. */
  readonly thing?: string
}

/** Resources in an order that can be followed, as compiled for one host. */
export interface Catalog {
  /** The classes that were asked for. */
  readonly classes: readonly string[]
  readonly resources: readonly CatalogResource[]
  readonly edges: readonly Edge[]
  /** Weak edges that gave way. */
  readonly dropped: readonly Edge[]
  /** Indexes of resources, in the order in which they are acted on. */
  readonly order: readonly number[]
  /**
   * For each resource, the number of the transaction that it may share with its
   * neighbours in `order`; -1 where it stands alone.
   */
  readonly batches: Int32Array
  /** Set where other classes of the host are left out: what these do not declare is no stranger for that. */
  readonly isPartial?: true
  /** Values that must never be shown, wherever they turn up. */
  readonly secrets: readonly string[]
  /** Those of them that are made in this run and that another would make anew, with their names; none when absent. */
  readonly generated?: ReadonlyMap<string, string>
  /** For `explain`: the uses of defines; absent where sources are not kept. */
  readonly uses?: readonly DefineUse[]
  /** What its classes do not hold yet, as they say themselves: for `validate`. */
  readonly notices: readonly Diagnostic[]
}
