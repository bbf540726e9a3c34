import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { localHost } from '../../engine/host/local.ts'
import type { FileDesired } from '../../engine/resources/file/desired.ts'
import { file } from '../../engine/resources/file.ts'
import { ApplyError, type Change, type Resource } from '../../engine/resources/type.ts'
import { type DiskEntry, makeTree, readTree } from '../support/disk-tree.ts'

let folder: string
let root: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'steward-file-'))
  root = join(folder, 'root')
  mkdirSync(root)
})
afterEach(() => rmSync(folder, { recursive: true }))

describe.skipIf(process.geteuid?.() !== 0)('apply, which needs root for owners', () => {
  const someone = { uid: 1000, gid: 1000 }

  test.each([
    ['makes a file, root:root 0644', {}, { content: 'text' }, { a: 'file 0644 text' }],
    ['makes an empty file', {}, { ensure: 'present', mode: '0600' }, { a: 'file 0600 ' }],
    [
      'makes a file with owner, group and mode',
      {},
      { content: 'x', owner: 1000, group: '1001', mode: 'u+s,o=' },
      { a: 'file 4640 1000:1001 x' },
    ],
    ['makes a directory, root:root 0755', {}, { ensure: 'directory' }, { a: 'directory 0755' }],
    [
      'makes a directory with owner and mode',
      {},
      { ensure: 'directory', owner: 1000, mode: '2640' },
      { a: 'directory 2750 1000:0' },
    ],
    ['makes a link', {}, { target: '../x', owner: 1000 }, { a: 'link 1000:0 ../x' }],
    [
      'keeps owner and mode of a file whose content it changes',
      { a: { content: 'old', mode: 0o4751, ...someone } },
      { content: 'new' },
      { a: 'file 4751 1000:1000 new' },
    ],
    [
      'keeps setuid of a file whose owner it changes',
      { a: { content: 'x', mode: 0o6755 } },
      { owner: 1000 },
      { a: 'file 6755 1000:0 x' },
    ],
    [
      'changes content, owner and mode at once',
      { a: { content: 'old', ...someone } },
      { content: 'new', owner: 'root', mode: '0600' },
      { a: 'file 0600 0:1000 new' },
    ],
    ['changes a mode', { a: 'x' }, { mode: 'a+x' }, { a: 'file 0755 x' }],
    ['changes a group', { a: { content: 'x' } }, { group: 1000 }, { a: 'file 0644 0:1000 x' }],
    [
      'keeps what is in a directory whose attributes it changes',
      { a: {}, 'a/b': 'x' },
      { ensure: 'directory', owner: 1000, mode: '0700' },
      { a: 'directory 0700 1000:0', 'a/b': 'file 0644 x' },
    ],
    [
      'points a link elsewhere, and keeps its owner',
      { a: { target: 'x', ...someone } },
      { target: 'y' },
      { a: 'link 1000:1000 y' },
    ],
    [
      'changes the owner of a link, not of what it points to',
      { a: { target: 'b' }, b: 'x' },
      { target: 'b', owner: 1000 },
      { a: 'link 1000:0 b', b: 'file 0644 x' },
    ],
    [
      'changes what a link points to',
      { a: { target: '/b' }, b: 'old' },
      { content: 'new', owner: 1000, links: 'follow' },
      { a: 'link /b', b: 'file 0644 1000:0 new' },
    ],
    [
      'replaces a link by a file',
      { a: { target: 'b' }, b: 'x' },
      { content: 'new' },
      { a: 'file 0644 new', b: 'file 0644 x' },
    ],
    [
      'starts a replaced file anew',
      { a: { target: 'b', ...someone } },
      { content: 'new' },
      { a: 'file 0644 new' },
    ],
    ['replaces a file by a link', { a: 'x' }, { target: 'b' }, { a: 'link b' }],
    [
      'replaces a file by a directory',
      { a: 'x' },
      { ensure: 'directory' },
      { a: 'directory 0755' },
    ],
    [
      'replaces a link by a directory',
      { a: { target: 'b' }, 'b/c': 'x' },
      { ensure: 'directory' },
      { a: 'directory 0755', b: 'directory 0755', 'b/c': 'file 0644 x' },
    ],
    [
      'replaces a directory by a file',
      { 'a/b': 'x' },
      { content: 'new', force: true },
      { a: 'file 0644 new' },
    ],
    [
      'replaces a directory by a link',
      { 'a/b': 'x' },
      { target: '/b', force: true },
      { a: 'link /b' },
    ],
    ['replaces a fifo', { a: { fifo: true } }, { content: 'x', force: true }, { a: 'file 0644 x' }],
    ['removes a fifo', { a: { fifo: true } }, { ensure: 'absent', force: true }, {}],
    ['removes a file', { a: 'x' }, { ensure: 'absent' }, {}],
    [
      'removes a link, not what it points to',
      { a: { target: 'b' }, b: 'x' },
      { ensure: 'absent', links: 'follow' },
      { b: 'file 0644 x' },
    ],
    ['removes a directory', { 'a/b/c': 'x' }, { ensure: 'absent', force: true }, {}],
  ] satisfies [string, Record<string, DiskEntry>, FileDesired, Record<string, string>][])(
    '%s',
    async (_title, before, desired, after) => {
      makeTree(root, before)
      await converge(resource('/a', desired))
      expect(readTree(root)).toEqual(after)
    },
  )

  test('knows the users and groups of the tree', async () => {
    makeTree(root, {
      'etc/passwd': 'zulip:x:1007:1008::/home/zulip:/bin/sh\n',
      'etc/group': 'zulip:x:1008:\n',
    })
    await converge(resource('/a', { content: '', owner: 'zulip', group: 'zulip' }))
    expect(readTree(root).a).toBe('file 0644 1007:1008 ')
  })

  test('fails where the owner does not exist', async () => {
    const failure = converge(resource('/a', { content: '', owner: 'nobody-here' }))
    await expect(failure).rejects.toThrow('file[/a]: there is no user nobody-here')
    await expect(failure).rejects.toBeInstanceOf(ApplyError)
    expect(readTree(root)).toEqual({})
  })
})

describe('apply', () => {
  test.each([
    ['latin-1', Buffer.from('caf\u00e9\n', 'latin1'), 'caf\udce9\n'],
    ['NUL', Buffer.from([0, 1, 2]), '\0\x01\x02'],
    ['UTF-8', Buffer.from('caf\u00e9 \u{1f600}'), 'caf\u00e9 \u{1f600}'],
  ])('writes bytes as they are: %s', async (_title, bytes, content) => {
    await converge(resource('/a', { content }))
    expect(readFileSync(join(root, 'a')).equals(bytes)).toBe(true)
  })

  test('copies the bytes of a source from outside the root', async () => {
    const bytes = Buffer.from([0xff, 0xfe, 0, 10])
    writeFileSync(join(folder, 'source'), bytes)
    chmodSync(join(folder, 'source'), 0o600)
    await converge(resource('/a', { source: join(folder, 'source') }))
    expect(readFileSync(join(root, 'a')).equals(bytes)).toBe(true)
    expect(readTree(root).a).toMatch(/^file 0644/)
  })

  test('manages a name that is no UTF-8', async () => {
    await converge(resource('/caf\udce9', { content: 'x' }))
    const path = Buffer.concat([Buffer.from(`${root}/caf`), Buffer.of(0xe9)])
    expect(readFileSync(path, 'utf8')).toBe('x')
  })

  test('writes content of the size and time of what was there', async () => {
    makeTree(root, { a: 'one' })
    execFileSync('touch', ['-d', '2001-01-01', join(root, 'a')])
    await converge(resource('/a', { content: 'two' }))
    expect(readTree(root).a).toBe('file 0644 two')
  })

  test.each([
    [
      'appeared',
      {},
      { content: 'x' },
      { a: 'by hand' },
      '/a was absent when it was read, and is a file now',
    ],
    [
      'became a directory',
      { a: { target: 'b' } },
      { content: 'x' },
      { 'a/b': 'by hand' },
      '/a was a link when it was read, and is a directory now',
    ],
    [
      'vanished',
      { a: 'x' },
      { mode: '0600' },
      {},
      '/a was there when it was read, and is absent now',
    ],
  ] satisfies [
    string,
    Record<string, DiskEntry>,
    FileDesired,
    Record<string, DiskEntry>,
    string,
  ][])(
    'touches nothing that %s since it was read',
    async (_title, before, desired, meanwhile, message) => {
      makeTree(root, before)
      const one = resource('/a', desired)
      const changes = await changesOf(one)
      rmSync(join(root, 'a'), { recursive: true, force: true })
      makeTree(root, meanwhile)
      const left = readTree(root)
      await expect(file.apply(one, changes, localHost({ root }))).rejects.toThrow(message)
      expect(readTree(root)).toEqual(left)
    },
  )

  test('follows no link that was placed since it was read', async () => {
    makeTree(root, { a: { target: 'b' }, b: 'x', c: 'secret' })
    const one = resource('/a', { content: 'new', links: 'follow' })
    const changes = await changesOf(one)
    rmSync(join(root, 'a'))
    makeTree(root, { a: { target: 'nowhere' } })
    await expect(file.apply(one, changes, localHost({ root }))).rejects.toThrow(
      'file[/a]: /a is a link to /nowhere, where nothing is',
    )
  })

  test('says which path the host refused', async () => {
    const one = resource('/a/b', { ensure: 'file' })
    const changes = await changesOf(one)
    await expect(file.apply(one, changes, localHost({ root }))).rejects.toThrow(
      /^file\[\/a\/b\]: .*\/a/,
    )
  })
})

function resource(title: string, desired: FileDesired): Resource<FileDesired> {
  return { ref: `file[${title}]`, type: 'file', title, desired }
}

async function changesOf(one: Resource<FileDesired>): Promise<readonly Change[]> {
  const [current] = await file.probe([one], localHost({ root }))
  const verdict = current && file.diff(one, current)
  if (verdict === undefined || !('changes' in verdict)) throw new Error(JSON.stringify(verdict))
  return verdict.changes ?? []
}

/** Makes what differs; nothing must differ afterwards. */
async function converge(one: Resource<FileDesired>): Promise<void> {
  const changes = await changesOf(one)
  expect(changes).not.toEqual([])
  await file.apply(one, changes, localHost({ root }))
  expect(await changesOf(one)).toEqual([])
}
