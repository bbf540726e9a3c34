import schema from '../../schemas/resources/package.json' with { type: 'json' }
import type { HostReader } from '../host/host.ts'
import { type AptPolicy, aptAlsoRemoves, aptPolicy } from './apt.ts'
import { type PackageJob, runTransaction } from './apt-transaction.ts'
import { type DpkgPackage, isBroken, readDpkgStatus } from './dpkg-status.ts'
import { compareVersions } from './dpkg-version.ts'
import { isKnownPackage, thingsWith, unitsOf } from './package-things.ts'
import type {
  ApplyError,
  Change,
  Footprint,
  Resource,
  ResourceType,
  Thing,
  Verdict,
} from './type.ts'

export interface PackageDesired {
  /** `present` when absent; anything but the four words is a version. */
  readonly ensure?: 'present' | 'absent' | 'purged' | 'latest' | (string & {})
  readonly hold?: boolean
  readonly config_files?: 'keep' | 'new'
  readonly install_recommends?: boolean
}

export interface PackageCurrent {
  /** What dpkg knows under this name, its leftover configuration included. */
  readonly found: DpkgPackage | undefined
  /** The installed package that provides this name, where none of the name is installed. */
  readonly provider: string | undefined
  /** What apt offers; absent where it wasn't asked or doesn't know the name. */
  readonly offer: AptPolicy | undefined
  /** What apt would remove along with what is asked, told once for the whole transaction. */
  readonly alsoRemoves: readonly string[]
  /** Which packages apt doesn't know, told with the first of them. */
  readonly unknownToApt: readonly string[]
  /** Why nothing can be installed here. */
  readonly cannotRun: string | undefined
}

/** The lists of apt, which every repository of the catalog brings up to date. */
const aptLists: Thing = 'path:/var/lib/apt/lists'

/** A Debian package. Source: dpkg(1), apt-get(8). */
export const packageType: ResourceType<PackageDesired, PackageCurrent> = {
  name: 'package',
  schema,
  check: checkPackage,
  // A repository that is still to come may bring a newer one.
  asks: ({ ensure }) => ensure === 'latest',
  footprint: footprintOf,
  probe: probePackages,
  diff: diffPackage,
  async apply(resource, changes, host) {
    const failures = await runTransaction([jobOf(resource, changes)], host)
    const failure = failures.get(resource.ref)
    if (failure !== undefined) throw failure
    return undefined
  },
  applyTogether(batch, host): Promise<ReadonlyMap<string, ApplyError>> {
    return runTransaction(
      batch.map(({ resource, changes }) => jobOf(resource, changes)),
      host,
    )
  },
}

function checkPackage({ ref, title, desired }: Resource<PackageDesired>) {
  if (!/^[a-z0-9][a-z0-9+.-]+(:[a-z0-9-]+)?$/.test(title)) {
    return {
      message: `${ref} is no name of a Debian package`,
      help: 'write it in small letters, as `apt-cache search` prints it',
    }
  }
  const { ensure = 'present', hold } = desired
  if (hold === true && (isGone(ensure) || ensure === 'latest')) {
    return {
      attribute: 'hold',
      message: `${ref} can't be held and ${ensure} at once`,
      help: 'leave out `hold`, or ensure `present` or a version',
    }
  }
  return undefined
}

function footprintOf({ title, desired }: Resource<PackageDesired>): Footprint {
  const name = title.replace(/:.*/, '')
  const own: Thing = `package:${name}`
  if (isGone(desired.ensure)) {
    // A service is stopped while its unit is still there.
    return { after: [aptLists], removes: [own, ...unitsOf(name)] }
  }
  return {
    after: [aptLists],
    ensures: [own],
    ...(isKnownPackage(name) ? { provides: thingsWith(name) } : { bringsUnknown: true }),
  }
}

async function probePackages(
  resources: readonly Resource<PackageDesired>[],
  host: HostReader,
): Promise<PackageCurrent[]> {
  const status = readDpkgStatus(host)
  const installed = resources.map(({ title }) => {
    const found = status.find(title)
    const provider = isThere(found) ? undefined : status.provider(title)?.name
    return { found, provider, offer: undefined, ...UNASKED, cannotRun: host.cannotRun }
  })
  if (host.cannotRun !== undefined) return installed

  const asked = resources.filter((resource, at) => {
    const { ensure } = resource.desired
    const current = installed[at]
    if (ensure === 'latest') return true
    return !isGone(ensure) && current !== undefined && ensureChange(resource, current) !== undefined
  })
  const policies = await aptPolicy(
    asked.map(({ title }) => title),
    host,
  )
  const unknownToApt = asked.map(({ title }) => title).filter((title) => !policies.has(title))
  const known = installed.map((current, at) => {
    const title = resources[at]?.title ?? ''
    const offer = policies.get(title)
    if (offer !== undefined) return { ...current, offer }
    return title === unknownToApt[0] ? { ...current, unknownToApt } : current
  })
  return addRemovals(resources, known, policies, host)
}

const UNASKED = { alsoRemoves: [], unknownToApt: [] }

/**
 * Works out the whole transaction once and tells what else it removes with the first
 * removal, or else the first installation.
 */
async function addRemovals(
  resources: readonly Resource<PackageDesired>[],
  known: readonly PackageCurrent[],
  policies: ReadonlyMap<string, AptPolicy>,
  host: HostReader,
): Promise<PackageCurrent[]> {
  const pending = resources.flatMap((resource, at) => {
    const current = known[at]
    if (current === undefined) return []
    const { title, desired } = resource
    const { ensure = 'present' } = desired
    if (ensureChange(resource, current) === undefined) return []
    if (isGone(ensure)) return isThere(current.found) ? [{ at, operand: `${title}-` }] : []
    // A name or version that apt doesn't know yet would spoil the answer for all.
    const policy = policies.get(title)
    if (policy?.versions.includes(ensure)) return [{ at, operand: `${title}=${ensure}` }]
    const isKnown = isWord(ensure) && policy?.candidate !== undefined
    return isKnown ? [{ at, operand: title }] : []
  })
  const alsoRemoves = await aptAlsoRemoves(
    pending.map(({ operand }) => operand),
    host,
  )
  const teller = pending.find(({ operand }) => operand.endsWith('-')) ?? pending[0]
  return known.map((current, at) => (at === teller?.at ? { ...current, alsoRemoves } : current))
}

function diffPackage(resource: Resource<PackageDesired>, current: PackageCurrent): Verdict {
  const { ref, desired } = resource
  const { found, provider } = current
  const change = ensureChange(resource, current)
  const gone = isGone(desired.ensure)
  const held = found?.held === true
  if (change !== undefined && found?.held && isInstalled(found) && desired.hold === undefined) {
    if (desired.ensure === 'latest') {
      return {
        changes: [],
        note: `held here at ${found.version}; apt offers ${current.offer?.candidate}`,
      }
    }
    return {
      blocked: `${ref} is held here at ${found.version}`,
      help: `write \`hold: false\`, or run \`apt-mark unhold ${resource.title}\``,
    }
  }
  const changes: Change[] = change === undefined ? [] : [change]
  if (desired.hold !== undefined && !gone && desired.hold !== held) {
    changes.push({ attribute: 'hold', from: held, to: desired.hold })
  }
  if (changes.length > 0 && current.cannotRun !== undefined) {
    return { changes: [], note: current.cannotRun, leftAlone: true }
  }
  if (provider !== undefined && changes.length === 0 && !gone) {
    return { changes, note: `${provider} provides it` }
  }
  return { changes }
}

/** What has to happen to the package itself, holding apart. */
function ensureChange(
  { desired }: Resource<PackageDesired>,
  { found, provider, offer, alsoRemoves, unknownToApt }: PackageCurrent,
): Change | undefined {
  const ensure = desired.ensure ?? 'present'
  const from = shownState(found)
  const note = alsoRemoves.length === 0 ? [] : [`apt also removes ${alsoRemoves.join(', ')}`]
  const change = (to: string): Change => {
    return { attribute: 'ensure', from, to, ...(note.length > 0 ? { note: note.join('; ') } : {}) }
  }
  if (ensure === 'absent') return isThere(found) ? change('absent') : undefined
  if (ensure === 'purged') return from === 'absent' ? undefined : change('purged')
  if (found !== undefined && !isInstalled(found) && isThere(found)) {
    note.push('dpkg was interrupted and finishes it')
    return change(isWord(ensure) ? found.version : ensure)
  }
  if (found === undefined || !isInstalled(found)) {
    if (!isWord(ensure)) return change(ensure)
    if (provider !== undefined) return undefined
    if (unknownToApt.length > 0) {
      const others = unknownToApt.length - 1
      const all = others === 0 ? 'it' : `it and ${others} other${others === 1 ? '' : 's'}`
      note.push(`apt does not know ${all} yet, and fetches its lists first`)
    } else if (offer && offer.candidate === undefined)
      note.push('apt has no version of it: others provide it, or its lists are fetched first')
    return change(offer?.candidate ?? ensure)
  }
  if (ensure === 'present') return undefined
  if (ensure === 'latest') {
    const candidate = offer?.candidate
    if (candidate === undefined || compareVersions(found.version, candidate) >= 0) return undefined
    return change(candidate)
  }
  return compareVersions(found.version, ensure) === 0 ? undefined : change(ensure)
}

function jobOf(resource: Resource<PackageDesired>, changes: readonly Change[]): PackageJob {
  const { ensure = 'present', hold, config_files, install_recommends } = resource.desired
  const isPending = (attribute: string) => changes.some((change) => change.attribute === attribute)
  return {
    ref: resource.ref,
    name: resource.title,
    ...(isPending('ensure') ? { ensure } : {}),
    ...(isPending('hold') && hold !== undefined ? { setHold: hold } : {}),
    mayChangeHeld: hold !== undefined,
    newConfigFiles: config_files === 'new',
    recommends: install_recommends ?? true,
  }
}

/** One of the words for `ensure`, not a version. */
function isWord(ensure: string): boolean {
  return ensure === 'present' || ensure === 'latest' || isGone(ensure)
}

function isGone(ensure: PackageDesired['ensure']): boolean {
  return ensure === 'absent' || ensure === 'purged'
}

/** Its files are there, in whatever state. */
function isThere(found: DpkgPackage | undefined): boolean {
  return found !== undefined && found.state !== 'not-installed' && found.state !== 'config-files'
}

/** Installed and configured; triggers that other packages still owe are no reason to act. */
function isInstalled(found: DpkgPackage | undefined): boolean {
  return found !== undefined && isThere(found) && !isBroken(found.state)
}

function shownState(found: DpkgPackage | undefined): string {
  if (found === undefined || found.state === 'not-installed') return 'absent'
  return isInstalled(found) ? found.version : found.state
}
