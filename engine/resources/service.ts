import schema from '../../schemas/resources/service.json' with { type: 'json' }
import type { HostReader } from '../host/host.ts'
import {
  applyService,
  recoverService,
  refreshService,
  type ServiceDesired,
} from './service-acts.ts'
import { showUnits, type Unit, unitName } from './systemctl.ts'
import type { Change, Footprint, Resource, ResourceType, Thing, Verdict } from './type.ts'

export type ServiceCurrent =
  | {
      readonly unit: Unit
      /**
       * Whether it starts at boot; `mask` where it can't start at all. Absent: nothing can be
       * enabled, for it has no part that says when.
       */
      readonly enabled: boolean | 'mask' | undefined
    }
  /** Why the state can't be told. */
  | { readonly unavailable: string }
  /** Why there is no systemd to ask: a folder that is managed from outside. */
  | { readonly cannotRun: string }

/** A unit of systemd. `refresh` restarts it, or reloads it for what is in `reload_on`. Source: systemctl(1). */
export const service: ResourceType<ServiceDesired, ServiceCurrent> = {
  name: 'service',
  schema,
  check: checkService,
  footprint: footprintOf,
  probe: probeServices,
  diff: diffService,
  apply: applyService,
  refresh: refreshService,
  recover: recoverService,
}

function checkService({ ref, title, desired }: Resource<ServiceDesired>) {
  const name = unitName(title)
  if (!/^[A-Za-z0-9:_.\\-]+(@[A-Za-z0-9:_.\\@-]+)?\.[a-z]+$/.test(name)) {
    return {
      message: `${ref} is no name of a unit`,
      help: 'a template needs its instance: `name@instance`',
    }
  }
  if (desired.enable === 'mask' && desired.ensure === 'running') {
    const message = `${ref} can't run while it is masked`
    return { attribute: 'enable', message, help: 'write `ensure: stopped`, or `enable: false`' }
  }
  return undefined
}

function footprintOf({ title, desired }: Resource<ServiceDesired>): Footprint {
  const name = unitName(title)
  const unit: Thing = `unit:${name}`
  const template: Thing = `unit:${name.replace(/@.*\./, '@.')}`
  const file: Thing = `path:/etc/systemd/system/${name}`
  // What is only to be stopped or masked may as well not be there.
  const needsUnit = desired.ensure === 'running' || desired.enable === true
  const read = (by: 'restart' | 'reload') => (on: string) => ({ on, by }) as const
  return {
    ...(needsUnit ? { needs: [unit] } : {}),
    ...(desired.ensure === 'running' ? { ensures: [`service:${name}` as const] } : {}),
    after: desired.enable === 'mask' ? [] : [...(needsUnit ? [] : [unit]), template, file],
    reads: [
      ...[`/etc/systemd/system/${name}`, `/etc/systemd/system/${name}.d/**`].map(read('restart')),
      ...(desired.restart_on ?? []).map(read('restart')),
      ...(desired.reload_on ?? []).map(read('reload')),
    ],
  }
}

async function probeServices(
  resources: readonly Resource<ServiceDesired>[],
  host: HostReader,
): Promise<ServiceCurrent[]> {
  // A chroot can run commands, but no unit: the systemd of this machine is not that of the tree.
  const cannotRun = host.root === '/' ? host.cannotRun : 'not possible under --root'
  if (cannotRun !== undefined) return resources.map(() => ({ cannotRun }))
  const units = await showUnits(
    resources.map(({ title }) => unitName(title)),
    host,
  )
  if ('unavailable' in units) return resources.map(() => units)
  return units.map((unit) => ({ unit, enabled: enabledOf(unit, host) }))
}

/** Source: systemctl(1), the table under "is-enabled". */
function enabledOf(unit: Unit, host: HostReader): boolean | 'mask' | undefined {
  switch (unit.file) {
    case 'enabled':
      return true
    case 'masked':
      return 'mask'
    case 'static':
    case 'indirect':
    case 'alias':
    case 'transient':
      return undefined
    case 'generated':
      return unit.source.startsWith('/etc/init.d/') ? startsAtBoot(unit, host) : undefined
    // What holds only until the next boot (enabled-runtime, linked-runtime) is not enabled.
    default:
      return unit.load === 'masked' ? 'mask' : false
  }
}

/** For an init script systemd doesn't say it; the links of the run levels do. Source: update-rc.d(8). */
function startsAtBoot({ source }: Unit, host: HostReader): boolean {
  const script = source.slice('/etc/init.d/'.length)
  return ['2', '3', '4', '5'].some((level) => {
    const folder = `/etc/rc${level}.d`
    if (host.stat(folder)?.kind !== 'directory') return false
    return host.list(folder).some((link) => /^S\d\d/.test(link) && link.slice(3) === script)
  })
}

function diffService(
  { ref, title, desired }: Resource<ServiceDesired>,
  current: ServiceCurrent,
): Verdict {
  if ('cannotRun' in current) return { changes: [], note: current.cannotRun, leftAlone: true }
  if ('unavailable' in current) return { unknown: current.unavailable }
  const { unit, enabled } = current
  const wantsUnit = desired.ensure === 'running' || desired.enable === true
  if (unit.load === 'not-found' && wantsUnit) {
    return {
      blocked: `${ref}: there is no unit ${unitName(title)}`,
      help: 'declare the package or file that brings it; an alias is there only while its unit is enabled',
    }
  }
  if ((unit.load === 'bad-setting' || unit.load === 'error') && wantsUnit) {
    return {
      blocked: `${ref}: systemd can't load it: ${unit.loadError}`,
      help: `systemd-analyze verify ${unit.id}`,
    }
  }
  if (enabled === 'mask' && desired.ensure === 'running' && desired.enable !== true) {
    return { blocked: `${ref}: the unit is masked`, help: 'write `enable: true` to unmask it' }
  }
  const changes: Change[] = []
  const notes: string[] = []
  const wanted = desired.enable
  if (wanted === true && enabled === undefined) {
    notes.push(`${unit.file}: other units start it, there is nothing to enable`)
  } else if (wanted !== undefined && wanted !== enabled && !isWeaker(wanted, enabled, unit)) {
    changes.push({ attribute: 'enable', from: enabled ?? unit.file, to: wanted })
  }
  const state = stateOf(unit)
  if (desired.ensure !== undefined && desired.ensure !== state) {
    const isStarting = desired.ensure === 'running' && state === 'starting'
    if (isStarting) notes.push('it is starting')
    else changes.push({ attribute: 'ensure', from: state, to: desired.ensure })
  }
  if (unit.needsDaemonReload) notes.push('its unit file changed since systemd read it')
  const note = notes.join('; ')
  return { changes, ...(note === '' ? {} : { note }) }
}

/** `enable: false` asks for less than what is: masked, nothing to enable, or no unit at all. */
function isWeaker(wanted: boolean | 'mask', enabled: boolean | 'mask' | undefined, unit: Unit) {
  return (
    wanted === false && (enabled === 'mask' || enabled === undefined || unit.load === 'not-found')
  )
}

function stateOf(
  unit: Unit,
): 'running' | 'stopped' | 'starting' | 'failed' | 'stopping' | 'restarting in a loop' {
  switch (unit.active) {
    case 'active':
    case 'reloading':
      return 'running'
    case 'activating':
      return unit.sub === 'auto-restart' ? 'restarting in a loop' : 'starting'
    case 'deactivating':
      return 'stopping'
    case 'failed':
      return 'failed'
    default:
      return 'stopped'
  }
}
