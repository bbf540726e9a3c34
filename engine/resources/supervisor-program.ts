import schema from '../../schemas/resources/supervisor_program.json' with { type: 'json' }
import { HostError } from '../host/error.ts'
import type { Host, HostReader } from '../host/host.ts'
import { tracePath } from '../host/trust.ts'
import { howItEnded, mustRun } from './must-run.ts'
import { startedAt } from './process-start.ts'
import { redefines } from './supervisor-definitions.ts'
import {
  ApplyError,
  type Outcome,
  type ProbeContext,
  type Resource,
  type ResourceType,
  type Thing,
  type Verdict,
} from './type.ts'

interface SupervisorProgramDesired {
  readonly ensure?: 'running' | 'stopped'
  readonly tree?: string
  /** Seconds since the epoch. */
  readonly since?: number | string
  /** Path globs, or references such as `file[/etc/x]`. */
  readonly restart_on?: readonly string[]
  readonly restart?: readonly string[]
}
type Program = Resource<SupervisorProgramDesired>

interface SupervisorProcess {
  /** With its group where that has another name: `zulip-workers:zulip_events_x`. */
  readonly name: string
  /** `RUNNING`, `STARTING`, `STOPPED`, … Source: supervisor's documentation, "Process States". */
  readonly state: string
  /** What supervisor says behind it, such as `Exited too quickly (process log may have details)`. */
  readonly said: string
  /** When it began, in seconds since the epoch, where it runs. */
  readonly began?: number
}
type SupervisorCurrent =
  /** Why there is no supervisor to ask. */
  | { readonly cannotRun: string }
  | { readonly silent: string; readonly isTreeMissing: boolean }
  | { readonly processes: readonly SupervisorProcess[]; readonly isTreeMissing: boolean }

/** Programs under supervisor. `refresh` restarts those that run. Source: supervisorctl's own help. */
export const supervisorProgram: ResourceType<SupervisorProgramDesired, SupervisorCurrent> = {
  name: 'supervisor_program',
  schema,
  check({ ref, title }) {
    if (/^[^\s:/*]+(:([^\s:/*]+|\*))?$/.test(title)) return undefined
    const help = 'write it as `supervisorctl status` shows it: `program`, or `group:program`'
    return { message: `${ref} is no name of a program`, help }
  },
  footprint({ desired: { ensure, tree, restart_on = [] } }) {
    const after: Thing[] = ['service:supervisor.service', 'unit:supervisor.service']
    if (tree !== undefined) after.push(`path:${tree}`)
    return {
      // What is only to be stopped needs nobody who could run it.
      ...(ensure === 'stopped' ? {} : { needs: ['command:supervisorctl'] }),
      after,
      reads: restart_on.map((on) => ({ on, by: 'restart' })),
      restartsWith: 'service:supervisor.service',
    }
  },
  isStartedAnewBy: ({ title }, changes) =>
    changes.some(({ content }) => content !== undefined && redefines(title, content)),
  // It starts what comes or changes, and ends what goes; which file a program was in nobody knows once that is to go.
  mayBeMovedBy: ({ title }, changes) =>
    changes.some(({ attribute, to, content }) =>
      content ? redefines(title, content) : attribute === 'ensure' && to === 'absent',
    ),
  async probe(programs, host, context) {
    const cannotRun = host.root === '/' ? host.cannotRun : 'not in a root'
    if (cannotRun !== undefined) return programs.map(() => ({ cannotRun }))
    // What is only restarted is asked about when it is.
    const isAsked = programs.some(({ desired }) => desired.ensure !== undefined)
    const status = isAsked ? await askStatus(host) : { processes: [] }
    return programs.map((program) => {
      const isTreeMissing = lacksTree(program, host) && !comes(program, context)
      if ('silent' in status) return { ...status, isTreeMissing }
      return { processes: processesOf(program, status.processes), isTreeMissing }
    })
  },
  diff: diffProgram,
  async apply(program, _changes, host) {
    const { ref, desired } = program
    const processes = await mustKnow(program, host)
    const isToRun = desired.ensure === 'running'
    const names = processes.filter((each) => isWrong(each, isToRun)).map(({ name }) => name)
    const old = processes.filter((each) => isOlder(each, desired))
    if (names.length + old.length === 0)
      return { idle: true, note: `it is ${desired.ensure} by now` }
    if (old.length > 0 && desired.restart !== undefined) await mustRun(host, ref, desired.restart)
    else for (const { name } of old) await act(ref, ['restart', name], host)
    if (names.length > 0) await act(ref, [isToRun ? 'start' : 'stop', ...names], host)
    return undefined
  },
  refresh: refreshProgram,
}

function diffProgram({ ref, title, desired }: Program, current: SupervisorCurrent): Verdict {
  const { ensure, tree } = desired
  if ('cannotRun' in current) return { changes: [], note: current.cannotRun, leftAlone: true }
  // What is only being started has no program to run, which supervisor finds out in a moment.
  const isRunning =
    'processes' in current && current.processes.some(({ state }) => state === 'RUNNING')
  const isOff = !('processes' in current && current.processes.some(isTried))
  if (ensure === undefined || (ensure === 'stopped' && isOff)) return { changes: [] }
  if (ensure === 'running' && current.isTreeMissing && !isRunning) {
    return { changes: [], note: `left stopped: ${tree} is not there yet`, leftAlone: true }
  }
  if ('silent' in current) {
    return {
      blocked: `${ref}: supervisor does not answer: ${current.silent}`,
      help: 'declare it: - { service: supervisor, ensure: running }',
    }
  }
  const { processes } = current
  if (processes.length === 0) {
    return {
      blocked: `${ref}: supervisor knows no program or group ${title}`,
      help: 'declare the file below /etc/supervisor/conf.d that defines it; `supervisorctl avail` lists what is known',
    }
  }
  const isToRun = ensure === 'running'
  const others = processes.filter((process) => isWrong(process, isToRun))
  const old = processes.filter((process) => isOlder(process, desired))
  if (others.length === 0) {
    if (old.length === 0) return { changes: [] }
    const began = Math.min(...old.map((process) => process.began ?? 0))
    const which = old.length === 1 ? '' : ` (${few(old.map(({ name }) => name))})`
    const note = `restarted, to run since ${shownTime(Number(desired.since))} or later${which}`
    // A start, after which nothing that it reads has to be told to it.
    return {
      changes: [
        { attribute: 'ensure', from: `running since ${shownTime(began)}`, to: ensure, note },
      ],
    }
  }
  const [only] = processes
  if (only !== undefined && processes.length === 1) {
    const note = only.state === 'FATAL' || only.state === 'BACKOFF' ? { note: only.said } : {}
    return { changes: [{ attribute: 'ensure', from: stateOf(only), to: ensure, ...note }] }
  }
  const shown = others.map((process) => `${process.name} (${stateOf(process)})`)
  const note = few(shown)
  if (others.length === processes.length || !isToRun) {
    return {
      changes: [{ attribute: 'ensure', from: isToRun ? 'stopped' : 'running', to: ensure, note }],
    }
  }
  // Not a start of the whole: those that run are still to be restarted where that is due.
  const from = `${processes.length - others.length} of ${processes.length}`
  return { changes: [{ attribute: 'running', from, to: 'all', note }] }
}

function few(all: readonly string[]): string {
  return [...all.slice(0, 3), ...(all.length > 3 ? [`${all.length - 3} more`] : [])].join(', ')
}

function shownTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000', '')
}

async function refreshProgram(
  program: Program,
  _by: unknown,
  host: Host,
  madeAt?: number,
): Promise<Outcome | undefined> {
  const { ref, desired } = program
  if (desired.ensure === 'stopped') {
    return { idle: true, note: 'it is to be stopped, so it is not restarted' }
  }
  if (lacksTree(program, host)) {
    return { idle: true, note: `not restarted: ${desired.tree} is not there yet` }
  }
  const processes = await mustKnow(program, host)
  const up = processes.filter(isUp)
  const down = desired.ensure === 'running' ? processes.filter((each) => !isUp(each)) : []
  if (up.length + down.length === 0) {
    return { idle: true, note: 'it does not run, so it is not restarted' }
  }
  if (down.length === 0 && madeAt !== undefined && (await allBegan(up, madeAt, host))) {
    return { idle: true, note: 'it was started after what it reads was changed' }
  }
  if (desired.restart !== undefined && up.length > 0) await mustRun(host, ref, desired.restart)
  else for (const { name } of up) await act(ref, ['restart', name], host)
  if (down.length > 0) await act(ref, ['start', ...down.map(({ name }) => name)], host)
  return undefined
}

/** Whether an update of supervisor, or somebody else, has started all of them since then; what can't be told has not. */
async function allBegan(
  processes: readonly SupervisorProcess[],
  since: number,
  host: HostReader,
): Promise<boolean> {
  const names = processes.map(({ name }) => name)
  const { stdout } = await host.query(['supervisorctl', 'pid', ...names])
  const pids = stdout.trim().split('\n').map(Number)
  return pids.length === names.length && pids.every((pid) => (startedAt(pid, host) ?? 0) > since)
}

/** What supervisorctl calls an error where there is nothing left to do. */
const done: Readonly<Record<string, string>> = { start: 'already started', stop: 'not running' }

/** supervisorctl waits until a program has run for as long as its definition asks, and says what became of it. */
async function act(ref: string, args: readonly string[], host: Host): Promise<void> {
  const argv = ['supervisorctl', ...args]
  const result = await host.run(argv)
  const errors = result.stdout.split('\n').filter((line) => line.includes(': ERROR ('))
  // Supervisor itself tries a program again that has ended, and may have been first.
  const faults = errors.filter((line) => !line.endsWith(`(${done[args[0] ?? '']})`))
  if (faults.length === 0 && (result.exitCode === 0 || errors.length > 0)) return
  const said = `${result.stdout}${result.stderr}`.trim()
  const reason = faults[0] ?? (said.split('\n')[0] || howItEnded(result))
  throw new ApplyError(`${ref}: \`supervisorctl ${args[0]}\` failed: ${reason}`, {
    help: `supervisorctl tail ${/^(\S+): ERROR/.exec(reason)?.[1] ?? args[1]}`,
    ran: { argv, exit: howItEnded(result), output: said },
  })
}

/** All programs by one question; what it exits with only says whether all of them run. */
async function askStatus(
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

async function mustKnow(program: Program, host: Host): Promise<SupervisorProcess[]> {
  const status = await askStatus(host)
  if ('silent' in status) {
    throw new ApplyError(`${program.ref}: supervisor does not answer: ${status.silent}`)
  }
  const processes = processesOf(program, status.processes)
  if (processes.length > 0) return processes
  throw new ApplyError(`${program.ref}: supervisor knows no program or group ${program.title}`)
}

function processesOf({ title }: Program, all: readonly SupervisorProcess[]): SupervisorProcess[] {
  const group = `${title.replace(/:\*$/, '')}:`
  return all.filter(({ name }) => name === title || name.startsWith(group))
}

function lacksTree({ desired: { tree } }: Program, host: HostReader): boolean {
  if (tree === undefined) return false
  try {
    return tracePath(host, tree).stat === undefined
  } catch (error) {
    if (error instanceof HostError && error.code === 'ELOOP') return true
    throw error
  }
}

/** Whether a resource of the catalog makes the tree, which then comes first. */
function comes({ desired: { tree } }: Program, context: ProbeContext | undefined): boolean {
  return tree !== undefined && context?.declared.has(`path:${tree}`) === true
}

function isUp({ state }: SupervisorProcess): boolean {
  return state === 'RUNNING' || state === 'STARTING'
}

function isWrong(each: SupervisorProcess, isToRun: boolean): boolean {
  return isToRun ? !isUp(each) : isTried(each)
}

/** Times are of whole seconds: what began within the one after counts as older too. */
function isOlder(
  { began }: SupervisorProcess,
  { ensure, since }: SupervisorProgramDesired,
): boolean {
  return (
    ensure === 'running' && since !== undefined && began !== undefined && began <= Number(since) + 1
  )
}

/** Seconds, from what supervisor says of a process that runs: `pid 812, uptime 1 day, 0:00:04`. */
function ageOf(said: string): number | undefined {
  const found = /uptime (?:([0-9]+) days?, )?([0-9]+):([0-9]+):([0-9]+)/.exec(said)
  if (!found) return undefined
  const [days, hours, minutes, seconds] = found.slice(1).map((text) => Number(text ?? 0))
  return (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)
}

/** Whether it runs, or supervisor starts it again in a moment. */
function isTried(each: SupervisorProcess): boolean {
  return isUp(each) || each.state === 'BACKOFF'
}

function stateOf({ state }: SupervisorProcess): string {
  switch (state) {
    case 'FATAL':
      return 'failed'
    case 'BACKOFF':
      return 'restarting in a loop'
    default:
      return state.toLowerCase()
  }
}
