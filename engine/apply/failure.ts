import { type Diagnostic, Refusal } from '../diagnostics/diagnostic.ts'
import { HostError } from '../host/error.ts'
import { ApplyError } from '../resources/type.ts'

export type FailureCode = 'apply-failed' | 'refresh-failed' | 'blocked'

/** Why a resource failed, for people, without the secrets that `redact` knows. */
export function failure(
  ref: string,
  error: unknown,
  { code, redact }: { readonly code: FailureCode; readonly redact: (text: string) => string },
): Diagnostic {
  const message = error instanceof Error ? error.message : String(error)
  const named = message.includes(ref) ? message : `${ref}: ${message}`
  if (error instanceof ApplyError) {
    const { help, found, ran } = error
    return {
      severity: 'error',
      code,
      message: redact(named).replace(/\.$/, ''),
      ...(ran
        ? { ran: { argv: ran.argv.map(redact), exit: ran.exit, output: redact(ran.output) } }
        : {}),
      ...(found === undefined ? {} : { found: redact(found) }),
      ...(help === undefined ? {} : { help: redact(help) }),
    }
  }
  // The record can't keep what is to be overwritten.
  if (error instanceof Refusal) {
    const [reason] = error.diagnostics
    return { ...reason, severity: 'error', code, message: redact(named) }
  }
  if (error instanceof HostError || (error as { syscall?: string }).syscall !== undefined) {
    const { help } = error as { help?: string }
    return { severity: 'error', code, message: redact(named), ...(help && { help }) }
  }
  return {
    severity: 'error',
    code: 'bug',
    message: redact(`${named}. This is a bug in the engine`),
    found: redact(error instanceof Error ? (error.stack ?? '') : ''),
    help: 'report it with what steward runs show prints for this run',
  }
}
