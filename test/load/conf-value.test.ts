import { describe, expect, test } from 'vitest'
import { parseConf } from '../../engine/load/conf.ts'
import { coerce, coerceSection, type ValueSchema } from '../../engine/load/conf-value.ts'

const integers: ValueSchema = { type: 'array', items: { type: 'integer' } }

describe('coerce', () => {
  test.each<[string, ValueSchema, unknown]>([
    ['', {}, ''],
    ['${{ 1 }}', { type: 'string' }, '${{ 1 }}'],
    ['128', { type: 'integer' }, 128],
    ['-007', { type: 'integer' }, -7],
    ['9007199254740991', { type: 'integer' }, Number.MAX_SAFE_INTEGER],
    ['1.50', { type: 'number' }, 1.5],
    ['-2e3', { type: 'number' }, -2000],
    ['Enabled', { type: 'boolean' }, true],
    ['T', { type: 'boolean' }, true],
    ['on', { type: 'boolean' }, false],
    ['0', { type: 'boolean' }, false],
    ['', { type: 'array' }, []],
    [' a, ,b\n,c d ', { type: 'array' }, ['a', 'b', 'c d']],
    ['1,2', integers, [1, 2]],
    ['auto', { type: ['integer', 'string'] }, 'auto'],
    ['4', { type: ['integer', 'string'] }, 4],
  ])('reads %j as %j', (text, schema, value) => {
    expect(coerce(text, schema)).toEqual({ value })
  })

  test('gives minus nought as nought, which JSON keeps', () => {
    expect(coerce('-0', { type: 'integer' })).toStrictEqual({ value: 0 })
  })

  test.each<[string, ValueSchema]>([
    ['', { type: 'integer' }],
    ['', { type: 'boolean' }],
    ['', { type: 'number' }],
    ['12 MB', { type: 'integer' }],
    ['+1', { type: 'integer' }],
    ['٣', { type: 'integer' }],
    ['9007199254740992', { type: 'integer' }],
    ['0x10', { type: 'number' }],
    ['1e999', { type: 'number' }],
    ['.5', { type: 'number' }],
    ['1,two', integers],
    ['a', { type: 'object' }],
    ['x', { type: ['integer', 'number'] }],
  ])('refuses %j as %j', (text, schema) => {
    expect(coerce(text, schema)).toHaveProperty('error')
  })

  test('says what was expected, and which item of a list is wrong', () => {
    expect(coerce('1,two', integers)).toEqual({
      error: 'a comma-separated list, each item an integer in digits, such as 128 (not two)',
    })
  })
})

describe('coerceSection', () => {
  const parsed = parseConf('[s]\nb = 2\n1 = 1\n', 'zulip.conf')
  const entries = ('conf' in parsed && parsed.conf.section('s')) || new Map()

  test('is a map in file order, typed by key', () => {
    const coerced = coerceSection(entries, {
      type: 'object',
      properties: { b: { type: 'integer' } },
      additionalProperties: { type: 'string' },
    })
    expect('value' in coerced && [...coerced.value]).toEqual([
      ['b', 2],
      ['1', '1'],
    ])
  })

  test('names the settings that do not fit', () => {
    expect(coerceSection(entries, { additionalProperties: { type: 'object' } })).toMatchObject({
      errors: [{ key: 'b', entry: { place: { line: 2 } } }, { key: '1' }],
    })
  })
})
