/** A file mode as a manifest declares it, parsed: octal is exact, symbolic is relative to what is there. */
export type Mode = { readonly octal: number } | { readonly clauses: readonly Clause[] }

/** One operator with its permissions; `u=rw+x` is two of them. */
interface Clause {
  /** The bits that it may touch: rwx of each named class, with the special bit of that class. */
  readonly affected: number
  readonly operator: '+' | '-' | '='
  /** Letters of `rwxXst`, or one of `ugo`: the permissions of that class as they stand. */
  readonly permissions: string
}

/** What new files and directories start from where a mode is symbolic or absent. */
export const newFileMode = 0o644
export const newDirectoryMode = 0o755

const classes = { u: 0o4700, g: 0o2070, o: 0o1007, a: 0o7777 } as const
const letters = { r: 0o444, w: 0o222, x: 0o111, s: 0o6000, t: 0o1000 } as const
const setIds = 0o6000

const octal = /^[0-7]{3,4}$/
const symbolic = /^[ugoa]*(?:[-+=](?:[rwxXst]*|[ugo]))+$/
const known = new Map<string, Mode | undefined>()

/** Reads `"0644"`, `"640"` or `"u=rw,g+s,o="`; undefined for anything else. Source: chmod(1). */
export function parseMode(text: string): Mode | undefined {
  if (!known.has(text)) known.set(text, parse(text))
  return known.get(text)
}

function parse(text: string): Mode | undefined {
  if (octal.test(text)) return { octal: Number.parseInt(text, 8) }
  const parts = text.split(',')
  if (!parts.every((part) => symbolic.test(part))) return undefined
  return { clauses: parts.flatMap(parseClauses) }
}

function parseClauses(part: string): Clause[] {
  const who = /^[ugoa]*/.exec(part)?.[0] ?? ''
  // No who means all, and the umask has no say: a manifest must not mean something else in another shell.
  const affected = bits(classes, who === '' ? 'a' : who)
  return part
    .slice(who.length)
    .split(/(?=[-+=])/)
    .map((action) => ({
      affected,
      operator: action.charAt(0) as Clause['operator'],
      permissions: action.slice(1),
    }))
}

/**
 * The twelve bits that something of mode `present` is to have. On a directory an octal mode gives the
 * search bit wherever it gives read, as Puppet does, and a symbolic one touches setuid and setgid
 * only where it names them, as chmod does.
 */
export function resolveMode(mode: Mode, present: number, kind: 'file' | 'directory'): number {
  const isDirectory = kind === 'directory'
  if ('octal' in mode) return isDirectory ? mode.octal | ((mode.octal & 0o444) >> 2) : mode.octal
  return mode.clauses.reduce((current, clause) => adjust(current, clause, isDirectory), present)
}

/** As people see it: four octal digits. */
export function formatMode(mode: number): string {
  return mode.toString(8).padStart(4, '0')
}

function adjust(current: number, clause: Clause, isDirectory: boolean): number {
  const named = permissionBits(clause.permissions, current, isDirectory)
  const touched = isDirectory ? clause.affected & ~(setIds & ~named) : clause.affected
  const value = named & touched
  switch (clause.operator) {
    case '+':
      return current | value
    case '-':
      return current & ~value
    case '=':
      return (current & ~touched) | value
  }
}

function permissionBits(permissions: string, current: number, isDirectory: boolean): number {
  switch (permissions) {
    case 'u':
      return ((current & 0o700) >> 6) * 0o111
    case 'g':
      return ((current & 0o070) >> 3) * 0o111
    case 'o':
      return (current & 0o007) * 0o111
  }
  const search = isDirectory || (current & 0o111) !== 0 ? letters.x : 0
  return bits({ ...letters, X: search }, permissions)
}

function bits(table: Readonly<Record<string, number>>, names: string): number {
  return names.split('').reduce((sum, name) => sum | (table[name] ?? 0), 0)
}
