/**
 * Whether a base name matches one of the globs. `*` also takes the dot of a hidden name, so that `*.swp` finds
 * `.x.swp`. Throws SyntaxError for a set whose range runs backwards.
 */
export function globMatcher(
  globs: string | readonly string[] | undefined,
): (name: string) => boolean {
  if (globs === undefined) return () => false
  const list = typeof globs === 'string' ? [globs] : globs
  const pattern = new RegExp(`^(?:${list.map(patternOf).join('|')})$`, 'su')
  return (name) => pattern.test(name)
}

/** A bracket right at the beginning of a set is a member of it: `[]a]`. Source: glob(7). */
const token = /\\(.)|\[(!?)(\]?[^\]]*)\]|(\*+)|./gs

function patternOf(glob: string): string {
  return glob.replaceAll(
    token,
    (text, escaped?: string, not?: string, set?: string, stars?: string) => {
      if (escaped !== undefined) return RegExp.escape(escaped)
      if (stars !== undefined) return '.*'
      if (set) return `[${not ? '^' : ''}${set.replaceAll(/[\\[\]^]/g, '\\$&')}]`
      return text === '?' ? '.' : RegExp.escape(text)
    },
  )
}
