import type { CommandResult, HostReader } from '../host/host.ts'

/** What systemd says of a unit. Source: systemctl(1), "show"; org.freedesktop.systemd1(5). */
export interface Unit {
  /** The unit's own name, where the one asked for is an alias. */
  readonly id: string
  /** `loaded`, `not-found`, `masked`, `bad-setting`, `error`. */
  readonly load: string
  /** Why it did not load; empty where it did. */
  readonly loadError: string
  /** `active`, `reloading`, `activating`, `deactivating`, `inactive`, `failed`. */
  readonly active: string
  /** More closely: `running`, `exited`, `auto-restart`, `dead`, … */
  readonly sub: string
  /** `enabled`, `disabled`, `static`, `masked`, `generated`, …; empty where there is no unit file. */
  readonly file: string
  /** Its file or a drop-in changed since systemd read it. */
  readonly needsDaemonReload: boolean
  /** `simple`, `forking`, `oneshot`, `notify`, …; empty where it is no service. */
  readonly type: string
  /** Where its definition comes from: an init script for a generated unit; often empty. */
  readonly source: string
  /** When it last began to start, in microseconds of CLOCK_MONOTONIC; 0 where it never did. */
  readonly startedAt: number
  /** Another one each time it starts; empty where it never did. */
  readonly invocation: string
  /** 0 where it has none. */
  readonly mainPid: number
}

const properties =
  'Id,LoadState,LoadError,ActiveState,SubState,UnitFileState,NeedDaemonReload,Type,SourcePath,InactiveExitTimestampMonotonic,InvocationID,MainPID'

/** The units in the order given, by one query. Gives why where systemd doesn't answer. */
export async function showUnits(
  names: readonly string[],
  host: HostReader,
): Promise<readonly Unit[] | { readonly unavailable: string }> {
  if (names.length === 0) return []
  if (!host.hasSystemd) return { unavailable: 'systemd does not run here' }
  const result = await host.query(['systemctl', 'show', `--property=${properties}`, '--', ...names])
  const units = parseUnits(result.stdout)
  if (units.length === names.length) return units
  return { unavailable: `systemd does not answer: ${reason(result)}` }
}

/** One block a unit, in the order asked, parted by empty lines; the order of the lines in a block varies. */
function parseUnits(text: string): Unit[] {
  if (text.trim() === '') return []
  return text.trim().split(/\n\n+/).map(parseUnit)
}

function parseUnit(block: string): Unit {
  const values = new Map<string, string>()
  for (const line of block.split('\n')) {
    const at = line.indexOf('=')
    values.set(line.slice(0, at), line.slice(at + 1))
  }
  const value = (name: string) => values.get(name) ?? ''
  return {
    id: value('Id'),
    load: value('LoadState'),
    // The bus name of the error comes before its text in quotes.
    loadError: /"(.*)"$/.exec(value('LoadError'))?.[1] ?? value('LoadError'),
    active: value('ActiveState'),
    sub: value('SubState'),
    file: value('UnitFileState'),
    needsDaemonReload: value('NeedDaemonReload') === 'yes',
    type: value('Type'),
    source: value('SourcePath'),
    startedAt: Number(value('InactiveExitTimestampMonotonic')),
    invocation: value('InvocationID'),
    mainPid: Number(value('MainPID')),
  }
}

/** `nginx` is `nginx.service`; a name that ends in another kind of unit stays. */
export function unitName(title: string): string {
  const suffix = /\.(service|socket|timer|path|mount|automount|swap|target|slice|scope|device)$/
  return suffix.test(title) ? title : `${title}.service`
}

function reason({ stderr, startError, exitCode }: CommandResult): string {
  return stderr.trim().split('\n')[0] || startError || `exit code ${exitCode}`
}
