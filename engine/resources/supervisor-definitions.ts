/**
 * Whether a file of definitions comes to say something else of a program or group, so that `supervisorctl update` starts
 * it anew: of a program in a group, that is the group as a whole. What a file does not define it says nothing of.
 * Source: supervisor's own comparison of what it read with what it runs.
 */
export function redefines(
  title: string,
  { from, to }: { readonly from: Uint8Array | undefined; readonly to: Uint8Array | undefined },
): boolean {
  const [base = ''] = title.split(':')
  const after = definitionOf(base, sectionsOf(to))
  return after !== '' && after !== definitionOf(base, sectionsOf(from))
}

type Sections = ReadonlyMap<string, readonly string[]>

/** What concerns a program or group, in an order that says nothing. */
function definitionOf(name: string, sections: Sections): string {
  const group = [...sections.keys()].find(
    (section) => section === `group:${name}` || membersOf(section, sections).includes(name),
  )
  const members = group === undefined ? [name] : membersOf(group, sections)
  const own = [...(group === undefined ? [] : [group]), ...members.map((each) => `program:${each}`)]
  return own
    .flatMap((section) =>
      [...(sections.get(section) ?? [])].sort().map((line) => `${section} ${line}`),
    )
    .sort()
    .join('\n')
}

/** The programs of a group; none where the section is of something else. */
function membersOf(section: string, sections: Sections): string[] {
  if (!section.startsWith('group:')) return []
  const line = sections.get(section)?.find((each) => each.startsWith('programs='))
  return (line?.slice('programs='.length) ?? '').split(',').map((name) => name.trim())
}

/**
 * The settings of each section as `name=value`, without comments and blanks around them. Source: supervisor's own
 * reader, to which `;` and `#` behind a blank begin a comment.
 */
function sectionsOf(content: Uint8Array | undefined): Sections {
  const sections = new Map<string, string[]>()
  let settings: string[] = []
  for (const line of Buffer.from(content ?? [])
    .toString('utf8')
    .split('\n')) {
    const header = /^\[([^\]]+)\]/.exec(line)?.[1]
    const [, name, value = ''] = /^([^\s;#=:][^=:]*)[=:](.*)$/.exec(line) ?? []
    if (header !== undefined) {
      settings = sections.get(header) ?? []
      sections.set(header, settings)
    } else if (name !== undefined) {
      settings.push(setting(name.trim().toLowerCase(), value.replace(/\s[;#].*/, '').trim()))
    } else if (/^\s+[^\s;#]/.test(line) && settings.length > 0) {
      // A value goes on.
      const [, last = '', before = ''] = /^([^=]*)=(.*)$/.exec(settings.pop() ?? '') ?? []
      settings.push(setting(last, `${before} ${line.trim()}`))
    }
  }
  return sections
}

/** Of variables neither order nor blanks and quotes say anything. */
function setting(name: string, value: string): string {
  if (name !== 'environment') return `${name}=${value}`
  const words = value.match(/"[^"]*"|'[^']*'|[=,]|[^\s"'=,]+/g) ?? []
  const text = words.map((word) => word.replace(/^(["'])(.*)\1$/, '$2')).join(' ')
  return `${name}=${text.split(' , ').toSorted().join(' , ')}`
}
