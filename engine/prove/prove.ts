import type { Catalog, CatalogResource } from '../compile/catalog.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { sortByPlace } from '../diagnostics/render.ts'
import type { Sources } from '../load/sources.ts'
import type { Claim, Proving } from './claim.ts'
import { execs, opaqueExecs } from './execs.ts'
import { Listening } from './listening.ts'
import { needs } from './needs.ts'
import { opposites } from './opposites.ts'
import { Order } from './order.ts'
import { reads } from './reads.ts'
import { secrets } from './secrets.ts'
import { Things } from './things.ts'
import { unsaidReads } from './unsaid-reads.ts'
import { writes } from './writes.ts'

export interface Proof {
  /** What can go wrong, sorted by place; each is an error. */
  readonly findings: readonly Diagnostic[]
  /** Commands of which nobody can tell what they write. */
  readonly opaque: readonly CatalogResource[]
  /** How many orders between two resources were asked for. */
  readonly claims: number
}

/**
 * What can go wrong in some order that the catalog allows, from the footprints of its resources alone. The edges
 * that `compile` made are only believed as an order: why each has to be there is worked out anew.
 */
export function prove(catalog: Catalog, sources: Sources): Proof {
  const proving: Proving = {
    catalog,
    sources,
    things: new Things(catalog.resources),
    order: new Order(catalog.resources.length, catalog.edges),
    listening: new Listening(catalog),
  }
  const findings: Diagnostic[] = []
  const claims: Claim[] = []
  for (const check of [needs, writes, opposites, reads, unsaidReads, execs, secrets]) {
    for (const each of check(proving)) {
      if ('otherwise' in each) claims.push(each)
      else findings.push(each)
    }
  }
  const held = proving.order.hold(claims.flatMap(({ anyOf }) => anyOf))
  let next = 0
  for (const { anyOf, unless, otherwise } of claims) {
    const own = held.slice(next, next + anyOf.length)
    next += anyOf.length
    if (!own.includes(true) && unless?.() !== true) findings.push(otherwise())
  }
  return { findings: sortByPlace(findings), opaque: opaqueExecs(proving), claims: claims.length }
}
