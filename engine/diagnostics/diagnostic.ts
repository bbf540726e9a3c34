import type { DiagnosticCode } from './codes.ts'

export type Severity = 'error' | 'warning' | 'notice'

/** A spot in a text file. Lines and columns count from 1, columns in characters. */
export interface Place {
  /** As the user would name it: relative to where they stand when it lies below, else absolute. */
  readonly file: string
  readonly line: number
  readonly column: number
  /** How many characters the caret underlines; 1 when absent. */
  readonly length?: number
  /** The whole line, so that rendering needs no second read of the file. */
  readonly text?: string
}

/** One thing that a person should know, as a value: a stage returns all that it finds and prints none. */
export interface Diagnostic {
  readonly severity: Severity
  readonly code: DiagnosticCode
  /** One sentence without its full stop, naming the resource where there is one. */
  readonly message: string
  /** Absent where no file is at fault, such as for a lock that is held. */
  readonly place?: Place
  readonly expected?: string
  readonly found?: string
  /** The one next step, as a sentence or a command to copy. */
  readonly help?: string
  /** Further places that belong to it: the other of two values, each edge of a cycle. */
  readonly related?: readonly { readonly message: string; readonly place?: Place }[]
  /** For a failed command: what ran and how it ended. */
  readonly ran?: {
    readonly argv: readonly string[]
    readonly exit: string
    readonly output: string
  }
}

/**
 * Thrown where a stage can't return a value; the command line renders it.
 * Everything else that is thrown is a bug.
 */
export class Refusal extends Error {
  readonly diagnostics: readonly Diagnostic[]
  constructor(diagnostics: readonly Diagnostic[] | Diagnostic, options?: ErrorOptions) {
    const list = 'code' in diagnostics ? [diagnostics] : diagnostics
    super(list[0]?.message ?? 'refused', options)
    this.name = 'Refusal'
    this.diagnostics = list
  }
}
