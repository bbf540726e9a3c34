import schema from '../../schemas/resources/supervisor_program.json' with { type: 'json' }
import { redefines } from './supervisor-definitions.ts'
import {
  applyProgram,
  isOlder,
  isWrong,
  lacksTree,
  type Program,
  recoverProgram,
  refreshProgram,
  type SupervisorProgramDesired,
  standingsOf,
} from './supervisor-program-acts.ts'
import { askStatus, isTried, processesOf, type SupervisorProcess } from './supervisor-status.ts'
import type { ProbeContext, ResourceType, Thing, Verdict } from './type.ts'

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
    const cannotRun = host.root === '/' ? host.cannotRun : 'not possible under --root'
    if (cannotRun !== undefined) return programs.map(() => ({ cannotRun }))
    // What is only restarted is asked about when it is.
    const isAsked = programs.some(({ desired }) => desired.ensure !== undefined)
    const status = isAsked ? await askStatus(host) : { processes: [] }
    return programs.map((program) => {
      const isTreeMissing = lacksTree(program, host) && !comes(program, context)
      if ('silent' in status) return { ...status, isTreeMissing }
      return { processes: processesOf(program.title, status.processes), isTreeMissing }
    })
  },
  diff: diffProgram,
  apply: applyProgram,
  refresh: refreshProgram,
  standings: standingsOf,
  recover: recoverProgram,
}

function diffProgram({ ref, title, desired }: Program, current: SupervisorCurrent): Verdict {
  const { ensure, tree } = desired
  if ('cannotRun' in current) return { changes: [], note: current.cannotRun, leftAlone: true }
  // What is only being started has no program to run, which supervisor finds out in a moment.
  const isRunning =
    'processes' in current && current.processes.some(({ state }) => state === 'RUNNING')
  const isOff = !('processes' in current && current.processes.some(isTried))
  if (ensure === undefined && current.isTreeMissing) {
    return { changes: [], note: `not restarted: ${tree} is not there yet`, leftAlone: true }
  }
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

/** Whether a resource of the catalog makes the tree, which then comes first. */
function comes({ desired: { tree } }: Program, context: ProbeContext | undefined): boolean {
  return tree !== undefined && context?.declared.has(`path:${tree}`) === true
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
