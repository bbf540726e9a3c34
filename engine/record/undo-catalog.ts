import type { Catalog, CatalogResource } from '../compile/catalog.ts'
import { orderResources } from '../compile/edges.ts'
import type { WrittenReference } from '../compile/metaparameters.ts'
import type { HostReader } from '../host/host.ts'
import { largestRead } from '../host/read.ts'
import { Sources } from '../load/sources.ts'
import { unitName } from '../resources/systemctl.ts'
import type { Footprint, ResourceType, Thing } from '../resources/type.ts'

/** Something as it is to be again. */
export interface Declared {
  readonly type: string
  readonly title: string
  readonly desired: { readonly ensure?: unknown; readonly enable?: unknown }
  /** The resource whose change it takes back. */
  readonly of: string
  readonly isSensitive?: boolean
}

interface Host {
  readonly host: HostReader
  readonly types: ReadonlyMap<string, ResourceType>
  readonly current: Pick<Catalog, 'classes' | 'resources' | 'edges' | 'secrets'>
}

/**
 * What is to be again, and whoever of the host's own catalog reads that, in an order. What the run started ends first,
 * while its unit is there; users and groups go last, once nothing runs as them.
 */
export function undoCatalog(declared: readonly Declared[], input: Host): Catalog {
  const { types, current } = input
  const resources: CatalogResource[] = []
  const add = (resource: Omit<CatalogResource, 'index'>) =>
    resources.push({ ...resource, index: resources.length })
  for (const one of declared) add(resourceOf(one, types))
  for (const listener of listeners(declared, resources, input)) add(listener)
  const { ordered } = orderResources({
    resources,
    references: referencesOf(resources),
    containerReferences: [],
    isLeftOut: () => true,
    optional: new Set(resources.map(({ index }) => index)),
    containers: new Set(),
    types,
    sources: new Sources(),
  })
  if (!ordered) throw new Error('what takes a run back has no order')
  const { classes, secrets } = current
  return { classes, resources, ...ordered, secrets, notices: [] }
}

function resourceOf(
  { type, title, desired, isSensitive = false }: Declared,
  types: ReadonlyMap<string, ResourceType>,
): Omit<CatalogResource, 'index'> {
  const ref = `${type}[${title}]`
  const footprint = (types.get(type) as ResourceType).footprint({ ref, type, title, desired })
  const ends = type === 'service' && isToEnd(desired)
  return {
    ref,
    type,
    title,
    desired,
    id: undefined,
    tags: [],
    noop: false,
    sensitive: new Set(isSensitive ? ['content'] : []),
    containers: [],
    file: '',
    path: [],
    footprint: ends ? endingFootprint(title, footprint) : footprint,
    sources: new Map(),
  }
}

/** Of what is to be no more than it was: stopped, or not started at boot. */
function isToEnd({ ensure, enable }: Declared['desired']): boolean {
  return ensure !== 'running' && enable !== true
}

/** It ends by the unit file that the run gave it, and reads nothing any more. */
function endingFootprint(title: string, { after = [] }: Footprint): Footprint {
  const name = unitName(title)
  const files = [name, name.replace(/@.*\./, '@.')]
  return {
    after: after.filter((thing) => thing.startsWith('unit:')),
    before: files.map((file): Thing => `path:/etc/systemd/system/${file}`),
  }
}

/** Who reads what comes back is told of it, if it runs; what goes with a package or a definition hears nothing. */
function listeners(
  declared: readonly Declared[],
  resources: readonly CatalogResource[],
  { current, types, host }: Host,
): Omit<CatalogResource, 'index'>[] {
  const taken = new Set(resources.map(({ ref }) => ref))
  const refs = declared.map(({ type, title }) => `${type}[${title}]`)
  const own = Map.groupBy(refs.keys(), (at) => declared[at]?.of)
  const going = new Set(
    resources.flatMap(({ type, footprint }) => (type === 'package' ? footprint.removes : []) ?? []),
  )
  const ended = declared.flatMap((one) => {
    const stat = one.type === 'file' && isGoing(one) ? host.stat(one.title) : undefined
    return stat?.kind === 'file' && stat.size <= largestRead ? [host.read(one.title)] : []
  })
  return current.resources.flatMap((resource): CatalogResource[] => {
    const { ref, type, desired, footprint } = resource
    const typed = types.get(type)
    if (taken.has(ref) || !typed?.refresh) return []
    const heard = current.edges
      .filter(({ to }) => to === resource.index)
      .flatMap(({ from, refresh: by }) => {
        const back = own.get(current.resources[from]?.ref) ?? []
        return by === undefined ? [] : back.map((at) => ({ at, on: refs[at] as string, by }))
      })
    if (heard.length === 0) return []
    const isToMake = type === 'exec' && !('refreshonly' in desired && desired.refreshonly)
    // What it would make something from is gone.
    if (isToMake && heard.every(({ at }) => isGoing(declared[at] as Declared))) return []
    const { needs = [], after = [], reads = [] } = footprint
    if ([...needs, ...after].some((thing) => going.has(thing))) return []
    const goes = (content: Buffer) => [
      {
        attribute: 'content',
        from: undefined,
        to: undefined,
        content: { from: undefined, to: content },
      },
    ]
    if (ended.some((content) => typed.isStartedAnewBy?.(resource, goes(content)))) return []
    const told = { ...footprint, reads: [...reads, ...heard.map(({ on, by }) => ({ on, by }))] }
    if (type === 'exec')
      return [{ ...resource, desired: { ...desired, refreshonly: true }, footprint: told }]
    const { ensure: _ensure, enable: _enable, ...how } = desired as Declared['desired']
    return [
      { ...resource, desired: how, footprint: { ...told, needs: [], after: [...after, ...needs] } },
    ]
  })
}

function isGoing({ desired }: { readonly desired: Declared['desired'] }): boolean {
  return desired.ensure === 'absent'
}

/** Users go after all that may run as them; a group after the users that may have it as their own. */
function referencesOf(resources: readonly CatalogResource[]): readonly WrittenReference[][] {
  const ofType = (type: string) => resources.filter((resource) => resource.type === type)
  const running = [
    ...[...ofType('service'), ...ofType('supervisor_program')].filter(({ desired }) =>
      isToEnd(desired),
    ),
    ...ofType('package').filter(isGoing),
  ]
  const users = ofType('user').filter(isGoing)
  return resources.map((resource) => {
    const isLast = (resource.type === 'user' || resource.type === 'group') && isGoing(resource)
    if (!isLast) return []
    const before = resource.type === 'group' ? [...running, ...users] : running
    const refs = before.map(({ ref }) => ref)
    return [{ relation: 'require', refs, file: '', path: [], optional: true }]
  })
}
