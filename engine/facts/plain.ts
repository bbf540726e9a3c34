/** Why a value can't be a fact, and where in it. */
export interface Fault {
  readonly path: readonly (string | number)[]
  readonly expected: string
  readonly found: string
}

/** The first thing in a value that expressions can't carry: null, or a number that loses digits. */
export function faultOf(value: unknown, path: readonly (string | number)[]): Fault | undefined {
  if (typeof value === 'string' || typeof value === 'boolean') return undefined
  if (typeof value === 'number') {
    const isExact = Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value)
    const expected = 'an integer between -(2^53 - 1) and 2^53 - 1, or text'
    return isExact ? undefined : { path, expected, found: String(value) }
  }
  const expected = 'text, a number, true, false, a list or a map'
  if (typeof value !== 'object' || value === null) return { path, expected, found: String(value) }
  const steps = Array.isArray(value) ? [...value.entries()] : Object.entries(value)
  for (const [step, each] of steps) {
    const fault = faultOf(each, [...path, step])
    if (fault) return fault
  }
  return undefined
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
