import { type Diagnostic, Refusal } from '../diagnostics/diagnostic.ts'
import { type Paint, renderDiagnostic } from '../diagnostics/render.ts'
import { HostError } from '../host/error.ts'
import { diagnosticLine } from '../ui/json.ts'
import { paintFor } from '../ui/paint.ts'

/** The colours that a stream is to have. */
export function paintOf(stream: NodeJS.WriteStream): Paint {
  return paintFor({
    isTerminal: stream.isTTY === true,
    noColor: process.env.NO_COLOR,
    forceColor: process.env.FORCE_COLOR,
  })
}

/** Columns of the terminal, or those that `COLUMNS` says; undefined where neither tells. */
export function outputColumns(): number | undefined {
  const named = Number(process.env.COLUMNS)
  return process.stdout.columns ?? (Number.isSafeInteger(named) && named > 0 ? named : undefined)
}

/** A line, or several, on the standard output. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** What was thrown, for people: a Refusal says itself what is wrong, as does the host; everything else is a bug. */
export function diagnosticsOf(error: unknown): readonly Diagnostic[] {
  if (error instanceof Refusal) return error.diagnostics
  if (error instanceof HostError) {
    const { message, help } = error
    const code = error.code === 'EACCES' || error.code === 'EPERM' ? 'no-permission' : 'blocked'
    return [{ severity: 'error', code, message, ...(help === undefined ? {} : { help }) }]
  }
  return [
    {
      severity: 'error',
      code: 'bug',
      message: `${error instanceof Error ? error.message : String(error)}. This is a bug in the engine`,
      found: error instanceof Error ? (error.stack ?? '') : '',
      help: 'report it with the command that you ran',
    },
  ]
}

/**
 * On the standard error: as blocks for a person at a terminal, else each on one line; with `json`,
 * as lines of JSON on the standard output.
 */
export function showDiagnostics(
  diagnostics: readonly Diagnostic[],
  options: { readonly json?: boolean | undefined } = {},
): void {
  if (options.json) {
    for (const diagnostic of diagnostics) print(diagnosticLine(diagnostic))
    return
  }
  const paint = paintOf(process.stderr)
  const oneLine = process.stderr.isTTY !== true
  for (const diagnostic of diagnostics)
    process.stderr.write(
      `${renderDiagnostic(diagnostic, { paint, oneLine })}\n${oneLine ? '' : '\n'}`,
    )
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length
  if (errors > 1) process.stderr.write(`${errors} errors\n`)
}

/** A remark beside the output, which stays clean for whoever reads it by a program. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`)
}
