import { expect, test } from 'vitest'
import { type Graph, renderDot, renderMermaid } from '../../engine/ui/graph-text.ts'

const graph: Graph = {
  nodes: [
    { ref: 'package[nginx]', containers: ['class[web]'] },
    { ref: 'file[/etc/"a"\n]', containers: ['site::vhost[a]', 'class[site]'] },
    { ref: 'service[nginx]', containers: ['class[web]'] },
  ],
  edges: [
    {
      from: 'package[nginx]',
      to: 'file[/etc/"a"\n]',
      kind: 'provides',
      weak: true,
      reason: 'package[nginx] provides /etc',
    },
    {
      from: 'file[/etc/"a"\n]',
      to: 'service[nginx]',
      kind: 'reads',
      weak: false,
      refresh: 'reload',
      reason: 'it is read',
    },
  ],
  dropped: [
    {
      from: 'service[nginx]',
      to: 'package[nginx]',
      kind: 'provides',
      weak: true,
      reason: 'it is provided',
    },
  ],
}

test('dot has a box a class, dashes for what may give way, and dots for what has', () => {
  expect(renderDot(graph)).toBe(`digraph catalog {
  rankdir=LR;
  node [shape=box];
  subgraph cluster_0 {
    label="class[web]";
    n0 [label="package[nginx]"];
    n2 [label="service[nginx]"];
  }
  subgraph cluster_1 {
    label="class[site]";
    n1 [label="file[/etc/\\"a\\" ]"];
  }
  n0 -> n1 [style=dashed, tooltip="package[nginx] provides /etc"];
  n1 -> n2 [label="reload", tooltip="it is read"];
  n2 -> n0 [style=dotted, color=red, constraint=false, label="dropped", tooltip="it is provided"];
}`)
})

test('mermaid says the same', () => {
  expect(renderMermaid(graph)).toBe(`flowchart LR
  subgraph c0["class[web]"]
    n0["package[nginx]"]
    n2["service[nginx]"]
  end
  subgraph c1["class[site]"]
    n1["file[/etc/#34;a#34; ]"]
  end
  n0 -.-> n1
  n1 -->|"reload"| n2
  n2 -.-x|"dropped"| n0`)
})
