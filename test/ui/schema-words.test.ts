import { expect, test } from 'vitest'
import { typeWords } from '../../engine/ui/schema-words.ts'

const text = { type: 'string' } as const

test.each([
  ['text', text],
  ['one of: on, off, true', { enum: ['on', 'off', true] }],
  ['true or false or text', { type: ['boolean', 'string'] }],
  ['an integer from 1 to 9', { type: 'integer', minimum: 1, maximum: 9 }],
  ['a number from 0 up', { type: 'number', minimum: 0 }],
  ['a list of integers up to 5', { type: 'array', items: { type: 'integer', maximum: 5 } }],
  ['text or a list of text', { anyOf: [text, { type: 'array', items: text }] }],
  ['a list of lists of text', { type: 'array', items: { type: 'array', items: text } }],
  ['a map of text', { type: 'object', additionalProperties: text }],
  ['a map with pin, priority', { type: 'object', properties: { pin: text, priority: text } }],
  ['any value', {}],
  ['a reference', { $ref: '#/$defs/reference' }],
] as const)('%s', (words, form) => {
  expect(typeWords(form, { reference: { title: 'a reference' } })).toBe(words)
})
