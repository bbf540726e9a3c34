import { describe, expect, test } from 'vitest'
import type { Diagnostic } from '../../engine/diagnostics/diagnostic.ts'
import {
  renderDiagnostic,
  sortByPlace,
  uniqueDiagnostics,
} from '../../engine/diagnostics/render.ts'

const whole: Diagnostic = {
  severity: 'error',
  code: 'unknown-attribute',
  message: 'service[nginx] has no attribute "ensrue"',
  place: { file: 'web.yaml', line: 14, column: 5, length: 6, text: '    ensrue: running' },
  expected: 'one of: enable, ensure',
  found: 'ensrue',
  help: 'did you mean "ensure"?',
  related: [{ message: 'the other', place: { file: 'other.yaml', line: 1, column: 2 } }],
  ran: { argv: ['nginx', '-t'], exit: 'exit code 1', output: 'line one\nline two\n' },
}

describe('renderDiagnostic', () => {
  test('gives place, sentence, code, the line with its caret, and every part in its order', () => {
    expect(`\n${renderDiagnostic(whole)}\n`).toMatchInlineSnapshot(`
      "
      web.yaml:14:5: error: service[nginx] has no attribute "ensrue" [unknown-attribute]
         14 |     ensrue: running
            |     ^^^^^^
        expected  one of: enable, ensure
        found     ensrue
        see       other.yaml:1:2: the other
        ran       nginx -t
        exit      exit code 1
        output    line one
                  line two
        help      did you mean "ensure"?
      "
    `)
  })

  test('stands on one line where there is no terminal', () => {
    expect(renderDiagnostic(whole, { oneLine: true })).toMatchInlineSnapshot(
      `"web.yaml:14:5: error: service[nginx] has no attribute "ensrue" [unknown-attribute]; expected one of: enable, ensure; found ensrue; the other at other.yaml:1:2; ran nginx -t (exit code 1); did you mean "ensure"?"`,
    )
  })

  test('keeps the caret inside its line and under its word, also behind tabs', () => {
    const place = { file: 'a', line: 1, column: 2, length: 99, text: '\tabc' }
    const [, , caret] = renderDiagnostic({ ...whole, place }).split('\n')
    expect(caret).toBe('      |  ^^^')
  })

  test('lets nothing steer the terminal', () => {
    const text = renderDiagnostic({
      ...whole,
      message: 'red \u001b[31m',
      found: 'a\u202eb',
      place: { file: 'a\u001b', line: 1, column: 1, text: 'x\u001by' },
    })
    for (const character of ['\u001b', '\u202e']) expect(text).not.toContain(character)
    expect(text.split('\n')[1]).toBe('    1 | x·y')
  })
})

describe('sortByPlace', () => {
  const at = (file: string, line: number, message = ''): Diagnostic => ({
    severity: 'error',
    code: 'cycle',
    message,
    place: { file, line, column: 1 },
  })
  test('goes by file, then by line; what has no place comes last, equals stay as they were', () => {
    const none: Diagnostic = { severity: 'error', code: 'cycle', message: 'none' }
    const list = [none, at('b', 1), at('a', 20), at('a', 3, 'first'), at('a', 3, 'second')]
    expect(sortByPlace(list)).toEqual([list[3], list[4], list[2], list[1], none])
  })
  test('each mistake is told once', () => {
    expect(uniqueDiagnostics([at('a', 1), at('b', 1), at('a', 1)])).toHaveLength(2)
  })
})
