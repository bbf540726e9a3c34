/** A template that can't be read, parsed or rendered. Lines and columns count from 1. */
export class TemplateError extends Error {
  readonly line: number
  readonly column: number
  /** The name that is not known, where that is the fault. */
  readonly subject: string | undefined
  constructor(message: string, line: number, column: number, subject?: string) {
    super(message)
    this.name = 'TemplateError'
    this.line = line
    this.column = column
    this.subject = subject
  }
}
