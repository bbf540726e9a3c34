import { expect, test } from 'vitest'
import { renderProof } from '../../engine/ui/proof-text.ts'

const plain = {
  classes: ['own::web'],
  resources: 1,
  claims: 2,
  findings: 0,
  dropped: 0,
  opaque: [],
}

test('a proof without findings is one line', () => {
  expect(renderProof(plain)).toBe('own::web: 1 resource, 2 claims of order: nothing found.')
})

test('edges that gave way and commands that say nothing are told below', () => {
  const text = renderProof({ ...plain, findings: 1, dropped: 2, opaque: ['exec[a]', 'exec[b\n]'] })
  expect(`\n${text}\n`).toMatchInlineSnapshot(`
    "
    own::web: 1 resource, 2 claims of order: 1 finding.
    2 weak edges gave way to a circle: where that does harm, it is a finding. steward graph shows them.
    Not proven: 2 commands do not say what they write:
      exec[a]
      exec[b\\n]
    Where they make files, name them in creates, or in provides: { files: [/path] }.
    "
  `)
})
