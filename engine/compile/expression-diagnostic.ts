import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { didYouMean } from '../diagnostics/suggest.ts'
import type { Sources } from '../load/sources.ts'
import type { Path } from '../load/yaml.ts'
import type { ExprError, ExprScope } from './expr.ts'

/**
 * An expression that is wrong, as a diagnostic at its own characters. `offset`
 * is where it begins in the text at `path`.
 */
export function expressionDiagnostic(
  error: ExprError,
  at: {
    readonly sources: Sources
    readonly file: string
    readonly path: Path
    readonly offset: number
    readonly names: ExprScope
    readonly expression: string
  },
): Diagnostic {
  const codes = {
    syntax: 'expression-syntax',
    type: 'expression-type',
    'unknown-name': 'unknown-name',
    failed: 'expression-failed',
    unset: 'unset-value',
    limit: 'limit',
  } as const
  const start = Math.max(0, Math.min(error.start, at.expression.length - 1))
  const length = Math.max(1, Math.min(error.end, at.expression.length) - start)
  const hints: Partial<Record<ExprError['kind'], string | undefined>> = {
    'unknown-name':
      error.subject === undefined ? undefined : didYouMean(error.subject, at.names.names()),
    unset: `give it a value, or ask is_set(${asWritten(error.subject, at.expression)}) first`,
    syntax: /[^=!<>]=[^=]/.test(at.expression) ? 'equality is written ==' : undefined,
  }
  const help = hints[error.kind]
  return {
    severity: 'error',
    code: codes[error.kind],
    message: `in the expression "${at.expression}": ${error.message}`,
    place: at.sources.within(at.file, at.path, at.offset + start, length),
    ...(help ? { help } : {}),
  }
}

/** A name with the alias before it, where the expression has one. */
function asWritten(name: string | undefined, expression: string): string {
  if (name === undefined) return '…'
  return new RegExp(`\\b(?:[a-z_]\\w*\\.)?${RegExp.escape(name)}\\b`).exec(expression)?.[0] ?? name
}
