import { describe, expect, test } from 'vitest'
import { diagnosticLine, eventLine, jsonText, planLine, stepLine } from '../../engine/ui/json.ts'
import { server } from './example.ts'

describe('a line of JSON', () => {
  test('is an event as it is', () => {
    const event = { type: 'notice', message: 'one\ntwo' } as const
    const line = eventLine(event)
    expect(line).not.toContain('\n')
    expect(JSON.parse(line)).toEqual(event)
  })

  test('is a whole plan', () => {
    expect(JSON.parse(planLine(server))).toMatchObject({ type: 'plan', counts: { create: 2 } })
  })

  test('is a diagnostic, whose fields it keeps', () => {
    expect(diagnosticLine({ severity: 'error', code: 'usage', message: 'm' })).toBe(
      '{"type":"diagnostic","severity":"error","code":"usage","message":"m"}',
    )
  })

  test('is a step of a procedure, which steers no terminal either', () => {
    const step = { title: 'a\u009b2J', type: 'query', depth: 0, state: { kind: 'asked' } } as const
    expect(stepLine(step)).toMatch(/^[\x20-\x7e]+$/)
    expect(JSON.parse(stepLine(step))).toMatchObject({
      type: 'planned_step',
      stepType: 'query',
      title: 'a\u009b2J',
    })
  })

  test('steers no terminal, and means the same', () => {
    const message = '\x1b[2J\x9b2J\x7f\u202e\u2028'
    const line = eventLine({ type: 'notice', message })
    expect(line).toMatch(/^[\x20-\x7e]+$/)
    expect(JSON.parse(line).message).toBe(message)
  })
})

test('text over several lines steers no terminal either, and reads back the same', () => {
  const value = { name: 'a\u009b31m\u202e', list: ['one\ntwo'] }
  const text = jsonText(value)
  expect(text.split('\n')).toHaveLength(6)
  expect(text).not.toMatch(/[\u0080-\u009f\u202e]/)
  expect(JSON.parse(text)).toEqual(value)
})
