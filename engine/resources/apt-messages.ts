import type { CommandResult } from '../host/host.ts'
import { howItEnded } from './must-run.ts'
import type { ApplyError } from './type.ts'

/*
 * What apt-get 2.6 and dpkg 1.21 print when something fails, read in their untranslated wording.
 */

/**
 * Why this package failed: what it can't have, the line that names it, or
 * else the last one that apt calls an error.
 */
export function reasonFor(name: string, result: CommandResult): string {
  const lines = `${result.stdout}\n${result.stderr}`.split('\n').map((line) => line.trim())
  const unmet = lines.find((line) => line.startsWith(`${name} : `))
  if (unmet !== undefined) return unmet.slice(`${name} : `.length)
  const isNamed = (line: string) => /^(E:|dpkg: error)/.test(line) && mentions(name).test(line)
  const at = lines.findIndex(isNamed)
  const error = lines[at] ?? lines.findLast((line) => line.startsWith('E: '))
  // dpkg says what went wrong on the next line.
  const more = error?.endsWith(':') ? ` ${lines[at + 1]}` : ''
  return error === undefined ? howItEnded(result) : `${error.replace(/^E: /, '')}${more}`
}

/** Whether apt or dpkg names this package as what fails. */
export function isBlamed(name: string, output: string): boolean {
  const plain = mentions(name)
  return output.split('\n').some((line) => {
    const isBlame = /^(E: |dpkg: error processing| \S+ : )/.test(line)
    return (isBlame && plain.test(line)) || (/^ \S+$/.test(line) && line.trim() === name)
  })
}

function mentions(name: string): RegExp {
  const escaped = name.replace(/:.*/, '').replace(/[.+]/g, '\\$&')
  return new RegExp(`(?<![a-z0-9+.-])${escaped}(?![a-z0-9+-])`)
}

/** The mirror has moved on since the lists were fetched. */
export function isStale(output: string): boolean {
  return /404 +Not Found|Hash Sum mismatch|apt-get update or try/.test(output)
}

/** What was asked does not go together. */
export function isUnsolvable(output: string): boolean {
  return /unmet dependencies|held broken packages|Unable to correct problems/.test(output)
}

/** What ran and what it printed: of a package's own part, where its name is given and apt got that far. */
export function ranOf(result: CommandResult, name = ''): NonNullable<ApplyError['ran']> {
  // What maintainer scripts and dpkg say comes through apt's standard output.
  const unmet = /^The following packages have unmet dependencies:\n(?: .*\n)+/m.exec(result.stdout)
  const setUp = linesOfSetUp(name.replace(/:.*/, ''), result.stdout)
  const said = unmet?.[0].trimEnd() ?? setUp ?? lastLines(result.stdout)
  return {
    argv: result.argv,
    exit: howItEnded(result),
    // dpkg writes for a terminal.
    output: `${said}\n${lastLines(result.stderr)}`.trim().replaceAll('\r', ''),
  }
}

/** From "Setting up NAME" to the next package. */
function linesOfSetUp(name: string, stdout: string): string | undefined {
  const lines = stdout.split('\n')
  const start = lines.findIndex((line) => line.startsWith(`Setting up ${name} (`))
  if (start === -1) return undefined
  const length = lines
    .slice(start + 1)
    .findIndex((line) => /^(Setting up |Processing triggers|Errors were)/.test(line))
  return lastLines(lines.slice(start, length === -1 ? undefined : start + 1 + length).join('\n'))
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-20).join('\n')
}
