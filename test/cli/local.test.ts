import {
  chmodSync,
  existsSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Store } from '../../engine/record/store.ts'
import { folderWith, steward } from './steward.ts'

const inTree = ['--root', 'tree', '--state', 'state', '--manifests', 'm']
const one = 'first\nsecond\nthird\nfourth\nfifth\n'
const two = one.replace('fifth', 'FIFTH')
const three = two.replace('third', 'THIRD')
const edited = one.replace('first', 'mine')
const conf = '[machine]\npuppet_classes = main\n'

/** A tree that zulip.conf makes `main` of, where its file went in as version one and was edited then. */
function withEdit(text = edited) {
  const folder = folderWith({ 'tree/etc/zulip/zulip.conf': conf, 'm/main.yaml': '', 'tree/x': '' })
  apply(folder, one)
  writeFileSync(join(folder, 'tree/f'), text)
  return folder
}
function apply(folder: string, content: string, ...more: readonly string[]) {
  const text = `class: main\nresources:\n  - file: /f\n    content: ${JSON.stringify(content)}\n`
  writeFileSync(join(folder, 'm/main.yaml'), text)
  return steward(folder, 'apply', '--yes', ...more, ...inTree)
}
const local = (folder: string, ...args: readonly string[]) =>
  steward(folder, 'local', ...args, ...inTree)
const file = (folder: string) => readFileSync(join(folder, 'tree/f'), 'utf8')

describe('local', () => {
  test('lists what was edited, and tells it from the new version', () => {
    const folder = withEdit()
    expect(local(folder, 'list').stdout).toBe('FILE  WHAT\n/f    edited here\n')
    expect(apply(folder, two, '--local-edits', 'keep').stdout).toMatch(
      /Nothing to do: 0 resources are in sync, 1 kept as edited here\. /,
    )
    expect(local(folder, 'list').stdout).toContain('edited here, and has a new version')
    const more = `${readFileSync(join(folder, 'm/main.yaml'), 'utf8')}  - file: /new\n    content: x\n`
    writeFileSync(join(folder, 'm/main.yaml'), more)
    const done = steward(folder, 'apply', '--yes', '--local-edits', 'keep', ...inTree).stdout
    expect(done).toMatch(/^Plan: 1 to create, .*; 0 in sync, 1 kept as edited here\./m)
    expect(done).toMatch(/^Done: 1 changed, 0 in sync, 1 kept as edited here; /m)
    const { status, stdout } = local(folder, 'diff', '/f')
    expect(status).toBe(1)
    expect(stdout).toMatch(
      /as it is here[\s\S]*-first\n\+mine[\s\S]*its new version[\s\S]*-fifth\n\+FIFTH/,
    )
  })
  test('needs the classes of the host, and names the file that would list them', () => {
    const folder = folderWith({ 'm/main.yaml': 'class: main\n', 'tree/x': '' })
    expect(local(folder, 'list')).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /^error: there is no tree\/etc\/zulip\/zulip\.conf, which lists the classes of this host .* name another with --config, or run: steward conf add machine\.puppet_classes zulip::voyager\n$/,
      ),
    })
    expect(local(folder, 'list', '--config', 'other.conf').stderr).toMatch(
      /^error: there is no other\.conf, which --config names/,
    )
    const apply = steward(folder, 'apply', '--yes', ...inTree)
    expect(apply.stderr).toMatch(
      /there is no tree\/etc\/zulip\/zulip\.conf, and no class was named/,
    )
  })
  test('tells an edit of what was as it is to be, also below directories and behind links', () => {
    const folder = folderWith({
      'tree/etc/zulip/zulip.conf': conf,
      'm/files/d/below/f': one,
      'm/files/d/own': one,
      'm/main.yaml': `class: main
resources:
  - { file: /d, ensure: directory, recurse: true, source: d }
  - { file: /d/own, content: own }
  - { file: /link, links: follow, source: d/own }
`,
      'tree/d/below/f': one,
      'tree/d/own': 'own',
      'tree/real': one,
    })
    symlinkSync('real', join(folder, 'tree/link'))
    expect(steward(folder, 'apply', '--yes', ...inTree).stdout).toMatch(/^Nothing to do/)
    for (const path of ['d/below/f', 'd/own', 'real'])
      writeFileSync(join(folder, 'tree', path), edited)
    expect(local(folder, 'list').stdout).toBe(
      'FILE        WHAT\n/d/below/f  edited here\n/d/own      edited here\n/real       edited here\n',
    )
  })
  test('says so where nothing was', () => {
    const folder = withEdit(one)
    expect(local(folder, 'list')).toMatchObject({
      status: 0,
      stdout: 'No file that steward manages was changed here.\n',
    })
    expect(local(folder, 'diff', '/f').stderr).toContain('steward local list shows those that were')
  })
})

describe('an edit that is adopted', () => {
  test('is in every later version, whatever becomes of other edits', () => {
    const folder = withEdit()
    expect(local(folder, 'adopt', '/f')).toMatchObject({ status: 0, stderr: '' })
    expect(apply(folder, one).stdout).toMatch(/^Nothing to do/)
    for (const version of [two, three]) {
      const { status, stdout } = apply(folder, version)
      expect(status).toBe(0)
      expect(stdout).not.toContain('changed here')
      expect(file(folder)).toBe(version.replace('first', 'mine'))
    }
    expect(local(folder, 'list').stdout).toContain('adopted')
    writeFileSync(join(folder, 'tree/f'), 'all gone\n')
    apply(folder, three)
    expect(file(folder)).toBe(three.replace('first', 'mine'))
  })
  test('can be read, by root, and is not read back', () => {
    const folder = withEdit()
    local(folder, 'adopt', '/f')
    const readable = join(folder, 'tree/etc/steward/local/f.patch')
    expect(readFileSync(readable, 'utf8')).toContain('-first\n+mine')
    expect(statSync(readable).mode & 0o777).toBe(0o600)
    writeFileSync(readable, 'nonsense')
    expect(apply(folder, two).status).toBe(0)
    expect(file(folder)).toBe(two.replace('first', 'mine'))
  })
  test('takes further ones on top', () => {
    const folder = withEdit()
    local(folder, 'adopt', '/f')
    apply(folder, two)
    writeFileSync(join(folder, 'tree/f'), file(folder).replace('second', 'mine too'))
    local(folder, 'adopt', '/f')
    const next = two.replace('FIFTH', 'five')
    apply(folder, next)
    expect(file(folder)).toBe(next.replace('first', 'mine').replace('second', 'mine too'))
  })
  test('that contradicts a new version fails that file alone, and is told with the way out', () => {
    const folder = withEdit()
    local(folder, 'adopt', '/f')
    const { status, stdout } = apply(folder, one.replace('first', 'eerste'), '--detailed-exitcodes')
    expect(status).toBe(12)
    expect(stdout).toContain('both changed line 1')
    expect(stdout).toContain('steward local drop /f')
    expect(file(folder)).toBe(edited)
  })
  test('is of the content alone: a mode of its own stays an edit', () => {
    const folder = withEdit()
    chmodSync(join(folder, 'tree/f'), 0o600)
    local(folder, 'adopt', '/f')
    const text = `class: main\nresources:\n  - file: /f\n    mode: "0644"\n    content: ${JSON.stringify(one)}\n`
    writeFileSync(join(folder, 'm/main.yaml'), text)
    const { stdout } = steward(folder, 'apply', '--yes', '--local-edits', 'keep', ...inTree)
    expect(stdout).toContain('given another mode here')
    expect(statSync(join(folder, 'tree/f')).mode & 0o777).toBe(0o600)
  })
  test('holds in the files of types that keep one of their own', () => {
    const folder = folderWith({
      'tree/etc/zulip/zulip.conf': conf,
      'tree/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n',
      'tree/etc/cron.d/x': '',
      'tree/etc/sysctl.d/x': '',
      'm/main.yaml': `class: main
resources:
  - { cron: job, schedule: '1 2 * * *', command: run, environment: { A: a, B: b } }
  - { sysctl: vm.swappiness, value: 1 }
`,
    })
    const run = () => steward(folder, 'apply', '--yes', ...inTree)
    expect(run().status).toBe(0)
    const paths = ['/etc/cron.d/job', '/etc/sysctl.d/60-vm.swappiness.conf'] as const
    const [job, setting] = paths.map((path) => join(folder, 'tree', path)) as [string, string]
    for (const path of [job, setting])
      writeFileSync(path, `${readFileSync(path, 'utf8')}# edited\n`)
    expect(local(folder, 'adopt', ...paths).status).toBe(0)
    expect(run().stdout).toMatch(/^Nothing to do/)
    const manifest = join(folder, 'm/main.yaml')
    const next = readFileSync(manifest, 'utf8')
      .replace('A: a', 'A: c')
      .replace('value: 1', 'value: 2')
    writeFileSync(manifest, next)
    expect(run().status).toBe(0)
    expect(readFileSync(job, 'utf8')).toMatch(/A=c[\s\S]*# edited\n$/)
    expect(readFileSync(setting, 'utf8')).toMatch(/= 2\n# edited\n$/)
    expect(run().stdout).toMatch(/^Nothing to do/)
  })
  test('holds below a directory that recurses', () => {
    const folder = folderWith({
      'tree/etc/zulip/zulip.conf': conf,
      'm/files/d/below/f': one,
      'm/main.yaml':
        'class: main\nresources:\n  - { file: /d, ensure: directory, recurse: true, source: d }\n',
    })
    const run = () => steward(folder, 'apply', '--yes', ...inTree)
    const at = join(folder, 'tree/d/below/f')
    run()
    writeFileSync(at, edited)
    expect(local(folder, 'adopt', '/d/below/f').status).toBe(0)
    expect(run().stdout).toMatch(/^Nothing to do/)
    writeFileSync(join(folder, 'm/files/d/below/f'), two)
    run()
    expect(readFileSync(at, 'utf8')).toBe(two.replace('first', 'mine'))
    writeFileSync(join(folder, 'm/files/d/below/f'), one.replace('first', 'eerste'))
    const { status, stdout } = run()
    expect(status).toBe(4)
    expect(stdout).toContain('steward local drop /d/below/f')
    expect(readFileSync(at, 'utf8')).toBe(two.replace('first', 'mine'))
  })
  test('holds where a link leads, by both names', () => {
    const folder = folderWith({ 'tree/etc/zulip/zulip.conf': conf, 'tree/real': two, 'm/x': '' })
    symlinkSync('real', join(folder, 'tree/link'))
    const run = (content: string) => {
      const text = `class: main\nresources:\n  - file: /link\n    links: follow\n    content: ${JSON.stringify(content)}\n`
      writeFileSync(join(folder, 'm/main.yaml'), text)
      return steward(folder, 'apply', '--yes', ...inTree)
    }
    const real = join(folder, 'tree/real')
    run(one)
    for (const name of ['/link', '/real']) {
      writeFileSync(real, edited)
      expect(local(folder, 'list').stdout).toMatch(/^FILE +WHAT\n\/real +edited here\n/)
      expect(local(folder, 'adopt', name).status).toBe(0)
      expect(run(one).stdout).toMatch(/^Nothing to do/)
      expect(local(folder, 'drop', name).status).toBe(0)
      writeFileSync(real, edited)
      // What the summary names is what the bucket has.
      expect(run(one).stdout).toContain('steward bucket restore /real --root tree ')
      expect(steward(folder, 'bucket', 'show', '/real', ...inTree.slice(0, 4)).stdout).toBe(edited)
    }
  })
  test('leaves the version that went in last as the base where it is given up', () => {
    const folder = withEdit()
    local(folder, 'adopt', '/f')
    apply(folder, two)
    writeFileSync(join(folder, 'tree/f'), file(folder).replace('second', 'mine too'))
    local(folder, 'adopt', '/f')
    local(folder, 'drop', '/f')
    const base = Store.reading(join(folder, 'state'), (store) => {
      const row = store.files.find('/f')
      return store.contents.get(row?.base ?? '')?.toString()
    })
    expect(base).toBe(two)
    const next = two.replace('FIFTH', 'five')
    expect(apply(folder, next, '--local-edits', 'merge').status).toBe(0)
    expect(file(folder)).toBe(next.replace('first', 'mine').replace('second', 'mine too'))
  })
  test('that is given up is an edit like any other', () => {
    const folder = withEdit()
    local(folder, 'adopt', '/f')
    apply(folder, two)
    expect(local(folder, 'drop', '/f').status).toBe(0)
    expect(existsSync(join(folder, 'tree/etc/steward/local/f.patch'))).toBe(false)
    expect(steward(folder, 'apply', '--dry-run', ...inTree).stdout).toContain('edited here')
    apply(folder, two)
    expect(file(folder)).toBe(two)
    expect(local(folder, 'drop', '/f').stderr).toContain('nothing was adopted of /f')
  })
})

test('a file that was deleted here, and has a new version, can be settled as deleted', () => {
  const folder = withEdit()
  rmSync(join(folder, 'tree/f'))
  expect(apply(folder, two, '--local-edits', 'merge').status).toBe(4)
  expect(local(folder, 'resolve', '/f')).toMatchObject({ status: 0, stderr: '' })
  const { status, stdout } = apply(folder, two, '--local-edits', 'merge')
  expect([status, stdout]).toEqual([0, expect.stringContaining('Nothing to do')])
  expect(existsSync(join(folder, 'tree/f'))).toBe(false)
})

test('a conflict that was settled by hand is none any more', () => {
  const folder = withEdit()
  const wanted = one.replace('first', 'eerste')
  expect(apply(folder, wanted, '--local-edits', 'merge').status).toBe(4)
  writeFileSync(join(folder, 'tree/f'), one.replace('first', 'mine and eerste'))
  expect(local(folder, 'resolve', '/f')).toMatchObject({
    status: 0,
    stdout:
      '/f counts as holding its new version; keep and merge leave it so, overwrite does not\n',
  })
  expect(apply(folder, wanted, '--local-edits', 'merge').status).toBe(0)
  const next = wanted.replace('fifth', 'FIFTH')
  apply(folder, next, '--local-edits', 'merge')
  expect(file(folder)).toBe(next.replace('eerste', 'mine and eerste'))
})
