import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseConf } from '../../engine/load/conf.ts'
import { type ConfEdit, setConf, unsetConf } from '../../engine/load/conf-edit.ts'
import { type ConfLine, readLines } from '../../engine/load/conf-lines.ts'
import { nastyConf } from './conf-texts.ts'

function textOf(edit: ConfEdit): string {
  if ('diagnostics' in edit) throw new Error(edit.diagnostics[0]?.message)
  return edit.text
}
function valueIn(text: string, section: string, key: string): string | undefined {
  const parsed = parseConf(text, 'zulip.conf')
  if ('diagnostics' in parsed) throw new Error(parsed.diagnostics[0]?.message)
  return parsed.conf.get(section, key)?.value
}

describe('setConf', () => {
  test.each([
    [
      'keeps name, separator and blanks',
      '[a]\nKey :  old  \nl = 1\n',
      '[a]\nKey :  new  \nl = 1\n',
    ],
    ['keeps a missing last newline', '[a]\nkey=old', '[a]\nkey=new'],
    ['fills an empty value as its name is spaced', '[a]\nkey =\n', '[a]\nkey = new\n'],
    ['fills a tight empty value tightly', '[a]\nkey=\n', '[a]\nkey=new\n'],
    [
      'replaces further lines and keeps comments among them',
      '[a]\nkey = 1\n  2\n\n  # c\n  3\n\nl = 1\n',
      '[a]\nkey = new\n  # c\n\nl = 1\n',
    ],
    [
      'adds at the end of the section',
      '[a]\nl = 1\n\n[b]\nm = 2\n',
      '[a]\nl = 1\nkey = new\n\n[b]\nm = 2\n',
    ],
    [
      'leaves the comment above the next header with it',
      '[a]\nl = 1\n# x = 2\n\n# about b\n[b]\n',
      '[a]\nl = 1\n# x = 2\nkey = new\n\n# about b\n[b]\n',
    ],
    [
      'adds behind the comments of the last section',
      '[a]\nl = 1\n# end\n',
      '[a]\nl = 1\n# end\nkey = new\n',
    ],
    [
      'takes the separator of the settings around it',
      '[b]\nx = 1\n[a]\nl=1\n',
      '[b]\nx = 1\n[a]\nl=1\nkey=new\n',
    ],
    [
      'takes the indentation of the settings around it',
      '[a]\n  l = 1\n [b]\n',
      '[a]\n  l = 1\n  key = new\n [b]\n',
    ],
    ['does not swallow an indented header', '[a]\n [b]\n', '[a]\n key = new\n [b]\n'],
    [
      'ends a line that had no newline before it adds one',
      '[a]\r\nl = 1',
      '[a]\r\nl = 1\r\nkey = new\r\n',
    ],
    [
      'adds a section behind a blank line',
      '[b]\r\nl = 1\r\n',
      '[b]\r\nl = 1\r\n\r\n[a]\r\nkey = new\r\n',
    ],
    ['starts an empty file', '', '[a]\nkey = new\n'],
    [
      'sets in its own section what DEFAULT gives',
      '[DEFAULT]\nkey = new\n[a]\n',
      '[DEFAULT]\nkey = new\n[a]\nkey = new\n',
    ],
  ] as const)('%s', (_title, before, after) => {
    expect(textOf(setConf(before, 'a', 'key', 'new'))).toBe(after)
  })

  test('empties a value without a trailing blank', () => {
    expect(textOf(setConf('[a]\nkey = old\n', 'a', 'key', ''))).toBe('[a]\nkey =\n')
  })

  test.each([
    ['a value of several lines', 'a', 'key', 'x\ny'],
    ['blanks around a value', 'a', 'key', ' x'],
    ['a name with a separator', 'a', 'k=l', 'x'],
    ['a name that reads as a comment', 'a', '#k', 'x'],
    ['a name and value that read as a header', 'a', '[k', 'x]'],
    ['an empty name', 'a', '', 'x'],
    ['an empty section', '', 'key', 'x'],
    ['a section on two lines', 'a\nb', 'key', 'x'],
    ['a setting of DEFAULT that would show elsewhere', 'DEFAULT', 'key\n', 'x'],
  ])('refuses %s', (_title, section, key, value) => {
    expect(setConf('[a]\nl = 1\n', section, key, value)).toMatchObject({
      diagnostics: [{ code: 'conf-syntax' }],
    })
  })

  test('refuses a file with mistakes and tells them', () => {
    expect(setConf('[a]\nnonsense\n', 'a', 'key', 'x')).toMatchObject({
      diagnostics: [{ code: 'conf-syntax', place: { line: 2 } }],
    })
  })

  test('gives the value, and changes nothing else in any file', () => {
    const key = fc.constantFrom('a', 'k', 'Port', 'new_key')
    const value = fc.oneof(
      fc.constantFrom('', '#x', '[b]', '=', 'a, b'),
      fc.stringMatching(/^[!-~]{1,9}$/),
    )
    fc.assert(
      fc.property(
        nastyConf,
        fc.constantFrom('a', 'b', 'c', 'DEFAULT'),
        key,
        value,
        (text, section, name, wanted) => {
          fc.pre('conf' in parseConf(text, 'zulip.conf'))
          const edited = textOf(setConf(text, section, name, wanted))
          expect(valueIn(edited, section, name)).toBe(wanted)
          const rest = textOf(unsetConf(edited, section, name))
          const before = textOf(unsetConf(text, section, name))
          // What is left is the file as it was, but for a section that is new or an end of its last line.
          const isHeader = (line: ConfLine) => line.kind === 'header' && line.section === section
          const isThere = readLines(text).some(isHeader)
          if (isThere && /[\r\n]$/.test(text)) expect(rest).toBe(before)
          expect(rest.startsWith(before) || before.startsWith(rest)).toBe(true)
          expect(rest.slice(before.length).trim()).toBe(isThere ? '' : `[${section}]`)
          expect(textOf(setConf(edited, section, name, wanted))).toBe(edited)
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('unsetConf', () => {
  test.each([
    [
      'takes the lines of the value and leaves the comments',
      '[a]\n# about\nkey = 1\n  2\n  # c\n  3\nl = 1\n',
      '[a]\n# about\n  # c\nl = 1\n',
    ],
    ['leaves the header of a section that is empty then', '[a]\nKEY: 1\n\n[b]\n', '[a]\n\n[b]\n'],
    [
      'leaves a setting of the same name elsewhere',
      '[b]\nkey = 1\n[DEFAULT]\nkey = 2\n',
      '[b]\nkey = 1\n[DEFAULT]\nkey = 2\n',
    ],
  ])('%s', (_title, before, after) => {
    expect(textOf(unsetConf(before, 'a', 'key'))).toBe(after)
  })
})
