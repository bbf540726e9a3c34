import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { localHost } from '../../engine/host/local.ts'
import type { FileDesired } from '../../engine/resources/file/desired.ts'
import { file } from '../../engine/resources/file.ts'
import type { Resource, Thing, Verdict } from '../../engine/resources/type.ts'
import { type DiskEntry, makeTree, readTree } from '../support/disk-tree.ts'

let folder: string
let root: string
let source: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'steward-tree-'))
  root = join(folder, 'root')
  source = join(folder, 'source')
  mkdirSync(root)
  mkdirSync(source)
})
afterEach(() => rmSync(folder, { recursive: true }))

interface Case {
  /** Below the source; there is none when absent. */
  readonly source?: Record<string, DiskEntry>
  /** Below the root, where the directory is `/d`. */
  readonly before?: Record<string, DiskEntry>
  readonly desired?: FileDesired
  /** What else the catalog declares. */
  readonly declared?: readonly string[]
  /** What differs, as `PATH: ATTRIBUTE` or, for the directory itself, the attribute alone. */
  readonly changes: readonly string[]
  readonly note?: string
  readonly after: Record<string, string>
}

const text = 'file 0644 x'
const empty = 'directory 0755'

describe('a tree that is copied', () => {
  table({
    'comes with all that it holds, parents first': {
      source: { 'b/c/d': 'x', a: 'x', empty: {} },
      changes: [
        'ensure',
        'a: ensure',
        'a: content',
        'b: ensure',
        'b/c: ensure',
        'b/c/d: ensure',
        'b/c/d: content',
        'empty: ensure',
      ],
      after: {
        d: empty,
        'd/a': text,
        'd/b': empty,
        'd/b/c': empty,
        'd/b/c/d': text,
        'd/empty': empty,
      },
    },
    'takes over neither owner nor mode': {
      source: { a: { content: 'x', mode: 0o4711 }, b: { mode: 0o700 } },
      changes: ['ensure', 'a: ensure', 'a: content', 'b: ensure'],
      after: { d: empty, 'd/a': text, 'd/b': empty },
    },
    'gives its mode to files, and with the search bit to directories': {
      source: { a: 'x', 'b/c': 'x' },
      before: { 'd/a': 'x', 'd/b/c': 'x' },
      desired: { mode: '0640' },
      changes: ['mode', 'a: mode', 'b: mode', 'b/c: mode'],
      after: {
        d: 'directory 0750',
        'd/a': 'file 0640 x',
        'd/b': 'directory 0750',
        'd/b/c': 'file 0640 x',
      },
    },
    'changes only what differs': {
      source: { a: 'x', b: 'x', c: 'x' },
      before: { 'd/a': 'x', 'd/b': 'y', 'd/c': 'x' },
      changes: ['b: content'],
      after: { d: empty, 'd/a': text, 'd/b': text, 'd/c': text },
    },
    'leaves what else is there': {
      source: { a: 'x' },
      before: { 'd/b': 'y', 'd/c/e': 'y' },
      changes: ['a: ensure', 'a: content'],
      after: { d: empty, 'd/a': text, 'd/b': 'file 0644 y', 'd/c': empty, 'd/c/e': 'file 0644 y' },
    },
    'gives its mode also to what else is there': {
      source: { a: 'x' },
      before: { 'd/a': { content: 'x', mode: 0o600 }, 'd/c/e': { content: 'y', mode: 0o666 } },
      desired: { mode: '0600' },
      changes: ['mode', 'c: mode', 'c/e: mode'],
      after: {
        d: 'directory 0700',
        'd/a': 'file 0600 x',
        'd/c': 'directory 0700',
        'd/c/e': 'file 0600 y',
      },
    },
    'replaces files and links by what is in the source': {
      source: { 'a/b': 'x', c: 'x' },
      before: { 'd/a': 'y', 'd/c': { target: '/elsewhere' }, elsewhere: 'z' },
      changes: ['a: ensure', 'a/b: ensure', 'a/b: content', 'c: ensure', 'c: content'],
      after: { d: empty, 'd/a': empty, 'd/a/b': text, 'd/c': text, elsewhere: 'file 0644 z' },
    },
    'never writes through a link that is there': {
      source: { 'a/b': 'x' },
      before: { 'd/a': { target: '/elsewhere' }, elsewhere: {} },
      desired: { links: 'follow' },
      changes: ['a: ensure', 'a/b: ensure', 'a/b: content'],
      after: { d: empty, 'd/a': empty, 'd/a/b': text, elsewhere: empty },
    },
    'replaces a directory by a file with force': {
      source: { a: 'x' },
      before: { 'd/a/b': 'y' },
      desired: { force: true },
      changes: ['a: ensure', 'a: content'],
      after: { d: empty, 'd/a': text },
    },
    'is written to what a link leads to': {
      source: { a: 'x' },
      before: { d: { target: '/e' }, e: {} },
      desired: { links: 'follow' },
      changes: ['a: ensure', 'a: content'],
      after: { d: 'link /e', e: empty, 'e/a': text },
    },
    'copies links as links': {
      source: { a: 'x', l: { target: 'a' }, far: { target: '/nowhere' } },
      before: { 'd/a': 'x', 'd/l': { target: 'b' } },
      changes: ['far: ensure', 'far: target', 'l: target'],
      after: { d: empty, 'd/a': text, 'd/l': 'link a', 'd/far': 'link /nowhere' },
    },
    'copies what links point to where they are followed': {
      source: { a: 'x', l: { target: 'a' }, 'b/c': 'x', m: { target: 'b' } },
      before: { 'd/a': 'x', 'd/b/c': 'x' },
      desired: { links: 'follow' },
      changes: ['l: ensure', 'l: content', 'm: ensure', 'm/c: ensure', 'm/c: content'],
      after: {
        d: empty,
        'd/a': text,
        'd/b': empty,
        'd/b/c': text,
        'd/l': text,
        'd/m': empty,
        'd/m/c': text,
      },
    },
    'goes as deep as its limit': {
      source: { a: 'x', 'b/c/e': 'x' },
      desired: { recurselimit: 2 },
      changes: ['ensure', 'a: ensure', 'a: content', 'b: ensure', 'b/c: ensure'],
      after: { d: empty, 'd/a': text, 'd/b': empty, 'd/b/c': empty },
    },
    'stops at the directory itself with a limit of 0': {
      source: { a: 'x' },
      desired: { recurselimit: 0 },
      changes: ['ensure'],
      after: { d: empty },
    },
    'passes over what is ignored': {
      source: { a: 'x', '.a.swp': 'x', '.git/config': 'x', 'b/c~': 'x' },
      desired: { ignore: ['*.swp', '.git', '?~'] },
      changes: ['ensure', 'a: ensure', 'a: content', 'b: ensure'],
      after: { d: empty, 'd/a': text, 'd/b': empty },
    },
    'leaves what other resources declare': {
      source: { a: 'x', 'b/c': 'x', 'e/f': 'x' },
      declared: ['/d/a', '/d/b'],
      changes: ['ensure', 'e: ensure', 'e/f: ensure', 'e/f: content'],
      after: { d: empty, 'd/e': empty, 'd/e/f': text },
    },
    'leaves what is declared by the path of either end of a link': {
      source: { a: 'x', b: 'x', c: 'x' },
      before: { d: { target: '/e' }, e: {} },
      desired: { links: 'follow' },
      declared: ['/d/a', '/e/b'],
      changes: ['c: ensure', 'c: content'],
      after: { d: 'link /e', e: empty, 'e/c': text },
    },
    'holds names that look like attributes': {
      source: { 'a: mode': 'x', 'b: ensure/c: x': 'x' },
      changes: [
        'ensure',
        'a: mode: ensure',
        'a: mode: content',
        'b: ensure: ensure',
        'b: ensure/c: x: ensure',
        'b: ensure/c: x: content',
      ],
      after: {
        d: empty,
        'd/a: mode': text,
        'd/b: ensure': empty,
        'd/b: ensure/c: x': text,
      },
    },
    'is not copied into what replace leaves in its place': {
      source: { a: 'x' },
      before: { d: 'y' },
      desired: { replace: false },
      changes: [],
      note: '/d is kept: it differs, and is made only where it is missing (replace: false)',
      after: { d: 'file 0644 y' },
    },
    'keeps what replace leaves, with all below it': {
      source: { a: 'x', 'b/c': 'x', e: 'x' },
      before: { 'd/a': 'y', 'd/b': 'y' },
      desired: { replace: false },
      changes: ['e: ensure', 'e: content'],
      note: '/d/a is kept: it differs, and is made only where it is missing (replace: false); /d/b is kept: it differs, and is made only where it is missing (replace: false)',
      after: { d: empty, 'd/a': 'file 0644 y', 'd/b': 'file 0644 y', 'd/e': text },
    },
  })

  test('holds names that are no UTF-8', async () => {
    const name = Buffer.concat([Buffer.from(`${source}/caf`), Buffer.of(0xe9)])
    writeFileSync(name, 'x')
    await apply({ source }, [])
    const copy = Buffer.concat([Buffer.from(`${root}/d/caf`), Buffer.of(0xe9)])
    expect(readFileSync(copy, 'utf8')).toBe('x')
  })
})

describe('a purge', () => {
  const purge = { purge: true }
  table({
    'removes files and links that come from nowhere': {
      source: { a: 'x' },
      before: { 'd/a': 'x', 'd/b': 'y', 'd/l': { target: '/e' }, e: 'z' },
      desired: purge,
      changes: ['b: ensure', 'l: ensure'],
      after: { d: empty, 'd/a': text, e: 'file 0644 z' },
    },
    'needs no source': {
      before: { 'd/a': 'x' },
      desired: purge,
      changes: ['a: ensure'],
      after: { d: empty },
    },
    'empties strange directories, and leaves them without force': {
      before: { 'd/a/b/c': 'x' },
      desired: purge,
      changes: ['a/b/c: ensure'],
      note: '/d/a stays: a directory is purged only with force; /d/a/b stays: a directory is purged only with force',
      after: { d: empty, 'd/a': empty, 'd/a/b': empty },
    },
    'removes strange directories with force': {
      before: { 'd/a/b/c': 'x' },
      desired: { purge: true, force: true },
      changes: ['a: ensure'],
      after: { d: empty },
    },
    'reaches strangers below what is copied': {
      source: { 'a/b': 'x' },
      before: { 'd/a/b': 'x', 'd/a/c': 'y' },
      desired: purge,
      changes: ['a/c: ensure'],
      after: { d: empty, 'd/a': empty, 'd/a/b': text },
    },
    'goes no deeper than the limit': {
      source: { 'a/b': 'x' },
      before: { 'd/a/c': 'y', 'd/e': 'y' },
      desired: { purge: true, recurselimit: 1 },
      changes: ['e: ensure'],
      after: { d: empty, 'd/a': empty, 'd/a/c': 'file 0644 y' },
    },
    'leaves what other resources declare, and what leads there': {
      before: { 'd/a': 'x', 'd/b/c/e': 'x', 'd/b/c/f': 'y', 'd/b/g': 'y' },
      desired: { purge: true, force: true },
      declared: ['/d/a', '/d/b/c/e'],
      changes: ['b/c/f: ensure', 'b/g: ensure'],
      after: { d: empty, 'd/a': text, 'd/b': empty, 'd/b/c': empty, 'd/b/c/e': text },
    },
    'leaves what is declared and not yet there': {
      before: { 'd/b/c': 'x' },
      desired: { purge: true, force: true },
      declared: ['/d/b/new'],
      changes: ['b/c: ensure'],
      after: { d: empty, 'd/b': empty },
    },
    'leaves a link that leads to something declared': {
      before: { 'd/l': { target: '/e' }, 'e/a': 'x' },
      desired: { purge: true, force: true },
      declared: ['/d/l/a'],
      changes: [],
      after: { d: empty, 'd/l': 'link /e', e: empty, 'e/a': text },
    },
    'does not reach into a directory that is declared on its own': {
      before: { 'd/b/c': 'x' },
      desired: { purge: true, force: true },
      declared: ['/d/b'],
      changes: [],
      after: { d: empty, 'd/b': empty, 'd/b/c': text },
    },
    'does not reach through a link': {
      before: { 'd/l': { target: '/e' }, 'e/a': 'x' },
      desired: purge,
      changes: ['l: ensure'],
      after: { d: empty, e: empty, 'e/a': text },
    },
    'leaves what is ignored, and the directories that hold it': {
      before: { 'd/.git/a': 'x', 'd/b/c/.git/e': 'x', 'd/b/f': 'y' },
      desired: { purge: true, force: true, ignore: '.git' },
      changes: ['b/f: ensure'],
      note: '/d/b stays: it holds something that is ignored; /d/b/c stays: it holds something that is ignored',
      after: {
        d: empty,
        'd/.git': empty,
        'd/.git/a': text,
        'd/b': empty,
        'd/b/c': empty,
        'd/b/c/.git': empty,
        'd/b/c/.git/e': text,
      },
    },
    'gives no mode to strangers that stay': {
      before: { 'd/b': {} },
      desired: { purge: true, mode: '0700' },
      changes: ['mode'],
      note: '/d/b stays: a directory is purged only with force',
      after: { d: 'directory 0700', 'd/b': empty },
    },
    'leaves other trees of a similar name': {
      before: { 'd/a': 'x', 'd2/a': 'x' },
      desired: purge,
      declared: ['/d2'],
      changes: ['a: ensure'],
      after: { d: empty, d2: empty, 'd2/a': text },
    },
  })

  test('removes a fifo only with force', async () => {
    makeTree(root, { 'd/pipe': { fifo: true } })
    expect(await verdictOf(resource({ purge: true }), [])).toEqual({
      changes: [],
      note: '/d/pipe stays: a fifo is purged only with force',
    })
    await apply({ purge: true, force: true }, [])
    expect(readTree(root)).toEqual({ d: empty })
  })
})

describe('any tree, purged with force', () => {
  type Node = string | { readonly target: string } | { readonly children: Record<string, Node> }
  const { node } = fc.letrec<{ node: Node }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      fc.constantFrom('x', 'y', ''),
      fc.record({ target: fc.constantFrom('a', '../b', '/etc') }),
      fc.record({ children: fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('node')) }),
    ),
  }))
  const trees = fc.dictionary(fc.constantFrom('a', 'b', 'c'), node)

  test('becomes the tree of its source, in one run', async () => {
    await fc.assert(
      fc
        .asyncProperty(trees, trees, async (copied, before) => {
          makeTree(source, flat(copied))
          makeTree(root, { d: {}, ...flat({ d: { children: before } }) })
          await apply({ source, purge: true, force: true }, [])
          expect(readTree(join(root, 'd'))).toEqual(readTree(source))
        })
        .afterEach(() => {
          rmSync(source, { recursive: true })
          rmSync(root, { recursive: true })
          mkdirSync(source)
          mkdirSync(root)
        }),
      { numRuns: 40 },
    )
  })

  function flat(children: Record<string, Node>, parent = ''): Record<string, DiskEntry> {
    const entries: Record<string, DiskEntry> = {}
    for (const [name, child] of Object.entries(children)) {
      const path = join(parent, name)
      const isDirectory = typeof child !== 'string' && 'children' in child
      entries[path] = isDirectory ? {} : child
      if (isDirectory) Object.assign(entries, flat(child.children, path))
    }
    return entries
  }
})

describe('a directory that recurses without a source', () => {
  table({
    'gives its mode to all below': {
      before: { 'd/a': 'x', 'd/b/c': 'x', 'd/l': { target: '/e' }, e: 'x' },
      desired: { mode: 'g+w' },
      changes: ['mode', 'a: mode', 'b: mode', 'b/c: mode'],
      after: {
        d: 'directory 0775',
        'd/a': 'file 0664 x',
        'd/b': 'directory 0775',
        'd/b/c': 'file 0664 x',
        'd/l': 'link /e',
        e: text,
      },
    },
    'has nothing to do below without attributes': {
      before: { 'd/a': 'x' },
      changes: [],
      after: { d: empty, 'd/a': text },
    },
  })
})

describe('a tree is blocked by', () => {
  test.each([
    [
      'a directory in place of a file',
      { a: 'x' },
      { 'd/a/b': 'y' },
      {},
      '/d/a is a directory, which is replaced by a file only with force',
    ],
    [
      'a source that is a file',
      { '../source/a': 'x' },
      {},
      { source: 'a' },
      'a part of the path is not a directory',
    ],
    [
      'a link in the source to nothing',
      { l: { target: 'gone' } },
      {},
      { links: 'follow' },
      'l: is a link to nothing',
    ],
    [
      'a link in the source to a directory above it',
      { 'a/l': { target: '..' } },
      {},
      { links: 'follow' },
      'a/l: leads back to a directory above it',
    ],
  ] satisfies [
    string,
    Record<string, DiskEntry>,
    Record<string, DiskEntry>,
    FileDesired,
    string,
  ][])('%s', async (_title, copied, before, desired, reason) => {
    makeTree(source, copied)
    makeTree(root, before)
    const from = 'source' in desired ? join(source, desired.source) : source
    expect(await verdictOf(resource({ ...desired, source: from }), [])).toMatchObject({
      blocked: expect.stringContaining(reason),
    })
  })

  test('a fifo in the source', async () => {
    makeTree(source, { pipe: { fifo: true } })
    expect(await verdictOf(resource({ source }), [])).toEqual({
      blocked: `${source}/pipe: is a fifo, which can't be copied`,
    })
  })
})

function table(cases: Record<string, Case>): void {
  test.each(Object.entries(cases))('%s', async (_title, one) => {
    makeTree(root, one.before ?? {})
    makeTree(source, one.source ?? {})
    const desired = one.source === undefined ? one.desired : { ...one.desired, source }
    const verdict = await apply(desired ?? {}, one.declared ?? [])
    expect(verdict).toMatchObject({ changes: one.changes.map((attribute) => ({ attribute })) })
    expect('note' in verdict ? verdict.note : undefined).toBe(one.note)
    expect(readTree(root)).toEqual(one.after)
  })
}

function resource(desired: FileDesired): Resource<FileDesired> {
  const all: FileDesired = { ensure: 'directory', recurse: true, ...desired }
  return { ref: 'file[/d]', type: 'file', title: '/d', desired: all }
}

async function verdictOf(
  one: Resource<FileDesired>,
  declared: readonly string[],
): Promise<Verdict> {
  const things = declared.map((path): Thing => `path:${path}`)
  const context = { declared: new Set<Thing>(['path:/d', ...things]) }
  const [current] = await file.probe([one], localHost({ root }), context)
  if (current === undefined) throw new Error('the probe gave nothing')
  return file.diff(one, current)
}

/** Makes what differs; nothing must differ afterwards. */
async function apply(desired: FileDesired, declared: readonly string[]): Promise<Verdict> {
  const one = resource(desired)
  const verdict = await verdictOf(one, declared)
  if (!('changes' in verdict)) throw new Error(JSON.stringify(verdict))
  await file.apply(one, verdict.changes ?? [], localHost({ root }))
  expect(await verdictOf(one, declared)).toMatchObject({ changes: [] })
  return verdict
}
