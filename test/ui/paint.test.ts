import { describe, expect, test } from 'vitest'
import { paintFor } from '../../engine/ui/paint.ts'

describe('paintFor', () => {
  const unset = { noColor: undefined, forceColor: undefined }
  test.each([
    ['colours a terminal', { ...unset, isTerminal: true }, true],
    ['leaves a file plain', { ...unset, isTerminal: false }, false],
    ['obeys NO_COLOR', { ...unset, isTerminal: true, noColor: '1' }, false],
    ['takes an empty NO_COLOR for none', { ...unset, isTerminal: true, noColor: '' }, true],
    ['obeys FORCE_COLOR', { ...unset, isTerminal: false, forceColor: '1' }, true],
    [
      'obeys FORCE_COLOR before NO_COLOR',
      { isTerminal: false, noColor: '1', forceColor: '3' },
      true,
    ],
    ['takes FORCE_COLOR=0 for no colour', { ...unset, isTerminal: true, forceColor: '0' }, false],
    ['takes an empty FORCE_COLOR for none', { ...unset, isTerminal: false, forceColor: '' }, false],
  ])('%s', (_title, choice, isColoured) => {
    expect(paintFor(choice)('removed', 'gone')).toBe(isColoured ? '\x1b[31mgone\x1b[39m' : 'gone')
  })
})
