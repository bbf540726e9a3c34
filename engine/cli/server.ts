import { run as apply } from './apply.ts'
import type { ApplyFlags } from './apply-flags.ts'

/** What the commands take that run the server; a name in camel case is a parameter of the procedure. */
export interface ServerFlags extends ApplyFlags {
  readonly skipChecks?: boolean
  readonly lessGraceful?: boolean
  readonly onlyDjango?: boolean
  readonly fillCache?: boolean
  readonly skipClientReloads?: boolean
  readonly force?: boolean
}

/** `steward restart`: 0, 1 refused, 4 failed; what ran before runs again then. */
export function restart(flags: ServerFlags, deployment: string | undefined): Promise<number> {
  return procedure('zulip::restart', flags, {
    deployment,
    less_graceful: flags.lessGraceful,
    only_django: flags.onlyDjango,
    fill_cache: flags.fillCache,
    skip_checks: flags.skipChecks,
    skip_client_reloads: flags.skipClientReloads,
  })
}

/** `steward start`. */
export function start(flags: ServerFlags): Promise<number> {
  return procedure('zulip::start', flags, { skip_checks: flags.skipChecks })
}

/** `steward stop`. */
export function stop(flags: ServerFlags): Promise<number> {
  return procedure('zulip::stop', flags, {})
}

/** `steward rollback`, which asks: what was written since may be lost to the earlier release. */
export function rollback(flags: ServerFlags, deployment: string | undefined): Promise<number> {
  const { yes = false, force, skipChecks } = flags
  const parameters = { deployment, force, skip_checks: skipChecks }
  return procedure('zulip::rollback', flags, parameters, yes)
}

/** Runs a procedure, mostly without a question: the command is the answer. */
function procedure(
  name: string,
  flags: ApplyFlags,
  parameters: Readonly<Record<string, string | boolean | undefined>>,
  yes = true,
): Promise<number> {
  const given = Object.entries(parameters)
    .filter(([, value]) => value !== undefined)
    .map(([parameter, value]) => `${parameter}=${value}`)
  return apply({ ...flags, yes, with: given }, [name])
}
