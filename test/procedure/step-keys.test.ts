import { expect, test } from 'vitest'
import type { ResourceDecl } from '../../engine/load/manifest.ts'
import { isWithin, isWithinAny, keyed, lastName } from '../../engine/procedure/step-keys.ts'

const decl = (type: string, title: string, id?: string): ResourceDecl => ({
  type,
  titles: [title],
  attributes: {},
  meta: id === undefined ? {} : { id },
  path: [],
})
const names = (...decls: readonly ResourceDecl[]) => keyed(decls).map(({ name }) => name)

test('a step is known by its id or its name, wherever it stands', () => {
  const block = decl('block', 'switch')
  const exec = decl('exec', 'any title', 'migrate')
  expect(names(block, exec)).toEqual(['block[switch]', 'exec(migrate)'])
  expect(names(exec, block)).toEqual(['exec(migrate)', 'block[switch]'])
})

test('steps of one name are told apart by their order', () => {
  const file = decl('file', '/a')
  expect(names(file, file, decl('file', '/a~2'))).toEqual([
    'file[%2fa]',
    'file[%2fa]~2',
    'file[%2fa%7e2]',
  ])
})

test('a name can not be taken for another step, and is shown as it was written', () => {
  const [name = ''] = names(decl('block', '50% a/b#c+d?e!f'))
  expect(name).not.toMatch(/[/#+?!]/)
  expect(lastName(`steps/${name}`)).toBe('block[50% a/b#c+d?e!f]')
})

test('a key is within the steps that it begins with', () => {
  expect(isWithin('steps/a/steps/b', 'steps/a')).toBe(true)
  expect(isWithin('steps/a+1/steps/b', 'steps/a')).toBe(false)
  expect(isWithinAny('steps/a+1/steps/b', 'steps/a')).toBe(true)
  expect(isWithinAny('steps/a#x', 'steps/a')).toBe(true)
  expect(isWithinAny('steps/ab', 'steps/a')).toBe(false)
})
