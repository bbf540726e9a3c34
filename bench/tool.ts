import type { FilesState, GraphState, MixedState } from './state.ts'

/** A desired state with a size. */
export type Workload =
  | { readonly kind: 'start'; readonly size: 1 }
  | { readonly kind: 'files'; readonly size: number; readonly state: FilesState }
  | { readonly kind: 'mixed'; readonly size: number; readonly state: MixedState }
  | { readonly kind: 'graph'; readonly size: number; readonly state: GraphState }

/**
 * `first apply`: nothing exists yet. `nothing to do`: all is as it must be. `drift`: 1 % of the files have one
 * changed line, which is put right. `dry run`: the same drift, shown and left. `graph`: the graph is read,
 * resolved and ordered. `version` and `help`: what the name says.
 */
export type Scenario =
  | 'version'
  | 'help'
  | 'first apply'
  | 'nothing to do'
  | 'drift'
  | 'dry run'
  | 'graph'

export const scenarios: Readonly<Record<Workload['kind'], readonly Scenario[]>> = {
  start: ['version', 'help'],
  files: ['first apply', 'nothing to do', 'drift', 'dry run'],
  mixed: ['nothing to do', 'dry run'],
  graph: ['graph'],
}

export interface Command {
  readonly argv: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
}

/** The folder of one workload: `target` is what the programs manage, each has a folder of its own beside it. */
export interface Folder {
  readonly path: string
  readonly target: string
}

/** A program that is timed. */
export interface Tool {
  readonly name: string
  /** Whether it can run on this machine. */
  readonly found: boolean
  /** The largest size of `files` and `graph` that it is given: beyond, one run takes minutes. */
  readonly upTo: number
  /** Writes the state in the program's own language. */
  write(workload: Workload, folder: Folder): void
  /** Undefined where it has no such scenario. */
  command(workload: Workload, scenario: Scenario, folder: Folder): Command | undefined
  /**
   * Once before all timed runs, with everything in place: a run after
   * which its own records are as in daily use.
   */
  settle?(workload: Workload, folder: Folder): Command | undefined
  /** Puts the program's own records as they are to be before a run; not timed. */
  reset?(workload: Workload, scenario: Scenario, folder: Folder): void
}
