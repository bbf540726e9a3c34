/** What a terminal test runs on a real terminal: the question, then a run that a signal stops. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Event, Summary } from '../../engine/events.ts'
import { paintFor } from '../../engine/ui/paint.ts'
import { showProgress } from '../../engine/ui/progress.tsx'
import { ask } from '../../engine/ui/question.ts'
import { events, planned, summary } from './run-events.ts'

const paint = paintFor({
  isTerminal: process.stdout.isTTY,
  noColor: process.env.NO_COLOR,
  forceColor: process.env.FORCE_COLOR,
})
if (!(await ask('Apply these changes?', { input: process.stdin, output: process.stdout }))) {
  console.log('Nothing was changed.')
  process.exit(3)
}
const stop = new AbortController()
process.on('SIGINT', () => stop.abort())

async function* run(): AsyncGenerator<Event, Summary> {
  for (const event of events.slice(0, 2)) yield event
  for (let waited = 0; waited < 50 && !stop.signal.aborted; waited++) await sleep(100)
  // Long enough that it is seen to be stopping.
  if (stop.signal.aborted) await sleep(300)
  for (const event of events.slice(2, 3)) yield event
  return { ...summary, status: stop.signal.aborted ? 'interrupted' : 'done' }
}

const { status } = await showProgress(run(), {
  planned,
  previous: new Map(planned.map(({ ref }) => [ref, 20_000])),
  out: process.stdout,
  paint,
  stop: stop.signal,
})
console.log(`exits by itself: ${status}`)
