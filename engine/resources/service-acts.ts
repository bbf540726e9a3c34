import { setTimeout as sleep } from 'node:timers/promises'
import type { CommandResult, Host } from '../host/host.ts'
import { howItEnded } from './must-run.ts'
import { showUnits, type Unit, unitName } from './systemctl.ts'
import { ApplyError, type Change, type Outcome, type RefreshKind, type Resource } from './type.ts'

export interface ServiceDesired {
  readonly ensure?: 'running' | 'stopped'
  readonly enable?: boolean | 'mask'
  /** Path globs, or references such as `file[/etc/x]`. */
  readonly restart_on?: readonly string[]
  readonly reload_on?: readonly string[]
  readonly restart?: readonly string[]
  readonly reload?: readonly string[]
  readonly check?: readonly string[]
}

type Service = Resource<ServiceDesired>

/** How long a unit may stay between stopped and running once its start command has returned. */
const startingMs = 10_000
/** A program without a way to say that it is ready counts as started before it has read its configuration. */
const settlingMs = 500
const pollMs = 200

/** Makes the changes in the order in which they don't hinder each other: what is masked can't be started. */
export async function applyService(
  service: Service,
  changes: readonly Change[],
  host: Host,
): Promise<Outcome | undefined> {
  const name = unitName(service.title)
  const unit = await readyUnit(service, host)
  const wanted = (attribute: string) => changes.find((change) => change.attribute === attribute)?.to
  const enable = wanted('enable')
  const ensure = wanted('ensure')
  // Stopped before it is masked or disabled, for a stop may need what the unit file says.
  if (ensure === 'stopped') await act(service, ['systemctl', 'stop', '--', name], host)
  if (enable === 'mask') await act(service, ['systemctl', 'mask', '--', name], host)
  if (enable === true && unit.load === 'masked') {
    await act(service, ['systemctl', 'unmask', '--', name], host)
  }
  if (typeof enable === 'boolean') {
    // systemctl refuses to enable a unit by its alias.
    await act(service, ['systemctl', enable ? 'enable' : 'disable', '--', unit.id], host)
  }
  if (ensure === 'running') {
    await check(service, host)
    await clearFailure(service, unit, host)
    await act(service, ['systemctl', 'start', '--', name], host)
    await expectRunning(service, ['systemctl', 'start', '--', name], host)
  }
  return undefined
}

/** Restarts or reloads a running service. One that is stopped, or is to be, stays so. */
export async function refreshService(
  service: Service,
  by: RefreshKind,
  host: Host,
  madeAt?: number,
): Promise<Outcome | undefined> {
  const { desired } = service
  if (desired.ensure === 'stopped')
    return { idle: true, note: 'it is to be stopped, so it is not restarted' }
  const unit = await readyUnit(service, host)
  if (desired.ensure === undefined && unit.active !== 'active' && unit.active !== 'reloading') {
    return { idle: true, note: 'it does not run, so it is not restarted' }
  }
  // By its package, which came with it: systemd has read its files since they changed, and so has it.
  if (madeAt !== undefined && unit.active === 'active' && unit.startedAt > madeAt) {
    return { idle: true, note: 'it was started after what it reads was changed' }
  }
  await check(service, host)
  await clearFailure(service, unit, host)
  const argv = argvFor(service, by)
  const { stdout, stderr } = await act(service, argv, host)
  await expectRunning(service, argv, host)
  const output = `${stdout}${stderr}`.trim()
  return output === '' ? undefined : { output }
}

/** Once what it reads is as it was before: started again, or told to read it, where that is needed. */
export async function recoverService(
  service: Service,
  by: RefreshKind,
  host: Host,
): Promise<{ readonly isAnew: boolean }> {
  const unit = await readyUnit(service, host)
  const isUp = unit.active === 'active' || unit.active === 'reloading'
  if (isUp && by !== 'reload') return { isAnew: false }
  await clearFailure(service, unit, host)
  // A reload that failed may have read some of it.
  const argv = argvFor(service, isUp ? 'reload' : 'restart')
  await act(service, argv, host)
  await expectRunning(service, argv, host)
  return { isAnew: true }
}

function argvFor({ title, desired }: Service, by: RefreshKind): readonly string[] {
  return by === 'reload'
    ? (desired.reload ?? ['systemctl', 'reload-or-restart', '--', unitName(title)])
    : (desired.restart ?? ['systemctl', 'restart', '--', unitName(title)])
}

/** Whether what it reads is valid, by its own command. Throws where it is not. */
async function check({ ref, desired }: Service, host: Host): Promise<void> {
  if (desired.check === undefined) return
  const result = await host.run(desired.check)
  if (result.exitCode === 0) return
  const { stdout, stderr } = result
  throw new ApplyError(
    `${ref} is left as it runs, for \`${desired.check.join(' ')}\` finds fault with what it reads: ${howItEnded(result)}`,
    {
      ran: { argv: result.argv, exit: howItEnded(result), output: `${stdout}${stderr}`.trim() },
      isUntouched: true,
    },
  )
}

/** The unit as it is, read anew by systemd where its files changed or may have. */
async function readyUnit(service: Service, host: Host): Promise<Unit> {
  const unit = await showUnit(service, host)
  const isOld = unit.needsDaemonReload || unit.load === 'not-found' || hasOwnFiles(service, host)
  if (!isOld) return unit
  await act(service, ['systemctl', 'daemon-reload'], host)
  return showUnit(service, host)
}

/**
 * systemd 252 doesn't see that a folder of drop-ins is new until it looks for another
 * unit, so where there is one nobody asks.
 */
function hasOwnFiles({ title }: Service, host: Host): boolean {
  const name = unitName(title)
  const names = [name, name.replace(/@.*\./, '@.')]
  return names.some((each) => host.stat(`/etc/systemd/system/${each}.d`) !== undefined)
}

async function showUnit({ ref, title }: Service, host: Host): Promise<Unit> {
  if (host.cannotRun !== undefined)
    throw new ApplyError(`${ref} can't be changed: ${host.cannotRun}`)
  const units = await showUnits([unitName(title)], host)
  if ('unavailable' in units) throw new ApplyError(`${ref} can't be changed: ${units.unavailable}`)
  const [unit] = units
  if (unit === undefined) throw new ApplyError(`${ref}: systemd says nothing of ${unitName(title)}`)
  return unit
}

/**
 * A unit that failed too often is refused a start until its count is cleared.
 * Source: systemd.unit(5), StartLimitIntervalSec.
 */
async function clearFailure(service: Service, unit: Unit, host: Host): Promise<void> {
  if (unit.active !== 'failed') return
  await act(service, ['systemctl', 'reset-failed', '--', unitName(service.title)], host)
}

/** Waits until it runs; a oneshot that ended well counts. */
async function expectRunning(service: Service, argv: readonly string[], host: Host): Promise<void> {
  const deadline = Date.now() + startingMs
  /** How it was when it was first seen running. */
  let first: Unit | undefined
  for (;;) {
    const unit = await showUnit(service, host)
    const isUp = unit.active === 'active' || unit.active === 'reloading'
    if (unit.type === 'oneshot' && unit.active === 'inactive') return
    if (!isUp && (unit.active !== 'activating' || Date.now() > deadline)) {
      throw await failed(service, `it is ${unit.active} (${unit.sub})`, argv, host)
    }
    if (first && isUp && unit.invocation !== first.invocation) {
      throw await failed(service, 'it ended, and systemd started it again', argv, host)
    }
    if (isUp && tellsWhenReady(unit)) return
    if (isUp && first && (!isBusy(unit, host) || Date.now() > deadline)) return
    if (isUp) first ??= unit
    await sleep(isUp ? settlingMs : pollMs)
  }
}

/**
 * Whether it computes or waits for a disk, as a program does while it reads its configuration: on a machine with much
 * to do it may not have come to that yet. Source: proc_pid_stat(5), "state".
 */
function isBusy({ mainPid }: Unit, host: Host): boolean {
  const path = `/proc/${mainPid}/stat`
  if (mainPid === 0 || host.stat(path) === undefined) return false
  const stat = host.read(path).toString('latin1')
  return /\) [RD] /.test(stat)
}

/** Whether systemd's word that it started is the program's own. Source: systemd.service(5), Type=. */
function tellsWhenReady({ type, sub }: Unit): boolean {
  return sub === 'exited' || !['simple', 'exec', 'idle', 'forking'].includes(type)
}

async function act(service: Service, argv: readonly string[], host: Host): Promise<CommandResult> {
  const result = await host.run(argv)
  if (result.exitCode === 0) return result
  const said = result.stderr.trim().split('\n')[0]
  throw await failed(service, said || howItEnded(result), argv, host, result)
}

/**
 * The failure with what the unit last wrote to the journal, for
 * systemctl itself only says that something failed.
 */
async function failed(
  service: Service,
  reason: string,
  argv: readonly string[],
  host: Host,
  result?: CommandResult,
): Promise<ApplyError> {
  const name = unitName(service.title)
  const look = ['journalctl', '--unit', name, '--no-pager', '--lines=20']
  const journal = await host.query(look)
  const output = [result?.stderr.trim() ?? '', journal.stdout.trim()].filter((text) => text !== '')
  return new ApplyError(`${service.ref}: \`${argv.join(' ')}\` failed: ${reason}`, {
    help: `journalctl --unit ${name}`,
    ran: {
      argv,
      exit: result === undefined ? 'exit code 0' : howItEnded(result),
      output: output.join('\n'),
    },
  })
}
