import type { CommandResult, Host } from '../host/host.ts'
import {
  type AptPolicy,
  aptEnvironment,
  aptGet,
  aptListsAreStale,
  aptPolicy,
  aptUpdate,
} from './apt.ts'
import { isBlamed, isStale, isUnsolvable, ranOf, reasonFor } from './apt-messages.ts'
import { type DpkgStatus, isBroken, readDpkgStatus } from './dpkg-status.ts'
import { compareVersions } from './dpkg-version.ts'
import { ApplyError } from './type.ts'

/** What one resource asks of a transaction. */
export interface PackageJob {
  readonly ref: string
  /** `name` or `name:architecture`. */
  readonly name: string
  /** `present`, `latest`, `absent`, `purged` or a version; absent where only the hold changes. */
  readonly ensure?: string
  readonly setHold?: boolean
  /** Whether a hold that is in the way may be overridden. */
  readonly mayChangeHeld: boolean
  /** Whether the package's version of a configuration file replaces one that was edited. */
  readonly newConfigFiles: boolean
  readonly recommends: boolean
}

/** A job with what apt offers for it. */
interface Planned extends PackageJob {
  /** Where the newest is wanted: the version to reach. */
  readonly atLeast?: string
}

type Failures = Map<string, ApplyError>

/**
 * Does all jobs by as few runs of apt-get as their options allow: what is removed goes along with what
 * is installed, so that one may take the other's place. A job that can't be done is left out and the
 * rest goes on. Gives the failures by `ref`.
 */
export async function runTransaction(
  jobs: readonly PackageJob[],
  host: Host,
): Promise<ReadonlyMap<string, ApplyError>> {
  if (host.cannotRun !== undefined)
    return failAll(jobs, `packages can't be changed: ${host.cannotRun}`)
  const failures: Failures = new Map()
  if (readDpkgStatus(host).interrupted) await configure(host)
  await mark('unhold', jobs, failures, host)

  const installs = jobs.filter(({ ensure }) => ensure !== undefined && !isGone(ensure))
  const known = await planInstalls(installs, failures, host)
  const removals = jobs.filter(({ ensure }) => isGone(ensure))
  const groups = Map.groupBy(known, (job) => `${job.newConfigFiles} ${job.recommends}`)
  const [first = [], ...others] = groups.values()
  for (const group of [[...first, ...removals], ...others]) {
    if (group.length > 0) await transact(group, failures, host)
  }
  await purge(
    removals.filter(({ ref }) => !failures.has(ref)),
    failures,
    host,
  )
  await mark('hold', jobs, failures, host)
  return failures
}

/**
 * Fetches the lists when there is a reason to, and fails every job for what apt
 * doesn't know even then; gives the others.
 */
async function planInstalls(
  jobs: readonly PackageJob[],
  failures: Failures,
  host: Host,
): Promise<Planned[]> {
  if (jobs.length === 0) return []
  const names = jobs.map(({ name }) => name)
  let updated = aptListsAreStale(host) ? await aptUpdate(host) : undefined
  let policies = await aptPolicy(names, host)
  if (updated === undefined && jobs.some((job) => !isOffered(job, policies.get(job.name)))) {
    updated = await aptUpdate(host)
    policies = await aptPolicy(names, host)
  }
  const planned: Planned[] = []
  for (const job of jobs) {
    const policy = policies.get(job.name)
    if (isOffered(job, policy)) {
      const candidate = job.ensure === 'latest' ? policy?.candidate : undefined
      planned.push(candidate === undefined ? job : { ...job, atLeast: candidate })
    } else {
      // Lists that could not be fetched are the likelier cause, so what apt-get update said is shown.
      const ran = updated === undefined || updated.exitCode === 0 ? undefined : ranOf(updated)
      failures.set(job.ref, notOffered(job, policy, ran))
    }
  }
  return planned
}

function isOffered({ ensure = '' }: PackageJob, policy: AptPolicy | undefined): boolean {
  if (policy === undefined) return false
  return !isVersion(ensure) || policy.versions.includes(ensure)
}

function notOffered(
  { ref, name, ensure }: PackageJob,
  policy: AptPolicy | undefined,
  ran: ApplyError['ran'],
): ApplyError {
  if (policy === undefined) {
    return new ApplyError(`${ref}: apt knows no package ${name}`, {
      help: 'correct the name, or declare the `apt_repository` that holds it',
      ran,
    })
  }
  const offered = policy.versions.join(', ') || 'none'
  return new ApplyError(`${ref}: apt offers no version ${ensure} of ${name}`, {
    help: `choose one that it offers: ${offered}`,
    ran,
  })
}

/** One run of apt-get for all, and again without those that it names as the reason when it fails. */
async function transact(jobs: readonly Planned[], failures: Failures, host: Host): Promise<void> {
  let todo = jobs
  const repaired = { lists: false, dpkg: false }
  while (todo.length > 0) {
    const result = await install(todo, host)
    const status = readDpkgStatus(host)
    const left = todo.filter((job) => !isAsWanted(job, status))
    if (left.length === 0) return
    const output = `${result.stdout}\n${result.stderr}`
    if (result.exitCode !== 0 && !repaired.lists && isStale(output)) {
      repaired.lists = true
      await aptUpdate(host)
    } else if (result.exitCode !== 0 && !repaired.dpkg && /dpkg was interrupted/.test(output)) {
      repaired.dpkg = true
      await configure(host)
    } else {
      const guilty = left.filter(({ name }) => isBlamed(name, output))
      const others = left.filter((job) => !guilty.includes(job))
      if (guilty.length === 0 && left.length > 1 && isUnsolvable(output)) {
        // apt blames packages that these depend on, so each shows by itself whether it can be had.
        for (const job of left) await transact([job], failures, host)
        return
      }
      for (const job of guilty.length > 0 ? guilty : left)
        failures.set(job.ref, failure(job, result))
      todo = guilty.length > 0 ? others : []
    }
  }
}

async function install(jobs: readonly PackageJob[], host: Host): Promise<CommandResult> {
  const status = readDpkgStatus(host)
  const isInUse = ({ name }: PackageJob) => status.find(name)?.held === true
  const isOlder = ({ name, ensure = '' }: PackageJob) => {
    const found = status.find(name)
    return found !== undefined && isVersion(ensure) && compareVersions(ensure, found.version) < 0
  }
  const asked = jobs.find(({ ensure }) => !isGone(ensure))
  const newConfigFiles = asked?.newConfigFiles ?? false
  const argv = [
    ...configFileOptions(newConfigFiles).flatMap((option) => ['-o', `Dpkg::Options::=${option}`]),
    `--${asked?.recommends === false ? 'no-' : ''}install-recommends`,
    ...(jobs.some(isOlder) ? ['--allow-downgrades'] : []),
    ...(jobs.some((job) => job.mayChangeHeld && isInUse(job))
      ? ['--allow-change-held-packages']
      : []),
    'install',
    ...jobs.map(operand),
  ]
  const ucf = newConfigFiles ? { UCF_FORCE_CONFFNEW: '1' } : { UCF_FORCE_CONFFOLD: '1' }
  return aptGet(argv, host, ucf)
}

function operand({ name, ensure = 'present' }: PackageJob): string {
  if (isGone(ensure)) return `${name}-`
  return isVersion(ensure) ? `${name}=${ensure}` : name
}

/**
 * Source: dpkg(1), "--force-things". `confdef` takes a maintainer's default before it keeps the old
 * file; with `confnew` it would keep an edited one, so that stands alone.
 */
function configFileOptions(takeNew: boolean): string[] {
  return takeNew ? ['--force-confnew'] : ['--force-confdef', '--force-confold']
}

/**
 * What is already removed and leaves only its configuration: apart from the
 * transaction, so that nothing else is purged with it.
 */
async function purge(
  removals: readonly PackageJob[],
  failures: Failures,
  host: Host,
): Promise<void> {
  const status = readDpkgStatus(host)
  const jobs = removals.filter(
    (job) => job.ensure === 'purged' && !isAsWanted(job, status, 'purged'),
  )
  if (jobs.length === 0) return
  const result = await aptGet(['purge', ...jobs.map(({ name }) => name)], host)
  const after = readDpkgStatus(host)
  for (const job of jobs) {
    if (!isAsWanted(job, after, 'purged')) failures.set(job.ref, failure(job, result))
  }
}

async function configure(host: Host): Promise<void> {
  // Whether it worked shows in what the transaction finds; its failure would only be told twice.
  await host.run(['dpkg', ...configFileOptions(false), '--configure', '--pending'], {
    environment: { ...aptEnvironment, UCF_FORCE_CONFFOLD: '1' },
    timeoutMs: 1_800_000,
  })
}

async function mark(
  verb: 'hold' | 'unhold',
  jobs: readonly PackageJob[],
  failures: Failures,
  host: Host,
): Promise<void> {
  const meant = jobs.filter(
    ({ ref, setHold }) => setHold === (verb === 'hold') && !failures.has(ref),
  )
  if (meant.length === 0) return
  const result = await host.run(['apt-mark', verb, ...meant.map(({ name }) => name)], {
    environment: aptEnvironment,
  })
  if (result.exitCode === 0) return
  for (const job of meant) failures.set(job.ref, failure(job, result))
}

/** Whether a job is done; one to purge counts as done when it is removed, until `purged` is asked for. */
function isAsWanted(job: Planned, status: DpkgStatus, stage: 'installed' | 'purged' = 'installed') {
  const { name, ensure = 'present' } = job
  const found = status.find(name)
  const state = found?.state ?? 'not-installed'
  if (isGone(ensure)) {
    return state === 'not-installed' || (state === 'config-files' && stage === 'installed')
  }
  if (found === undefined || state === 'not-installed' || state === 'config-files') {
    return status.provider(name) !== undefined && !isVersion(ensure)
  }
  if (isBroken(state)) return false
  if (job.atLeast !== undefined) return compareVersions(found.version, job.atLeast) >= 0
  return !isVersion(ensure) || compareVersions(found.version, ensure) === 0
}

function failure(job: PackageJob, result: CommandResult): ApplyError {
  const verb = isGone(job.ensure) ? 'removed' : 'installed'
  const reason = reasonFor(job.name, result)
  return new ApplyError(`${job.ref}: ${job.name} could not be ${verb}: ${reason}`, {
    help: /has no installation candidate/.test(reason)
      ? `name a package that apt can install; \`apt-cache showpkg ${job.name}\` lists what provides it`
      : '`dpkg --audit` lists what is unfinished; mend the cause and apply again',
    ran: ranOf(result, job.name),
  })
}

/** Every job fails for the same reason. */
function failAll(jobs: readonly PackageJob[], reason: string): Failures {
  return new Map(jobs.map(({ ref }) => [ref, new ApplyError(`${ref}: ${reason}`)]))
}

function isGone(ensure: string | undefined): boolean {
  return ensure === 'absent' || ensure === 'purged'
}

function isVersion(ensure: string): boolean {
  return !['present', 'latest', 'absent', 'purged'].includes(ensure)
}
