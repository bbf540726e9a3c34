import { describe, expect, test } from 'vitest'
import { joinPath, normalPath, parentPath, pathMistake } from '../../engine/resources/path.ts'

describe('pathMistake', () => {
  test.each(['/', '/a', '/a..b/..c', '/a//b/', '/caf\u00e9'])('accepts %s', (path) => {
    expect(pathMistake(path)).toBeUndefined()
  })
  test.each(['', 'a', './a', '/..', '/a/../b', '/a/..', '/a\0'])('refuses %j', (path) => {
    expect(pathMistake(path)).toMatch(/^(?:is|holds) /)
  })
})

describe('normalPath', () => {
  test.each([
    ['/', '/'],
    ['//', '/'],
    ['/.', '/'],
    ['/a/b', '/a/b'],
    ['/a//b/', '/a/b'],
    ['//a', '/a'],
    ['/a/./b/.', '/a/b'],
    ['/.a/b.', '/.a/b.'],
    ['/...', '/...'],
  ])('reads %s as %s', (path, normal) => {
    expect(normalPath(path)).toBe(normal)
  })
})

test('parentPath and joinPath go up and down', () => {
  expect([parentPath('/a/b'), parentPath('/a'), parentPath('/')]).toEqual(['/a', '/', '/'])
  expect([joinPath('/', 'a'), joinPath('/a', 'b/c'), joinPath('/a', '')]).toEqual([
    '/a',
    '/a/b/c',
    '/a',
  ])
})
