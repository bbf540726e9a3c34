import type { Edge } from './catalog.ts'

/** Why an edge is there, in words. */
export function edgeReason(
  edge: Edge,
  from: { readonly ref: string },
  to: { readonly ref: string },
): string {
  const thing = edge.thing === undefined ? '' : edge.thing.replace(/^\w+:(?!:)/, '')
  switch (edge.kind) {
    case 'written':
      return edge.refresh ? 'it is written, and refreshes it' : 'it is written'
    case 'contains':
      return 'one holds the other'
    case 'needs':
      return `${to.ref} needs ${thing}`
    case 'provides':
      return `${from.ref} provides ${thing}`
    case 'prepares':
      return `${from.ref} prepares ${thing}`
    case 'reads':
      return `${to.ref} reads ${thing}`
  }
}
