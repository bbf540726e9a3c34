/** Resources and the order between them, as plain data; also what `graph --format json` prints. */
export interface Graph {
  readonly nodes: readonly {
    readonly ref: string
    /** The innermost first; the last one is a class. */
    readonly containers: readonly string[]
  }[]
  readonly edges: readonly GraphEdge[]
  /** Weak edges that gave way, for they would have closed a circle. */
  readonly dropped: readonly GraphEdge[]
}

export interface GraphEdge {
  readonly from: string
  readonly to: string
  readonly kind: string
  readonly weak: boolean
  readonly refresh?: string
  /** Why it is there, in words. */
  readonly reason: string
}

/**
 * In the language of Graphviz: an arrow means "before", a dashed one may give
 * way, a red dotted one has. Source: dot(1).
 */
export function renderDot(graph: Graph): string {
  const ids = idsOf(graph)
  const lines = ['digraph catalog {', '  rankdir=LR;', '  node [shape=box];']
  for (const [index, [name, refs]] of [...byClass(graph)].entries()) {
    lines.push(`  subgraph cluster_${index} {`, `    label=${quoted(name)};`)
    for (const ref of refs) lines.push(`    ${ids.get(ref)} [label=${quoted(ref)}];`)
    lines.push('  }')
  }
  // Most edges are there for the same few reasons.
  const tooltips = new Map<string, string>()
  const line = (edge: GraphEdge, look: string) => {
    let tooltip = tooltips.get(edge.reason)
    if (tooltip === undefined) {
      tooltip = quoted(edge.reason)
      tooltips.set(edge.reason, tooltip)
    }
    lines.push(`  ${ids.get(edge.from)} -> ${ids.get(edge.to)} [${look}tooltip=${tooltip}];`)
  }
  for (const edge of graph.edges) {
    const style = edge.weak ? 'style=dashed, ' : ''
    line(edge, edge.refresh ? `${style}label=${quoted(edge.refresh)}, ` : style)
  }
  for (const edge of graph.dropped)
    line(edge, 'style=dotted, color=red, constraint=false, label="dropped", ')
  lines.push('}')
  return lines.join('\n')
}

/**
 * As a flowchart of Mermaid, with the same looks; what gave way carries the word
 * "dropped". Source: Mermaid, "Flowcharts".
 */
export function renderMermaid(graph: Graph): string {
  const ids = idsOf(graph)
  const lines = ['flowchart LR']
  for (const [index, [name, refs]] of [...byClass(graph)].entries()) {
    lines.push(`  subgraph c${index}[${entities(name)}]`)
    for (const ref of refs) lines.push(`    ${ids.get(ref)}[${entities(ref)}]`)
    lines.push('  end')
  }
  const line = (edge: GraphEdge, arrow: string, label: string | undefined) => {
    const words = label === undefined ? '' : `|${entities(label)}|`
    lines.push(`  ${ids.get(edge.from)} ${arrow}${words} ${ids.get(edge.to)}`)
  }
  for (const edge of graph.edges) line(edge, edge.weak ? '-.->' : '-->', edge.refresh)
  for (const edge of graph.dropped) line(edge, '-.-x', 'dropped')
  return lines.join('\n')
}

function idsOf({ nodes }: Graph): Map<string, string> {
  return new Map(nodes.map(({ ref }, index) => [ref, `n${index}`]))
}

/** The resources of each class, in the order of the nodes. */
function byClass({ nodes }: Graph): Map<string, string[]> {
  const classes = new Map<string, string[]>()
  for (const { ref, containers } of nodes) {
    const name = containers.at(-1) ?? ''
    const refs = classes.get(name)
    if (refs) refs.push(ref)
    else classes.set(name, [ref])
  }
  return classes
}

function quoted(text: string): string {
  const plain = oneLine(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"')
  return `"${plain}"`
}

function entities(text: string): string {
  const plain = oneLine(text).replace(/[#"<>|`]/g, (mark) => `#${mark.charCodeAt(0)};`)
  return `"${plain}"`
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
}
