import { visibleLine } from '../diagnostics/visible.ts'

/** What `steward prove` went over. */
export interface Proved {
  readonly classes: readonly string[]
  readonly resources: number
  /** Orders between two resources that had to hold. */
  readonly claims: number
  readonly findings: number
  /** Weak edges that would have closed a circle. */
  readonly dropped: number
  /** Commands of which nobody can tell what they write, as `exec[x]`. */
  readonly opaque: readonly string[]
}

/** The closing lines: what was gone over and what came of it, and what can't be proven. */
export function renderProof({
  classes,
  resources,
  claims,
  findings,
  dropped,
  opaque,
}: Proved): string {
  const found = findings === 0 ? 'nothing found' : counted(findings, 'finding')
  const lines = [
    `${classes.map(visibleLine).join(', ')}: ${counted(resources, 'resource')}, ${counted(claims, 'claim')} of order: ${found}.`,
  ]
  if (dropped > 0) {
    lines.push(
      `${counted(dropped, 'weak edge')} gave way to a circle: ${findings === 0 ? 'what they were for holds all the same' : 'where that does harm, it is a finding'}. steward graph shows them.`,
    )
  }
  if (opaque.length > 0) {
    const does = opaque.length === 1 ? 'does' : 'do'
    lines.push(
      `Not proven: ${counted(opaque.length, 'command')} ${does} not say what ${opaque.length === 1 ? 'it writes' : 'they write'}:`,
      ...opaque.map((ref) => `  ${visibleLine(ref)}`),
      'Where they make files, name them in creates, or in provides: { files: [/path] }.',
    )
  }
  return lines.join('\n')
}

function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
