import { posix } from 'node:path'
import { Carriers } from './compile/carriers.ts'
import type { Catalog, CatalogResource } from './compile/catalog.ts'
import { unitTemplate } from './compile/edges.ts'
import { neighbours, pairs, predecessors } from './graph.ts'
import { HostError } from './host/error.ts'
import type { HostReader } from './host/host.ts'
import type { FileHistory, ProbeContext, ResourceType, Thing, Verdict } from './resources/type.ts'

/** What is known of a resource on the host as it will be when its turn comes. */
export type State =
  | { readonly kind: 'known'; readonly verdict: Verdict }
  /** Something before it will change what it would find; `on` is the index of that resource. */
  | { readonly kind: 'later'; readonly on: number }

/** One state for each resource of the catalog, by index; undefined for those that were not asked about. */
export type States = readonly (State | undefined)[]

export interface ProbeInput {
  readonly catalog: Catalog
  readonly types: ReadonlyMap<string, ResourceType>
  readonly host: HostReader
  /** Indexes of the resources that are asked about; all when absent. */
  readonly selected?: ReadonlySet<number> | undefined
  /** What will be there by then besides what the catalog makes: the doing of earlier steps of a procedure. */
  readonly coming?: ReadonlySet<Thing> | undefined
  /** What is known of files from earlier runs. */
  readonly files?: FileHistory | undefined
}

/**
 * Asks the host about every resource: one batch a type, and then the guards that manifests declare, each only
 * where nothing that it depends on is about to change. Changes nothing.
 */
export async function probe(input: ProbeInput): Promise<States> {
  const { catalog, types, host, selected } = input
  const { resources } = catalog
  const isSelected = (index: number) => selected === undefined || selected.has(index)
  const context = probeContext(catalog, input.files)
  const states: (State | undefined)[] = Array.from({ length: resources.length })
  const batches = new Map<ResourceType, CatalogResource[]>()
  const asked = new Set<number>()
  for (const resource of resources) {
    if (!isSelected(resource.index)) continue
    const type = types.get(resource.type) as ResourceType
    // Where nothing can run, nobody is asked, and there is nothing to wait for.
    if (host.cannotRun === undefined && type.asks?.(resource.desired)) asked.add(resource.index)
    else {
      const batch = batches.get(type)
      if (batch) batch.push(resource)
      else batches.set(type, [resource])
    }
  }
  const needs = new Needs(catalog, host, { isSelected, coming: input.coming })
  const asking = { host, context, needs }
  for (const [type, batch] of batches) {
    const verdicts = await verdictsNow(type, batch, asking)
    for (const [position, { index }] of batch.entries())
      states[index] = known(verdicts[position] as Verdict)
  }
  // Nothing depends on what is to change, for nothing is.
  if (asked.size === 0 && states.every((state) => state === undefined || state === IN_SYNC))
    return states
  const before = predecessors(resources.length, pairs(catalog.edges))
  const carriers = new Carriers(catalog)
  // Which of those that its carrier reads may have it started or stopped by that.
  const moverOf = (resource: CatalogResource, state: State): number | undefined => {
    const carrier = carriers.of(resource.index)
    const type = types.get(resource.type) as ResourceType
    if (carrier === undefined || !type.mayBeMovedBy || !isPending(state, resource)) return undefined
    return neighbours(before, carrier).find((other) => {
      const read = states[other]
      if (!isPending(read, resources[other]) || read?.kind !== 'known') return false
      const changes = 'changes' in read.verdict ? (read.verdict.changes ?? []) : []
      return type.mayBeMovedBy?.(resource, changes) === true
    })
  }
  // For each resource, one before it that is about to change; -1 where there is none.
  const pending = new Int32Array(resources.length).fill(-1)
  for (const index of catalog.order) {
    const resource = resources[index] as CatalogResource
    for (const other of neighbours(before, index)) {
      const cause = isPending(states[other], resources[other]) ? other : (pending[other] as number)
      if (cause >= 0) {
        pending[index] = cause
        break
      }
    }
    if (!isSelected(index)) continue
    const cause = pending[index] as number
    if (asked.has(index)) {
      if (cause >= 0) states[index] = { kind: 'later', on: cause }
      else {
        const type = types.get(resource.type) as ResourceType
        states[index] = known(await verdictNow(type, resource, asking))
      }
    }
    const state = states[index]
    if (cause >= 0 && state?.kind === 'known' && 'changes' in state.verdict) {
      const coming = neighbours(before, index).filter((other) =>
        isPending(states[other], resources[other]),
      )
      const bringer =
        bringerOf(resource, coming, { resources, needs }) ??
        moverOf(resource, state) ??
        ('isUnasked' in state.verdict ? cause : undefined)
      if (bringer !== undefined) {
        states[index] = { kind: 'later', on: bringer }
        continue
      }
    }
    // What is in the way now may be gone, and what is missing there,
    // once the resources before it have been made.
    if (cause >= 0 && state?.kind === 'known' && 'blocked' in state.verdict)
      states[index] = { kind: 'later', on: cause }
  }
  return states
}

export interface Asking {
  readonly host: HostReader
  readonly context: ProbeContext
  readonly needs: Needs
}

/** Asks about one resource at this moment. */
export async function verdictNow(
  type: ResourceType,
  resource: CatalogResource,
  asking: Asking,
): Promise<Verdict> {
  const [verdict] = await verdictsNow(type, [resource], asking)
  return verdict as Verdict
}

/** Asks about resources of one type at this moment. */
export async function verdictsNow(
  type: ResourceType,
  resources: readonly CatalogResource[],
  asking: Asking,
): Promise<Verdict[]> {
  const { host, context, needs } = asking
  try {
    const currents = await type.probe(resources, host, context)
    return resources.map((resource, position) =>
      verdictOf(type, resource, currents[position], needs),
    )
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    const [resource, ...others] = resources
    if (resource && others.length === 0) {
      const { message, help } = error
      return [{ blocked: `${resource.ref}: ${message}`, ...(help === undefined ? {} : { help }) }]
    }
    // One that the host does not let be looked at says nothing of the others.
    const verdicts: Verdict[] = []
    for (const each of resources) verdicts.push(await verdictNow(type, each, asking))
    return verdicts
  }
}

/** Shared by all that need nothing, and of which nothing is to be said. */
export const IN_SYNC: State = { kind: 'known', verdict: { changes: [] } }

function known(verdict: Verdict): State {
  const isInSync =
    'changes' in verdict &&
    verdict.changes?.length === 0 &&
    !('unknown' in verdict) &&
    verdict.note === undefined &&
    !verdict.isUnsettled &&
    !verdict.isUnasked
  return isInSync ? IN_SYNC : { kind: 'known', verdict }
}

/**
 * What probes may know of the catalog, worked out when one asks: a directory
 * that purges, or a path that is in the way.
 */
export function probeContext(catalog: Catalog, files: FileHistory | undefined): ProbeContext {
  let declared: ReadonlySet<Thing> | undefined
  return {
    ...(files ? { files } : {}),
    ...(catalog.isPartial ? { isPartial: true as const } : {}),
    get declared() {
      declared ??= declaredThings(catalog)
      return declared
    },
  }
}

/** Everything that any resource makes sure of, either way. */
function declaredThings(catalog: Catalog): Set<Thing> {
  const declared = new Set<Thing>()
  for (const { footprint } of catalog.resources) {
    for (const thing of footprint.ensures ?? []) declared.add(thing)
    for (const thing of footprint.removes ?? []) declared.add(thing)
    for (const { path } of footprint.edits ?? []) declared.add(`path:${path}`)
  }
  return declared
}

function isPending(state: State | undefined, resource: CatalogResource | undefined): boolean {
  if (!state || resource?.noop) return false
  if (state.kind === 'later') return true
  const { verdict } = state
  return 'changes' in verdict && (verdict.changes?.length ?? 0) > 0
}

/**
 * Which of those that come before it brings what a resource is about, so that the resource finds it otherwise then: what
 * it manages, or what it would make or remove and a package comes with. Undefined where none does.
 */
function bringerOf(
  { footprint }: CatalogResource,
  coming: Int32Array,
  { resources, needs }: { readonly resources: readonly CatalogResource[]; readonly needs: Needs },
): number | undefined {
  const { manages, ensures = [], removes = [] } = footprint
  if (manages && !needs.isThere(manages)) {
    const bringer = coming.find((other) => brings(resources[other] as CatalogResource, manages))
    if (bringer !== undefined) return bringer
  }
  return coming.find((other) => {
    const { provides = [], before = [], ...its } = (resources[other] as CatalogResource).footprint
    // What lies there may be moved away first, and what does not lie there be made by a command.
    const paths = ensures.filter((thing) => thing.startsWith('path:'))
    if (paths.some((path) => before.includes(path))) return true
    if (paths.some((path) => its.ensures?.includes(path) && !needs.isThere([path]))) return true
    if (provides.length === 0) return false
    const comes = (tree: string) => (thing: Thing) => mayBring(provides, thing, { tree, needs })
    return ensures.some(comes('/usr/')) || removes.some(comes('/'))
  })
}

/**
 * Whether what is not there may come with a package. Of what is below `tree` only the folders are known that a package
 * brings, and not all that lies in them.
 */
function mayBring(
  provides: readonly Thing[],
  thing: Thing,
  { tree, needs }: { readonly tree: string; readonly needs: Needs },
): boolean {
  if (provides.includes(thing)) return !needs.isThere([thing])
  if (!thing.startsWith(`path:${tree}`)) return false
  const folder: Thing = `path:${posix.dirname(thing.slice('path:'.length))}`
  return provides.includes(folder) && !needs.isThere([folder])
}

function brings({ footprint }: CatalogResource, things: readonly Thing[]): boolean {
  const { ensures = [], provides = [] } = footprint
  return things.some((thing) => ensures.includes(thing) || provides.includes(thing))
}

function verdictOf(
  type: ResourceType,
  resource: CatalogResource,
  current: unknown,
  needs: Needs,
): Verdict {
  const verdict = type.diff(resource, current)
  if (!('changes' in verdict) || verdict.changes?.length === 0) return verdict
  const missing = needs.missing(resource)
  if (missing === undefined) return verdict
  const what = `${resource.ref} needs ${sayThing(missing)}, which is not there`
  return needs.isLeftOut(missing)
    ? {
        blocked: `${what}, and what makes it was not chosen`,
        help: `choose it too; --only '${resource.ref}' takes along what it needs`,
      }
    : { blocked: `${what} and which nothing makes`, help: helpFor(missing) }
}

/** Which resources take part, and what will be there besides what they make. */
interface Selection {
  readonly isSelected: (index: number) => boolean
  readonly coming?: ReadonlySet<Thing> | undefined
}

/**
 * Whether what resources need is on the host or made by the catalog. A
 * thing that was found is not looked for again.
 */
export class Needs {
  readonly #catalog: Catalog
  readonly #host: HostReader
  readonly #selection: Selection
  /** What the catalog makes, as things and as trees; looked up when something is to change. */
  #brought: ReturnType<typeof broughtBy> | undefined
  readonly #met = new Set<Thing>()

  constructor(catalog: Catalog, host: HostReader, selection: Selection) {
    this.#catalog = catalog
    this.#host = host
    this.#selection = selection
  }

  /** The first thing that a resource needs and that nobody brings. */
  missing({ footprint }: CatalogResource): Thing | undefined {
    return footprint.needs?.find((thing) => !this.#isMet(thing))
  }

  /** Whether all of them are on the host now. */
  isThere(things: readonly Thing[]): boolean {
    return things.every((thing) => this.#mayBeThere(thing, []))
  }

  /** Whether something makes it that does not take part. */
  isLeftOut(thing: Thing): boolean {
    const leftOut = this.#brought?.leftOut
    return leftOut?.has(thing) === true || leftOut?.has(unitTemplate(thing)) === true
  }

  #isMet(thing: Thing): boolean {
    if (this.#met.has(thing)) return true
    this.#brought ??= broughtBy(this.#catalog, this.#selection)
    const { made, trees } = this.#brought
    const met = made.has(thing) || made.has(unitTemplate(thing)) || this.#mayBeThere(thing, trees)
    if (met) this.#met.add(thing)
    return met
  }

  /** Where the host does not let it be looked at, whoever needs it finds out. */
  #mayBeThere(thing: Thing, trees: readonly string[]): boolean {
    try {
      return this.#isThere(thing, trees)
    } catch (error) {
      if (error instanceof HostError) return true
      throw error
    }
  }

  #isThere(thing: Thing, trees: readonly string[]): boolean {
    const name = thing.slice(thing.indexOf(':') + 1)
    switch (thing.slice(0, thing.indexOf(':'))) {
      case 'path':
        return (
          this.#host.stat(name) !== undefined || trees.some((tree) => `${name}/`.startsWith(tree))
        )
      case 'user':
        return this.#host.accounts().uid(name) !== undefined
      case 'group':
        return this.#host.accounts().gid(name) !== undefined
      case 'command':
        return COMMAND_FOLDERS.some((folder) => this.#host.stat(`${folder}/${name}`) !== undefined)
      default:
        // Packages and units are asked for by their own types, which know how.
        return true
    }
  }
}

function broughtBy(catalog: Catalog, { isSelected, coming = new Set() }: Selection) {
  const made = new Set<string>(coming)
  const leftOut = new Set<string>()
  const trees: string[] = []
  for (const { index, footprint } of catalog.resources) {
    const takesPart = isSelected(index)
    for (const thing of footprint.ensures ?? []) (takesPart ? made : leftOut).add(thing)
    for (const thing of footprint.provides ?? []) (takesPart ? made : leftOut).add(thing)
    if (!takesPart) continue
    for (const glob of footprint.writes ?? []) trees.push(`${glob.replace(/\/?[*?[{].*$/, '')}/`)
  }
  return { made, leftOut, trees }
}

const COMMAND_FOLDERS = [
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
  '/bin',
]

function sayThing(thing: Thing): string {
  const name = thing.slice(thing.indexOf(':') + 1)
  const kind = thing.slice(0, thing.indexOf(':'))
  return kind === 'path' ? name : `the ${kind} ${name}`
}

function helpFor(thing: Thing): string {
  const name = thing.slice(thing.indexOf(':') + 1)
  switch (thing.slice(0, thing.indexOf(':'))) {
    case 'path':
      return `declare it: - { file: ${name}, ensure: directory }`
    case 'command':
      return `declare the package that brings it, or say so: provides: { commands: [${name}] }`
    default:
      // Without `ensure` a user or group only adds to one that is made elsewhere.
      return `declare it: - { ${thing.slice(0, thing.indexOf(':'))}: ${name}, ensure: present }`
  }
}
