import type { HostReader } from '../host/host.ts'

/** A group of programs of which one goes by the group's name. */
export interface AlternativesGroup {
  readonly mode: 'auto' | 'manual'
  /** The name itself, such as /usr/bin/editor. */
  readonly link: string
  /** Paths of the choices with their priorities. */
  readonly choices: ReadonlyMap<string, number>
  /** The choice that the name leads to now; undefined where its link is missing. */
  readonly chosen: string | undefined
}

/** Source: update-alternatives(1), "FILES", and the files that dpkg 1.21 writes. */
export function readAlternatives(name: string, host: HostReader): AlternativesGroup | undefined {
  const path = `/var/lib/dpkg/alternatives/${name}`
  if (host.stat(path)?.kind !== 'file') return undefined
  const link = `/etc/alternatives/${name}`
  const chosen = host.stat(link)?.kind === 'link' ? host.readLink(link) : undefined
  return { ...parseGroup(host.read(path).toString()), chosen }
}

/**
 * Mode, link, and the names and links of what goes with it up to a blank line; then for each choice its path,
 * its priority, and a line for each that goes with it.
 */
function parseGroup(text: string): Omit<AlternativesGroup, 'chosen'> {
  const lines = text.split('\n')
  const blank = lines.indexOf('', 2)
  const companions = (blank - 2) / 2
  const choices = new Map<string, number>()
  for (let at = blank + 1; (lines[at] ?? '') !== ''; at += 2 + companions)
    choices.set(lines[at] ?? '', Number(lines[at + 1]))
  return { mode: lines[0] === 'manual' ? 'manual' : 'auto', link: lines[1] ?? '', choices }
}
