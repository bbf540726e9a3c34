import { setImmediate as otherWork } from 'node:timers/promises'
import { Box, render, Static, Text } from 'ink'
import type { Paint } from '../diagnostics/render.ts'
import type { Event, Summary } from '../events.ts'
import { formatDuration } from './duration.ts'
import { renderSummary } from './event-text.ts'
import type { GivenOptions } from './given-options.ts'
import { type Doing, ProgressState, type ProgressView } from './progress-state.ts'

const FRAME_MS = 100
const SPINNER = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'
/**
 * A frame that is as high as the terminal flickers; most of what runs at
 * once is one transaction of packages anyway.
 */
const MAX_RUNNING = 5
/** What was so quick before is not worth a word. */
const NOTABLE_MS = 1000

export interface ProgressOptions {
  readonly planned: readonly { readonly ref: string }[]
  /** How long resources took before, by reference, in milliseconds. */
  readonly previous: ReadonlyMap<string, number>
  readonly doing?: Doing
  readonly out: NodeJS.WriteStream
  readonly paint: Paint
  readonly given?: GivenOptions
  /** Aborted when a signal has asked to stop; signals are somebody else's to listen to. */
  readonly stop?: AbortSignal
}

/**
 * Draws a run on a terminal while it happens and gives its summary: what is finished stays above, what runs is
 * below, with how much is left. Takes the next event only when it has noted the one before; reads no keys.
 */
export async function showProgress(
  events: AsyncIterator<Event, Summary>,
  { planned, previous, doing = {}, out, paint, given = {}, stop }: ProgressOptions,
): Promise<Summary> {
  const progress = new ProgressState({ planned, previous, doing, paint })
  let drawn = 0
  const frame = (ending?: string) => {
    drawn = performance.now()
    const tick = Math.floor(drawn / FRAME_MS)
    const view = progress.view(drawn)
    return <Progress {...{ view, tick, paint, ending }} isStopping={stop?.aborted === true} />
  }
  const screen = render(frame(), {
    stdout: out,
    interactive: true,
    exitOnCtrlC: false,
    patchConsole: false,
  })
  let ending = ''
  const timer = setInterval(() => screen.rerender(frame()), FRAME_MS)
  try {
    for (;;) {
      const next = await events.next()
      if (next.done) {
        ending = renderSummary(next.value, { paint, given })
        return next.value
      }
      progress.take(next.value, performance.now())
      // Work that never waits would keep timers and signals from their turn.
      if (performance.now() - drawn >= FRAME_MS) {
        screen.rerender(frame())
        await otherWork()
      }
    }
  } finally {
    clearInterval(timer)
    screen.rerender(frame(ending))
    screen.unmount()
    await screen.waitUntilExit()
  }
}

/** One frame. */
export function Progress(props: {
  readonly view: ProgressView
  /** Counts frames; turns the spinner. */
  readonly tick: number
  readonly paint: Paint
  readonly isStopping: boolean
  /** What stands below at the end, in place of what runs; absent until then. */
  readonly ending: string | undefined
}) {
  const { view, paint, tick, isStopping, ending } = props
  const spinner = SPINNER[tick % SPINNER.length] ?? ''
  const more = view.running.length - MAX_RUNNING
  return (
    <>
      <Static items={view.told}>{(text, index) => <Text key={index}>{text}</Text>}</Static>
      {ending !== undefined ? (
        <Text>{ending}</Text>
      ) : (
        <Box flexDirection="column">
          {view.running.slice(0, MAX_RUNNING).map(({ name, elapsedMs, beforeMs }) => (
            <Box key={name}>
              <Box flexShrink={0}>
                <Text>{paint('notice', spinner)} </Text>
              </Box>
              <Text wrap="truncate-middle">{name}</Text>
              <Box flexShrink={0}>
                <Text>{paint('dim', `  ${timesOf(elapsedMs, beforeMs)}`)}</Text>
              </Box>
            </Box>
          ))}
          {more > 0 ? <Text wrap="truncate-end">{`  and ${more} more`}</Text> : null}
          {view.doing === undefined ? null : (
            <Text wrap="truncate-end">{paint('dim', `  ${view.doing}`)}</Text>
          )}
          <Text wrap="truncate-end">{paint('bold', leftOf(view))}</Text>
          {isStopping ? (
            <Text wrap="truncate-end">
              {paint('warning', 'stopping after this; once more stops at once')}
            </Text>
          ) : null}
        </Box>
      )}
    </>
  )
}

function timesOf(elapsedMs: number, beforeMs: number | undefined): string {
  const elapsed = formatDuration(Math.floor(elapsedMs / 1000) * 1000).replace('.0', '')
  if (beforeMs === undefined || beforeMs < NOTABLE_MS) return elapsed
  return `${elapsed}, took ${formatDuration(beforeMs)} before`
}

function leftOf({ done, planned, leftMs }: ProgressView): string {
  if (planned === 0) return 'working'
  const left =
    leftMs === undefined || leftMs < NOTABLE_MS ? '' : `, about ${formatDuration(leftMs)} left`
  return `${done} of ${planned} done${left}`
}
