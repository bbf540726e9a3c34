import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { type Paint, renderDiagnostic } from '../diagnostics/render.ts'
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

/** A line, or several, on the standard output. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** On the standard error: as blocks for a person at a terminal, else each on one line; with `json`, as lines of JSON on the standard output. */
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
