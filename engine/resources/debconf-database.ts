import type { HostReader } from '../host/host.ts'

/** A question as debconf's database holds it. */
export interface DebconfQuestion {
  /** Without a value where none was given. */
  readonly value: string | undefined
  /** The packages that ask it. */
  readonly owners: readonly string[]
  /** Whether somebody has answered it already, so that it is not asked again. */
  readonly seen: boolean
}

/** Answers to questions of the type password are in a file of their own. Source: /etc/debconf.conf of Debian. */
const files = ['/var/cache/debconf/config.dat', '/var/cache/debconf/passwords.dat']

/** The named questions that the database knows. Source: Debconf::Format::822. */
export function readDebconf(
  names: ReadonlySet<string>,
  host: HostReader,
): ReadonlyMap<string, DebconfQuestion> {
  const texts = files.map((path) =>
    host.stat(path)?.kind === 'file' ? host.read(path).toString() : '',
  )
  return new Map(texts.flatMap((text) => parseDebconf(text, names)))
}

function parseDebconf(text: string, names: ReadonlySet<string>): [string, DebconfQuestion][] {
  return text.split('\n\n').flatMap((paragraph) => {
    const name = field(paragraph, 'Name')
    if (name === undefined || !names.has(name)) return []
    const list = (key: string) => field(paragraph, key)?.split(/,\s+/) ?? []
    const value = field(paragraph, 'Value')?.replaceAll('\\n', '\n')
    return [[name, { value, owners: list('Owners'), seen: list('Flags').includes('seen') }]]
  })
}

function field(paragraph: string, key: string): string | undefined {
  return new RegExp(`^${key}: ?(.*)$`, 'm').exec(paragraph)?.[1]
}
