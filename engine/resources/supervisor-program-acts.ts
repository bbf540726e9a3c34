import { setTimeout as sleep } from 'node:timers/promises'
import { HostError } from '../host/error.ts'
import type { Host, HostReader } from '../host/host.ts'
import { tracePath } from '../host/trust.ts'
import { howItEnded, mustRun } from './must-run.ts'
import { startedAt } from './process-start.ts'
import {
  askStatus,
  isFailing,
  isTried,
  isUp,
  processesOf,
  type SupervisorProcess,
} from './supervisor-status.ts'
import { ApplyError, type Change, type Outcome, type Resource, type Standing } from './type.ts'

export interface SupervisorProgramDesired {
  readonly ensure?: 'running' | 'stopped'
  readonly tree?: string
  /** Seconds since the epoch. */
  readonly since?: number | string
  /** Path globs, or references such as `file[/etc/x]`. */
  readonly restart_on?: readonly string[]
  readonly restart?: readonly string[]
}

export type Program = Resource<SupervisorProgramDesired>

/** How long a program that lives may take to have run for as long as its definition asks. */
const startingMs = 10_000
const pollMs = 200

export async function applyProgram(
  program: Program,
  _changes: readonly Change[],
  host: Host,
): Promise<Outcome | undefined> {
  const { ref, desired } = program
  const processes = await mustKnow(program, host)
  const isToRun = desired.ensure === 'running'
  const wrong = processes.filter((each) => isWrong(each, isToRun))
  const old = processes.filter((each) => isOlder(each, desired))
  if (wrong.length + old.length === 0) return { idle: true, note: `it is ${desired.ensure} by now` }
  await restart(program, old, host)
  if (isToRun) await start(ref, wrong, host)
  else await act(ref, 'stop', wrong, host)
  return undefined
}

export async function refreshProgram(
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
  await restart(program, up, host)
  await start(ref, down, host)
  return undefined
}

/** How each stands, once none is between stopped and running any more; what nobody can be asked about is stopped. */
export async function standingsOf(
  programs: readonly Program[],
  host: HostReader,
): Promise<Standing[]> {
  const all = await settled(programs, host)
  const standings: Standing[] = []
  for (const program of programs) {
    const own = processesOf(program.title, all)
    const failing = own.find(isFailing)
    // Without its tree it can't run, whatever it reads.
    const isLeft = program.desired.ensure === 'stopped' || lacksTree(program, host)
    if (failing && !isLeft) standings.push(await failureOf(program, failing, host))
    else standings.push(own.some(isUp) && !isLeft ? 'runs' : 'stopped')
  }
  return standings
}

/** Once what it reads and its definition are as they were before, which supervisor knows: started again where needed. */
export async function recoverProgram(
  program: Program,
  _by: unknown,
  host: Host,
  madeAt: number,
): Promise<{ readonly isAnew: true }> {
  await settled([program], host)
  const processes = await mustKnow(program, host)
  const up = processes.filter(isUp)
  const isToRun = program.desired.ensure === 'running'
  const down = processes.filter((each) => isFailing(each) || (isToRun && !isUp(each)))
  if (up.length > 0 && !(await allBegan(up, madeAt, host))) await restart(program, up, host)
  await start(program.ref, down, host)
  return { isAnew: true }
}

/** Whether the program is to be left, for what it runs from is not there. */
export function lacksTree({ desired: { tree } }: Program, host: HostReader): boolean {
  if (tree === undefined) return false
  try {
    return tracePath(host, tree).stat === undefined
  } catch (error) {
    if (error instanceof HostError && error.code === 'ELOOP') return true
    throw error
  }
}

export function isWrong(each: SupervisorProcess, isToRun: boolean): boolean {
  return isToRun ? !isUp(each) : isTried(each)
}

/** Times are of whole seconds: what began within the one after counts as older too. */
export function isOlder(
  { began }: SupervisorProcess,
  { ensure, since }: SupervisorProgramDesired,
): boolean {
  return (
    ensure === 'running' && since !== undefined && began !== undefined && began <= Number(since) + 1
  )
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

/** One after another; by its own command it has to be looked at whether they run then. */
async function restart(
  program: Program,
  processes: readonly SupervisorProcess[],
  host: Host,
): Promise<void> {
  const { ref, desired } = program
  if (processes.length === 0) return
  if (desired.restart === undefined) {
    for (const each of processes) await act(ref, 'restart', [each], host)
    return
  }
  await mustRun(host, ref, desired.restart)
  const names = processes.map(({ name }) => name)
  const failing = (await settled([program], host)).find(
    (each) => isFailing(each) && names.includes(each.name),
  )
  if (failing) throw await failureOf(program, failing, host)
}

async function start(
  ref: string,
  processes: readonly SupervisorProcess[],
  host: Host,
): Promise<void> {
  // What supervisor tries again and again it takes for started.
  await act(ref, 'stop', processes.filter(isTried), host)
  await act(ref, 'start', processes, host)
}

/** What supervisorctl calls an error where there is nothing left to do. */
const done: Readonly<Record<string, string>> = { start: 'already started', stop: 'not running' }

/** supervisorctl waits until a program has run for as long as its definition asks, and says what became of it. */
async function act(
  ref: string,
  verb: 'start' | 'stop' | 'restart',
  processes: readonly SupervisorProcess[],
  host: Host,
): Promise<void> {
  const [first] = processes
  if (!first) return
  const argv = ['supervisorctl', verb, ...processes.map(({ name }) => name)]
  const result = await host.run(argv)
  const errors = result.stdout.split('\n').filter((line) => line.includes(': ERROR ('))
  // Supervisor itself tries a program again that has ended, and may have been first.
  const faults = errors.filter((line) => !line.endsWith(`(${done[verb]})`))
  if (faults.length === 0 && (result.exitCode === 0 || errors.length > 0)) return
  const said = `${result.stdout}${result.stderr}`.trim()
  const reason = faults[0] ?? (said.split('\n')[0] || howItEnded(result))
  const name = /^(\S+): ERROR/.exec(reason)?.[1] ?? first.name
  const log = await tailOf(name, host)
  throw new ApplyError(`${ref}: \`supervisorctl ${verb}\` failed: ${reason}`, {
    help: `supervisorctl tail ${name}`,
    ran: { argv, exit: howItEnded(result), output: [said, log].filter(Boolean).join('\n') },
  })
}

async function failureOf(
  { ref }: Program,
  { name, state, said }: SupervisorProcess,
  host: HostReader,
): Promise<ApplyError> {
  const argv = ['supervisorctl', 'tail', name]
  return new ApplyError(`${ref} does not run: ${name} is ${state} (${said})`, {
    help: argv.join(' '),
    ran: { argv, exit: 'exit code 0', output: await tailOf(name, host) },
  })
}

/** The last lines of what it wrote, to both of its logs; that it has no such log is none. */
async function tailOf(name: string, host: HostReader): Promise<string> {
  const texts: string[] = []
  for (const log of ['stdout', 'stderr']) {
    const { stdout } = await host.query(['supervisorctl', 'tail', name, log])
    const text = stdout.trim().split('\n').slice(-20).join('\n')
    if (text !== '' && !/^\S+: ERROR \([^)]*\)$/.test(text)) texts.push(text)
  }
  return texts.join('\n')
}

async function mustKnow(program: Program, host: HostReader): Promise<SupervisorProcess[]> {
  const status = await askStatus(host)
  if ('silent' in status) {
    throw new ApplyError(`${program.ref}: supervisor does not answer: ${status.silent}`)
  }
  const processes = processesOf(program.title, status.processes)
  if (processes.length > 0) return processes
  throw new ApplyError(`${program.ref}: supervisor knows no program or group ${program.title}`)
}

/** All processes, once none of these programs is starting; none where supervisor does not come to answer. */
async function settled(
  programs: readonly Program[],
  host: HostReader,
): Promise<readonly SupervisorProcess[]> {
  const deadline = Date.now() + startingMs
  for (;;) {
    const status = await askStatus(host)
    const processes = 'silent' in status ? [] : status.processes
    const isStarting = programs.some(({ title }) =>
      processesOf(title, processes).some(({ state }) => state === 'STARTING'),
    )
    const isOver = !('silent' in status) && !isStarting
    if (isOver || Date.now() > deadline) return processes
    await sleep(pollMs)
  }
}
