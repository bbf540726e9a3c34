import { describe, expect, test } from 'vitest'
import { globMatcher } from '../../engine/resources/file/glob.ts'

describe('globMatcher', () => {
  test.each([
    ['*.swp', 'a.swp'],
    ['*.swp', '.a.swp'],
    ['*', '.git'],
    ['?', '\u00e9'],
    ['?', '\u{1f600}'],
    ['a?c', 'abc'],
    ['[a-c-e]', '-'],
    ['[abc]', 'b'],
    ['[a-c]x', 'bx'],
    ['[!a-c]', 'd'],
    ['[]x]', ']'],
    ['[!]x]', 'a'],
    ['[^a]', '^'],
    ['[a\\]', '\\'],
    ['\\*', '*'],
    ['a[', 'a['],
    ['{a,b}', '{a,b}'],
    ['a+(b)', 'a+(b)'],
    ['a*', 'a\nb'],
    ['**', 'a'],
  ])('%s matches %j', (glob, name) => {
    expect(globMatcher(glob)(name)).toBe(true)
  })

  test.each([
    ['*.swp', 'a.swp2'],
    ['a', 'ab'],
    ['a', 'ba'],
    ['?', 'ab'],
    ['?', ''],
    ['[abc]', 'd'],
    ['[!a-c]', 'b'],
    ['[!]x]', ']'],
    ['[^a]', 'b'],
    ['\\*', 'a'],
    ['a.c', 'abc'],
    ['{a,b}', 'a'],
    ['a|b', 'a'],
  ])('%s does not match %j', (glob, name) => {
    expect(globMatcher(glob)(name)).toBe(false)
  })

  test('matches any of a list, each as a whole', () => {
    const matches = globMatcher(['a', 'b*'])
    expect(['a', 'bc', 'ac', 'c'].map(matches)).toEqual([true, true, false, false])
  })
  test('matches nothing without a glob', () => {
    expect([globMatcher(undefined)(''), globMatcher([])('a')]).toEqual([false, false])
  })
})
