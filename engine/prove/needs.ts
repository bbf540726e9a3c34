import type { CatalogResource, Edge } from '../compile/catalog.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { parentPath } from '../resources/path.ts'
import { type Claim, finding, lineFor, nameOf, type Proving, wrongOrder } from './claim.ts'

/** What a resource needs, or is to come after, is brought before it by all that the catalog has to say. */
export function* needs(proving: Proving): Generator<Claim | Diagnostic> {
  for (const resource of proving.catalog.resources) {
    const { footprint } = resource
    for (const thing of footprint.needs ?? []) yield* need(proving, resource, thing, 'needs')
    for (const thing of footprint.after ?? []) yield* need(proving, resource, thing, 'comes after')
    for (const thing of footprint.before ?? []) yield* prepare(proving, resource, thing)
  }
  yield* unknown(proving)
}

/** That a package of which nobody knows what it brings comes first gave way, and nobody wrote the opposite. */
function* unknown(proving: Proving): Generator<Diagnostic> {
  const { catalog, order } = proving
  for (const { from, to, thing = '' } of catalog.dropped) {
    const [other, resource] = [catalog.resources[from], catalog.resources[to]]
    if (!other?.footprint.bringsUnknown || !resource || order.isDecided(to, from)) continue
    yield finding(proving, {
      code: 'dropped-edge',
      message: `${resource.ref} needs ${nameOf(thing)}, which ${other.ref} may bring: that order gave way, for it would have closed a circle`,
      resource,
      other,
      found: wrongOrder(proving, resource, other),
      help: lineFor(proving, other, resource),
    })
  }
}

function* need(
  proving: Proving,
  resource: CatalogResource,
  asked: string,
  how: 'needs' | 'comes after',
): Generator<Claim | Diagnostic> {
  const { things } = proving
  const { index } = resource
  const { thing, by } = things.bringers(asked, index)
  if (by.length > 0) {
    yield {
      anyOf: by.map((each) => [each, index]),
      otherwise: () => unmet(proving, { resource, thing, by, how }),
    }
  } else if (!things.provides.get(asked)?.includes(index)) {
    yield* removed(proving, resource, asked, how)
  }
  if (asked.startsWith('path:/') && things.covers.size > 0) yield* mounts(proving, resource, asked)
}

function unmet(
  proving: Proving,
  told: {
    readonly resource: CatalogResource
    readonly thing: string
    readonly by: readonly number[]
    readonly how: string
  },
): Diagnostic {
  const { resource, thing, by, how } = told
  const { catalog } = proving
  // Of several the one that the order was to be taken from, else the first.
  const gave = catalog.dropped.find(({ from, to }) => to === resource.index && by.includes(from))
  const other = catalog.resources[gave?.from ?? (by[0] as number)] as CatalogResource
  const weak: Edge | undefined = gave
  return finding(proving, {
    code: weak ? 'dropped-edge' : 'unmet-need',
    message: weak
      ? `${resource.ref} ${how} ${nameOf(thing)}, which only ${other.ref} brings: that order gave way, for it would have closed a circle`
      : `${resource.ref} ${how} ${nameOf(thing)}, and nothing says that ${other.ref}, which brings it, comes first`,
    resource,
    other,
    found: wrongOrder(proving, resource, other),
    help: lineFor(proving, other, resource),
  })
}

/** What is taken away goes after those that only use it while it is there, and nobody may need it for good. */
function* removed(
  proving: Proving,
  resource: CatalogResource,
  thing: string,
  how: 'needs' | 'comes after',
): Generator<Claim | Diagnostic> {
  for (const remover of removersOf(proving, thing)) {
    if (remover === resource.index) continue
    const other = proving.catalog.resources[remover] as CatalogResource
    if (how === 'needs') {
      yield finding(proving, {
        code: 'taken-back',
        message: `${resource.ref} needs ${nameOf(thing)}, and ${other.ref} removes it`,
        resource,
        other,
        found: `an order that goes wrong: ${other.ref}, then ${resource.ref} of the next run`,
        help: 'let one of the two go',
      })
    } else if (resource.footprint.removes === undefined) {
      yield {
        anyOf: [[resource.index, remover]],
        otherwise: () =>
          finding(proving, {
            code: 'unmet-need',
            message: `${resource.ref} acts on ${nameOf(thing)} while it is there, and nothing says that ${other.ref} removes it later`,
            resource,
            other,
            found: wrongOrder(proving, other, resource),
            help: lineFor(proving, resource, other),
          }),
      }
    }
  }
}

/** Whoever removes a thing; of a path, whoever removes the nearest folder above that anybody does. */
function removersOf({ things }: Proving, thing: string): readonly number[] {
  for (let key = thing; ; key = `path:${parentPath(key.slice(5))}`) {
    const found = things.removes.get(key)
    if (found) return found
    if (!key.startsWith('path:/') || key === 'path:/') return []
  }
}

/** What lies below a mount point comes after the mount. */
function* mounts(proving: Proving, resource: CatalogResource, thing: string): Generator<Claim> {
  for (let path = thing.slice(5); path !== '/'; path = parentPath(path)) {
    const mount = proving.things.covers.get(path)
    if (mount === undefined || mount === resource.index) continue
    const other = proving.catalog.resources[mount] as CatalogResource
    yield {
      anyOf: [[mount, resource.index]],
      otherwise: () =>
        finding(proving, {
          code: 'unmet-need',
          message: `${resource.ref} lies below ${path}, and nothing says that ${other.ref} is mounted there before`,
          resource,
          other,
          found: wrongOrder(proving, resource, other),
          help: lineFor(proving, other, resource),
        }),
    }
  }
}

/** What prepares a thing comes before all that brings or removes it. */
function* prepare(proving: Proving, resource: CatalogResource, thing: string): Generator<Claim> {
  const { ensures, removes, provides } = proving.things
  const later = [ensures, removes, provides].flatMap((index) => index.get(thing) ?? [])
  for (const index of new Set(later)) {
    if (index === resource.index) continue
    const other = proving.catalog.resources[index] as CatalogResource
    yield {
      anyOf: [[resource.index, index]],
      otherwise: () =>
        finding(proving, {
          code: 'unmet-need',
          message: `${resource.ref} prepares ${nameOf(thing)}, and nothing says that ${other.ref} comes later`,
          resource,
          other,
          found: wrongOrder(proving, other, resource),
          help: lineFor(proving, resource, other),
        }),
    }
  }
}
