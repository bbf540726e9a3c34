import { createInterface } from 'node:readline/promises'
import type { Readable, Writable } from 'node:stream'

/** Asks for a yes. Everything else is a no: another answer, the end of the input, Ctrl-C. */
export async function ask(
  question: string,
  { input, output }: { readonly input: Readable; readonly output: Writable },
): Promise<boolean> {
  const terminal = createInterface({ input, output })
  const given = new AbortController()
  terminal.once('close', () => given.abort())
  terminal.once('SIGINT', () => given.abort())
  try {
    const answer = await terminal.question(`${question} [y/N] `, { signal: given.signal })
    return /^\s*y(es)?\s*$/i.test(answer)
  } catch (error) {
    if (!given.signal.aborted) throw error
    // Readline has ended the line.
    return false
  } finally {
    terminal.close()
  }
}
