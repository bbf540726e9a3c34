import { resolve } from 'node:path'
import { Refusal } from '../diagnostics/diagnostic.ts'
import { CURRENT, deploymentPath, LAST } from '../zulip/deployments.ts'
import { run as apply } from './apply.ts'
import type { ApplyFlags } from './apply-flags.ts'
import { deploymentAt, hasEndedSince, offerConfiguration } from './configuration-of-then.ts'

const ROLLBACK = 'zulip::rollback'

/** What the commands take that run the server; a name in camel case is a parameter of the procedure. */
export interface ServerFlags extends ApplyFlags {
  readonly skipChecks?: boolean
  readonly lessGraceful?: boolean
  readonly onlyDjango?: boolean
  readonly fillCache?: boolean
  readonly skipClientReloads?: boolean
  readonly force?: boolean
  readonly skipHooks?: boolean
}

/** `steward restart`: 0, 1 refused, 4 failed; what ran before runs again then. */
export function restart(flags: ServerFlags, deployment: string | undefined): Promise<number> {
  return procedure('zulip::restart', flags, {
    deployment: pathOf(deployment),
    less_graceful: flags.lessGraceful,
    only_django: flags.onlyDjango,
    fill_cache: flags.fillCache,
    skip_checks: flags.skipChecks,
    skip_client_reloads: flags.skipClientReloads,
  })
}

/** `steward start`. */
export function start(flags: ServerFlags): Promise<number> {
  return procedure('zulip::start', flags, {
    skip_checks: flags.skipChecks,
    fill_cache: flags.fillCache,
    skip_client_reloads: flags.skipClientReloads,
  })
}

/** `steward stop`. */
export function stop(flags: ServerFlags): Promise<number> {
  return procedure('zulip::stop', flags, {})
}

/**
 * `steward rollback`, which asks: what was written since may be lost to the earlier release. Its configuration files are
 * offered afterwards.
 */
export async function rollback(
  flags: ServerFlags,
  deployment: string | undefined,
): Promise<number> {
  const { yes = false, force, skipChecks, skipHooks } = flags
  const path = pathOf(deployment)
  const target = deploymentAt(path ?? LAST)
  const before = deploymentAt(CURRENT)
  const began = new Date().toISOString()
  const status = await procedure(
    ROLLBACK,
    flags,
    { deployment: path, force, skip_checks: skipChecks, skip_hooks: skipHooks },
    yes,
  )
  const after = deploymentAt(CURRENT)
  // A run that was gone on with may have been past the switch; one that failed then has switched all the same.
  const isSwitched = after !== before || hasEndedSince(ROLLBACK, began)
  const tree = flags.dryRun ? target : isSwitched ? after : undefined
  if (tree === undefined) return status
  return (await offerConfiguration(tree, flags)) || status
}

function pathOf(deployment: string | undefined): string | undefined {
  return deployment === undefined ? undefined : deploymentPath(deployment)
}

/** What `install` takes. */
export interface InstallFlags extends ServerFlags {
  readonly git?: string
  readonly hostname?: string
  readonly email?: string
  readonly classes?: string
  readonly initDb: boolean
  readonly selfSignedCert?: boolean
}

/** `steward install`: the same command goes on where a run was cut off. */
export function install(flags: InstallFlags, archive: string | undefined): Promise<number> {
  const { git, hostname, email, classes, initDb, selfSignedCert, abandon } = flags
  if (!abandon && (archive === undefined) === (git === undefined)) {
    throw new Refusal({
      severity: 'error',
      code: 'usage',
      message: 'install takes an archive of a release or --git, and not both',
      help: 'steward install zulip-server-10.1.tar.gz, or steward install --git 10.1',
    })
  }
  const parameters = {
    archive: archive === undefined ? undefined : resolve(archive),
    git,
    hostname,
    email,
    classes,
    init_db: initDb ? undefined : false,
    self_signed_cert: selfSignedCert,
  }
  return procedure('zulip::install', flags, parameters)
}

/** `steward system-update`. */
export function systemUpdate(flags: ServerFlags): Promise<number> {
  return procedure('zulip::system_update', flags, {}, flags.yes ?? false)
}

/** `steward deployments purge`: never one that a link leads to. */
export function purge(flags: ServerFlags & { readonly threshold?: string }): Promise<number> {
  return procedure('zulip::purge', flags, { threshold_days: flags.threshold })
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
