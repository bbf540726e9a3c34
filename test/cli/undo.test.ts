import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Store } from '../../engine/record/store.ts'
import { readTree } from '../support/disk-tree.ts'
import { folderWith, steward } from './steward.ts'

/** What somebody had on the host before steward, below `tree`. */
function hostBefore() {
  const folder = folderWith({
    'tree/edited': 'by hand\n',
    'tree/removed': 'by hand\n',
    'tree/old/inside': 'by hand\n',
    'tree/mode': 'same\n',
    'm/main.yaml': `class: main
resources:
  - file: /edited
    content: new
    mode: "0600"
  - file: /removed
    ensure: absent
  - file: /old
    ensure: absent
    force: true
  - file: /link
    target: edited
  - file: /mode
    mode: "0640"
  - file: [/made, /made/deep]
    ensure: directory
  - file: /made/deep/file
    content: new
`,
  })
  chmodSync(join(folder, 'tree/edited'), 0o644)
  chmodSync(join(folder, 'tree/mode'), 0o600)
  symlinkSync('nowhere', join(folder, 'tree/link'))
  return folder
}
const inTree = ['--root', 'tree', '--state', 'state', '--manifests', 'm']
const apply = (folder: string) => {
  expect(steward(folder, 'apply', 'main', '--yes', ...inTree)).toMatchObject({ status: 0 })
  return lastRun(folder)
}
const undo = (folder: string, run: string, ...more: string[]) =>
  steward(folder, 'undo', run, ...more, ...inTree)
const lastRun = (folder: string) =>
  Store.reading(join(folder, 'state'), (store) => store.runs.list(1)[0]?.id) ?? ''
const treeOf = (folder: string) => {
  const tree = join(folder, 'tree')
  return [readTree(tree), statSync(join(tree, 'edited')).mode, statSync(join(tree, 'mode')).mode]
}

describe('undo', () => {
  test('puts contents, modes, links and directories back, and an undo of it brings them again', () => {
    const folder = hostBefore()
    const old = treeOf(folder)
    const run = apply(folder)
    const applied = treeOf(folder)
    expect(applied).not.toEqual(old)
    const preview = undo(folder, run, '--dry-run')
    expect(preview.status).toBe(0)
    expect(preview.stdout).toContain('~ file[/edited]')
    expect(treeOf(folder)).toEqual(applied)
    expect(undo(folder, run, '--yes')).toMatchObject({ status: 0, stderr: '' })
    expect(treeOf(folder)).toEqual(old)
    expect(undo(folder, run, '--yes').stdout).toMatch(/^Nothing to do/m)
    // The run that did nothing is the last one.
    const [, undone] =
      Store.reading(join(folder, 'state'), (store) => store.runs.list(2).map(({ id }) => id)) ?? []
    expect(undo(folder, undone ?? '', '--yes').status).toBe(0)
    expect(treeOf(folder)).toEqual(applied)
  })
  test('says that what the bucket does not hold any more is why it stays', () => {
    const folder = folderWith({ 'tree/f': 'by hand', 'm/main.yaml': '' })
    const runs = ['1', '2'].map((text) => {
      const manifest = `class: main\nresources:\n  - file: /f\n    content: '${text}'\n`
      writeFileSync(join(folder, 'm/main.yaml'), manifest)
      return apply(folder)
    })
    expect(steward(folder, 'bucket', 'gc', '--keep', '1', '--state', 'state').status).toBe(0)
    expect(undo(folder, runs[0] ?? '', '--dry-run').stderr).toContain(
      'file[/f] is not taken back: what was there before is not in the bucket any more',
    )
  })
  test('of one resource leaves the others', () => {
    const folder = hostBefore()
    const run = apply(folder)
    expect(undo(folder, run, 'file[/removed]', '--yes').status).toBe(0)
    expect(readFileSync(join(folder, 'tree/removed'), 'utf8')).toBe('by hand\n')
    expect(readFileSync(join(folder, 'tree/edited'), 'utf8')).toBe('new')
    const { status, stderr } = undo(folder, run, 'file[/remove]', '--yes')
    expect(status).toBe(1)
    expect(stderr).toContain('did you mean "file[/removed]"?')
  })
  test('makes an edit an edit again, also in the eyes of the next apply', () => {
    const folder = hostBefore()
    apply(folder)
    writeFileSync(join(folder, 'tree/edited'), 'edited\n')
    const run = apply(folder)
    undo(folder, run, '--yes')
    expect(readFileSync(join(folder, 'tree/edited'), 'utf8')).toBe('edited\n')
    const { stdout } = steward(folder, 'apply', 'main', '--dry-run', ...inTree)
    expect(stdout).toContain('(edited here)')
  })
  test('makes a mode that somebody gave an edit again, and one that steward gave its own', () => {
    const folder = folderWith({ 'm/main.yaml': '' })
    mkdirSync(join(folder, 'tree'))
    const path = join(folder, 'tree/f')
    const modeOf = () => statSync(path).mode & 0o7777
    const version = (mode: string) => {
      const text = `class: main\nresources:\n  - file: /f\n    content: same\n    mode: "${mode}"\n`
      writeFileSync(join(folder, 'm/main.yaml'), text)
    }
    const kept = () => steward(folder, 'apply', 'main', '--yes', '--local-edits', 'keep', ...inTree)
    version('0644')
    apply(folder)
    chmodSync(path, 0o600)
    const overwritten = apply(folder)
    expect(modeOf()).toBe(0o644)
    expect(undo(folder, overwritten, '--yes').status).toBe(0)
    expect(modeOf()).toBe(0o600)
    kept()
    expect(modeOf()).toBe(0o600)
    expect(undo(folder, lastRun(folder), '--yes').status).toBe(0)
    chmodSync(path, 0o644)
    version('0640')
    const changed = apply(folder)
    expect(undo(folder, changed, '--yes').status).toBe(0)
    expect(modeOf()).toBe(0o644)
    kept()
    expect(modeOf()).toBe(0o640)
  })
  test("makes a link steward's own again, or nobody's", () => {
    const folder = folderWith({ 'tree/a': 'a', 'm/main.yaml': '' })
    const path = join(folder, 'tree/link')
    const version = (more: string) =>
      writeFileSync(
        join(folder, 'm/main.yaml'),
        `class: main\nresources:\n  - file: /link\n    ${more}\n`,
      )
    const preview = () => steward(folder, 'apply', 'main', '--dry-run', ...inTree).stdout
    symlinkSync('a', path)
    version('content: now a file')
    expect(preview()).toContain('here before steward')
    expect(undo(folder, apply(folder), '--yes').status).toBe(0)
    expect(preview()).toContain('here before steward')
    version('target: a')
    apply(folder)
    version('content: now a file')
    expect(undo(folder, apply(folder), '--yes').status).toBe(0)
    expect(readlinkSync(path)).toBe('a')
    expect(preview()).not.toContain('here before steward')
  })
  test('of the last run is that of the newest that changed something', () => {
    const folder = hostBefore()
    const old = treeOf(folder)
    const run = apply(folder)
    apply(folder)
    const shown = steward(folder, 'runs', 'show', 'last', '--state', 'state', '--json')
    expect(JSON.parse(shown.stdout)).toMatchObject({ id: run })
    const preview = undo(folder, 'last', '--dry-run').stdout
    expect(preview).toMatch(
      new RegExp(
        `^Taking back run ${run} \\(steward apply main --yes .*, \\d{4}-\\d\\d-\\d\\d .* UTC\\)\n\n`,
      ),
    )
    const { status, stdout } = undo(folder, 'last', '--yes')
    expect([status, stdout]).toEqual([0, expect.stringContaining(`\nUndoing run ${run}: `)])
    expect(treeOf(folder)).toEqual(old)
    const undone = lastRun(folder)
    expect(undo(folder, 'last', '--dry-run').stdout).toMatch(
      new RegExp(
        `^Taking back run ${undone} \\(steward undo ${run}, .*\\)\nrun ${undone} is an undo; this makes its changes again\n`,
      ),
    )
    const listed = steward(folder, 'runs', '--state', 'state').stdout
    expect(listed.split('\n').find((line) => line.startsWith(undone))).toContain(` undo ${run} `)
  })
  test('of a run of a procedure refreshes who reads what is put back, of the classes that zulip.conf lists', () => {
    const log = (folder: string) => readFileSync(join(folder, 'log'), 'utf8')
    const folder = folderWith({ 'zulip.conf': '[machine]\npuppet_classes = main\n' })
    mkdirSync(join(folder, 'm'))
    writeFileSync(
      join(folder, 'm/main.yaml'),
      `class: main
resources:
  - file: ${folder}/kept
    content: x
  - exec: told
    command: [/bin/sh, -c, "echo told >> ${folder}/log"]
    refreshonly: true
    subscribe: { file: ${folder}/x }
  - file: ${folder}/x
    mode: "0644"
`,
    )
    writeFileSync(
      join(folder, 'm/work.yaml'),
      `class: work\nsteps:\n  - file: ${folder}/x\n    content: new\n`,
    )
    writeFileSync(join(folder, 'x'), 'old')
    const args = ['--state', 'state', '--manifests', 'm']
    const conf = ['--config', join(folder, 'zulip.conf')]
    expect(steward(folder, 'apply', 'work', '--yes', ...args, ...conf).status).toBe(0)
    const run = lastRun(folder)
    expect(steward(folder, 'undo', run, '--yes', ...args, ...conf)).toMatchObject({
      status: 0,
      stderr: '',
    })
    expect(readFileSync(join(folder, 'x'), 'utf8')).toBe('old')
    expect(log(folder)).toBe('told\n')
    const { stderr } = steward(folder, 'undo', run, '--dry-run', ...args, '--config', 'none')
    expect(stderr).toMatch(
      /^warning: services are not restarted by this, for the classes of this host can't be compiled now: there is no none, which --config names \[not-undone\]; restart those that read what is put back: systemctl restart SERVICE$/m,
    )
  })
  test('of a procedure that was cut off is refused until that is ended', () => {
    const folder = hostBefore()
    writeFileSync(
      join(folder, 'm/work.yaml'),
      'class: work\nsteps:\n  - file: /edited\n    content: worked\n',
    )
    expect(steward(folder, 'apply', 'work', '--yes', ...inTree).status).toBe(0)
    const run = lastRun(folder)
    const store = Store.open(join(folder, 'state'))
    const cutOff = store.runs.start({ command: ['apply', 'work', '--yes'], classes: ['work'] })
    store.procedures.save({ run: cutOff, name: 'work', arguments: {}, state: 'open', progress: {} })
    store.runs.intend(cutOff, 'file[/edited]', 'change')
    store.close()
    const refused = undo(folder, 'last', '--yes')
    expect(refused.status).toBe(1)
    expect(refused.stdout).toBe(
      `notice       run ${cutOff} (steward apply work --yes) was cut off\n`,
    )
    expect(refused.stderr).toBe(
      `error: run ${cutOff} is an unfinished work [blocked]; end it first with: steward apply work --yes --abandon\n`,
    )
    expect(readFileSync(join(folder, 'tree/edited'), 'utf8')).toBe('worked')
    // An earlier run of the same procedure is whole.
    expect(undo(folder, run, '--dry-run').status).toBe(0)
  })
  test('gives the base back to a file that has its old content already', () => {
    const folder = folderWith({ 'm/main.yaml': '' })
    const version = (content: string) => {
      const text = `class: main\nresources:\n  - file: /f\n    content: ${JSON.stringify(content)}\n`
      writeFileSync(join(folder, 'm/main.yaml'), text)
    }
    mkdirSync(join(folder, 'tree'))
    version('1\n2\n3\n4\n5\n')
    apply(folder)
    version('one\n2\n3\n4\n5\n')
    const run = apply(folder)
    writeFileSync(join(folder, 'tree/f'), '1\n2\n3\n4\n5\n')
    expect(undo(folder, run, '--yes').stdout).toMatch(/^Nothing to do/m)
    const { stdout } = steward(folder, 'apply', 'main', '--yes', '--local-edits', 'fail', ...inTree)
    expect(stdout).toContain('1 changed')
  })
  test('puts back just what was kept, whatever was adopted since', () => {
    const folder = folderWith({
      'tree/etc/zulip/zulip.conf': '[machine]\npuppet_classes = main\n',
      'm/main.yaml': '',
    })
    const path = join(folder, 'tree/f')
    const versions = ['1\n2\n3\n4\n', 'one\n2\n3\n4\n'] as const
    const runs = versions.map((version) => {
      const text = `class: main\nresources:\n  - file: /f\n    content: ${JSON.stringify(version)}\n`
      writeFileSync(join(folder, 'm/main.yaml'), text)
      return apply(folder)
    })
    const merged = versions[1].replace('4', 'mine')
    writeFileSync(path, merged)
    expect(steward(folder, 'local', 'adopt', '/f', ...inTree).status).toBe(0)
    expect(undo(folder, runs[1] ?? '', '--yes').status).toBe(0)
    expect(readFileSync(path, 'utf8')).toBe(versions[0])
    const { stdout } = steward(folder, 'apply', 'main', '--yes', '--local-edits', 'fail', ...inTree)
    expect(stdout).toContain('1 changed')
    expect(readFileSync(path, 'utf8')).toBe(merged)
  })
  test('keeps a directory in which there is something new, and says so', () => {
    const folder = hostBefore()
    const run = apply(folder)
    writeFileSync(join(folder, 'tree/made/deep/mine'), 'mine\n')
    const { status, stderr } = undo(folder, run, '--yes')
    expect(status).toBe(0)
    expect(stderr).toContain('/made/deep holds what the run did not make: /made/deep/mine')
    expect(existsSync(join(folder, 'tree/made/deep/mine'))).toBe(true)
    expect(existsSync(join(folder, 'tree/made/deep/file'))).toBe(false)
  })
  test('names a file first that was edited since', () => {
    const folder = hostBefore()
    const run = apply(folder)
    writeFileSync(join(folder, 'tree/edited'), 'edited since\n')
    const { stdout } = undo(folder, run, '--dry-run')
    expect(stdout).toMatch(/^What was changed here and is overwritten:\n {2}~ file\[\/edited\]/m)
  })
  test('works where the manifests do not', () => {
    const folder = hostBefore()
    const old = treeOf(folder)
    const run = apply(folder)
    writeFileSync(join(folder, 'm/main.yaml'), 'class: main\nresources: 7\n')
    const { status, stderr } = undo(folder, run, '--yes')
    expect(status).toBe(0)
    expect(stderr).toContain(
      "services are not restarted by this, for the classes of the run can't be compiled now",
    )
    expect(stderr).toContain('restart those that read what is put back: systemctl restart SERVICE')
    expect(treeOf(folder)).toEqual(old)
  })
  test('shows nothing of what is secret', () => {
    const folder = folderWith({
      'tree/f': 'oldSecretOfThisFile\n',
      'tree/etc/zulip/zulip-secrets.conf': '[secrets]\nword = newSecretOfThisFile\n',
      'm/main.yaml':
        'class: main\nparameters:\n  word: { type: string, from: secrets.word }\nresources:\n  - file: /f\n    content: "${{ word }}\\n"\n',
    })
    chmodSync(join(folder, 'tree/etc/zulip/zulip-secrets.conf'), 0o600)
    const run = apply(folder)
    const { stdout, stderr } = undo(folder, run, '--yes')
    expect(readFileSync(join(folder, 'tree/f'), 'utf8')).toBe('oldSecretOfThisFile\n')
    expect(stdout + stderr).not.toMatch(/SecretOfThisFile/)
  })
  test('tells what it does not take back', () => {
    const folder = folderWith({})
    writeFileSync(
      join(folder, 'main.yaml'),
      `class: main
resources:
  - file: ${folder}/x
    content: x
    notify: { exec: told }
  - exec: told
    command: [/bin/sh, -c, "cat ${folder}/x >> ${folder}/log || echo none >> ${folder}/log"]
    refreshonly: true
  - exec: once
    command: [/bin/touch, ${folder}/once]
    creates: ${folder}/once
`,
    )
    mkdirSync(join(folder, 'm'))
    writeFileSync(join(folder, 'm/main.yaml'), readFileSync(join(folder, 'main.yaml')))
    const args = ['--state', 'state', '--manifests', 'm']
    expect(steward(folder, 'apply', 'main', '--yes', ...args).status).toBe(0)
    const { status, stderr } = steward(folder, 'undo', lastRun(folder), '--yes', ...args)
    expect(status).toBe(0)
    expect(stderr).toContain('exec[once] is not taken back')
    expect(existsSync(join(folder, 'x'))).toBe(false)
    // Whoever listened to the change hears of its end too.
    expect(readFileSync(join(folder, 'log'), 'utf8')).toBe('xnone\n')
  })
  test('of a run that is not on record is refused', () => {
    const folder = hostBefore()
    expect(undo(folder, 'none', '--yes').stderr).toContain('there is no run none')
    expect(undo(folder, 'none', '--dry-run').status).toBe(1)
  })
  describe('of a run that was cut off', () => {
    /** A run that meant to make these, and was killed before it had more on record. */
    const cutOff = (folder: string, ...meant: string[]) => {
      const store = Store.open(join(folder, 'state'))
      const run = store.runs.start({ command: ['apply'], classes: ['main'] })
      for (const ref of meant) store.runs.intend(run, ref, 'create')
      store.close()
      return run
    }
    const there = (folder: string, path: string) => existsSync(join(folder, 'tree', path))
    test('takes back what is just as it meant to make it, and names what else it may have changed', () => {
      const folder = hostBefore()
      const paths = ['/made', '/made/deep', '/made/deep/file']
      const run = cutOff(folder, ...paths.map((path) => `file[${path}]`), 'user[u]')
      const store = Store.open(join(folder, 'state'))
      store.runs.intend(run, 'file[/edited]', 'change')
      store.close()
      mkdirSync(join(folder, 'tree/made/deep'), { recursive: true })
      writeFileSync(join(folder, 'tree/made/deep/file'), 'new')
      const { status, stderr } = undo(folder, run, '--yes')
      expect(status).toBe(0)
      expect(stderr).toContain('user[u], file[/edited] are not taken back: the run was cut off')
      expect(stderr).not.toContain('/made')
      expect(there(folder, 'made')).toBe(false)
    })
    test('leaves what somebody wrote by hand where it did not come to', () => {
      const folder = hostBefore()
      cutOff(folder, 'file[/made]', 'file[/made/deep]', 'file[/made/deep/file]')
      mkdirSync(join(folder, 'tree/made/deep'), { recursive: true })
      writeFileSync(join(folder, 'tree/made/deep/file'), 'by hand')
      const { status, stderr } = undo(folder, 'last', '--yes')
      expect(status).toBe(0)
      expect(stderr).toContain('file[/made/deep/file] is not taken back: the run was cut off')
      expect(readFileSync(join(folder, 'tree/made/deep/file'), 'utf8')).toBe('by hand')
    })
    test('leaves what a later run made, changed or found as declared', () => {
      const folder = hostBefore()
      const paths = ['/edited', '/link', '/made', '/made/deep', '/made/deep/file']
      const run = cutOff(folder, ...paths.map((path) => `file[${path}]`))
      // Something else brings these meanwhile.
      mkdirSync(join(folder, 'tree/made/deep'), { recursive: true })
      writeFileSync(join(folder, 'tree/made/deep/file'), 'new')
      rmSync(join(folder, 'tree/link'))
      symlinkSync('edited', join(folder, 'tree/link'))
      apply(folder)
      const applied = treeOf(folder)
      const { status, stdout, stderr } = undo(folder, run, '--yes')
      expect([status, stdout]).toEqual([0, expect.stringContaining('\nNothing to do')])
      for (const path of paths) expect(stderr).toContain(`file[${path}]`)
      expect(treeOf(folder)).toEqual(applied)
    })
    test('says nothing of what a later run made', () => {
      const folder = hostBefore()
      const run = cutOff(folder, 'file[/made/deep/file]')
      apply(folder)
      const { stdout, stderr } = undo(folder, run, '--yes')
      expect([stdout, stderr]).toEqual([expect.stringContaining('\nNothing to do'), ''])
      expect(there(folder, 'made/deep/file')).toBe(true)
    })
  })
})
