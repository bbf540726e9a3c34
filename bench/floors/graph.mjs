// The least that any program must do for a graph: read it as JSON, resolve the names, order it, find cycles.
// graph.mjs FILE ; FILE holds [{ "name": …, "require": [name, …] }, …].
import fs from 'node:fs'

const nodes = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'))
const numbers = new Map(nodes.map(({ name }, number) => [name, number]))
const after = nodes.map(() => [])
const open = new Uint32Array(nodes.length)
for (const [number, node] of nodes.entries()) {
  for (const name of node.require) {
    after[numbers.get(name)].push(number)
    open[number]++
  }
}
const order = []
for (const [number, count] of open.entries()) if (count === 0) order.push(number)
for (let k = 0; k < order.length; k++) {
  for (const next of after[order[k]]) if (--open[next] === 0) order.push(next)
}
console.log(`${order.length} of ${nodes.length} ordered`)
