import type { Change, Resource, Shown, Verdict } from './type.ts'

/** What a type tells that only makes and removes. */
export const becomesPresent: Change = { attribute: 'ensure', from: 'absent', to: 'present' }
export const becomesAbsent: Change = { attribute: 'ensure', from: 'present', to: 'absent' }

/** What a probe found, by attribute; one that is missing here is absent on the host. */
type Found<D extends object> = { readonly [K in keyof D]?: Shown }

/**
 * A ready `diff`: compares every declared attribute by `===`. An attribute that isn't declared is left alone.
 */
export function diffAttributes<D extends object>(
  { desired }: Resource<D>,
  current: Found<D>,
): Verdict {
  return { changes: attributeChanges(desired, current) }
}

/**
 * The same for a type that has more to say: one change for each attribute
 * of `desired` that differs, in its order.
 */
export function attributeChanges<D extends object>(desired: D, current: Found<D>): Change[] {
  const changes: Change[] = []
  for (const attribute of Object.keys(desired) as (keyof D & string)[]) {
    const from = current[attribute]
    const to = desired[attribute] as Shown
    if (to !== undefined && from !== to) changes.push({ attribute, from, to })
  }
  return changes
}
