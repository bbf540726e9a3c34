import type { Catalog, CatalogResource } from '../compile/catalog.ts'
import type { DiagnosticCode } from '../diagnostics/codes.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Sources } from '../load/sources.ts'
import type { Listening } from './listening.ts'
import type { Order, Pair } from './order.ts'
import type { Things } from './things.ts'

/** What every check works on. */
export interface Proving {
  readonly catalog: Catalog
  readonly sources: Sources
  readonly things: Things
  readonly order: Order
  readonly listening: Listening
}

/** One of these orders must hold; else there is a finding. Claims are made first and answered all at once. */
export interface Claim {
  readonly anyOf: readonly Pair[]
  /** What makes it right all the same; asked only where none of them holds. */
  readonly unless?: () => boolean
  readonly otherwise: () => Diagnostic
}

export interface Finding {
  readonly code: DiagnosticCode
  readonly message: string
  readonly resource: CatalogResource
  readonly other?: CatalogResource
  /** What goes wrong, and in which order of the two. */
  readonly found?: string
  readonly help: string
}

export function finding({ sources }: Proving, told: Finding): Diagnostic {
  const { code, message, resource, other, found, help } = told
  return {
    severity: 'error',
    code,
    message,
    place: sources.place(resource.file, resource.path),
    ...(found === undefined ? {} : { found }),
    help,
    ...(other === undefined
      ? {}
      : {
          related: [{ message: other.ref, place: sources.place(other.file, other.path) }],
        }),
  }
}

/** An order that the catalog allows, or forces, and in which `late` comes behind `early`. */
export function wrongOrder(
  proving: Proving,
  early: CatalogResource,
  late: CatalogResource,
): string {
  const way = proving.order.way(early.index, late.index)
  if (!way) return `an order that goes wrong: ${early.ref}, then ${late.ref}`
  const names = way.map((index) => proving.catalog.resources[index]?.ref)
  return `an order that goes wrong, and the only one: ${names.join(' → ')}`
}

/** The line that puts `first` before `then`, or what to do where the opposite is said already. */
export function lineFor(proving: Proving, first: CatalogResource, then: CatalogResource): string {
  if (proving.order.way(then.index, first.index))
    return `take away or turn round what puts ${then.ref} first; steward explain '${then.ref}' tells it`
  return `write in ${then.ref}: require: ${reference(first)}`
}

/** As it is written in a manifest: `{ file: /etc/x }`. */
export function reference({ type, title }: CatalogResource): string {
  const isPlain = /^[A-Za-z0-9_./][A-Za-z0-9_./@+-]*$/.test(title)
  return `{ ${type}: ${isPlain ? title : JSON.stringify(title)} }`
}

/** A thing as people name it: `/etc/x`, `user zulip`. */
export function nameOf(thing: string): string {
  const [, kind = '', name = ''] = /^(\w+):(.*)$/s.exec(thing) ?? []
  return kind === 'path' ? name : `${kind.replaceAll('_', ' ')} ${name}`
}
