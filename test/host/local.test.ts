import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { localHost } from '../../engine/host/local.ts'

const isRoot = process.geteuid?.() === 0
const own = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 }
const host = localHost()
let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'host-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

describe('reads', () => {
  test('tell kind, mode and size; nothing is undefined, also below a file', () => {
    writeFileSync(join(dir, 'f'), 'abc')
    chmodSync(join(dir, 'f'), 0o4755)
    symlinkSync('f', join(dir, 'l'))
    expect(host.stat(join(dir, 'f'))).toMatchObject({ kind: 'file', mode: 0o4755, size: 3, ...own })
    expect(host.stat(join(dir, 'l'))).toMatchObject({ kind: 'link' })
    expect(host.stat(dir)).toMatchObject({ kind: 'directory', mode: 0o700 })
    expect(host.stat('/dev/null')).toMatchObject({ kind: 'device' })
    expect(host.stat(join(dir, 'none'))).toBeUndefined()
    expect(host.stat(join(dir, 'f/below'))).toBeUndefined()
    expect(host.readLink(join(dir, 'l'))).toBe('f')
  })
  test.each([0, 1, 65_535, 65_536, 65_537, 300_000])('give all %d bytes of a file', (size) => {
    const content = Buffer.from(Array.from({ length: size }, (_, at) => (at * at) % 251))
    writeFileSync(join(dir, 'f'), content)
    expect(host.read(join(dir, 'f')).equals(content)).toBe(true)
    const copies = Array.from(host.readPieces(join(dir, 'f')), (piece) => Buffer.from(piece))
    expect(Buffer.concat(copies).equals(content)).toBe(true)
  })
  test('keep what was read before when the next file is read', () => {
    writeFileSync(join(dir, 'a'), 'first')
    writeFileSync(join(dir, 'b'), 'other')
    const first = host.read(join(dir, 'a'))
    host.read(join(dir, 'b'))
    expect(first.toString()).toBe('first')
  })
  test('give files of /proc, whose size is said to be 0', () => {
    expect(host.read('/proc/self/status').toString()).toContain('VmRSS')
    expect(host.read('/proc/sys/kernel/ostype').toString()).toBe('Linux\n')
  })
  test('refuse links, directories and devices, naming the path', () => {
    symlinkSync('/etc/passwd', join(dir, 'l'))
    expect(() => host.read(join(dir, 'l'))).toThrow(`${dir}/l: is a symbolic link`)
    expect(() => host.read(dir)).toThrow('is a directory')
    expect(() => host.read('/dev/zero')).toThrow('is not a regular file')
    expect(() => host.read(join(dir, 'none'))).toThrow('no such file')
    expect(() => host.list(join(dir, 'none'))).toThrow('no such file')
  })
  test('list by bytes, and names that are not UTF-8 lead back to their bytes', () => {
    const odd = Buffer.concat([Buffer.from(`${dir}/`), Buffer.of(0x62, 0xff, 0x63)])
    writeFileSync(odd, 'odd')
    for (const name of ['a', '\ufffd', '\u{1f600}', 'b']) writeFileSync(join(dir, name), name)
    const names = host.list(dir)
    expect(names).toEqual(['a', 'b', 'b\udcffc', '\ufffd', '\u{1f600}'])
    expect(host.read(join(dir, 'b\udcffc')).toString()).toBe('odd')
    symlinkSync(Buffer.of(0xfe), join(dir, 'l'))
    expect(host.readLink(join(dir, 'l'))).toBe('\udcfe')
  })
})

describe('writes', () => {
  test('put a file in place with mode and owner, and replace it by another inode', () => {
    const path = join(dir, 'f')
    host.writeFile(path, Buffer.from('one'), { ...own, mode: 0o640 })
    const first = lstatSync(path)
    host.writeFile(path, Buffer.from('two'), { ...own, mode: 0o4750 })
    expect(first.mode & 0o7777).toBe(0o640)
    expect(lstatSync(path).mode & 0o7777).toBe(0o4750)
    expect(lstatSync(path).ino).not.toBe(first.ino)
    expect(readFileSync(path, 'utf8')).toBe('two')
    expect(readdirSync(dir)).toEqual(['f'])
  })
  test('replace a link, and not what it points to', () => {
    writeFileSync(join(dir, 'target'), 'kept')
    symlinkSync('target', join(dir, 'l'))
    host.writeFile(join(dir, 'l'), Buffer.from('new'), { ...own, mode: 0o644 })
    expect(readFileSync(join(dir, 'target'), 'utf8')).toBe('kept')
    expect(lstatSync(join(dir, 'l')).isFile()).toBe(true)
  })
  test('make names that are not UTF-8', () => {
    host.writeFile(join(dir, 'x\udcff'), Buffer.of(1), { ...own, mode: 0o644 })
    host.makeDirectory(join(dir, 'd\udcfe'), { ...own, mode: 0o750 })
    host.makeLink(join(dir, 'd\udcfe', 'l'), 'to\udcfd')
    expect(readdirSync(dir, 'buffer').map((name) => name.toString('latin1'))).toEqual([
      'd\xfe',
      'x\xff',
    ])
    expect(host.readLink(join(dir, 'd\udcfe', 'l'))).toBe('to\udcfd')
    host.remove(join(dir, 'd\udcfe'))
    expect(host.list(dir)).toEqual(['x\udcff'])
  })
  test('make directories of any mode, whatever the umask', () => {
    const before = process.umask(0o077)
    try {
      host.makeDirectory(join(dir, 'd'), { ...own, mode: 0o2775 })
    } finally {
      process.umask(before)
    }
    expect(lstatSync(join(dir, 'd')).mode & 0o7777).toBe(0o2775)
    expect(() => host.makeDirectory(join(dir, 'd'), { ...own, mode: 0o755 })).toThrow('EEXIST')
  })
  test('make and replace links in one step', () => {
    host.makeLink(join(dir, 'l'), 'one')
    host.makeLink(join(dir, 'l'), 'two', own)
    expect(host.readLink(join(dir, 'l'))).toBe('two')
    expect(readdirSync(dir)).toEqual(['l'])
  })
  test('leave a directory where a file or link was wanted, and clean up', () => {
    mkdirSync(join(dir, 'd'))
    expect(() => host.writeFile(join(dir, 'd'), Buffer.of(), { ...own, mode: 0o644 })).toThrow(
      'is a directory',
    )
    expect(() => host.makeLink(join(dir, 'd'), 'x')).toThrow('is a directory')
    expect(readdirSync(dir)).toEqual(['d'])
  })
  test('never change a mode through a link', () => {
    writeFileSync(join(dir, 'f'), '')
    chmodSync(join(dir, 'f'), 0o600)
    symlinkSync('f', join(dir, 'l'))
    expect(() => host.setMode(join(dir, 'l'), 0o666)).toThrow('is a symbolic link')
    host.setMode(join(dir, 'f'), 0o1640)
    expect(lstatSync(join(dir, 'f')).mode & 0o7777).toBe(0o1640)
  })
  test.skipIf(!isRoot)('set the owner of a link itself (needs root)', () => {
    writeFileSync(join(dir, 'f'), '')
    symlinkSync('f', join(dir, 'l'))
    host.setOwner(join(dir, 'l'), { uid: 12, gid: 34 })
    expect(lstatSync(join(dir, 'l'))).toMatchObject({ uid: 12, gid: 34 })
    expect(lstatSync(join(dir, 'f'))).toMatchObject(own)
    host.setOwner(join(dir, 'f'), { uid: 56, gid: 78 })
    host.writeFile(join(dir, 'g'), Buffer.of(), { uid: 5, gid: 6, mode: 0o600 })
    host.makeLink(join(dir, 'm'), 'g', { uid: 7, gid: 8 })
    expect(lstatSync(join(dir, 'f'))).toMatchObject({ uid: 56, gid: 78 })
    expect(lstatSync(join(dir, 'g'))).toMatchObject({ uid: 5, gid: 6 })
    expect(lstatSync(join(dir, 'm'))).toMatchObject({ uid: 7, gid: 8 })
  })
  test('remove trees, and of links only the link', () => {
    mkdirSync(join(dir, 'tree/a/b'), { recursive: true })
    mkdirSync(join(dir, 'outside'))
    writeFileSync(join(dir, 'outside/kept'), '')
    writeFileSync(join(dir, 'tree/a/b/f'), '')
    symlinkSync(join(dir, 'outside'), join(dir, 'tree/a/l'))
    linkSync(join(dir, 'outside/kept'), join(dir, 'tree/hard'))
    host.remove(join(dir, 'tree'))
    expect(readdirSync(dir)).toEqual(['outside'])
    expect(readdirSync(join(dir, 'outside'))).toEqual(['kept'])
    expect(() => host.remove(join(dir, 'tree'))).toThrow('no such file')
    expect(() => host.remove('/')).toThrow('is the root')
  })
  test('find a folder anew that was removed and made again', () => {
    const options = { ...own, mode: 0o755 }
    mkdirSync(join(dir, 'd'))
    host.writeFile(join(dir, 'd/f'), Buffer.from('1'), options)
    rmSync(join(dir, 'd'), { recursive: true })
    mkdirSync(join(dir, 'd'))
    host.writeFile(join(dir, 'd/f'), Buffer.from('2'), options)
    host.sync()
    expect(readFileSync(join(dir, 'd/f'), 'utf8')).toBe('2')
    host.remove(join(dir, 'd'))
    expect(() => host.writeFile(join(dir, 'd/f'), Buffer.of(), options)).toThrow('no such file')
  })
  test('follow a link where it leads now, in whatever order folders are written', () => {
    const options = { ...own, mode: 0o600 }
    for (const name of ['one', 'two']) mkdirSync(join(dir, name))
    host.makeLink(join(dir, 'inner'), 'one')
    host.makeLink(join(dir, 'outer'), 'inner')
    host.writeFile(join(dir, 'outer/first'), Buffer.of(), options)
    host.writeFile(join(dir, 'two/other'), Buffer.of(), options)
    host.makeLink(join(dir, 'inner'), 'two')
    host.writeFile(join(dir, 'outer/second'), Buffer.of(), options)
    host.writeFile(join(dir, 'inner'), Buffer.of(), options)
    expect(() => host.writeFile(join(dir, 'outer/third'), Buffer.of(), options)).toThrow()
    expect(readdirSync(join(dir, 'one'))).toEqual(['first'])
    expect(readdirSync(join(dir, 'two')).sort()).toEqual(['other', 'second'])
  })
  test('clear away what a killed steward left unfinished, and nothing else', () => {
    writeFileSync(join(dir, '.steward-4194305-1'), 'half') // above the largest possible pid
    writeFileSync(join(dir, `.steward-${process.pid}-999`), 'of a live one')
    writeFileSync(join(dir, '.steward-notes'), 'ours to leave')
    host.writeFile(join(dir, 'f'), Buffer.of(), { ...own, mode: 0o600 })
    expect(readdirSync(dir)).toEqual([`.steward-${process.pid}-999`, '.steward-notes', 'f'])
  })
})

describe('accounts', () => {
  test('are those of the root, read anew when a file changed', () => {
    mkdirSync(join(dir, 'etc'))
    const passwd = join(dir, 'etc/passwd')
    writeFileSync(passwd, 'zulip:x:1000:1001:Z:/home/zulip:/bin/sh\n+::::::\n')
    writeFileSync(join(dir, 'etc/group'), 'zulip:x:1001:\nadm:x:4:zulip,x\n')
    const inRoot = localHost({ root: dir })
    const accounts = inRoot.accounts()
    expect(accounts.users.get('zulip')).toMatchObject({ uid: 1000, gid: 1001, home: '/home/zulip' })
    expect([...accounts.users.keys()]).toEqual(['zulip'])
    expect(accounts.groups.get('adm')?.members).toEqual(['zulip', 'x'])
    expect([accounts.uid('42'), accounts.uid(7), accounts.uid('who')]).toEqual([42, 7, undefined])
    expect([accounts.userName(1000), accounts.groupName(99)]).toEqual(['zulip', '99'])
    expect(inRoot.accounts()).toBe(accounts)
    const { atime, mtime } = lstatSync(passwd)
    rmSync(passwd)
    writeFileSync(passwd, 'other:x:1000:1001:Z:/home/zulip:/bin/sh\n+::::::\n')
    utimesSync(passwd, atime, mtime)
    expect(inRoot.accounts().userName(1000)).toBe('other')
  })
  test('are none where the root has no such files', () => {
    expect(localHost({ root: dir }).accounts().users.size).toBe(0)
  })
})

describe('a query that types share', () => {
  const count = () => readdirSync(dir).length
  const ask = ['mktemp', '-p']
  test('is answered once, and anew after something ran', async () => {
    const first = host.queryShared([...ask, dir])
    const second = await host.queryShared([...ask, dir])
    expect(second).toBe(await first)
    expect(count()).toBe(1)
    await host.queryShared([...ask, dir], { stdin: 'another question' })
    expect(count()).toBe(2)
    await host.run(['true'])
    expect((await host.queryShared([...ask, dir])).stdout).not.toBe(second.stdout)
    expect(count()).toBe(3)
  })
  test('is asked anew after two seconds', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    try {
      await host.queryShared([...ask, dir])
      vi.advanceTimersByTime(1900)
      await host.queryShared([...ask, dir])
      expect(count()).toBe(1)
      vi.advanceTimersByTime(200)
      await host.queryShared([...ask, dir])
      expect(count()).toBe(2)
    } finally {
      vi.useRealTimers()
    }
  })
})
