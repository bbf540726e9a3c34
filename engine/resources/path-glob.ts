/** Globs over whole paths: what a service reads, and what a resource may write below. */

/** Whether a path is meant as a pattern. */
export function isGlob(path: string): boolean {
  return /[*?[{]/.test(path)
}

/** What every path begins with that a glob matches. */
export function staticPrefix(glob: string): string {
  return glob.slice(0, glob.search(/[*?[{]/))
}

const patterns = new Map<string, RegExp>()

/**
 * Whether a path matches a glob: `*` and `?` stay within a name, `**` as a whole name stands for any number of
 * them, `[a-z]` and `{a,b}` as in a shell. Hidden names count as any other: what a program reads, it reads.
 */
export function matchesPath(path: string, glob: string): boolean {
  let pattern = patterns.get(glob)
  if (!pattern) {
    pattern = new RegExp(`^${patternOf(glob)}$`, 's')
    patterns.set(glob, pattern)
  }
  return pattern.test(path)
}

function patternOf(glob: string): string {
  // Braces that do not match are characters like any other.
  const isClosed = glob.split('{').length === glob.split('}').length
  let depth = 0
  return glob.replace(
    /\/\*\*(\/|$)|\*+|\?|\[(!?)(\]?[^\]/]*)\]|[{},]|./gs,
    (text, after: string | undefined, not: string | undefined, set: string | undefined) => {
      if (after !== undefined) return after === '' ? '(?:/[^/]+)+' : '(?:/[^/]+)*/'
      if (text.startsWith('*')) return '[^/]*'
      if (text === '?') return '[^/]'
      if (set !== undefined) return `[${not ? '^/' : ''}${set.replace(/[\\\]^[]/g, '\\$&')}]`
      if (isClosed && text === '{') {
        depth++
        return '(?:'
      }
      if (depth > 0 && text === ',') return '|'
      if (depth > 0 && text === '}') {
        depth--
        return ')'
      }
      return RegExp.escape(text)
    },
  )
}
