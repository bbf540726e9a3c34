import { mkdirSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { isatty } from 'node:tty'
import { Refusal } from '../diagnostics/diagnostic.ts'
import type { Event, Summary } from '../events.ts'
import { acquireLock, type Holder } from '../host/lock.ts'
import type { RoadOptions } from '../index.ts'
import type { RunRecord } from '../record/run-record.ts'
import type { RunRow } from '../record/runs.ts'
import { Store } from '../record/store.ts'
import { renderEvent, renderSummary } from '../ui/event-text.ts'
import type { GivenOptions } from '../ui/given-options.ts'
import { eventLine } from '../ui/json.ts'
import { ask } from '../ui/question.ts'
import { diagnosticsOf, paintOf, print, showDiagnostics } from './output.ts'
import { listenForStop, type Stop } from './stop.ts'

/** The lock of runs in the state folder. */
export const RUN_LOCK = 'run.lock'

/** What every command that changes the host takes. */
export interface RunFlags extends GivenOptions {
  readonly yes?: boolean
  readonly json?: boolean
  readonly verbose?: boolean
  readonly wait: number
}

/** Whether a person can be asked. */
export function isInteractive(flags: RunFlags): boolean {
  return isatty(0) && isatty(1) && !flags.json
}

/** Whether whoever sits at the terminal says yes; no once a signal has asked to stop. */
export function agreed(question: string, stop: AbortSignal): Promise<boolean> {
  return ask(question, { input: process.stdin, output: process.stdout, stop })
}

/**
 * Does something as the only run on this host, with the state open. Refused before anything is touched:
 * without root, without a way to ask, while another run holds the host. With `hasProgress` a request to
 * stop is shown by what draws the progress.
 */
export async function locked(
  options: RoadOptions,
  flags: RunFlags,
  about: {
    readonly name: string
    readonly hasProgress: boolean
    /** Who may do it besides root. */
    readonly allowedUsers?: readonly string[]
  },
  act: (context: { readonly store: Store; readonly stop: Stop }) => Promise<number>,
): Promise<number> {
  const { name, hasProgress } = about
  mustBeAllowed(options, flags, about.allowedUsers)
  makeStateFolder(options.state)
  const notice = (message: string) => report({ type: 'notice', message }, flags)
  const stop = listenForStop((signal) => {
    if (hasProgress) return
    notice(`${signal}: finishing what is in hand, then stopping; once more stops at once`)
  })
  const locking = acquireLock(join(options.state, RUN_LOCK), {
    waitMs: flags.wait * 1000,
    run: name,
    onWait: (holder) => report({ type: 'waiting', message: waitingFor(holder) }, flags),
    signal: stop.signal,
  })
  let lock: Awaited<typeof locking>
  try {
    lock = await locking
  } catch (error) {
    if (stop.signal.aborted) return stop.status()
    throw error
  }
  let store: Store | undefined
  try {
    store = Store.open(options.state)
    if (store.setAside !== undefined)
      notice(
        `the record was damaged and is set aside as ${store.setAside}; what it owed and kept is told no more, and what steward wrote before counts as here before steward`,
      )
    return await act({ store, stop })
  } catch (error) {
    if (store?.runs.hasMeant !== true) throw error
    // No refusal any more, for things may have been changed.
    showDiagnostics(diagnosticsOf(error), flags)
    return 4
  } finally {
    store?.close()
    lock.release()
    stop.end()
  }
}

/** For whom a command waits that needs the host for itself. */
export function waitingFor(holder: Holder | undefined): string {
  return holder
    ? `waiting for process ${holder.pid} (${holder.run}), which has held this host since ${holder.since}`
    : 'waiting for another run on this host'
}

/**
 * Tells of runs that never came to their end, once, and with which of them this one goes on. Only who holds the host
 * knows that they are not going on.
 */
export function tellCutOff(
  store: Store,
  flags: RunFlags,
  goesOn: (cutOff: RunRow) => boolean = () => false,
): void {
  for (const row of store.runs.closeCutOff()) {
    const said = `run ${row.id} (${['steward', ...row.command].join(' ')}) was cut off`
    const message = goesOn(row) ? `${said}; this run goes on from where it came to` : said
    report({ type: 'notice', message }, flags)
  }
}

/** Every event is on record before the next one is asked for. */
export async function* recorded(
  events: AsyncGenerator<Event, Summary>,
  record: RunRecord,
): AsyncGenerator<Event, Summary> {
  for (;;) {
    const next = await events.next()
    if (next.done) return next.value
    record.take(next.value)
    yield next.value
  }
}

/**
 * Shows events as plain lines, or lines of JSON, and gives the summary. Lines that come without a pause are
 * written together.
 */
export async function followPlainly(
  events: AsyncGenerator<Event, Summary>,
  flags: RunFlags,
): Promise<Summary> {
  const lines: string[] = []
  const write = () => {
    if (lines.length > 0) print(lines.splice(0).join('\n'))
  }
  try {
    for (;;) {
      const next = await events.next()
      const text = next.done ? summaryText(next.value, flags) : eventText(next.value, flags)
      if (text !== undefined && lines.push(text) === 1) setImmediate(write)
      if (next.done) return next.value
    }
  } finally {
    write()
  }
}

export function report(event: Event, flags: RunFlags): void {
  const text = eventText(event, flags)
  if (text !== undefined) print(text)
}

function eventText(event: Event, { json, verbose }: RunFlags): string | undefined {
  return json
    ? eventLine(event)
    : renderEvent(event, { paint: paintOf(process.stdout), verbose: verbose === true })
}

function summaryText(summary: Summary, flags: RunFlags): string | undefined {
  const paint = paintOf(process.stdout)
  return flags.json ? undefined : renderSummary(summary, { paint, given: flags })
}

/** Refuses who may not change the host, and who could not be asked: before anything is kept for the next run. */
export function mustBeAllowed(
  options: RoadOptions,
  flags: RunFlags,
  allowedUsers: readonly string[] = [],
): void {
  mustBeRoot(options, allowedUsers)
  if (flags.yes || isInteractive(flags)) return
  throw new Refusal({
    severity: 'error',
    code: 'usage',
    message: 'there is no terminal to ask on',
    help: 'run it with --yes to go on without a question, or with --dry-run to see what it would do',
  })
}

function mustBeRoot(options: RoadOptions, allowedUsers: readonly string[]): void {
  if (process.getuid?.() === 0 || options.root !== '/') return
  if (allowedUsers.length > 0 && allowedUsers.includes(userInfo().username)) return
  throw new Refusal({
    severity: 'error',
    code: 'no-permission',
    message:
      allowedUsers.length > 0
        ? `only root and ${allowedUsers.join(', ')} can run this`
        : 'only root can apply classes to this machine',
    help: 'run it with sudo, or with --dry-run to see what would change',
  })
}

export function makeStateFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new Refusal(
      {
        severity: 'error',
        code: 'state',
        message: `the state folder ${folder} can't be made: ${(error as Error).message}`,
        help: 'name another folder with --state',
      },
      { cause: error },
    )
  }
}
