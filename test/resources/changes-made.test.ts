import { expect, test } from 'vitest'
import { changesMade } from '../../engine/resources/changes-made.ts'

const mode = { attribute: 'mode', from: '0644', to: '0600' }
const bytes = (text: string) => Buffer.from(text)
const content = (from: string, to: string) => ({
  attribute: 'content',
  from: undefined,
  to: undefined,
  content: { from: bytes(from), to: bytes(to) },
})

test.each([
  ['what is gone was made', [mode], [], [mode]],
  ['what is as it was, was not', [mode], [mode], []],
  [
    'what is on its way tells how far it came',
    [{ attribute: 'ensure', from: 'file', to: 'directory' }],
    [{ attribute: 'ensure', from: 'absent', to: 'directory' }],
    [{ attribute: 'ensure', from: 'file', to: 'absent' }],
  ],
  ['the same content is no change', [content('a', 'b')], [content('a', 'b')], []],
  ['another content is one', [content('a', 'c')], [content('b', 'c')], [content('a', 'b')]],
  ['a command that failed is none', [{ attribute: 'run', from: undefined, to: 'x' }], [], []],
])('%s', (_title, before, after, made) => {
  expect(changesMade(before, after)).toEqual(made)
})
