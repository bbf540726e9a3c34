import type { HostReader } from '../host/host.ts'
import { howItEnded } from './must-run.ts'

/** What supervisor says of a process. */
export interface SupervisorProcess {
  /** With its group where that has another name: `zulip-workers:zulip_events_x`. */
  readonly name: string
  /** `RUNNING`, `STARTING`, `STOPPED`, … Source: supervisor's documentation, "Process States". */
  readonly state: string
  /** What supervisor says behind it, such as `Exited too quickly (process log may have details)`. */
  readonly said: string
  /** When it began, in seconds since the epoch, where it runs. */
  readonly began?: number
}

/** All programs by one question; what it exits with only says whether all of them run. */
export async function askStatus(
  host: HostReader,
): Promise<{ readonly processes: readonly SupervisorProcess[] } | { readonly silent: string }> {
  const result = await host.query(['supervisorctl', 'status'])
  const { stdout, stderr, startError, exitCode } = result
  if (startError === 'ENOENT') return { silent: 'it is not installed' }
  const now = Math.floor(Date.now() / 1000)
  const processes: SupervisorProcess[] = []
  for (const line of stdout.split('\n')) {
    const [, name, state, said = ''] = /^(\S+) +([A-Z]+)(?: +(.*))?$/.exec(line) ?? []
    if (name === undefined || state === undefined) continue
    const age = ageOf(said)
    const began = age === undefined ? {} : { began: now - age }
    processes.push({ name, state, said, ...began })
  }
  if (processes.length > 0 || exitCode === 0) return { processes }
  return { silent: `${stdout}${stderr}`.trim().split('\n')[0] || howItEnded(result) }
}

/** The processes of a program or group. */
export function processesOf(title: string, all: readonly SupervisorProcess[]): SupervisorProcess[] {
  const group = `${title.replace(/:\*$/, '')}:`
  return all.filter(({ name }) => name === title || name.startsWith(group))
}

/** Whether it runs, or was started and has not run for as long yet as its definition asks. */
export function isUp({ state }: SupervisorProcess): boolean {
  return state === 'RUNNING' || state === 'STARTING'
}

/** Whether it runs, or supervisor starts it again in a moment. */
export function isTried(each: SupervisorProcess): boolean {
  return isUp(each) || each.state === 'BACKOFF'
}

/** Whether it has ended as soon as it was started, or could not be. */
export function isFailing({ state }: SupervisorProcess): boolean {
  return state === 'BACKOFF' || state === 'FATAL'
}

/** Seconds, from what supervisor says of a process that runs: `pid 812, uptime 1 day, 0:00:04`. */
function ageOf(said: string): number | undefined {
  const found = /uptime (?:([0-9]+) days?, )?([0-9]+):([0-9]+):([0-9]+)/.exec(said)
  if (!found) return undefined
  const [days, hours, minutes, seconds] = found.slice(1).map((text) => Number(text ?? 0))
  return (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)
}
