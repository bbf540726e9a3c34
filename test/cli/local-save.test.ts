import {
  chmodSync,
  existsSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Store } from '../../engine/record/store.ts'
import { folderWith, steward } from './steward.ts'

const inTree = ['--root', 'tree', '--state', 'state', '--manifests', 'm']
const one = 'first\nsecond\nthird\nfourth\nfifth\n'
const two = one.replace('fifth', 'FIFTH')
const mine = one.replace('first', 'mine')

/** A host on which one file was edited, one was given another mode, one deleted and one replaced. */
function hostWithEdits(): string {
  const folder = folderWith({
    'tree/etc/zulip/zulip.conf': '[machine]\npuppet_classes = main\n',
    'm/main.yaml': '',
  })
  apply(folder, one)
  writeFileSync(join(folder, 'tree/f'), mine)
  chmodSync(join(folder, 'tree/f'), 0o640)
  chmodSync(join(folder, 'tree/mode'), 0o600)
  rmSync(join(folder, 'tree/gone'))
  rmSync(join(folder, 'tree/link'))
  symlinkSync('f', join(folder, 'tree/link'))
  return folder
}
function apply(folder: string, content: string) {
  const text = `class: main
resources:
  - file: [/f, /mode, /gone, /link]
    mode: "0644"
    content: ${JSON.stringify(content)}
`
  writeFileSync(join(folder, 'm/main.yaml'), text)
  expect(steward(folder, 'apply', '--yes', ...inTree).status).toBe(0)
}
const local = (folder: string, ...args: readonly string[]) =>
  steward(folder, 'local', ...args, ...inTree)
const file = (folder: string, name = 'f') => readFileSync(join(folder, 'tree', name), 'utf8')
const modeOf = (folder: string, name: string) => statSync(join(folder, 'tree', name)).mode & 0o777

describe('save', () => {
  test('copies what was edited, for root alone, and names what has nothing to copy', () => {
    const folder = hostWithEdits()
    const { status, stdout } = local(folder, 'save', 'saved')
    expect(status).toBe(0)
    expect(stdout).toMatch(
      /saved {2}\/f\n[\s\S]*left {3}\/gone: deleted here[\s\S]*3 files are saved/,
    )
    expect(readFileSync(join(folder, 'saved/files/f'), 'utf8')).toBe(mine)
    expect(statSync(join(folder, 'saved')).mode & 0o777).toBe(0o700)
    expect(statSync(join(folder, 'saved/files/f')).mode & 0o777).toBe(0o600)
  })
  test('refuses a folder that holds something, and makes none where nothing was edited', () => {
    const folder = hostWithEdits()
    expect(local(folder, 'save', 'm')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('it is not empty'),
    })
    apply(folder, one)
    expect(local(folder, 'save', 'saved').stdout).toContain('nothing is saved')
    expect(existsSync(join(folder, 'saved'))).toBe(false)
  })
})

test('a file that is too large is left, and hinders nobody', () => {
  const folder = hostWithEdits()
  truncateSync(join(folder, 'tree/f'), 65 * 1024 * 1024)
  const { status, stdout } = local(folder, 'save', 'saved')
  expect(status).toBe(0)
  expect(stdout).toContain('left   /f: edited here, and it is too large to copy\n')
  expect(stdout).toMatch(/^saved /)
})

describe('restore', () => {
  test('brings edits back after an upgrade, with what that brought, as a run that can be undone', () => {
    const folder = hostWithEdits()
    local(folder, 'save', 'saved')
    apply(folder, two)
    expect(file(folder)).toBe(two)
    expect(local(folder, 'restore', 'saved', '--dry-run').stdout).toContain('~ file[/f]')
    expect(file(folder)).toBe(two)
    const { status, stderr } = local(folder, 'restore', 'saved', '--yes')
    expect([status, stderr]).toEqual([0, expect.stringContaining('steward local adopt')])
    expect(file(folder)).toBe(two.replace('first', 'mine'))
    expect([modeOf(folder, 'f'), modeOf(folder, 'mode')]).toEqual([0o640, 0o600])
    expect(file(folder, 'mode')).toBe(two)
    expect(file(folder, 'link')).toBe(file(folder))
    expect(local(folder, 'list').stdout).toMatch(/\/f +edited here\n/)
    const run = Store.reading(join(folder, 'state'), (store) => store.runs.list(1)[0]?.id) ?? ''
    expect(steward(folder, 'undo', run, '--yes', ...inTree).status).toBe(0)
    expect(file(folder)).toBe(two)
  })
  test('does nothing where all is as it was saved', () => {
    const folder = hostWithEdits()
    local(folder, 'save', 'saved')
    expect(local(folder, 'restore', 'saved', '--yes').stdout).toContain('Nothing to do')
  })
  test('refuses what somebody changed since, what a new version contradicts, and what is gone', () => {
    const folder = hostWithEdits()
    local(folder, 'save', 'saved')
    apply(folder, one.replace('first', 'eerste'))
    writeFileSync(join(folder, 'tree/mode'), 'mine again\n')
    const { status, stderr } = local(folder, 'restore', 'saved', '--yes')
    expect(status).toBe(4)
    expect(stderr).toContain('/f is not restored, for it has a new version since it was saved')
    expect(stderr).toContain('/mode is not restored, for it was changed again since it was saved')
    expect(file(folder)).toBe(one.replace('first', 'eerste'))
    expect(file(folder, 'mode')).toBe('mine again\n')
    expect(local(folder, 'restore', 'saved', '--yes', '--as-saved').status).toBe(0)
    expect([file(folder), file(folder, 'mode')]).toEqual([mine, one])
    const { stdout } = steward(folder, 'bucket', 'show', '/mode', ...inTree.slice(0, 4))
    expect(stdout).toBe('mine again\n')
  })
  test('refuses a copy that is not what was saved, before it touches anything', () => {
    const folder = hostWithEdits()
    local(folder, 'save', 'saved')
    apply(folder, two)
    writeFileSync(join(folder, 'saved/files/f'), 'other')
    const { status, stderr } = local(folder, 'restore', 'saved', '--yes')
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining('holds files/f other than it was saved'),
    ])
    expect(local(folder, 'restore', 'm', '--yes').stderr).toContain(
      'holds no edits that were saved',
    )
    expect(file(folder)).toBe(two)
  })
  test('refuses a list of files that is not what was saved', () => {
    const folder = hostWithEdits()
    local(folder, 'save', 'saved')
    const manifest = join(folder, 'saved/manifest.json')
    const saved = JSON.parse(readFileSync(manifest, 'utf8'))
    for (const files of [[null], [{ ...saved.files[0], mode: 0o777 }]]) {
      writeFileSync(manifest, JSON.stringify({ ...saved, files }))
      expect(local(folder, 'restore', 'saved', '--yes')).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('holds manifest.json other than it was saved'),
      })
    }
  })
  test('asks the command that checks the file', () => {
    const folder = folderWith({
      'etc/zulip.conf': '[machine]\npuppet_classes = main\n',
      'm/main.yaml': '',
    })
    const args = ['--state', 'state', '--manifests', 'm', '--config', 'etc/zulip.conf']
    const version = (text: string, word: string) => {
      const manifest = `class: main\nresources:\n  - file: ${folder}/f\n    content: ${JSON.stringify(text)}\n    validate: [/bin/grep, -q, ${word}, "%"]\n`
      writeFileSync(join(folder, 'm/main.yaml'), manifest)
      expect(steward(folder, 'apply', '--yes', ...args).status).toBe(0)
    }
    version('old\nword\n', 'old')
    writeFileSync(join(folder, 'f'), 'old\nmine\n')
    expect(steward(folder, 'local', 'save', 'saved', ...args).status).toBe(0)
    version('new\nold\nword\n', 'word')
    const { status, stdout } = steward(folder, 'local', 'restore', 'saved', '--yes', ...args)
    expect([status, stdout]).toEqual([
      4,
      expect.stringContaining('finds fault with its new content'),
    ])
    expect(readFileSync(join(folder, 'f'), 'utf8')).toBe('new\nold\nword\n')
  })
})
