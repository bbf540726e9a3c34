import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Store } from '../../engine/record/store.ts'
import { folderWith, steward } from './steward.ts'

const inTree = ['--root', 'tree', '--state', 'state']
const manifest = (content: string) =>
  `class: main\nresources:\n  - file: /f\n    content: "${content}\\n"\n    mode: "0644"\n`

/** A tree whose file was edited by hand before each of some versions of the manifests. */
function edited(...versions: readonly string[]) {
  const folder = folderWith({ 'tree/f': 'by hand 0\n', 'm/main.yaml': '' })
  for (const [number, version] of versions.entries()) {
    writeFileSync(join(folder, 'tree/f'), `by hand ${number}\n`)
    apply(folder, manifest(version))
  }
  return folder
}
function apply(folder: string, text: string) {
  writeFileSync(join(folder, 'm/main.yaml'), text)
  const ran = steward(folder, 'apply', 'main', '--yes', '--manifests', 'm', ...inTree)
  expect(ran.status).toBe(0)
  return ran
}
const bucket = (folder: string, ...args: readonly string[]) =>
  steward(folder, 'bucket', ...args, ...inTree)
const restore = (folder: string) => bucket(folder, 'restore', '/f', '--yes', '--manifests', 'm')
const file = (folder: string) => readFileSync(join(folder, 'tree/f'), 'utf8')

describe('the bucket', () => {
  test('lists what was overwritten, the newest first, and gives each by number or path', () => {
    const folder = edited('one', 'two')
    const { stdout } = bucket(folder, 'list', '--json')
    const rows = JSON.parse(stdout) as { id: number; path: string }[]
    expect(rows.map(({ path }) => path)).toEqual(['/f', '/f'])
    expect(bucket(folder, 'show', '/f').stdout).toBe('by hand 1\n')
    expect(bucket(folder, 'show', String(rows[1]?.id)).stdout).toBe('by hand 0\n')
    expect(bucket(folder).stdout).toMatch(
      /^ID +PATH +WHAT +KEPT +RUN\n\d+ +\/f +the file +\d{4}-\d\d-\d\d /,
    )
  })
  test('is named by the run that overwrote an edit', () => {
    const folder = edited('one')
    writeFileSync(join(folder, 'tree/f'), 'mine\n')
    expect(apply(folder, manifest('one')).stdout).toMatch(
      /What was changed here and is overwritten can be had back:\n {2}steward bucket restore \/f --root tree --state state --manifests m\n$/,
    )
  })
  test('has all files below /etc as they were before a run, and leaves others', () => {
    const folder = folderWith({ 'tree/etc/a': 'by hand\n', 'm/main.yaml': '' })
    const version = (name: string) => {
      const file = (path: string) => `  - file: ${path}\n    content: "${name}\\n"\n`
      const paths = name === 'one' ? ['/etc/a', '/f'] : ['/etc/a', '/etc/b', '/f']
      const made = name === 'one' ? '  - file: /etc\n    ensure: directory\n' : ''
      apply(folder, `class: main\nresources:\n${made}${paths.map(file).join('')}`)
      const [run] = Store.reading(join(folder, 'state'), (store) => store.runs.list(1)) ?? []
      return run?.id ?? ''
    }
    version('one')
    const second = version('two')
    version('three')
    const args = ['restore', '--before', second.slice(0, -2), '--yes', '--manifests', 'm']
    expect(bucket(folder, ...args)).toMatchObject({ status: 0, stderr: '' })
    const read = (path: string) => readFileSync(join(folder, 'tree', path), 'utf8')
    expect(read('etc/a')).toBe('one\n')
    expect([read('etc/b'), read('f')]).toEqual(['three\n', 'three\n'])
    expect(bucket(folder, 'restore', '--before', 'none', '--yes').stderr).toContain(
      'there is no run none',
    )
    for (const wrong of [[], ['/f', '--before', second]])
      expect(bucket(folder, 'restore', ...wrong)).toMatchObject({ status: 1 })
  })
  test('puts back by a run that can be taken back itself', () => {
    const folder = edited('one')
    chmodSync(join(folder, 'tree/f'), 0o600)
    const dry = bucket(folder, 'restore', '/f', '--dry-run')
    expect(dry.stdout).toContain('+by hand 0')
    expect(file(folder)).toBe('one\n')
    expect(restore(folder)).toMatchObject({ status: 0, stderr: '' })
    expect(file(folder)).toBe('by hand 0\n')
    expect(statSync(join(folder, 'tree/f')).mode & 0o777).toBe(0o644)
    const [run] = Store.reading(join(folder, 'state'), (store) => store.runs.list(1)) ?? []
    expect(run?.command).toEqual(['bucket', 'restore', '/f'])
    steward(folder, 'undo', run?.id ?? '', '--yes', '--manifests', 'm', ...inTree)
    expect(file(folder)).toBe('one\n')
  })
  test('tells what differs from what is there now', () => {
    const folder = edited('one')
    const { status, stdout } = bucket(folder, 'diff', '/f')
    expect(status).toBe(1)
    expect(stdout).toContain('-by hand 0\n+one')
    restore(folder)
    const [first] = JSON.parse(bucket(folder, 'list', '--json').stdout).reverse()
    expect(bucket(folder, 'diff', String(first.id))).toMatchObject({ status: 0, stdout: '' })
  })
  test('shows no secret, and writes it where only root reads it', () => {
    const folder = folderWith({
      'tree/etc/zulip/zulip-secrets.conf': '[secrets]\nword = theSecretWord\n',
      'tree/f': 'theOldSecretWord\n',
      'm/main.yaml': '',
    })
    chmodSync(join(folder, 'tree/etc/zulip/zulip-secrets.conf'), 0o600)
    apply(
      folder,
      'class: main\nparameters:\n  word: { type: string, from: secrets.word }\nresources:\n  - file: /f\n    content: "${{ word }}"\n',
    )
    for (const command of ['show', 'diff']) {
      const { status, stdout, stderr } = bucket(folder, command, '/f')
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
      expect(stderr).toContain('may hold a secret')
      expect(stderr).not.toContain('theOldSecretWord')
    }
    expect(bucket(folder, 'show', '/f', '--to', 'out').status).toBe(0)
    expect(readFileSync(join(folder, 'out'), 'utf8')).toBe('theOldSecretWord\n')
    expect(statSync(join(folder, 'out')).mode & 0o777).toBe(0o600)
  })
  test('forgets what it is asked to, and never the newest of a path or what a file went in with', () => {
    const folder = edited('one', 'two', 'three', 'four')
    expect(bucket(folder, 'gc').stderr).toContain('give --older-than, --keep or --max-size')
    expect(bucket(folder, 'gc', '--older-than', '1h').stdout).toBe(
      'No old copy forgotten. 4 stay; the newest copy of each file is never forgotten.\n',
    )
    expect(bucket(folder, 'gc', '--keep', '2').stdout).toBe(
      '2 old copies forgotten, 24 bytes freed. 2 stay; the newest copy of each file is never forgotten.\n',
    )
    expect(bucket(folder, 'show', '/f').stdout).toBe('by hand 3\n')
    bucket(folder, 'gc', '--max-size', '0')
    expect(JSON.parse(bucket(folder, 'list', '--json').stdout)).toHaveLength(1)
    expect(bucket(folder, 'show', '/f').stdout).toBe('by hand 3\n')
    const row = Store.reading(join(folder, 'state'), (store) => {
      const base = store.files.find('/f')?.base ?? ''
      return store.contents.get(base)?.toString()
    })
    expect(row).toBe('four\n')
  })
  test('counts what it forgets and leaves as it lists it, without what was not there', () => {
    const folder = edited('one')
    apply(folder, `${manifest('one')}  - file: /made\n    content: new\n`)
    expect(JSON.parse(bucket(folder, 'list', '--json').stdout)).toHaveLength(1)
    const { stdout } = bucket(folder, 'gc', '--keep', '1')
    expect(stdout).toBe(
      'No old copy forgotten. 1 stays; the newest copy of each file is never forgotten.\n',
    )
  })
  test('keeps a content past a later mode, and gives it by its path', () => {
    const folder = edited('one')
    chmodSync(join(folder, 'tree/f'), 0o600)
    apply(folder, manifest('one'))
    const kept = () => JSON.parse(bucket(folder, 'list', '--json').stdout) as { goes: string }[]
    expect(kept().map(({ goes }) => goes)).toEqual(['mode', 'all'])
    bucket(folder, 'gc', '--keep', '1')
    bucket(folder, 'gc', '--max-size', '0')
    expect(bucket(folder, 'show', '/f').stdout).toBe('by hand 0\n')
    expect(restore(folder).status).toBe(0)
    expect(file(folder)).toBe('by hand 0\n')
  })
  test('has the new version of a file whose edit is kept, once, and can put it in place', () => {
    const folder = edited('one')
    writeFileSync(join(folder, 'tree/f'), 'mine\n')
    const keep = (version: string) => {
      writeFileSync(join(folder, 'm/main.yaml'), manifest(version))
      const args = ['main', '--yes', '--local-edits', 'keep', '--manifests', 'm', ...inTree]
      expect(steward(folder, 'apply', ...args).status).toBe(0)
    }
    // That is the version that it has.
    keep('one')
    for (const version of ['two', 'two', 'three']) keep(version)
    const kept = JSON.parse(bucket(folder, 'list', '--json').stdout) as Record<string, unknown>[]
    expect(kept.map(({ goes }) => goes)).toEqual(['new', 'new', 'all'])
    const id = String(kept[0]?.id)
    expect(bucket(folder, 'list').stdout).toContain('the new version, not put in place')
    expect(bucket(folder, 'show', '/f').stdout).toBe('by hand 0\n')
    expect(bucket(folder, 'show', id).stdout).toBe('three\n')
    expect(bucket(folder, 'diff', id).stdout).toContain('/f in its new version')
    expect(bucket(folder, 'restore', id, '--yes', '--manifests', 'm').status).toBe(0)
    expect(file(folder)).toBe('three\n')
    expect(bucket(folder, 'show', '/f').stdout).toBe('mine\n')
    writeFileSync(join(folder, 'm/main.yaml'), manifest('four'))
    keep('four')
    expect(file(folder)).toBe('four\n')
    // What was never there is nothing that an undo brings back.
    const runs = Store.reading(join(folder, 'state'), (store) => store.runs.list(9)) ?? []
    const undone = runs.find(({ id: run }) => run === kept[0]?.run)
    steward(folder, 'undo', undone?.id ?? '', '--yes', '--manifests', 'm', ...inTree)
    expect(file(folder)).toBe('four\n')
  })
  test('names a path so that it can not steer the terminal', () => {
    const name = 'a\u001b[31mb\nc'
    const folder = folderWith({ [`tree/d/${name}`]: 'x\n', 'm/main.yaml': '' })
    apply(
      folder,
      'class: main\nresources:\n  - { file: /d, ensure: directory, recurse: true, purge: true }\n',
    )
    const { stdout } = bucket(folder, 'diff', '1')
    expect(stdout).toContain('--- /d/a\\x1b[31mb\\nc as it was kept')
    expect(stdout).not.toContain('\u001b')
  })
  test('of nothing says so, and makes nothing', () => {
    const folder = folderWith({ 'tree/f': '' })
    expect(bucket(folder, 'list').stdout).toBe('The bucket holds nothing.\n')
    expect(bucket(folder, 'show', '/f').stderr).toContain('the bucket holds nothing under /f')
    expect(existsSync(join(folder, 'state'))).toBe(false)
  })
})
