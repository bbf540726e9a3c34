import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, posix } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { localHost } from '../../engine/host/local.ts'

const isRoot = process.geteuid?.() === 0
const own = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 }
const how = { ...own, mode: 0o644 }
let dir: string
let root: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'root-'))
  root = join(dir, 'tree')
  mkdirSync(join(root, 'etc'), { recursive: true })
  mkdirSync(join(dir, 'outside'))
  writeFileSync(join(dir, 'outside/secret'), 'out')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** Links that would lead out, each to the folder "outside" or to where it would lie in the tree. */
const waysOut = (): string[] => [
  join(dir, 'outside'),
  '../outside',
  `../../../../../../../../../..${join(dir, 'outside')}`,
  '/../outside',
  './../tree/../outside',
]

describe('what leads out of the root', () => {
  test('is resolved inside it by every read', () => {
    for (const target of waysOut()) {
      const host = localHost({ root })
      symlinkSync(target, join(root, 'l'))
      expect(host.stat('/l')).toMatchObject({ kind: 'link' })
      expect(host.stat('/l/secret'), target).toBeUndefined()
      expect(() => host.read('/l/secret'), target).toThrow('/l: no such file')
      expect(() => host.list('/l'), target).toThrow('/l: no such file')
      expect(() => host.readLink('/l/secret'), target).toThrow('no such file')
      rmSync(join(root, 'l'))
    }
  })
  test('is resolved inside it by every write', () => {
    for (const target of waysOut()) {
      const host = localHost({ root })
      symlinkSync(target, join(root, 'l'))
      expect(() => host.writeFile('/l/secret', Buffer.from('in'), how)).toThrow('/l: ')
      expect(() => host.makeDirectory('/l/d', how)).toThrow('/l: ')
      expect(() => host.makeLink('/l/m', 'x')).toThrow('/l: ')
      expect(() => host.setMode('/l/secret', 0o777)).toThrow('/l: ')
      expect(() => host.setOwner('/l/secret', own)).toThrow('/l: ')
      expect(() => host.remove('/l/secret')).toThrow('/l: ')
      host.remove('/l')
    }
    expect(readdirSync(join(dir, 'outside'))).toEqual(['secret'])
    expect(readFileSync(join(dir, 'outside/secret'), 'utf8')).toBe('out')
  })
  test('is where it seems to be, if that lies inside', () => {
    const host = localHost({ root })
    host.makeLink('/absolute', '/etc')
    host.makeLink('/above', '../../../etc')
    host.writeFile('/absolute/a', Buffer.from('a'), how)
    host.writeFile('/above/b', Buffer.from('b'), how)
    host.writeFile('/../../etc/c', Buffer.from('c'), how)
    expect(host.list('/etc')).toEqual(['a', 'b', 'c'])
    expect(host.list('/absolute')).toEqual(['a', 'b', 'c'])
    expect(host.read('/above/../etc/./a').toString()).toBe('a')
    expect(host.stat('/')).toMatchObject({ kind: 'directory', ino: lstatSync(root).ino })
    expect(host.stat('/..')).toMatchObject({ ino: lstatSync(root).ino })
  })
})

test('a loop of links is an error that names the path', () => {
  const host = localHost({ root })
  host.makeLink('/a', 'b')
  host.makeLink('/b', '/a')
  expect(() => host.stat('/a/x')).toThrow('/a: goes round in symbolic links')
  expect(() => host.writeFile('/b/x', Buffer.of(), how)).toThrow('goes round')
})

test('errors name the path as it is seen in the root', () => {
  const host = localHost({ root })
  host.makeDirectory('/etc/d', { ...own, mode: 0o755 })
  expect(() => host.read('/etc/d')).toThrow(/^\/etc\/d: is a directory/)
  expect(() => [...host.readPieces('/etc/none')]).toThrow(/^\/etc\/none: no such file/)
  expect(() => host.writeFile('/none/f', Buffer.of(), how)).toThrow(/^\/none: no such file/)
  expect(() => host.writeFile('etc/f', Buffer.of(), how)).toThrow('is no absolute path')
})

test('what another hand changes between two awaits is seen', async () => {
  const host = localHost({ root })
  writeFileSync(join(root, 'etc/f'), 'old')
  expect(host.read('/etc/f').toString()).toBe('old')
  await Promise.resolve()
  rmSync(join(root, 'etc'), { recursive: true })
  expect(host.stat('/etc/f')).toBeUndefined()
})

test('commands are not run in a tree without a shell, and guards say so', async () => {
  const host = localHost({ root })
  expect(host).toMatchObject({ root, hasSystemd: false, cannotRun: 'not possible under --root' })
  await expect(host.run(['true'])).rejects.toThrow('true: not possible under --root')
  expect(await host.guard(['true'])).toEqual({ unavailable: 'not possible under --root' })
})

// The kernel is the oracle: Perl looks at the same paths from inside a chroot(2), which only root may call.
describe.skipIf(!isRoot || !existsSync('/usr/bin/perl'))('against chroot (root, Perl)', () => {
  // Without a size, most arrays are as short as they may be, and links would hardly be met.
  const size = 'max'
  const name = fc.constantFrom('a', 'b')
  const step = fc.constantFrom('a', 'b', 'a', 'b', '..', '.', '')
  const path = fc
    .array(step, { minLength: 1, maxLength: 6, size })
    .map((parts) => `/${parts.join('/')}`)
  const target = fc.oneof(
    path,
    fc.array(step, { minLength: 1, maxLength: 4, size }).map((parts) => parts.join('/') || '.'),
  )
  const entry = fc.record({
    at: fc.array(name, { minLength: 1, maxLength: 3, size }).map((parts) => parts.join('/')),
    target: fc.option(target, { nil: undefined, freq: 3 }),
  })
  const look = `
    chroot shift or die $!; chdir '/';
    while (<STDIN>) { chomp; my @s = lstat; print @s ? $s[1] : 0, "\\n" }`

  test('every path means what it means to the kernel', () => {
    let found = 0
    const property = fc.property(
      fc.array(entry, { minLength: 6, maxLength: 14, size }),
      fc.array(path, { minLength: 10, maxLength: 30, size }),
      (entries, raw) => {
        const tree = mkdtempSync(join(dir, 'tree-'))
        for (const { at, target: to } of entries) plant(tree, at.split('/'), to)
        // A slash at the end asks for the thing behind a link, which lstat of a Host never does.
        const paths = raw.map((item) => item.replace(/\/+$/, '') || '/')
        const host = localHost({ root: tree })
        const ours = paths.map((item) => {
          try {
            return host.stat(item)?.ino ?? 0
          } catch (error) {
            expect(String(error)).toContain('goes round')
            return 0
          }
        })
        const input = `${paths.join('\n')}\n`
        const theirs = execFileSync('perl', ['-e', look, tree], { input, encoding: 'utf8' })
        expect(ours).toEqual(theirs.trim().split('\n').map(Number))
        const top = lstatSync(tree).ino
        found += ours.filter((ino) => ino !== 0 && ino !== top).length
        rmSync(tree, { recursive: true })
      },
    )
    fc.assert(property, { numRuns: 150 })
    expect(found).toBeGreaterThan(300)
  })

  /**
   * Makes the folders on the way and the thing itself, unless one of them is
   * something else already: never through a link.
   */
  function plant(tree: string, parts: readonly string[], to: string | undefined): void {
    for (let depth = 1; depth <= parts.length; depth++) {
      const at = join(tree, ...parts.slice(0, depth))
      const found = lstatSync(at, { throwIfNoEntry: false })
      if (found !== undefined && !found.isDirectory()) return
      if (found !== undefined) continue
      if (depth === parts.length && to !== undefined) symlinkSync(to, at)
      else mkdirSync(at)
    }
  }
})

describe.skipIf(!isRoot)('in a tree with a system (root)', () => {
  /** Copies a program of this machine with the libraries that it is linked to. */
  const install = (program: string, to: string): void => {
    const libraries = execFileSync('ldd', [program], { encoding: 'utf8' }).match(/\/\S+/g) ?? []
    for (const file of [program, ...libraries]) {
      const at = join(root, file === program ? to : file)
      mkdirSync(posix.dirname(at), { recursive: true })
      copyFileSync(file, at)
    }
  }
  test('commands run there, as a user of that tree', async () => {
    install('/usr/bin/dash', '/bin/sh')
    install('/usr/bin/setpriv', '/usr/bin/setpriv')
    chmodSync(dir, 0o755)
    writeFileSync(join(root, 'etc/mark'), 'inside\n')
    writeFileSync(join(root, 'etc/passwd'), 'zulip:x:4711:4712::/srv/zulip:/bin/sh\n')
    writeFileSync(join(root, 'etc/group'), 'zulip:x:4712:\nextra:x:4713:zulip\n')
    mkdirSync(join(root, 'proc'))
    const host = localHost({ root })
    expect(host.cannotRun).toBeUndefined()
    const script = 'pwd; umask; echo $HOME; read mark <mark; echo $mark'
    const options = { cwd: '/etc', umask: '027', user: 'zulip' }
    const result = await host.run(['sh', '-c', script], options)
    expect(result).toMatchObject({ stderr: '', exitCode: 0 })
    expect(result.stdout).toBe('/etc\n0027\n/srv/zulip\ninside\n')
    const absent = await host.run(['nothing-of-this-name'])
    expect(absent).toMatchObject({ exitCode: 127 })
  })
})
