import { posix } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import schema from '../../schemas/resources/exec.json' with { type: 'json' }
import type { CommandOptions, CommandResult, Host, HostReader } from '../host/host.ts'
import { parseDurationMs } from './duration.ts'
import {
  askGuards,
  type Guard,
  type GuardAnswer,
  guardsOf,
  shellArgv,
  textOf,
} from './exec-guards.ts'
import { howItEnded } from './must-run.ts'
import {
  ApplyError,
  type Change,
  type Footprint,
  type Outcome,
  type Resource,
  type ResourceType,
  type Thing,
  type Verdict,
} from './type.ts'

export interface ExecDesired {
  readonly command?: readonly string[]
  readonly shell?: string
  readonly stdin?: string
  readonly creates?: string | readonly string[]
  readonly unless?: Guard
  readonly onlyif?: Guard
  readonly refreshonly?: boolean
  readonly cwd?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly user?: string
  readonly group?: string
  readonly umask?: string
  /** Seconds, or text with a unit; 0 is no limit. 300 s when absent. */
  readonly timeout?: number | string
  readonly tries?: number
  readonly try_sleep?: number | string
  readonly returns?: number | readonly number[]
  readonly scratch?: readonly string[]
  readonly help?: string
}

export type ExecCurrent =
  | { readonly cannotRun: string }
  /** `creates` is met, or the answer of the guards. `missing` is the first of `creates` that isn't there. */
  | { readonly exists: string }
  | { readonly missing: string | undefined; readonly guards: GuardAnswer }

/** A command. Runs when nothing says that it need not. Its output goes into the report. */
export const exec: ResourceType<ExecDesired, ExecCurrent> = {
  name: 'exec',
  schema,
  check: checkExec,
  asks: (desired) => desired.refreshonly !== true && hasGuard(desired),
  mayDecline: hasGuard,
  footprint: footprintOf,
  probe: (resources, host) => Promise.all(resources.map(({ desired }) => probeExec(desired, host))),
  diff: diffExec,
  async apply(resource, changes, host) {
    // A plan that could not ask the guards left that to this moment.
    if (changes.some(isUnasked)) return runIfGuardsAgree(resource, host)
    return run(resource, host)
  },
  refresh: (resource, _by, host) => runIfGuardsAgree(resource, host),
}

function hasGuard({ unless, onlyif }: ExecDesired): boolean {
  return unless !== undefined || onlyif !== undefined
}

function checkExec({ ref, desired }: Resource<ExecDesired>) {
  const { command, shell, timeout, try_sleep } = desired
  if ((command === undefined) === (shell === undefined)) {
    return {
      message: `${ref} needs either \`command\` or \`shell\``,
      help: '`command` is a list of a program and its arguments; `shell` is text for /bin/sh',
    }
  }
  for (const kind of ['unless', 'onlyif'] as const) {
    if (typeof desired[kind] === 'string' && shell === undefined) {
      return {
        attribute: kind,
        message: `${ref}: \`${kind}\` is text, but no shell is used here`,
        help: 'write a list of a program and its arguments',
      }
    }
  }
  for (const [attribute, value] of Object.entries({ timeout, try_sleep })) {
    if (value !== undefined && parseDurationMs(value) === undefined) {
      const message = `${ref}: \`${attribute}\` is no duration: ${value}`
      return { attribute, message, help: 'write seconds, or a number with ms, s, m, h or d' }
    }
  }
  return undefined
}

function footprintOf({ desired }: Resource<ExecDesired>): Footprint {
  const { cwd, user, group } = desired
  const programs = [argvOf(desired), ...guardsOf(desired).map(({ argv }) => argv)]
  const creates = createsOf(desired).map((path): Thing => `path:${path}`)
  return {
    needs: [
      ...new Set(programs.flatMap(([program]) => programThing(program, cwd))),
      ...(cwd === undefined ? [] : [`path:${cwd}` as const]),
      ...(user === undefined ? [] : [`user:${user}` as const]),
      ...(group === undefined ? [] : [`group:${group}` as const]),
    ],
    after: createsOf(desired).map((path): Thing => `path:${posix.dirname(path)}`),
    // What runs only when something else changed doesn't promise that it is there.
    ...(desired.refreshonly ? { provides: creates } : { ensures: creates }),
  }
}

/**
 * A package is known for the names of its commands, so a path in one of the usual folders counts as its name.
 */
function programThing(program: string | undefined, cwd: string | undefined): Thing[] {
  if (program === undefined || program === '/bin/sh') return []
  if (!program.includes('/')) return [`command:${program}`]
  const path = program.startsWith('/') ? posix.normalize(program) : cwd && posix.join(cwd, program)
  if (path === undefined || path === '') return []
  return /^\/(usr\/)?s?bin\/[^/]+$/.test(path)
    ? [`command:${posix.basename(path)}`]
    : [`path:${path}`]
}

async function probeExec(desired: ExecDesired, host: HostReader): Promise<ExecCurrent> {
  const creates = createsOf(desired)
  const missing = creates.find((path) => !exists(path, host))
  if (creates.length > 0 && missing === undefined) return { exists: creates.join(', ') }
  if (host.cannotRun !== undefined) return { cannotRun: host.cannotRun }
  const asked = desired.refreshonly === true ? [] : guardsOf(desired)
  const guards = await askGuards(asked, guardOptions(desired), (argv, options) =>
    host.guard(argv, options),
  )
  return { missing, guards }
}

function diffExec({ ref, desired }: Resource<ExecDesired>, current: ExecCurrent): Verdict {
  if (desired.refreshonly === true) return { changes: [], note: 'it runs only on a refresh' }
  if ('exists' in current) return { changes: [], note: `${current.exists} exists` }
  if ('cannotRun' in current) return { changes: [], note: current.cannotRun, leftAlone: true }
  const { missing, guards } = current
  const change = { attribute: 'run', from: undefined, to: textOf(argvOf(desired)) }
  if ('unavailable' in guards) {
    return {
      unknown: `its guards can't be asked here: ${guards.unavailable}`,
      changes: [{ ...change, note: unasked }],
    }
  }
  if ('failed' in guards) {
    return { blocked: `${ref}: ${guards.failed}`, help: 'run the guard by hand to see why' }
  }
  if (!guards.run) return { changes: [], note: guards.because }
  const reasons = [missing && `${missing} is missing`, guards.because].filter((text) => text)
  return { changes: [{ ...change, ...(reasons.length > 0 ? { note: reasons.join('; ') } : {}) }] }
}

const unasked = 'its guards are asked when it is applied'

function isUnasked({ note }: Change): boolean {
  return note === unasked
}

/** A refresh looks away from `creates`: what changed may well be why it has to be made anew. */
async function runIfGuardsAgree(
  resource: Resource<ExecDesired>,
  host: Host,
): Promise<Outcome | undefined> {
  const { ref, desired } = resource
  const answer = await askGuards(
    guardsOf(desired),
    guardOptions(desired),
    async (argv, options) => {
      const result = await host.guard(argv, options)
      if (!('unavailable' in result)) return result
      const { scratch: _, ...plain } = options
      return host.run(argv, plain)
    },
  )
  if ('unavailable' in answer) throw new ApplyError(`${ref}: ${answer.unavailable}`)
  if ('failed' in answer) {
    throw new ApplyError(`${ref}: ${answer.failed}`, { ran: ranOf(answer.result) })
  }
  return answer.run ? run(resource, host) : { idle: true, note: `not run: ${answer.because}` }
}

async function run(
  { ref, desired }: Resource<ExecDesired>,
  host: Host,
): Promise<Outcome | undefined> {
  if (host.cannotRun !== undefined) throw new ApplyError(`${ref} can't run: ${host.cannotRun}`)
  const argv = argvOf(desired)
  const expected = [desired.returns ?? 0].flat()
  const tries = desired.tries ?? 1
  const pauseMs = parseDurationMs(desired.try_sleep ?? 0) ?? 0
  for (let attempt = 1; ; attempt++) {
    // It is on record as done from here on, and no command syncs by itself.
    const result = await host.run(argv, { ...commandOptions(desired), lasts: true })
    if (result.exitCode !== undefined && expected.includes(result.exitCode)) {
      const output = outputOf(result)
      return output === '' ? undefined : { output }
    }
    if (attempt >= tries) throw failure(ref, result, desired)
    await sleep(pauseMs)
  }
}

function failure(
  ref: string,
  result: CommandResult,
  { returns = 0, tries = 1, help }: ExecDesired,
): ApplyError {
  const exit = howItEnded(result)
  const wanted = returns === 0 ? '' : `, expected ${[returns].flat().join(' or ')}`
  const after = tries > 1 ? ` after ${tries} tries` : ''
  const message = `${ref}: \`${textOf(result.argv)}\` failed${after}: ${exit}${wanted}`
  return new ApplyError(message, { ...(help !== undefined && { help }), ran: ranOf(result) })
}

function ranOf(result: CommandResult): NonNullable<ApplyError['ran']> {
  const lines = outputOf(result).split('\n')
  return { argv: result.argv, exit: howItEnded(result), output: lines.slice(-20).join('\n') }
}

/** Enough to find a cause, and no more than a record can hold for each command of each run. Characters. */
const outputLimit = 64_000

function outputOf({ stdout, stderr }: CommandResult): string {
  const text = `${stdout}${stderr}`.trimEnd()
  return text.length <= outputLimit ? text : `…${text.slice(-outputLimit)}`
}

function argvOf({ command, shell }: ExecDesired): readonly string[] {
  return command ?? shellArgv(shell ?? '')
}

function createsOf({ creates }: ExecDesired): readonly string[] {
  return [creates ?? []].flat()
}

/** Node's timers end at 2³¹ ms, nearly 25 days. */
const noLimitMs = 2_147_483_647

function commandOptions(desired: ExecDesired): CommandOptions {
  const { stdin } = desired
  return { ...commonOptions(desired), ...(stdin === undefined ? {} : { stdin }) }
}

function guardOptions(desired: ExecDesired): CommandOptions {
  const { scratch } = desired
  return { ...commonOptions(desired), ...(scratch === undefined ? {} : { scratch }) }
}

function commonOptions(desired: ExecDesired): CommandOptions {
  const { user, group, cwd, environment, umask, timeout } = desired
  const limitMs = timeout === undefined ? undefined : parseDurationMs(timeout)
  return {
    ...(user === undefined ? {} : { user }),
    ...(group === undefined ? {} : { group }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(environment === undefined ? {} : { environment }),
    ...(umask === undefined ? {} : { umask }),
    ...(limitMs === undefined ? {} : { timeoutMs: limitMs === 0 ? noLimitMs : limitMs }),
  }
}

function exists(path: string, host: HostReader): boolean {
  return host.stat(path) !== undefined
}
