import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const project = join(import.meta.dirname, '../..')
const guide = readFileSync(join(project, 'engine/resources/README.md'), 'utf8')

interface Block {
  readonly language: string
  /** From the project's folder; empty for commands. */
  readonly path: string
  readonly text: string
}
const blocks: readonly Block[] = [...guide.matchAll(/^```(\w+) ?(\S*)\n([\s\S]*?)^```$/gm)].map(
  ([, language = '', path = '', text = '']) => ({ language, path, text }),
)
const commands = blocks
  .filter(({ language }) => language === 'sh')
  .flatMap(({ text }) => text.trim().split('\n'))
const contract = commands.find((command) => command.includes('contract.test.ts')) ?? ''

/**
 * What the example stands on, down the import ladder from `load`, which its contract reads; and what checks it.
 */
const parts = ['load', 'resources', 'facts', 'host', 'graph.ts', 'diagnostics', 'shipped.ts']
const copied = [
  'package.json',
  'tsconfig.json',
  'biome.json',
  'vitest.config.ts',
  'LICENSE',
  'bin',
  ...parts.map((part) => `engine/${part}`),
  'schemas',
  'manifests',
  'test/support',
  'test/resources/contract.test.ts',
]

let copy = ''
beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'steward-guide-'))
  for (const path of copied) cpSync(join(project, path), join(copy, path), { recursive: true })
  symlinkSync(join(project, 'node_modules'), join(copy, 'node_modules'))
})
afterAll(() => rmSync(copy, { recursive: true, force: true }))

function run(command: string) {
  const [file = '', ...argv] = command.split(' ')
  const env = { PATH: process.env.PATH ?? '', HOME: copy, NO_COLOR: '1' }
  const { status, stdout, stderr } = spawnSync(file, argv, { cwd: copy, env, encoding: 'utf8' })
  return { status, output: stdout + stderr }
}

/** Puts each line marked `+` behind the line that the guide shows above it. */
function followDiff({ path, text }: Block): void {
  let content = readFileSync(join(copy, path), 'utf8')
  let above = ''
  for (const line of text.trimEnd().split('\n')) {
    const [mark, rest] = [line[0], line.slice(1)]
    if (mark === '+') {
      expect(content.split(`${above}\n`), `${path} has the line "${above}" once`).toHaveLength(2)
      content = content.replace(`${above}\n`, () => `${above}\n${rest}\n`)
    }
    above = rest
  }
  writeFileSync(join(copy, path), content)
}

test('the guide explains every member of the interface, in its order', () => {
  const source = readFileSync(join(project, 'engine/resources/type.ts'), 'utf8')
  const [, body = ''] = /interface ResourceType<[^{]*\{\n([\s\S]*?)\n\}/.exec(source) ?? []
  const members = [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??[(:]/gm)].map(([, name]) => name)
  const headings = [...guide.matchAll(/^### `(\w+)`$/gm)].map(([, name]) => name)
  expect(members).toContain('probe')
  expect(headings).toEqual(members)
})

test('what the guide offers to build on is there', () => {
  const [, offer = ''] = guide.split('## What to build on')
  const named = [...offer.matchAll(/`([\w./-]+\.ts)`/g)].map(([, name = '']) => name)
  expect(named).toContain('diff-attributes.ts')
  const isThere = (name: string) =>
    existsSync(join(project, name)) || existsSync(join(project, 'engine/resources', name))
  expect(named.filter((name) => !isThere(name))).toEqual([])
})

describe('who follows the guide to the letter', { timeout: 120_000 }, () => {
  test('makes the files that it gives', () => {
    const files = blocks.filter(({ path }) => path !== '')
    expect(files.map(({ path }) => path)).toEqual([
      'schemas/resources/hosts_entry.json',
      'engine/resources/hosts-entry.ts',
      'engine/resources/index.ts',
      'test/resources/hosts-entry.test.ts',
    ])
    for (const block of files) {
      if (block.language === 'diff') followDiff(block)
      else writeFileSync(join(copy, block.path), block.text, { flag: 'wx' })
    }
  })

  test.each(commands)('sees no fault: %s', (command) => {
    const { status, output } = run(command)
    expect(output).not.toContain('No test files found')
    expect(status, output).toBe(0)
  })

  test('is told by the contract what was forgotten', () => {
    const path = join(copy, 'schemas/resources/hosts_entry.json')
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, text.replace('"x-invalid": ["there", true]', '"x-invalid": []'))
    const { status, output } = run(contract)
    writeFileSync(path, text)
    expect(status).toBe(1)
    expect(output).toContain('ensure has no x-invalid')
  })
})
