import { createInterface } from 'node:readline/promises'
import type { Readable, Writable } from 'node:stream'

/** Asks for a yes. Everything else is a no: another answer, the end of the input, Ctrl-C, and `stop`. */
export async function ask(
  question: string,
  {
    input,
    output,
    stop,
  }: { readonly input: Readable; readonly output: Writable; readonly stop?: AbortSignal },
): Promise<boolean> {
  if (stop?.aborted) return false
  const terminal = createInterface({ input, output })
  const close = () => terminal.close()
  stop?.addEventListener('abort', close)
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
    stop?.removeEventListener('abort', close)
    terminal.close()
  }
}
