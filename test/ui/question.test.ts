import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { ask } from '../../engine/ui/question.ts'

describe('ask', () => {
  const answered = async (given: string) => {
    const input = new PassThrough()
    const output = new PassThrough()
    const answer = ask('Apply these changes?', { input, output })
    input.end(given)
    return { isYes: await answer, shown: String(output.read()) }
  }

  test('says that no is what it takes silence for', async () => {
    expect((await answered('y\n')).shown).toBe('Apply these changes? [y/N] ')
  })

  test.each(['y\n', 'yes\n', ' YES \r\n'])('takes %j for a yes', async (given) => {
    expect((await answered(given)).isYes).toBe(true)
  })

  test.each(['\n', 'n\n', 'no\n', 'yellow\n', '\x1b[A\n'])('takes %j for a no', async (given) => {
    expect((await answered(given)).isYes).toBe(false)
  })

  test('takes the end of the input for a no, and ends its line', async () => {
    expect(await answered('')).toEqual({ isYes: false, shown: 'Apply these changes? [y/N] \r\n' })
  })

  test('leaves nothing behind on its input', async () => {
    const input = new PassThrough()
    const answer = ask('?', { input, output: new PassThrough() })
    input.write('y\n')
    await answer
    expect(input.isPaused()).toBe(true)
    expect(input.listenerCount('data')).toBe(0)
  })
})
