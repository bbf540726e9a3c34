import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Event } from '../events.ts'
import type { Plan } from '../plan.ts'
import type { PlannedStep } from '../procedure/plan.ts'

/** An event as a line of `--json`, without its newline. */
export function eventLine(event: Event): string {
  return jsonLine(event)
}

/** A plan as one event, `"type": "plan"`. */
export function planLine(plan: Plan): string {
  return jsonLine({ type: 'plan', ...plan })
}

/** What a dry run of a procedure knows of a step as one event, `"type": "planned_step"`. */
export function stepLine({ type: stepType, ...step }: PlannedStep): string {
  return jsonLine({ type: 'planned_step', stepType, ...step })
}

/** A diagnostic as an event, `"type": "diagnostic"`. */
export function diagnosticLine(diagnostic: Diagnostic): string {
  return jsonLine({ type: 'diagnostic', ...diagnostic })
}

/** A whole value as JSON over several lines, without its last newline. */
export function jsonText(value: unknown): string {
  return escapeControls(JSON.stringify(value, undefined, 2))
}

function jsonLine(value: object): string {
  return escapeControls(JSON.stringify(value))
}

/**
 * JSON leaves the second range of control characters as they are; escaped
 * they mean the same and steer no terminal.
 */
function escapeControls(json: string): string {
  return json.replace(
    /(?!\n)[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
