import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { readSiteFacts } from '../../engine/facts/site.ts'
import { localHost } from '../../engine/host/local.ts'
import { type FakeFile, type FakeHostOptions, fakeHost } from '../support/fake-host.ts'

const folder = '/etc/steward/facts.d'

function read(files: Record<string, FakeFile>, options: FakeHostOptions = {}) {
  const placed = Object.entries(files).map(([name, file]) => [join(folder, name), file])
  return readSiteFacts(fakeHost({ ...options, files: Object.fromEntries(placed) }), folder)
}

describe('readSiteFacts', () => {
  test('unites JSON, YAML and what executables print', async () => {
    const { site, diagnostics } = await read(
      {
        'a.json': '{"rack": "b7", "ports": [1, 2]}',
        'b.yaml': 'owner:\n  name: ops\n  paged: true\n',
        c: { content: '#!/bin/sh\n', mode: 0o755 },
        '.hidden': 'x',
        'a.json~': 'x',
      },
      { commands: { [`${folder}/c`]: '{"load": 1.5}' } },
    )
    expect(diagnostics).toEqual([])
    expect(site).toEqual({
      rack: 'b7',
      ports: [1, 2],
      owner: { name: 'ops', paged: true },
      load: 1.5,
    })
  })

  test('is empty without the folder', async () => {
    expect(await readSiteFacts(fakeHost(), folder)).toEqual({ site: {}, diagnostics: [] })
  })

  test.each<[string, Record<string, FakeFile>, object]>([
    [
      'null',
      { 'a.json': '{"ok": 1,\n "x": {"y": [1, null]}}' },
      {
        message: expect.stringContaining('x.y.1'),
        place: { file: `${folder}/a.json`, line: 2, column: 17 },
        found: 'null',
      },
    ],
    [
      'a number that loses digits',
      { 'a.json': '{"ok": 1, "n": 9007199254740993}' },
      { message: expect.stringContaining('n can') },
    ],
    [
      'a name that no expression can say',
      { 'a.yaml': 'ok: 1\nrack-no: 7\n' },
      { place: { line: 2, column: 1 }, found: 'rack-no' },
    ],
    ['a list of facts', { 'a.json': '[1]', 'b.json': '{"ok": 1}' }, { found: '[1]' }],
    [
      'broken JSON',
      { 'a.json': '{\n"a": 1,\n}', 'b.json': '{"ok": 1}' },
      { place: { line: 3, column: 1 } },
    ],
    ['broken YAML', { 'a.yaml': 'a: [', 'b.json': '{"ok": 1}' }, { place: { line: 1 } }],
    [
      'a YAML alias',
      { 'a.yaml': 'a: &x [1]\nb: *x\n', 'b.json': '{"ok": 1}' },
      { place: { line: 2, column: 4 } },
    ],
    ['a YAML tag', { 'a.yaml': 'a: !busy 1\n', 'b.json': '{"ok": 1}' }, { place: { line: 1 } }],
    [
      'a second file with the same name',
      { 'a.json': '{"ok": 1}', 'b.json': '{"ok": 2}' },
      { message: expect.stringMatching(/b\.json.*a\.json gives ok/) },
    ],
    [
      'text that is no executable',
      { README: 'x', 'b.json': '{"ok": 1}' },
      { message: expect.stringContaining('README') },
    ],
    [
      'a file that others can write',
      { 'a.json': { content: '{"x": 1}', mode: 0o666 }, 'b.json': '{"ok": 1}' },
      { found: expect.stringContaining('a.json can be written') },
    ],
  ])('refuses %s, naming the file, and keeps the rest', async (_title, files, diagnostic) => {
    const { site, diagnostics } = await read(files)
    expect(site).toEqual({ ok: 1 })
    expect(diagnostics).toMatchObject([{ severity: 'error', code: 'fact-file', ...diagnostic }])
  })

  test('runs nothing that others could have written', async () => {
    const program = { content: '#!/bin/sh\n', mode: 0o757 }
    for (const files of [{ c: program }, { c: { ...program, mode: 0o755, uid: 5555 } }]) {
      const placed = Object.entries(files).map(([name, file]) => [join(folder, name), file])
      const host = fakeHost({ files: Object.fromEntries(placed) })
      expect((await readSiteFacts(host, folder)).diagnostics).toMatchObject([{ code: 'fact-file' }])
      expect(host.queries).toEqual([])
    }
  })

  test('reads nothing in a folder that others can write', async () => {
    const host = fakeHost({
      files: { [folder]: { kind: 'directory', mode: 0o777 }, [`${folder}/a.json`]: '{"a": 1}' },
    })
    expect(await readSiteFacts(host, folder)).toMatchObject({
      site: {},
      diagnostics: [{ code: 'fact-file', found: expect.stringContaining(folder) }],
    })
  })

  test('gives an executable 10 s', async () => {
    const file = `${folder}/c`
    const host = fakeHost({
      files: { [file]: { content: '', mode: 0o755 } },
      commands: { [file]: { timedOut: true, signal: 'SIGKILL' } },
    })
    expect((await readSiteFacts(host, folder)).diagnostics).toMatchObject([
      { code: 'fact-file', ran: { argv: [file], exit: 'not done after 10 s' } },
    ])
    expect(host.asked).toEqual([{ argv: [file], options: { timeoutMs: 10_000 } }])
  })

  test('warns of an executable that can’t be run on a tree', async () => {
    const { diagnostics } = await read(
      { c: { content: '', mode: 0o755 } },
      { root: '/srv/image', cannotRun: 'not possible under --root' },
    )
    expect(diagnostics).toMatchObject([{ severity: 'warning', code: 'fact-file' }])
  })
})

describe('executables on this machine', () => {
  let made = ''
  afterEach(() => rmSync(made, { recursive: true }))
  function program(text: string): string {
    made = mkdtempSync('/tmp/facts-')
    writeFileSync(join(made, 'program'), text)
    chmodSync(join(made, 'program'), 0o755)
    return made
  }

  test('give what they print', async () => {
    const at = program('#!/bin/sh\necho \'{"a": 1}\'\n')
    expect(await readSiteFacts(localHost(), at)).toEqual({ site: { a: 1 }, diagnostics: [] })
  })

  test('that fail are told with their exit code and what they said', async () => {
    const at = program('#!/bin/sh\necho why >&2\nexit 3\n')
    expect((await readSiteFacts(localHost(), at)).diagnostics).toMatchObject([
      {
        code: 'fact-file',
        ran: { argv: [join(at, 'program')], exit: 'exit code 3', output: 'why\n' },
      },
    ])
  })
})
