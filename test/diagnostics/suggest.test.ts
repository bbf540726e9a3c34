import { describe, expect, test } from 'vitest'
import { didYouMean, suggest } from '../../engine/diagnostics/suggest.ts'

describe('suggest', () => {
  const types = ['file', 'package', 'service', 'exec', 'user', 'group', 'cron']
  test.each([
    ['a letter that is missing', 'servce', 'service'],
    ['a letter too many', 'packagge', 'package'],
    ['two letters that changed places, also in a short word', 'flie', 'file'],
    ['the wrong case', 'User', 'user'],
    ['nothing where all is far', 'memcached', undefined],
    ['nothing for the word itself', 'file', undefined],
    ['the nearest of several', 'crom', 'cron'],
  ])('gives %s', (_title, word, expected) => {
    expect(suggest(word, types)).toBe(expected)
  })

  test('is a question for people', () => {
    expect(didYouMean('flie', types)).toBe('did you mean "file"?')
    expect(didYouMean('nothing-like-it', types)).toBeUndefined()
  })
})
