const unitsMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

/**
 * Milliseconds: a number is seconds, text is a number with its unit such as `90s`,
 * `5m`, `1.5h`. Undefined where it is neither.
 */
export function parseDurationMs(value: number | string): number | undefined {
  if (typeof value === 'number') return value * 1000
  const [, amount, unit] = /^(\d+(?:\.\d+)?) ?(ms|s|m|h|d|w)$/.exec(value) ?? []
  if (amount === undefined || unit === undefined) return undefined
  return Number(amount) * unitsMs[unit as keyof typeof unitsMs]
}
