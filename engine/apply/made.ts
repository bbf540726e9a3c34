import type { CatalogResource } from '../compile/catalog.ts'
import { type Asking, verdictsNow } from '../probe.ts'
import { changesMade } from '../resources/changes-made.ts'
import type { Change, ResourceType, Verdict } from '../resources/type.ts'

/** A resource and what is to be changed of it. */
export type Work = { readonly resource: CatalogResource; readonly changes: readonly Change[] }

/**
 * For each of those that failed, what was changed before it did: what is not found wanting any more; undefined
 * where that can't be told. An exec that failed counts as no change.
 */
export async function changesMadeBy(
  type: ResourceType,
  failed: readonly Work[],
  asking: Asking,
): Promise<(readonly Change[] | undefined)[]> {
  const looked = failed.filter((item) => !isRun(item))
  let verdicts: readonly Verdict[] = []
  try {
    if (looked.length > 0)
      verdicts = await verdictsNow(
        type,
        looked.map(({ resource }) => resource),
        asking,
      )
  } catch {
    // The failure itself is what has to be told; of this much nothing is known.
  }
  return failed.map((item) => {
    if (isRun(item)) return []
    const verdict = verdicts[looked.indexOf(item)]
    if (verdict === undefined || !('changes' in verdict)) return undefined
    return changesMade(item.changes, verdict.changes ?? [])
  })
}

function isRun({ changes }: Work): boolean {
  return changes.every(({ attribute }) => attribute === 'run')
}
