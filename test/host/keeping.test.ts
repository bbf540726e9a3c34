import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Kept, keeping } from '../../engine/host/keeping.ts'
import { localHost } from '../../engine/host/local.ts'
import { fakeHost } from '../support/fake-host.ts'

const own = { uid: 0, gid: 0 }

function watched(files: Parameters<typeof fakeHost>[0] = {}) {
  const fake = fakeHost(files)
  const kept: Kept[] = []
  return { fake, kept, host: keeping(fake, (item) => kept.push(item)) }
}

test('what is written over is kept with its content, mode and owner', () => {
  const { host, kept } = watched({
    files: { '/f': { content: 'old', mode: 0o640, uid: 3, gid: 4 }, '/l': { target: 'f' } },
  })
  host.writeFile('/f', Buffer.from('new'), { ...own, mode: 0o644 })
  host.writeFile('/l', Buffer.from('new'), { ...own, mode: 0o644 })
  host.makeLink('/f', 'x')
  expect(kept).toEqual([
    {
      path: '/f',
      kind: 'file',
      goes: 'all',
      mode: 0o640,
      uid: 3,
      gid: 4,
      content: Buffer.from('old'),
    },
    { path: '/l', kind: 'link', goes: 'all', mode: 0o777, ...own, target: 'f' },
    { path: '/f', kind: 'file', goes: 'all', mode: 0o644, ...own, content: Buffer.from('new') },
  ])
})

test('what is made new is kept as absent', () => {
  const { host, kept } = watched()
  host.makeDirectory('/d', { ...own, mode: 0o755 })
  host.writeFile('/d/f', Buffer.of(), { ...own, mode: 0o644 })
  host.makeLink('/d/l', 'f')
  expect(kept.map(({ path, kind }) => `${kind} ${path}`)).toEqual([
    'absent /d',
    'absent /d/f',
    'absent /d/l',
  ])
})

test('a folder that is removed is kept with all that it holds, the folder first', () => {
  const { host, fake, kept } = watched({
    files: {
      '/d/a/f': 'deep',
      '/d/l': { target: '/elsewhere' },
      '/d/pipe': { kind: 'fifo' },
      '/elsewhere/f': '',
    },
  })
  host.remove('/d')
  expect(kept.map(({ path, kind }) => `${kind} ${path}`)).toEqual([
    'directory /d',
    'directory /d/a',
    'file /d/a/f',
    'link /d/l',
    'fifo /d/pipe',
  ])
  expect(kept[2]?.content?.toString()).toBe('deep')
  expect(kept[4]?.content).toBeUndefined()
  expect(fake.stat('/d')).toBeUndefined()
})

test('a change of mode or owner keeps those, and no content', () => {
  const { host, kept } = watched({ files: { '/f': { content: 'x', mode: 0o600, uid: 9 } } })
  host.setOwner('/f', { uid: 1, gid: 2 })
  host.setMode('/f', 0o644)
  expect(kept).toEqual([
    { path: '/f', kind: 'file', goes: 'owner', mode: 0o600, uid: 9, gid: 0 },
    { path: '/f', kind: 'file', goes: 'mode', mode: 0o600, uid: 1, gid: 2 },
  ])
})

test('nothing is changed where it can not be kept', () => {
  const fake = fakeHost({ files: { '/f': 'old', '/d/f': 'old' } })
  const host = keeping(fake, () => {
    throw new Error('the bucket is full')
  })
  const acts = [
    () => host.writeFile('/f', Buffer.from('new'), { ...own, mode: 0o644 }),
    () => host.makeLink('/f', 'x'),
    () => host.makeDirectory('/e', { ...own, mode: 0o755 }),
    () => host.setMode('/f', 0o600),
    () => host.setOwner('/f', own),
    () => host.remove('/d'),
  ]
  for (const act of acts) expect(act).toThrow('the bucket is full')
  expect(fake.writes).toEqual([])
})

test('a directory in the way of a file keeps nothing, for nothing goes', () => {
  const { host, kept } = watched({ files: { '/d/f': '' } })
  expect(() => host.writeFile('/d', Buffer.of(), { ...own, mode: 0o644 })).toThrow('EISDIR')
  expect(kept).toEqual([])
})

test('a large file comes in pieces, before it goes', () => {
  const dir = mkdtempSync(join(tmpdir(), 'keeping-'))
  try {
    const content = Buffer.alloc(9 * 1024 * 1024, 'large ')
    writeFileSync(join(dir, 'f'), content)
    execFileSync('mkfifo', [join(dir, 'pipe')])
    let size = 0
    const kinds: string[] = []
    const host = keeping(localHost(), ({ kind, pieces = [] }) => {
      kinds.push(kind)
      for (const piece of pieces) size += piece.length
    })
    const how = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0, mode: 0o644 }
    host.writeFile(join(dir, 'f'), Buffer.from('small'), how)
    host.remove(join(dir, 'pipe'))
    expect(size).toBe(content.length)
    expect(kinds).toEqual(['file', 'fifo'])
    expect(readFileSync(join(dir, 'f'), 'utf8')).toBe('small')
  } finally {
    rmSync(dir, { recursive: true })
  }
})

test('what is worthless is removed and not kept', () => {
  const { host, fake, kept } = watched({ files: { '/d/f': 'x' } })
  host.remove('/d/f', { isWorthless: true })
  expect([fake.stat('/d/f'), kept]).toEqual([undefined, []])
})

test('what somebody writes to while it is read is read again, and is not written over where that does not end', () => {
  const folder = mkdtempSync(join(tmpdir(), 'steward-keeping-'))
  const file = join(folder, 'f')
  const local = localHost()
  const kept: Kept[] = []
  /** Somebody writes after each of the first reads; what is read then is cut off. */
  const meanwhile = (times: number) => {
    let left = times
    const read = (path: string) => {
      if (left-- <= 0) return local.read(path)
      writeFileSync(path, `now ${left}, and longer by ${'x'.repeat(times - left)}`)
      return local.read(path).subarray(0, 3)
    }
    return keeping({ ...local, read }, (item) => kept.push(item))
  }
  try {
    writeFileSync(file, 'old')
    meanwhile(2).writeFile(file, Buffer.from('new'), { ...own, mode: 0o644 })
    expect(kept.map(({ content }) => String(content))).toEqual(['now 0, and longer by xx'])
    expect(() =>
      meanwhile(1000).writeFile(file, Buffer.from('newer'), { ...own, mode: 0o644 }),
    ).toThrow(`${file}: somebody wrote to it each time it was read`)
    expect(readFileSync(file, 'utf8')).toContain('and longer')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
