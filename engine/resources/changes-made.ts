import type { Change } from './type.ts'

/**
 * Which changes were made after all where an `apply` failed: `before` is what there was to change, and `after`
 * what there still is. What is on its way tells how far it has come. A command that failed is no change. Pure.
 */
export function changesMade(before: readonly Change[], after: readonly Change[]): Change[] {
  const left = new Map(after.map((change) => [change.attribute, change]))
  return before.flatMap((change) => {
    if (change.attribute === 'run') return []
    const still = left.get(change.attribute)
    if (!still) return [change]
    if (isSame(change.from, still.from) && isSameContent(change, still)) return []
    const { content } = change
    return [
      {
        ...change,
        to: still.from,
        ...(content ? { content: { from: content.from, to: still.content?.from } } : {}),
      },
    ]
  })
}

function isSame(one: Change['from'], other: Change['from']): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

function isSameContent({ content: one }: Change, { content: other }: Change): boolean {
  if (!one?.from || !other?.from) return one?.from === other?.from
  return Buffer.compare(one.from, other.from) === 0
}
