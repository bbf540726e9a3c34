import { describe, expect, test } from 'vitest'
import { renderDiagnostic } from '../../engine/diagnostics/render.ts'
import { visible, visibleLine } from '../../engine/diagnostics/visible.ts'

describe('visible', () => {
  test.each([
    ['an escape sequence', '\x1b[2Jgone', '\\x1b[2Jgone'],
    ['the one-byte start of a sequence', '\x9b2J', '\\x9b2J'],
    ['a carriage return', 'safe\rforged', 'safe␍forged'],
    ['a backspace', 'rm\b\bls', 'rm\\x08\\x08ls'],
    ['text that runs backwards', 'a\u202etxt.exe', 'a\\u{202e}txt.exe'],
    ['a separator of lines', 'a\u2028b', 'a\\u{2028}b'],
  ])('marks %s', (_title, text, shown) => {
    expect(visible(text)).toBe(shown)
  })

  test('leaves text, tabs, newlines and what it has marked itself as they are', () => {
    const text = 'Grüße\t→ 日本 👍\n\\x1b'
    expect(visible(text)).toBe(text)
  })

  test('keeps to one line where it is asked to', () => {
    expect(visibleLine('a\n  b\tc')).toBe('a\\n  b\\tc')
  })
})

describe('renderDiagnostic', () => {
  test('lets no part steer the terminal, and keeps the caret under its word', () => {
    const text = renderDiagnostic({
      severity: 'error',
      code: 'unknown-attribute',
      message: 'file[/a\x1b]0;x\x07] has no attribute "b\nfake: error"',
      place: { file: 'a\x1b.yaml', line: 1, column: 4, length: 3, text: '\x1b\x1b bad' },
      expected: 'a\x1b',
      found: '\x1b',
      help: 'run\x1b',
      related: [{ message: 'see\x1b', place: { file: '\x1b', line: 1, column: 1 } }],
      ran: { argv: ['a\x1b'], exit: '1\x1b', output: 'one\ntwo\x1b[2J' },
    })
    expect(text).not.toMatch(/(?!\n)\p{Cc}/u)
    expect(text).toMatchInlineSnapshot(`
      "a\\x1b.yaml:1:4: error: file[/a\\x1b]0;x\\x07] has no attribute "b\\nfake: error" [unknown-attribute]
          1 | ·· bad
            |    ^^^
        expected  a\\x1b
        found     \\x1b
        see       \\x1b:1:1: see\\x1b
        ran       a\\x1b
        exit      1\\x1b
        output    one
                  two\\x1b[2J
        help      run\\x1b"
    `)
  })
})
