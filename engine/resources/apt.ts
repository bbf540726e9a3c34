import { setTimeout as sleep } from 'node:timers/promises'
import type { CommandOptions, CommandResult, Host, HostReader } from '../host/host.ts'
import { followApt } from './apt-progress.ts'

/** What apt could install under a name. */
export interface AptPolicy {
  /** The version it would choose; absent for a virtual package and one that pins forbid. */
  readonly candidate?: string
  /** Newest first. */
  readonly versions: readonly string[]
}

/**
 * No question is put to a person, and no message is translated, for some are read. needrestart only
 * lists: what restarts is what manifests say.
 */
export const aptEnvironment = {
  DEBIAN_FRONTEND: 'noninteractive',
  DEBIAN_PRIORITY: 'critical',
  APT_LISTCHANGES_FRONTEND: 'none',
  NEEDRESTART_MODE: 'l',
  LC_ALL: 'C.UTF-8',
} as const

/** A lock that another apt holds is waited for as long as steward's own. */
const lockTimeoutS = 300
const lockTimeout = ['-o', `DPkg::Lock::Timeout=${lockTimeoutS}`]
const lockPauseMs = 1000
/** A large upgrade over a slow line; what is stuck shows in apt's own time limits long before. */
const transactionMs = 3_600_000

/** Keeps apt from writing its caches to disk, so that a question stays one. */
const cachesInMemory = ['-o', 'Dir::Cache::pkgcache=', '-o', 'Dir::Cache::srcpkgcache=']

/** Map from name to what apt knows of it, by one query; a name that apt doesn't know is missing. */
export async function aptPolicy(
  names: readonly string[],
  host: HostReader,
): Promise<ReadonlyMap<string, AptPolicy>> {
  if (names.length === 0) return new Map()
  const { stdout } = await host.query(['apt-cache', ...cachesInMemory, 'policy', ...names], {
    environment: { LC_ALL: 'C.UTF-8' },
  })
  const policies = parsePolicy(stdout)
  const found = new Map<string, AptPolicy>()
  for (const name of names) {
    // apt names a package of the system's own architecture without it, however it was asked.
    const policy = policies.get(name) ?? policies.get(name.replace(/:.*/, ''))
    if (policy !== undefined) found.set(name, policy)
  }
  return found
}

/** Source: apt-cache(8), "policy". */
function parsePolicy(text: string): Map<string, AptPolicy> {
  const policies = new Map<string, AptPolicy>()
  for (const block of text.split(/^(?=\S)/m)) {
    const name = /^(\S+):\n/.exec(block)?.[1]
    if (name === undefined) continue
    const candidate = /^ {2}Candidate: (?!\(none\))(\S+)$/m.exec(block)?.[1]
    const versions = [...block.matchAll(/^ (?:\*\*\*| {3}) (\S+)(?: -?\d+)?$/gm)]
    policies.set(name, {
      ...(candidate === undefined ? {} : { candidate }),
      versions: versions.map((match) => match[1] ?? ''),
    })
  }
  return policies
}

/** What a transaction would remove besides what it was asked to; nothing where it can't be worked out. */
export async function aptAlsoRemoves(
  operands: readonly string[],
  host: HostReader,
): Promise<string[]> {
  if (operands.length === 0) return []
  const allowed = ['--yes', '--allow-downgrades', '--allow-change-held-packages']
  const { stdout } = await host.query(
    ['apt-get', ...cachesInMemory, '--simulate', ...allowed, 'install', ...operands],
    { environment: { LC_ALL: 'C.UTF-8' } },
  )
  const asked = new Set(
    operands.filter((name) => name.endsWith('-')).map((name) => name.slice(0, -1)),
  )
  const removed = [...stdout.matchAll(/^(?:Remv|Purg) (\S+)/gm)].map((match) => match[1] ?? '')
  return removed.filter((name) => !asked.has(name))
}

/** Fetches the lists of every repository. */
export function aptUpdate(host: Host): Promise<CommandResult> {
  return update(['update'], host)
}

/**
 * apt's own waiting is for dpkg's lock alone: the one of the lists, which an update that was cut off by our own
 * end may still hold, is asked for again as long.
 */
async function update(argv: readonly string[], host: Host): Promise<CommandResult> {
  for (let waitedMs = 0; ; waitedMs += lockPauseMs) {
    const result = await aptGet(argv, host)
    const isLocked =
      result.exitCode !== 0 && /^E: Could not get lock .*\/lists\//m.test(result.stderr)
    if (!isLocked || waitedMs >= lockTimeoutS * 1000) return result
    await sleep(lockPauseMs)
  }
}

/** Fetches the lists of one source file, and leaves those of the others alone. */
export function aptUpdateFrom(sourceFile: string, host: Host): Promise<CommandResult> {
  const only = [
    `Dir::Etc::sourcelist=${sourceFile}`,
    'Dir::Etc::sourceparts=-',
    'APT::Get::List-Cleanup=0',
    'APT::Update::Error-Mode=any',
  ]
  return update([...only.flatMap((option) => ['-o', option]), 'update'], host)
}

export function aptGet(
  argv: readonly string[],
  host: Host,
  environment: CommandOptions['environment'] = {},
): Promise<CommandResult> {
  return host.run(['apt-get', '--quiet', '--yes', ...lockTimeout, ...argv], {
    environment: { ...aptEnvironment, ...environment },
    timeoutMs: transactionMs,
    ...(host.progress ? { onLine: followApt(host.progress) } : {}),
  })
}

const lists = '/var/lib/apt/lists'
const sources = '/etc/apt/sources.list'
const sourceParts = '/etc/apt/sources.list.d'

/** Whether there are no lists at all, or a source file changed after they were last fetched. */
export function aptListsAreStale(host: HostReader): boolean {
  if (host.stat(lists)?.kind !== 'directory') return true
  if (!host.list(lists).some((name) => name.includes('_Packages'))) return true
  // apt-get update keeps the server's times on the lists, but always works in this folder.
  const fetched = Math.max(changed(lists, host), changed(`${lists}/partial`, host))
  const parts = host.stat(sourceParts)?.kind === 'directory' ? host.list(sourceParts) : []
  const files = [sources, sourceParts, ...parts.map((name) => `${sourceParts}/${name}`)]
  return files.some((path) => changed(path, host) > fetched)
}

/** Milliseconds; 0 where nothing is. */
function changed(path: string, host: HostReader): number {
  return host.stat(path)?.mtimeMs ?? 0
}
