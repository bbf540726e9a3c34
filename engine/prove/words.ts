/** Absolute paths of at least two names that stand in a text, each once. */
export function pathsIn(text: string): ReadonlySet<string> {
  const found = new Set<string>()
  for (const [path] of text.matchAll(/(?<![\w.~$}/-])\/[\w.@%+,:~-]+(?:\/[\w.@%+,:~-]+)+/g)) {
    found.add(path)
    found.add(path.replace(/[.,:]+$/, ''))
  }
  return found
}

/** Where a command may begin, the words of the shell that stand before one, and what is set for it alone. */
const COMMAND =
  /(?:^|[;&|(`{\n])\s*(?:(?:if|then|else|elif|do|while|until|exec|time|!)\s+)*(?:[A-Za-z_]\w*=(?:"[^"]*"|'[^']*'|\S*)\s+)*([A-Za-z0-9][\w.+-]*)/g

/** Words of a shell script that stand where a command does. */
export function commandsIn(script: string): ReadonlySet<string> {
  const text = script.replace(/\\\n/g, ' ').replace(/^\s*#.*$/gm, '')
  return new Set([...text.matchAll(COMMAND)].map(([, word = '']) => word))
}

/** Accounts that a shell script gives files to, or acts as. */
export function accountsIn(script: string): ReadonlySet<`user:${string}` | `group:${string}`> {
  const found = new Set<`user:${string}` | `group:${string}`>()
  const name = '([a-z_][a-z0-9_-]*)'
  const owners = new RegExp(`\\bchown\\s+(?:-\\S+\\s+)*${name}?(?::${name})?(?=\\s)`, 'g')
  for (const [, user, group] of script.matchAll(owners)) {
    if (user !== undefined) found.add(`user:${user}`)
    if (group !== undefined) found.add(`group:${group}`)
  }
  const actors = new RegExp(`\\b(?:runuser|sudo|install)\\s(?:-\\S+\\s+)*?-[uo]\\s+${name}`, 'g')
  for (const [, user] of script.matchAll(actors)) found.add(`user:${user}`)
  return found
}
