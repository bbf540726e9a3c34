import type { Catalog } from '../compile/catalog.ts'
import type { States } from '../probe.ts'

/** Resources that are acted on together: those that share a transaction, else one at a time. */
export function* groups(catalog: Catalog, states: States): Generator<readonly number[]> {
  let batch: number[] = []
  let number = -1
  for (const index of catalog.order) {
    if (!states[index]) continue
    const of = catalog.batches[index] as number
    if (of !== number && batch.length > 0) {
      yield batch
      batch = []
    }
    number = of
    if (of < 0) yield [index]
    else batch.push(index)
  }
  if (batch.length > 0) yield batch
}
