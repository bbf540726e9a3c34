import type { HostReader } from '../host/host.ts'

/** How far a package is, in dpkg's words. Source: dpkg(1), "Package states". */
export type DpkgState =
  | 'not-installed'
  | 'config-files'
  | 'half-installed'
  | 'unpacked'
  | 'half-configured'
  | 'triggers-awaited'
  | 'triggers-pending'
  | 'installed'

/** A paragraph of dpkg's status file. */
export interface DpkgPackage {
  readonly name: string
  readonly architecture: string
  readonly version: string
  readonly state: DpkgState
  /** Held by `apt-mark hold`. */
  readonly held: boolean
  /** Names of virtual packages, without versions. */
  readonly provides: readonly string[]
}

/** dpkg's database as it stands. */
export interface DpkgStatus {
  /** By `name` (of the system's own architecture or of all) or by `name:architecture`. */
  find(name: string): DpkgPackage | undefined
  /** An installed package that provides the virtual one. */
  provider(name: string): DpkgPackage | undefined
  /**
   * Whether dpkg stopped in the middle: something is unpacked or half configured, or its journal isn't empty.
   */
  readonly interrupted: boolean
  readonly packages: Iterable<DpkgPackage>
}

const statusFile = '/var/lib/dpkg/status'
const journal = '/var/lib/dpkg/updates'

/**
 * Reads the status file and, over it, the journal that a dpkg in the middle of its work
 * leaves. A tree without dpkg has no packages.
 */
export function readDpkgStatus(host: HostReader): DpkgStatus {
  const packages = new Map<string, DpkgPackage>()
  const journalled = host.stat(journal)?.kind === 'directory' ? host.list(journal) : []
  // dpkg numbers the parts of its journal; anything else there is a file that it was still writing.
  const parts = journalled.filter((name) => /^\d+$/.test(name)).map((name) => `${journal}/${name}`)
  for (const path of host.stat(statusFile) === undefined ? parts : [statusFile, ...parts]) {
    // What is used of it is ASCII, and UTF-8 takes most of the time to decode.
    for (const item of parseDpkgStatus(host.read(path).toString('latin1'))) {
      packages.set(`${item.name}:${item.architecture}`, item)
    }
  }
  // dpkg is always of the system's own architecture, so no process has to be asked for it.
  const own = [...packages.values()].find(({ name }) => name === 'dpkg')?.architecture
  const providers = new Map<string, DpkgPackage>()
  let interrupted = parts.length > 0
  for (const item of packages.values()) {
    if (isBroken(item.state)) interrupted = true
    if (item.state === 'installed') for (const name of item.provides) providers.set(name, item)
  }
  return {
    interrupted,
    packages: packages.values().toArray(),
    provider: (name) => providers.get(name),
    find(name) {
      if (name.includes(':')) return packages.get(name) ?? byAll(packages, name)
      return packages.get(`${name}:${own}`) ?? packages.get(`${name}:all`)
    },
  }
}

/** dpkg left it in the middle, and `dpkg --configure -a` or a new installation has to finish it. */
export function isBroken(state: DpkgState): boolean {
  return state === 'half-installed' || state === 'unpacked' || state === 'half-configured'
}

/**
 * Every paragraph; only the fields that are used are looked at, for the file is large and read on every run.
 */
export function parseDpkgStatus(text: string): DpkgPackage[] {
  const packages: DpkgPackage[] = []
  for (const paragraph of text.split(/\n\n+/)) {
    const name = field(paragraph, 'Package')
    const status = field(paragraph, 'Status').split(' ')
    if (name === '' || status.length !== 3) continue
    packages.push({
      name,
      architecture: field(paragraph, 'Architecture'),
      version: field(paragraph, 'Version'),
      state: status[2] as DpkgState,
      held: status[0] === 'hold',
      provides: providedNames(field(paragraph, 'Provides')),
    })
  }
  return packages
}

function field(paragraph: string, name: string): string {
  const start = paragraph.startsWith(`${name}: `) ? 0 : paragraph.indexOf(`\n${name}: `) + 1
  if (start === 0 && !paragraph.startsWith(`${name}: `)) return ''
  const end = paragraph.indexOf('\n', start)
  return paragraph.slice(start + name.length + 2, end === -1 ? undefined : end).trim()
}

function providedNames(list: string): string[] {
  if (list === '') return []
  return list.split(',').map((item) => item.trim().replace(/[ (:].*$/, ''))
}

/** `name:amd64` also means a package of all architectures, as it does to apt. */
function byAll(packages: ReadonlyMap<string, DpkgPackage>, name: string): DpkgPackage | undefined {
  return packages.get(`${name.slice(0, name.indexOf(':'))}:all`)
}
