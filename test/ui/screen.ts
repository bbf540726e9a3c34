import { EventEmitter } from 'node:events'

/** A terminal that is only as able as the tests need: what is written to it, and what then stands on it. */
export class Screen extends EventEmitter {
  readonly isTTY = true
  readonly columns: number
  readonly rows: number
  written = ''

  constructor({ columns = 80, rows = 24 } = {}) {
    super()
    this.columns = columns
    this.rows = rows
  }

  write(text: string, ...rest: unknown[]): boolean {
    this.written += text
    const done = rest.at(-1)
    if (typeof done === 'function') done()
    return true
  }

  get lines(): string[] {
    return linesOn(this.written)
  }
}

const ESCAPE = '\x1b'
const TOKENS = new RegExp(`${ESCAPE}\\[[?<>=]?[0-9;]*[A-Za-z]|\\r|\\n|[^${ESCAPE}\\r\\n]+`, 'g')
const ACT = new RegExp(`^${ESCAPE}\\[([0-9;]*)([A-Za-z])$`)
/** What sets colour, weight and the like. */
export const LOOKS = new RegExp(`${ESCAPE}\\[[0-9;]*m`)

/**
 * The lines that stand on a terminal, scrolled ones included, once all of
 * this was written to it. Colour is left out.
 */
export function linesOn(written: string): string[] {
  const lines: string[] = ['']
  let row = 0
  let column = 0
  for (const [token] of written.matchAll(TOKENS)) {
    const [, count = '', act = ''] = ACT.exec(token) ?? []
    if (token === '\n') {
      row++
      column = 0
      lines[row] ??= ''
    } else if (token === '\r' || act === 'G') column = 0
    else if (act === 'A') row = Math.max(0, row - Number(count || 1))
    else if (act === 'B') row += Number(count || 1)
    else if (act === 'K') lines[row] = count === '2' ? '' : (lines[row] ?? '').slice(0, column)
    else if (act === 'J')
      lines.splice(row, Number.POSITIVE_INFINITY, (lines[row] ?? '').slice(0, column))
    else if (!token.startsWith('\x1b')) {
      const line = (lines[row] ?? '').padEnd(column)
      lines[row] = line.slice(0, column) + token + line.slice(column + token.length)
      column += token.length
    }
  }
  return lines.map((line) => line.trimEnd())
}
