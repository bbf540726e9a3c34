import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { HostError } from '../host/error.ts'
import type { HostReader } from '../host/host.ts'
import { readArchitecture, readKernel, readMemory, readNames, readProcessors } from './machine.ts'
import { readMounts } from './mounts.ts'
import { readNetwork } from './network.ts'
import { readOs } from './os.ts'
import { readPostgresqlClusters } from './postgresql.ts'
import { readHostRelease } from './release.ts'
import type { Facts } from './schema.ts'
import { readSiteFacts } from './site.ts'

export interface FactsOptions {
  /** The machine itself, root "/": what an image has no own of (memory, kernel, network) comes from there. */
  readonly machine: HostReader
  /** Folder of site facts; none when absent. */
  readonly siteFolder?: string
}

/**
 * All that is true of a host: mistakes in site facts do not hide the rest. Nothing is
 * started but the executables of the site.
 */
export async function readFacts(
  host: HostReader,
  { machine, siteFolder }: FactsOptions,
): Promise<{ readonly facts: Facts; readonly diagnostics: readonly Diagnostic[] }> {
  const { site, diagnostics } =
    siteFolder === undefined ? { site: {}, diagnostics: [] } : await readSiteFacts(host, siteFolder)
  const { current, unread } = readCurrent(host)
  // A third of the time of all, and seldom asked for.
  let network: Facts['network'] | undefined
  let mounts: Facts['mounts'] | undefined
  const facts: Facts = {
    os: readOs(host),
    kernel: readKernel(),
    architecture: readArchitecture(host),
    memory: readMemory(machine),
    processors: readProcessors(machine),
    ...readNames(machine),
    get network() {
      network ??= readNetwork(machine)
      return network
    },
    get mounts() {
      mounts ??= readMounts(machine)
      return mounts
    },
    init: host.hasSystemd ? 'systemd' : 'other',
    ...current,
    postgresql_clusters: readPostgresqlClusters(host),
    site,
  }
  return { facts, diagnostics: [...diagnostics, ...unread] }
}

/** Not every user may look into zulip's home. */
function readCurrent(host: HostReader): {
  readonly current: Pick<Facts, 'release'>
  readonly unread: readonly Diagnostic[]
} {
  try {
    return { current: { release: readHostRelease(host) }, unread: [] }
  } catch (error) {
    if (!(error instanceof HostError && error.code === 'EACCES')) throw error
    const unread: Diagnostic = {
      severity: 'warning',
      code: 'no-permission',
      message: 'the Zulip release that is installed is unknown, for this user may not look there',
      found: error.message,
      help: 'run steward as root or as the zulip user',
    }
    return { current: { release: null }, unread: [unread] }
  }
}
