import type { Catalog, CatalogResource, Edge } from '../compile/catalog.ts'
import { edgeReason } from '../compile/edge-reason.ts'
import { compileCatalog, load } from '../index.ts'
import { redactor } from '../redactor.ts'
import { type Graph, renderDot, renderMermaid } from '../ui/graph-text.ts'
import { jsonText } from '../ui/json.ts'
import { withExample } from './example.ts'
import { type CommonFlags, roadOptions } from './options.ts'
import { note, print, showDiagnostics } from './output.ts'

/** `steward graph`: the order of the catalog, for other programs to draw. */
export async function run(
  flags: CommonFlags & { readonly format: 'dot' | 'mermaid' | 'json' },
  classes: readonly string[],
): Promise<number> {
  const { options, told } = withExample(roadOptions(flags, classes, false))
  if (told !== undefined) note(told)
  const loaded = await load(options)
  const { catalog, notices } = compileCatalog(loaded)
  showDiagnostics([...loaded.notices, ...notices])
  const graph = graphOf(catalog)
  switch (flags.format) {
    case 'dot':
      print(renderDot(graph))
      return 0
    case 'mermaid':
      print(renderMermaid(graph))
      return 0
    case 'json':
      print(jsonText(graph))
      return 0
    default:
      return flags.format satisfies never
  }
}

/** Nodes in the order in which they are acted on. */
function graphOf({ resources, order, edges, dropped, secrets }: Catalog): Graph {
  const redact = redactor(secrets)
  const told = (edge: Edge) => {
    const from = resources[edge.from] as CatalogResource
    const to = resources[edge.to] as CatalogResource
    const { kind, weak, refresh } = edge
    return {
      from: from.ref,
      to: to.ref,
      kind,
      weak,
      ...(refresh ? { refresh } : {}),
      reason: redact(edgeReason(edge, from, to)),
    }
  }
  return {
    nodes: order.map((index) => {
      const { ref, containers } = resources[index] as CatalogResource
      return { ref, containers }
    }),
    edges: edges.map(told),
    dropped: dropped.map(told),
  }
}
