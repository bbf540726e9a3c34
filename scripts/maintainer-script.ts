/** What a maintainer script makes that no list of files holds. */
export interface Made {
  readonly users: readonly string[]
  readonly groups: readonly string[]
  readonly directories: readonly string[]
  /** Names in a folder for commands that update-alternatives links. */
  readonly commands: readonly string[]
}

/**
 * Reads the calls of adduser, addgroup, useradd, groupadd, mkdir, install and update-alternatives in a
 * shell script, whether they are reached or not. Only literal words, and variables that are given
 * literal ones, are understood; a path that is worked out otherwise is left out.
 * Source: adduser(8), useradd(8), update-alternatives(1).
 */
export function readMaintainerScript(text: string): Made {
  const made = {
    users: new Set<string>(),
    groups: new Set<string>(),
    directories: new Set<string>(),
    commands: new Set<string>(),
  }
  const variables = new Map<string, readonly string[]>()
  for (const words of statements(text)) {
    const [first = ''] = words
    const assignment = /^(\w+)=(.*)$/.exec(first)
    if (assignment?.[1] !== undefined && words.length === 1) {
      variables.set(assignment[1], expand(assignment[2] ?? '', variables))
    } else if (first === 'for' && words[2] === 'in') {
      const values = words.slice(3).flatMap((word) => expand(word, variables))
      variables.set(words[1] ?? '', values)
    } else {
      read(
        first,
        words.slice(1).flatMap((word) => expand(word, variables)),
        made,
      )
    }
  }
  return {
    users: [...made.users],
    groups: [...made.groups],
    directories: [...made.directories],
    commands: [...made.commands],
  }
}

type Making = { readonly [K in keyof Made]: Set<string> }

function read(command: string, argv: readonly string[], made: Making): void {
  const [name, group] = operands(argv)
  const isName = (word: string | undefined): word is string => /^[A-Za-z_][\w-]*$/.test(word ?? '')
  switch (command) {
    case 'adduser': {
      // With a second name it only puts the one into the other.
      if (!isName(name) || group !== undefined) return
      made.users.add(name)
      const isOwnGroup = argv.includes('--group') || !argv.includes('--system')
      if (isOwnGroup && !argv.includes('--ingroup') && !argv.includes('--gid'))
        made.groups.add(name)
      return
    }
    case 'useradd':
      if (isName(name)) made.users.add(name)
      return
    case 'addgroup':
    case 'groupadd':
      if (isName(name)) made.groups.add(name)
      return
    case 'mkdir':
    case 'install':
      if (command === 'install' && !argv.includes('-d')) return
      for (const path of argv) if (isPath(path)) made.directories.add(path.replace(/\/$/, ''))
      return
    case 'update-alternatives': {
      const link = argv[argv.indexOf('--install') + 1]
      const found = /^\/(?:usr\/)?s?bin\/([^/]+)$/.exec(
        argv.includes('--install') ? (link ?? '') : '',
      )
      if (found?.[1] !== undefined) made.commands.add(found[1])
      return
    }
    default:
  }
}

const optionsWithValue = new Set(
  '--home --shell --uid --gid --ingroup --gecos --comment --home-dir -d -s -u -g -G -c -M --groups --firstuid --lastuid --conf'.split(
    ' ',
  ),
)

function operands(argv: readonly string[]): string[] {
  return argv.filter(
    (word, at) => !word.startsWith('-') && !optionsWithValue.has(argv[at - 1] ?? ''),
  )
}

function isPath(word: string): boolean {
  return /^\/[\w./@+-]+$/.test(word)
}

/**
 * Every simple command, as its words without quotes; redirections and what
 * leads into a command (`if !`) are left out.
 */
function statements(text: string): string[][] {
  const lines = text.replace(/\\\n/g, ' ').replace(/^\s*#.*$/gm, '')
  return lines
    .split(/\n|;|&&|\|\||\bthen\b|\belse\b|\bdo\b/)
    .map((statement) => {
      const words = statement.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? []
      const plain = words.map((word) => word.replace(/["']/g, ''))
      const kept = plain.filter((word) => !/^\d?[<>]/.test(word) && word !== '&')
      while (/^(if|elif|!|while|command)$/.test(kept[0] ?? '')) kept.shift()
      return kept
    })
    .filter((words) => words.length > 0)
}

/** A word with its variables put in, once for each value; nothing where one isn't known. */
function expand(word: string, variables: ReadonlyMap<string, readonly string[]>): string[] {
  const use = /\$(?:(\w+)|\{(\w+)\})/.exec(word)
  if (use === null) return /[$`]/.test(word) ? [] : [word]
  const values = variables.get(use[1] ?? use[2] ?? '') ?? []
  return values.flatMap((value) =>
    expand(
      word.replace(use[0], () => value),
      variables,
    ),
  )
}
