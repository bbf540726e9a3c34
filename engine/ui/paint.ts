import { Chalk } from 'chalk'
import type { Paint, Tone } from '../diagnostics/render.ts'

export interface PaintChoice {
  readonly isTerminal: boolean
  /** The environment's NO_COLOR; any value but the empty one means no colour. Source: no-color.org. */
  readonly noColor: string | undefined
  /**
   * The environment's FORCE_COLOR, stronger than NO_COLOR as in Node itself; `0` and `false` mean no colour.
   */
  readonly forceColor: string | undefined
}

/** Colours where they are wanted, else text as it is. What a tone looks like is settled here alone. */
export function paintFor(choice: PaintChoice): Paint {
  if (!wantsColour(choice)) return (_tone, text) => text
  // Only colours that every terminal has, in the shades that its user chose.
  const chalk = new Chalk({ level: 1 })
  const looks: Readonly<Record<Tone, (text: string) => string>> = {
    error: chalk.red.bold,
    warning: chalk.yellow,
    notice: chalk.cyan,
    added: chalk.green,
    removed: chalk.red,
    dim: chalk.dim,
    bold: chalk.bold,
  }
  return (tone, text) => looks[tone](text)
}

function wantsColour({ isTerminal, noColor, forceColor }: PaintChoice): boolean {
  if (forceColor !== undefined && forceColor !== '') {
    return forceColor !== '0' && forceColor !== 'false'
  }
  return isTerminal && (noColor === undefined || noColor === '')
}
