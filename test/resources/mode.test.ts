import { spawnSync } from 'node:child_process'
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { formatMode, type Mode, parseMode, resolveMode } from '../../engine/resources/mode.ts'

describe('parseMode', () => {
  test.each([
    '644',
    '0644',
    '4755',
    '7777',
    '000',
    'u=rw',
    '+x',
    'a-w',
    'ug+rw,o=',
    'u=g',
    '=',
    'u=rw-x+s',
  ])('reads %s', (text) => {
    expect(parseMode(text)).toBeDefined()
  })
  test.each([
    '',
    '64',
    '06444',
    '0888',
    'rw-r--r--',
    'u',
    'u+rw,',
    'u=ug',
    'u=gr',
    'x+r',
    '0o644',
    ' 644',
    'u+r\n',
  ])('refuses "%s"', (text) => {
    expect(parseMode(text)).toBeUndefined()
  })
})

describe('resolveMode', () => {
  test.each([
    ['takes octal as written', '0640', 0o777, 'file', '0640'],
    ['reads three digits as four', '640', 0o7777, 'file', '0640'],
    ['sets setuid, setgid and sticky as written', '7755', 0o644, 'file', '7755'],
    [
      'takes setgid from a directory where octal leaves it out',
      '0755',
      0o2755,
      'directory',
      '0755',
    ],
    ['gives a directory search where it gives read', '0640', 0o700, 'directory', '0750'],
    ['gives a directory no search without read', '0604', 0o700, 'directory', '0705'],
    ['gives no search to what can only be written', '0622', 0o700, 'directory', '0722'],
    ['takes no who as all, without umask', '+w', 0o644, 'file', '0666'],
    ['leaves what it does not name', 'g+w', 0o4644, 'file', '4664'],
    ['looks with X at the mode as it stands at that clause', 'u+x,a+X', 0o644, 'file', '0755'],
    ['gives X to no file without any x', 'a+X', 0o644, 'file', '0644'],
    ['gives X to every directory', 'a+X', 0o644, 'directory', '0755'],
    ['copies a class as it stands', 'g=u,o=g', 0o640, 'file', '0666'],
    ['keeps setgid of a directory that = does not name', 'g=rx', 0o2700, 'directory', '2750'],
    ['takes setgid of a file with =', 'g=rx', 0o2700, 'file', '0750'],
  ] as const)('%s', (_title, text, present, kind, result) => {
    expect(formatMode(resolveMode(parsed(text), present, kind))).toBe(result)
  })

  describe('agrees with chmod', () => {
    const folder = mkdtempSync(join(tmpdir(), 'steward-mode-'))
    const paths = { file: join(folder, 'file'), directory: join(folder, 'directory') }
    writeFileSync(paths.file, '')
    mkdirSync(paths.directory)
    afterAll(() => rmSync(folder, { recursive: true }))

    const action = fc.tuple(
      fc.constantFrom('+', '-', '='),
      fc.oneof(
        fc.string({ unit: fc.constantFrom('r', 'w', 'x', 'X', 's', 't'), maxLength: 4 }),
        fc.constantFrom('u', 'g', 'o'),
      ),
    )
    const clause = fc.tuple(
      fc.string({ unit: fc.constantFrom('u', 'g', 'o', 'a'), maxLength: 3 }),
      fc.array(action, { minLength: 1, maxLength: 3 }),
    )
    const modes = fc
      .array(clause, { minLength: 1, maxLength: 3 })
      .map((clauses) => clauses.map(([who, actions]) => who + actions.flat().join('')).join(','))

    test.each(['file', 'directory'] as const)('on a %s', (kind) => {
      const path = paths[kind]
      fc.assert(
        fc.property(modes, fc.integer({ min: 0, max: 0o7777 }), (text, present) => {
          chmodSync(path, present)
          const chmod = spawnSync('sh', [
            '-c',
            'umask 0; exec chmod -- "$1" "$2"',
            'sh',
            text,
            path,
          ])
          expect(chmod.stderr.toString()).toBe('')
          const expected = lstatSync(path).mode & 0o7777
          expect(formatMode(resolveMode(parsed(text), present, kind))).toBe(formatMode(expected))
        }),
        { numRuns: 60 },
      )
    })
  })
})

function parsed(text: string): Mode {
  const mode = parseMode(text)
  if (mode === undefined) throw new Error(`no mode: ${text}`)
  return mode
}
