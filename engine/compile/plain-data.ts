import { isDeepStrictEqual } from 'node:util'

/** Whether two values are one by meaning: maps in any order of their keys. */
export function sameValue(a: unknown, b: unknown): boolean {
  return a === b || (typeof a === 'object' && isDeepStrictEqual(plainData(a), plainData(b)))
}

/** A value without maps of the expression language, which JSON and the schemas know as objects. */
export function plainData(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  if (Array.isArray(value)) return value.map(plainData)
  const entries = value instanceof Map ? [...value] : Object.entries(value)
  return Object.fromEntries(entries.map(([key, item]) => [String(key), plainData(item)]))
}

/** Adds every text below a value that is long enough to be recognized where it turns up. */
export function collectTexts(value: unknown, into: Set<string>): void {
  if (typeof value === 'string') {
    if (value.length > 3) into.add(value)
  } else if (typeof value === 'object' && value !== null) {
    const items = value instanceof Map ? [...value].flat() : Object.values(value)
    for (const item of items) collectTexts(item, into)
  }
}
