import { globSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { describe, expect, test } from 'vitest'

/** The parts of the engine, the top first. A file imports from its own part and from the rungs below. */
const ladder = [
  ['cli'],
  ['zulip', 'ui', 'validate'],
  ['index'],
  ['procedure'],
  ['record'],
  ['apply'],
  ['events', 'saved-plan'],
  ['plan', 'prove'],
  ['due-refreshes'],
  ['probe'],
  ['compile'],
  ['load'],
  ['resources', 'facts'],
  ['host', 'graph', 'content-diff', 'redactor'],
  ['diagnostics', 'shipped'],
]

const engine = join(import.meta.dirname, '../engine')
const files = globSync('**/*.{ts,tsx}', { cwd: engine }).sort()
const text = (file: string) => readFileSync(join(engine, file), 'utf8')
const partOf = (file: string) => file.split('/')[0]?.replace(/\.tsx?$/, '') ?? ''
const rungOf = (file: string) => ladder.findIndex((rung) => rung.includes(partOf(file)))

/** What a file names after `from`, `import` or in `import()`, types included. */
function importsOf(file: string): string[] {
  const found = text(file).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)
  return [...found].map(([, name = '']) => name)
}
/** The files of the engine among them, by their path below it. */
function filesImportedBy(file: string): string[] {
  return importsOf(file)
    .filter((name) => name.startsWith('.'))
    .map((name) => posix.join(posix.dirname(file), name))
    .filter((name) => !name.startsWith('..'))
}
const withoutComments = (source: string) =>
  source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '')

describe('the ladder', () => {
  test('knows every part', () => {
    expect(files.filter((file) => rungOf(file) < 0)).toEqual([])
  })

  test('is only ever climbed down', () => {
    const wrong = files.flatMap((file) =>
      filesImportedBy(file)
        .filter((other) => partOf(other) !== partOf(file) && rungOf(other) <= rungOf(file))
        .map((other) => `${file} imports ${other}`),
    )
    expect(wrong).toEqual([])
  })

  test('has no two files that import each other, by however long a way', () => {
    const imported = new Map(files.map((file) => [file, filesImportedBy(file)]))
    const circles: string[] = []
    const done = new Set<string>()
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) {
        circles.push([...path.slice(path.indexOf(file)), file].join(' → '))
        return
      }
      if (done.has(file)) return
      for (const other of imported.get(file) ?? []) visit(other, [...path, file])
      done.add(file)
    }
    for (const file of files) visit(file, [])
    expect(circles).toEqual([])
  })

  test('ui is drawn by cli alone', () => {
    const wrong = files.filter(
      (file) =>
        !['cli', 'ui'].includes(partOf(file)) &&
        filesImportedBy(file).some((other) => partOf(other) === 'ui'),
    )
    expect(wrong).toEqual([])
  })

  test('resource types do not import each other', () => {
    const table = 'resources/index.ts'
    const types = files.includes(table)
      ? filesImportedBy(table).filter((file) => file !== 'resources/type.ts')
      : []
    const wrong = types.flatMap((file) =>
      filesImportedBy(file)
        .filter((other) => types.includes(other) || other === table)
        .map((other) => `${file} imports ${other}`),
    )
    expect(wrong).toEqual([])
  })
})

describe('may not', () => {
  test.each([
    ['end the process', /\bprocess\.(exit|exitCode|abort)\b/, ['cli']],
    ['print', /\bconsole\.|\bprocess\.(stdout|stderr)\.write\b/, ['cli']],
    ['start a process', /'(node:child_process|node:cluster|execa)'/, ['host']],
    [
      'touch a file',
      /'(node:fs|node:fs\/promises|node:sqlite)'/,
      // The two files read templates and sources: they lie beside the manifests, also under --root.
      [
        'cli',
        'zulip',
        'record',
        'load',
        'facts',
        'host',
        'compile/template.ts',
        'resources/file/source.ts',
      ],
    ],
    ['load Ink or React', /'(ink|react)'/, ['ui']],
  ] as const)('%s, but for those listed', (_act, pattern, allowed) => {
    const wrong = files.filter(
      (file) =>
        ![partOf(file), file].some((name) => (allowed as readonly string[]).includes(name)) &&
        pattern.test(withoutComments(text(file))),
    )
    expect(wrong).toEqual([])
  })
})
