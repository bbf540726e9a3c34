import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { describe, expect, test } from 'vitest'
import { folderWith, stewardCommand } from './steward.ts'

/** Whether a tmpfs can be mounted in a namespace of our own. */
const canMount =
  spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()]).status === 0

const manifest = `class: main
resources:
  - file: /f
    content: new
  - file: /g
    content: new
`

const prelude = `
  mount -t tmpfs -o size=400k tmpfs disk
  mkdir "$tree"; printf old >"$tree/f"
  fill() { dd if=/dev/zero of=disk/fill bs=1k 2>/dev/null || true; }
  ask() { "$@" --root "$tree" --state "$state" --manifests m main && echo status 0 || echo status $?; }
`

/**
 * Runs a script for sh(1) where `disk` is a small disk of its own and the tree holds an old `f`; gives what it prints.
 * `$@` in it is steward.
 */
function onDisk(places: { readonly tree: string; readonly state: string }, script: string): string {
  const cwd = folderWith({ 'm/main.yaml': manifest, 'disk/x': '' })
  const argv = ['--mount', 'sh', '-uc', prelude + script, 'sh', ...stewardCommand]
  const env = { ...process.env, ...places }
  const { stdout, stderr } = spawnSync('unshare', argv, { cwd, encoding: 'utf8', env })
  const printed = stdout + stderr
  expect(printed).not.toContain('bug')
  return printed
}

describe.skipIf(!canMount)('a disk (mount)', () => {
  const tree = { tree: 'disk/tree', state: 'state' }
  const state = { tree: 'tree', state: 'disk/state' }

  test('that is full keeps its files whole, which is told, and takes them once it has room', () => {
    const printed = onDisk(
      tree,
      'fill; ask "$@" apply --yes; ls -A disk/tree; cat disk/tree/f; rm disk/fill; echo; ask "$@" apply --yes',
    )
    expect(printed).toContain('error: file[/f]: /f: no space left on the file system (ENOSPC)')
    expect(printed).toContain('help      free space or inodes there')
    expect(printed).toContain('status 4\nf\nold\n')
    expect(printed).toContain('created      file[/g]')
    expect(printed).toMatch(/status 0\n$/)
  })
  test('that is read-only stops no preview, and is told by a run', () => {
    const printed = onDisk(
      tree,
      'mount -o remount,ro disk; ask "$@" apply --dry-run; ask "$@" apply --yes',
    )
    expect(printed).toMatch(/Plan: 1 to create, 1 to change[^\n]*\nstatus 0\n/)
    expect(printed).toContain('error: file[/f]: /f: the file system is read-only (EROFS)')
    expect(printed).toContain('help      journalctl --dmesg may show why')
    expect(printed).toMatch(/status 4\n$/)
  })
  test('of the state folder that is full refuses a run, and stops no preview', () => {
    const printed = onDisk(
      state,
      'fill; ask "$@" apply --yes; cat tree/f; ask "$@" apply --dry-run; rm disk/fill; ask "$@" apply --yes',
    )
    expect(printed).toMatch(
      /error: [^\n]*disk is full \[state\]; free space on its disk or mend it/,
    )
    expect(printed).toContain('status 1\nold')
    expect(printed).toMatch(/Plan: 1 to create, 1 to change[^\n]*\nstatus 0\n/)
    expect(printed).toMatch(/steward bucket restore \/f [^\n]*\nstatus 0\n/)
  })
  test('of the state folder that is read-only shows what is on record', () => {
    const printed = onDisk(
      state,
      'ask "$@" apply --yes; printf edited >tree/f; mount -o remount,ro disk; ask "$@" apply --dry-run; "$@" bucket list --state disk/state; ask "$@" apply --yes',
    )
    expect(printed).toContain('file[/f]  content +1 -1 (edited here)')
    expect(printed).toMatch(/1 +\/f +the file/)
    expect(printed).toMatch(/error: [^\n]*EROFS[^\n]*; free space on its disk or mend it/)
    expect(printed).not.toContain('warning')
  })
})
