import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { localHost } from '../../engine/host/local.ts'

const isRoot = process.geteuid?.() === 0
const own = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 }
const how = { ...own, mode: 0o644 }
const stranger = 65_534
const local = new URL('../../engine/host/local.ts', import.meta.url).href
let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'attack-'))
  chmodSync(dir, 0o755)
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** A folder of a stranger with a folder `x` in it, beside a folder of ours that must not be reached. */
function strangersHome(): { home: string; victim: string } {
  const home = join(dir, 'home')
  const victim = join(dir, 'victim')
  mkdirSync(join(home, 'x'), { recursive: true })
  mkdirSync(victim)
  chownSync(home, stranger, stranger)
  chownSync(join(home, 'x'), stranger, stranger)
  return { home, victim }
}

describe.skipIf(!isRoot)('links of somebody unprivileged (root)', () => {
  test('are followed by no write', () => {
    const { home, victim } = strangersHome()
    writeFileSync(join(victim, 'f'), 'ours')
    symlinkSync(victim, join(home, 'l'))
    execFileSync('chown', ['-h', `${stranger}`, join(home, 'l')])
    const host = localHost()
    const why = 'goes through the symbolic link "l"'
    expect(() => host.writeFile(join(home, 'l/f'), Buffer.from('new'), how)).toThrow(why)
    expect(() => host.makeDirectory(join(home, 'l/d'), how)).toThrow(why)
    expect(() => host.setMode(join(home, 'l/f'), 0o666)).toThrow(why)
    expect(() => host.setOwner(join(home, 'l/f'), { uid: stranger, gid: 0 })).toThrow(why)
    expect(() => host.remove(join(home, 'l/f'))).toThrow(why)
    expect(readFileSync(join(victim, 'f'), 'utf8')).toBe('ours')
  })
  test.each([
    ['a link of root in the folder of a stranger', stranger, 0o755, 0, 'refused'],
    ['a link of root in a folder that all can write', 0, 0o777, 0, 'refused'],
    ['a link of root in a folder that its group can write', 0, 0o775, 0, 'refused', 33],
    ["a link of root in a folder that root's group can write", 0, 0o775, 0, 'followed'],
    ['a link of a stranger in a sticky folder of root', 0, 0o1777, stranger, 'refused'],
    ['a link of root in a sticky folder of root', 0, 0o1777, 0, 'followed'],
    ['a link of root in a folder of root', 0, 0o755, 0, 'followed'],
  ])('%s', (_title, folderOwner, mode, linkOwner, outcome, group = 0) => {
    mkdirSync(join(dir, 'victim'))
    mkdirSync(join(dir, 'folder'))
    symlinkSync('../victim', join(dir, 'folder/l'))
    execFileSync('chown', ['-h', String(linkOwner), join(dir, 'folder/l')])
    chownSync(join(dir, 'folder'), folderOwner, group)
    chmodSync(join(dir, 'folder'), mode)
    const write = () => localHost().writeFile(join(dir, 'folder/l/f'), Buffer.of(), how)
    if (outcome === 'refused') expect(write).toThrow('could have placed')
    else write()
    expect(readdirSync(join(dir, 'victim'))).toEqual(outcome === 'refused' ? [] : ['f'])
  })

  test('lead nowhere while their owner swaps them in and out', { timeout: 30_000 }, async () => {
    const { home, victim } = strangersHome()
    const swapper = swap(home, victim)
    try {
      await once(swapper, 'spawn')
      // The control: a plain write by name is led astray, so the swapping does work.
      await until(() => {
        try {
          writeFileSync(join(home, 'x/plain'), '')
        } catch {
          // In between there is no x at all.
        }
        return readdirSync(victim).includes('plain')
      })
      const host = localHost()
      let [written, refused] = [0, 0]
      const end = Date.now() + 20_000
      for (let turn = 0; turn < 2000 || Math.min(written, refused) < 30; turn++) {
        if (Date.now() > end) throw new Error(`${written} written, ${refused} refused in 20 s`)
        const acts = [
          () => host.writeFile(join(home, 'x/f'), Buffer.from('x'), how),
          () => host.makeDirectory(join(home, 'x', `d${turn}`), how),
          () => host.makeLink(join(home, 'x/l'), 'to'),
          () => host.setMode(join(home, 'x/f'), 0o666),
          () => host.remove(join(home, 'x/plain')),
        ]
        try {
          acts[turn % acts.length]?.()
          written++
        } catch (error) {
          refused++
          expect(String(error)).toMatch(
            /no such file|could have placed|a part of the path|exchanged/,
          )
        }
        // Another folder in between, or the descriptor of the first one would be used on and on.
        expect(() => host.setMode(join(dir, 'none'), 0o600)).toThrow('no such file')
      }
      expect(readdirSync(victim)).toEqual(['plain'])
    } finally {
      swapper.kill('SIGKILL')
    }
  })

  test('lead no read out of a root while they are swapped', { timeout: 30_000 }, async () => {
    const { home, victim } = strangersHome()
    writeFileSync(join(victim, 'f'), 'outside')
    writeFileSync(join(home, 'x/f'), 'inside')
    const swapper = swap(home, victim)
    try {
      await once(swapper, 'spawn')
      await until(() => attempt(() => readFileSync(join(home, 'x/f'), 'utf8')) === 'outside')
      const host = localHost({ root: home })
      let inside = 0
      let turns = 0
      await until(() => {
        const seen = attempt(() => host.read('/x/f').toString())
        expect(seen).not.toBe('outside')
        if (seen === 'inside') inside++
        return ++turns > 3000 && inside > 30
      })
    } finally {
      swapper.kill('SIGKILL')
    }
  })

  /** The stranger: puts a link to the victim in place of x, and x back, without end. */
  function swap(home: string, victim: string): ChildProcess {
    const script = `
      my ($home, $victim) = @ARGV; chdir $home or die $!;
      while (1) { rename 'x', 'y'; symlink $victim, 'x'; unlink 'x'; rename 'y', 'x'; for (1 .. 300) {} }`
    return spawn('perl', ['-e', script, home, victim], { uid: stranger, gid: stranger })
  }
})

test('a removal does not follow the links that it meets', () => {
  mkdirSync(join(dir, 'tree/sub'), { recursive: true })
  mkdirSync(join(dir, 'kept'))
  writeFileSync(join(dir, 'kept/f'), '')
  symlinkSync('../../kept', join(dir, 'tree/sub/l'))
  localHost().remove(join(dir, 'tree'))
  expect(readdirSync(join(dir, 'kept'))).toEqual(['f'])
})

test('kill -9 at any moment leaves the whole old file or the whole new one', {
  timeout: 60_000,
}, async () => {
  const path = join(dir, 'f')
  const [one, two] = [Buffer.alloc(200_000, '1'), Buffer.alloc(200_000, '2')]
  const script = `import { localHost } from '${local}'
    const host = localHost()
    const bodies = ['1', '2'].map((text) => Buffer.alloc(200000, text))
    for (let turn = 0; ; turn++) {
      host.writeFile(process.argv[1], bodies[turn % 2], ${JSON.stringify(how)})
      if (turn === 2) console.log('writing')
    }`
  for (let turn = 0; turn < 8; turn++) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, path])
    await once(child.stdout, 'data')
    await new Promise((resolve) => setTimeout(resolve, turn * 3))
    child.kill('SIGKILL')
    await once(child, 'exit')
    const content = readFileSync(path)
    expect(content.equals(one) || content.equals(two)).toBe(true)
    for (const name of readdirSync(dir)) {
      // Unfinished, and of a name that nobody takes for the file.
      expect(name).toMatch(/^(f|\.steward-\d+-\d+)$/)
    }
  }
  localHost().writeFile(path, one, how)
  expect(readdirSync(dir)).toEqual(['f'])
})

/** Whether a tmpfs can be mounted in a namespace of our own. */
const canMount =
  spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()]).status === 0

test.skipIf(!canMount)('a full disk leaves the old file whole, and nothing else (mount)', () => {
  const script = `import { localHost } from '${local}'
    import { readdirSync, readFileSync } from 'node:fs'
    const host = localHost()
    const at = process.argv[1]
    host.writeFile(at + '/f', Buffer.from('old'), ${JSON.stringify(how)})
    let told
    try { host.writeFile(at + '/f', Buffer.alloc(2000000), ${JSON.stringify(how)}) }
    catch (error) { told = { code: error.code, message: error.message } }
    console.log(JSON.stringify({ told, names: readdirSync(at), content: readFileSync(at + '/f', 'utf8') }))`
  const inside =
    'mount -t tmpfs -o size=1m tmpfs "$1" && exec "$2" --input-type=module -e "$3" "$1"'
  const args = ['--mount', 'sh', '-c', inside, 'sh', dir, process.execPath, script]
  const out = execFileSync('unshare', args, { encoding: 'utf8' })
  expect(JSON.parse(out)).toEqual({
    told: { code: 'ENOSPC', message: `${dir}/f: no space left on the file system (ENOSPC)` },
    names: ['f'],
    content: 'old',
  })
})

test.skipIf(!canMount)('a mount point below stops the removal of a folder (mount)', () => {
  const script = `import { localHost } from '${local}'
    try { localHost().remove(process.argv[1] + '/tree') } catch (error) { console.log(error.message) }`
  mkdirSync(join(dir, 'tree/a/disk'), { recursive: true })
  const inside =
    'mount -t tmpfs tmpfs "$1/tree/a/disk" && >"$1/tree/a/disk/f" && "$2" --input-type=module -e "$3" "$1" && ls "$1/tree/a/disk"'
  const args = ['--mount', 'sh', '-c', inside, 'sh', dir, process.execPath, script]
  const out = execFileSync('unshare', args, { encoding: 'utf8' })
  expect(out).toBe(`${dir}/tree/a/disk: is a mount point\nf\n`)
})

function attempt(read: () => string): string | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

async function until(isDone: () => boolean): Promise<void> {
  const end = Date.now() + 20_000
  while (!isDone()) {
    if (Date.now() > end) throw new Error('it never happened')
    await Promise.resolve()
  }
}
