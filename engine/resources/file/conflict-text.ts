import type { Conflict } from './merge.ts'

/** The lines of the present text that conflicts are about: `3, 7 to 9`. */
export function listOf(conflicts: readonly Conflict[]): string {
  return conflicts
    .map(({ line, present }) =>
      present.length > 1 ? `${line} to ${line + present.length - 1}` : `${line}`,
    )
    .join(', ')
}

/** Both sides of each conflict, a line each. */
export function shownConflicts(conflicts: readonly Conflict[]): string {
  return conflicts
    .flatMap(({ line, present, wanted }) => [
      `line ${line}`,
      ...present.map((text) => `- ${text}`),
      ...wanted.map((text) => `+ ${text}`),
    ])
    .map((text) => Buffer.from(text, 'latin1').toString('utf8'))
    .join('\n')
}
