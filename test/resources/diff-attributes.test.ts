import { expect, test } from 'vitest'
import { attributeChanges, diffAttributes } from '../../engine/resources/diff-attributes.ts'

test('gives one change for each declared attribute that differs, in the order declared', () => {
  const changes = attributeChanges({ b: 2, a: 'x', same: true }, { a: 'y', b: 3, same: true })
  expect(changes).toEqual([
    { attribute: 'b', from: 3, to: 2 },
    { attribute: 'a', from: 'y', to: 'x' },
  ])
})

test('leaves alone what is not declared, or declared as unset', () => {
  expect(attributeChanges<{ a?: string | undefined }>({ a: undefined }, { a: 'y' })).toEqual([])
  expect(attributeChanges({}, {})).toEqual([])
})

test('takes what was not found for absent', () => {
  expect(attributeChanges({ a: 0 }, {})).toEqual([{ attribute: 'a', from: undefined, to: 0 }])
})

test('is a ready diff', () => {
  const resource = { ref: 't[x]', type: 't', title: 'x', desired: { a: 1 } }
  expect(diffAttributes(resource, { a: 1 })).toEqual({ changes: [] })
  expect(diffAttributes(resource, { a: 2 })).toMatchObject({ changes: [{ attribute: 'a' }] })
})
