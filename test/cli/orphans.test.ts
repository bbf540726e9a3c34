import {
  chmodSync,
  existsSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Store } from '../../engine/record/store.ts'
import { readTree } from '../support/disk-tree.ts'
import { folderWith, steward } from './steward.ts'

const inTree = ['--root', 'tree', '--state', 'state', '--manifests', 'm']
const whole = `class: main
resources:
  - file: [/d, /d/deep]
    ensure: directory
  - file: [/d/a, /d/deep/b]
    content: as steward wrote it
  - file: /link
    target: d/a
  - file: /stays
    content: stays
`
const less = 'class: main\nresources:\n  - file: /stays\n    content: stays\n'
const files = {
  'tree/etc/zulip/zulip.conf': '[machine]\npuppet_classes = main\n',
  'm/main.yaml': whole,
}

/** A host of which `main` was all, and is less now. */
function hostWithLess(before: Readonly<Record<string, string>> = {}, manifest = less): string {
  const folder = folderWith({ ...files, ...before })
  expect(apply(folder)).toMatchObject({ status: 0, stderr: '' })
  write(folder, 'm/main.yaml', manifest)
  return folder
}
const write = (folder: string, path: string, text: string) =>
  writeFileSync(join(folder, path), text)
const apply = (folder: string, ...more: readonly string[]) =>
  steward(folder, 'apply', '--yes', ...more, ...inTree)
const preview = (folder: string, ...more: readonly string[]) =>
  steward(folder, 'apply', '--dry-run', ...more, ...inTree).stdout
const orphans = (folder: string, ...more: readonly string[]) => {
  const { stdout } = steward(folder, 'orphans', 'list', '--json', ...more, ...inTree)
  return (JSON.parse(stdout) as { path?: string; ref: string; what: string; stays?: string }[]).map(
    ({ path, ref, what, stays }) => `${path ?? ref} ${what}${stays ? `: ${stays}` : ''}`,
  )
}
const isThere = (folder: string, path: string) => existsSync(join(folder, 'tree', path))

describe('what the apply of a procedure managed', () => {
  const procedure = (words: string) => `class: work
steps:
  - apply: configuration
${words}
  - file: /of-a-step
    content: x
`
  const both = '[machine]\npuppet_classes = main, other\n'
  const other = `class: other
resources:
  - file: /other
    content: x
    tags: [some]
  - file: /untagged
    content: x
`
  const host = (words: string) =>
    folderWith({
      ...files,
      'm/main.yaml': less,
      'm/other.yaml': other,
      'm/work.yaml': procedure(words),
      'tree/etc/zulip/zulip.conf': both,
    })
  const dropOther = (folder: string) =>
    write(folder, 'tree/etc/zulip/zulip.conf', '[machine]\npuppet_classes = main\n')

  test('is orphaned once no class declares it, and what its steps made is not', () => {
    const folder = host('    classes: zulip.conf')
    expect(apply(folder, 'work').status).toBe(0)
    expect(orphans(folder)).toEqual([])
    dropOther(folder)
    expect(orphans(folder)).toEqual(['/other dropped, unedited', '/untagged dropped, unedited'])
  })
  test('orphans nothing of other classes, nor of resources that it left out', () => {
    for (const words of ['    classes: main', '    classes: zulip.conf\n    tags: some']) {
      const folder = host(words)
      expect(apply(folder).status).toBe(0)
      expect(apply(folder, 'work').status).toBe(0)
      expect(orphans(folder)).toEqual([])
      dropOther(folder)
      expect(orphans(folder)).toEqual(['/other dropped, unedited', '/untagged dropped, unedited'])
    }
  })
  test('is told with the settings of zulip.conf that nobody reads in the plan of the procedure', () => {
    const folder = host('    classes: zulip.conf')
    write(
      folder,
      'm/main.yaml',
      `${less.replace('resources', 'parameters:\n  word: { type: string, from: main.word, default: x }\nresources')}`,
    )
    write(folder, 'tree/etc/zulip/zulip.conf', `${both}[main]\nwrod = y\n`)
    const { stderr } = steward(folder, 'apply', '--dry-run', 'work', ...inTree)
    expect(stderr).toContain('no class reads main.wrod')
  })
})

describe('what no class declares any more', () => {
  test('is listed, counted in the plan, and left', () => {
    const folder = hostWithLess()
    expect(orphans(folder)).toEqual([
      '/d dropped, unedited',
      '/d/a dropped, unedited',
      '/d/deep dropped, unedited',
      '/d/deep/b dropped, unedited',
      '/link dropped, unedited',
    ])
    expect(preview(folder)).toMatch(
      /5 things are there that steward does not manage any more: steward orphans --root tree --state state --manifests m\.\n$/,
    )
    expect(apply(folder).status).toBe(0)
    expect(isThere(folder, 'd/deep/b')).toBe(true)
    expect(orphans(folder)).toHaveLength(5)
  })
  test('goes when that is asked for, into the bucket, and an undo brings it back', () => {
    const folder = hostWithLess()
    const old = readTree(join(folder, 'tree'))
    expect(preview(folder, '--remove-orphans')).toMatch(
      /- file\[\/d\/a\] +ensure file → absent \(not managed any more\)[\s\S]*5 to remove/,
    )
    expect(readTree(join(folder, 'tree'))).toEqual(old)
    const { status, stdout } = apply(folder, '--remove-orphans')
    expect([status, stdout]).toEqual([0, expect.stringContaining('5 changed')])
    expect(['d', 'link', 'stays'].map((path) => isThere(folder, path))).toEqual([
      false,
      false,
      true,
    ])
    expect(steward(folder, 'bucket', 'show', '/d/a', ...inTree.slice(0, 4)).stdout).toBe(
      'as steward wrote it',
    )
    expect(preview(folder)).toMatch(/Nothing to do: 1 resource is in sync\.(?!.*orphans)/)
    const run = Store.reading(join(folder, 'state'), (store) => store.runs.list(1)[0]?.id) ?? ''
    expect(steward(folder, 'undo', run, '--yes', ...inTree)).toMatchObject({
      status: 0,
      stderr: '',
    })
    expect(readTree(join(folder, 'tree'))).toEqual(old)
  })
  test('goes by a setting of the host, too', () => {
    const folder = hostWithLess({ 'tree/etc/steward/site.yaml': 'remove_orphans: files\n' })
    expect(apply(folder).status).toBe(0)
    expect(isThere(folder, 'd')).toBe(false)
  })
  test('stays where it was edited, and so does what it lies in', () => {
    const folder = hostWithLess()
    write(folder, 'tree/d/deep/b', 'mine')
    chmodSync(join(folder, 'tree/d/a'), 0o600)
    rmSync(join(folder, 'tree/link'))
    symlinkSync('mine', join(folder, 'tree/link'))
    expect(preview(folder)).toContain(
      '5 things are there that steward does not manage any more, 3 of them edited here',
    )
    expect(apply(folder, '--remove-orphans').status).toBe(0)
    expect(readFileSync(join(folder, 'tree/d/deep/b'), 'utf8')).toBe('mine')
    expect(readlinkSync(join(folder, 'tree/link'))).toBe('mine')
    expect(orphans(folder)).toEqual([
      '/d dropped, unedited: it holds /d/a',
      '/d/a dropped, edited: it was given another mode or owner here',
      '/d/deep dropped, unedited: it holds /d/deep/b',
      '/d/deep/b dropped, edited: it was edited here',
      '/link dropped, edited: it leads elsewhere now',
    ])
  })
  test("stays where its directory holds what is a stranger's", () => {
    const folder = hostWithLess()
    write(folder, 'tree/d/deep/mine', 'mine')
    expect(apply(folder, '--remove-orphans').status).toBe(0)
    expect(readTree(join(folder, 'tree/d'))).toEqual({
      deep: 'directory 0755',
      'deep/mine': 'file 0644 mine',
    })
  })
  test('stays where it was here before steward, or belongs to a package', () => {
    const folder = hostWithLess({
      'tree/d/a': 'as steward wrote it',
      'tree/var/lib/dpkg/info/some.list': '/.\n/d/deep/b\n',
    })
    apply(folder, '--remove-orphans')
    expect(orphans(folder)).toEqual([
      '/d/a dropped, unedited: it was here before steward',
      '/d/deep dropped, unedited: it holds /d/deep/b',
      '/d/deep/b dropped, unedited: it belongs to the package some',
    ])
  })
  test('is none where another resource has its path by now', () => {
    const folder = hostWithLess(
      {},
      `class: main
resources:
  - file: /d/
    ensure: directory
    recurse: true
  - file_line: renamed
    path: /link
    line: x
  - file: /elsewhere
    target: d
`,
    )
    expect(orphans(folder)).toEqual(['/stays dropped, unedited'])
  })
  test('is none where another resource has its place through a link by now', () => {
    const declaring = (path: string) =>
      `class: main\nresources:\n  - file: ${path}\n    content: a\n`
    const folder = folderWith({ ...files, 'tree/old/x': '', 'm/main.yaml': declaring('/old/a') })
    expect(apply(folder).status).toBe(0)
    renameSync(join(folder, 'tree/old'), join(folder, 'tree/new'))
    symlinkSync('new', join(folder, 'tree/old'))
    for (const path of ['/new/a', '/old/a']) {
      write(folder, 'm/main.yaml', declaring(path))
      expect(apply(folder, '--remove-orphans').stdout).toMatch(
        /^Nothing to do: 1 resource is in sync/,
      )
      expect(isThere(folder, 'new/a')).toBe(true)
    }
  })
  test('goes with a directory that gives way to something else', () => {
    const folder = hostWithLess({}, `${less}  - file: /d\n    content: a file\n    force: true\n`)
    expect(orphans(folder)).toEqual(['/link dropped, unedited'])
  })
  test('stays where zulip.conf lists no classes', () => {
    const folder = hostWithLess()
    for (const text of ['[machine]\npuppet_classes =\n', '']) {
      write(folder, 'tree/etc/zulip/zulip.conf', text)
      expect(apply(folder, '--remove-orphans')).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('zulip.conf lists no classes'),
      })
      expect(isThere(folder, 'stays')).toBe(true)
    }
  })
  test('is told of what has no path, and never removed', () => {
    const folder = hostWithLess({
      'm/main.yaml': `${less}  - file_line: line
    path: /etc/zulip/zulip.conf
    line: "# mine"
  - group: own
    ensure: present
`,
      'tree/etc/group': 'root:x:0:\n',
      'tree/etc/passwd': 'root:x:0:0::/root:/bin/sh\n',
    })
    apply(folder, '--remove-orphans')
    expect(orphans(folder)).toEqual([
      'group[own] dropped: files may still belong to it',
      '/etc/zulip/zulip.conf dropped: it is only a part of that file',
    ])
  })
  test('is not told again once it is gone, or was given up', () => {
    const folder = hostWithLess()
    rmSync(join(folder, 'tree/link'))
    expect(orphans(folder)).toHaveLength(4)
    const { status, stdout } = steward(folder, 'orphans', 'forget', '/d/a', 'file[/d]', ...inTree)
    expect([status, stdout]).toEqual([
      0,
      expect.stringContaining('file[/d/a] is not named any more'),
    ])
    expect(orphans(folder)).toHaveLength(2)
    const wrong = steward(folder, 'orphans', 'forget', '/d/deep/c', ...inTree)
    expect([wrong.status, wrong.stderr]).toEqual([1, expect.stringContaining('"/d/deep/b"')])
    apply(folder)
    write(folder, 'tree/link', 'mine')
    expect(orphans(folder)).toHaveLength(2)
  })
  test('below a directory that recurses is what its source has no more', () => {
    const folder = folderWith({
      ...files,
      'm/main.yaml':
        'class: main\nresources:\n  - { file: /d, ensure: directory, recurse: true, source: d }\n',
      'm/files/d/keep': 'keep',
      'm/files/d/sub/drop': 'drop',
      'm/files/d/edited': 'as it was',
      'tree/d/mine': 'mine',
    })
    apply(folder)
    rmSync(join(folder, 'm/files/d/sub'), { recursive: true })
    rmSync(join(folder, 'm/files/d/edited'))
    write(folder, 'tree/d/edited', 'mine')
    expect(apply(folder, '--remove-orphans').status).toBe(0)
    expect(readTree(join(folder, 'tree/d'))).toEqual({
      edited: 'file 0644 mine',
      keep: 'file 0644 keep',
      mine: 'file 0644 mine',
    })
    expect(orphans(folder)).toEqual(['/d/edited dropped, edited: it was edited here'])
  })
})

describe('what was left out of a run is no orphan', () => {
  const two = {
    ...files,
    'tree/etc/zulip/zulip.conf': '[machine]\npuppet_classes = main, other\n',
    'm/other.yaml': 'class: other\nresources:\n  - file: /other\n    content: other\n',
  }
  test('where only some of the classes were named', () => {
    const folder = folderWith(two)
    apply(folder)
    write(folder, 'm/main.yaml', less)
    expect(steward(folder, 'apply', 'main', '--dry-run', ...inTree).stdout).not.toContain('orphans')
    const { status, stderr } = steward(
      folder,
      'apply',
      'main',
      '--yes',
      '--remove-orphans',
      ...inTree,
    )
    expect([status, stderr]).toEqual([1, expect.stringContaining('these are only some of them')])
    expect(orphans(folder)).toHaveLength(5)
  })
  test('where classes are named that zulip.conf never listed', () => {
    const folder = folderWith({
      ...two,
      'tree/etc/zulip/zulip.conf': files['tree/etc/zulip/zulip.conf'],
    })
    apply(folder)
    expect(steward(folder, 'apply', 'other', '--yes', ...inTree).status).toBe(0)
    expect(orphans(folder)).toEqual([])
    expect(apply(folder, '--remove-orphans').status).toBe(0)
    expect(isThere(folder, 'other')).toBe(true)
  })
  test('where a class was tried by name, and is taken from zulip.conf', () => {
    const folder = folderWith(two)
    apply(folder)
    steward(folder, 'apply', 'other', '--yes', ...inTree)
    apply(folder)
    write(folder, 'tree/etc/zulip/zulip.conf', files['tree/etc/zulip/zulip.conf'])
    expect(orphans(folder)).toEqual(['/other dropped, unedited'])
  })
  test('where a class can not be compiled', () => {
    const folder = hostWithLess({}, 'class: main\nresources: 7\n')
    expect(apply(folder, '--remove-orphans').status).toBe(1)
    expect(isThere(folder, 'd/a')).toBe(true)
  })
  test('where a part of the run was chosen', () => {
    const folder = hostWithLess({ 'tree/etc/steward/site.yaml': 'remove_orphans: files\n' })
    const only = ['--only', 'file[/stays]']
    expect(apply(folder, ...only, '--remove-orphans').stderr).toContain('without --tags and --only')
    expect(apply(folder, ...only).status).toBe(0)
    expect(isThere(folder, 'd/a')).toBe(true)
  })
})

describe('a saved plan', () => {
  test('removes the orphans that it names, and no others', () => {
    const folder = hostWithLess()
    preview(folder, '--remove-orphans', '--out', 'plan.json')
    write(folder, 'tree/d/a', 'mine')
    const { status, stderr } = apply(folder, '--plan', 'plan.json')
    expect([status, stderr]).toEqual([0, expect.stringContaining('file[/d/a] was planned')])
    expect([isThere(folder, 'd/a'), isThere(folder, 'd/deep'), isThere(folder, 'link')]).toEqual([
      true,
      false,
      false,
    ])
  })
})
