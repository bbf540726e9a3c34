/** An edge of a catalog, by the references of its ends. */
export interface HostEdge {
  readonly from: string
  readonly to: string
}

/** What came of applying a mutant on a host. */
export interface HostTrial {
  /** What went wrong; empty where nothing did. */
  readonly harms: readonly string[]
  /** Whether `prove` finds something in the mutant. */
  readonly isFound: boolean
}
