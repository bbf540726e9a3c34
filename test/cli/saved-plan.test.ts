import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Store } from '../../engine/record/store.ts'
import { folderWith, steward } from './steward.ts'

const inTree = ['--root', 'tree', '--state', 'state', '--manifests', 'm']
const manifest = (a: string, more = '') =>
  `class: main
parameters:
  word: { type: string, from: secrets.word }
resources:
  - file: /a
    content: "${a}"
  - file: /b
    content: b
  - file: /secret
    content: "\${{ word }}"
${more}`

/** A tree with a plan for it in plan.json. */
function planned() {
  const folder = folderWith({
    'tree/a': 'before\n',
    'tree/etc/zulip/zulip-secrets.conf': '[secrets]\nword = aVerySecretWordOfThis\n',
    'tree/etc/zulip/zulip.conf': '[machine]\npuppet_classes = main\n',
    'm/main.yaml': manifest('new'),
  })
  chmodSync(join(folder, 'tree/etc/zulip/zulip-secrets.conf'), 0o600)
  const made = steward(folder, 'apply', '--dry-run', '--out', 'plan.json', ...inTree)
  expect(made.status).toBe(0)
  return { folder, made }
}
const applyPlan = (folder: string) =>
  steward(folder, 'apply', '--plan', 'plan.json', '--yes', ...inTree)
const read = (folder: string, name: string) => {
  const path = join(folder, 'tree', name)
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

describe('a plan that is saved', () => {
  test('is applied as it is, where nothing has changed since', () => {
    const { folder } = planned()
    expect(applyPlan(folder)).toMatchObject({ status: 0, stderr: '' })
    expect([read(folder, 'a'), read(folder, 'b')]).toEqual(['new', 'b'])
  })
  test('can be looked at, holds no secret, and is for its owner alone', () => {
    const { folder, made } = planned()
    const shown = steward(folder, 'show', 'plan.json')
    expect(shown.status).toBe(0)
    expect(shown.stdout).toContain(made.stdout.trim().split('\n').at(-1))
    const file = join(folder, 'plan.json')
    expect(readFileSync(file, 'utf8')).not.toContain('aVerySecretWord')
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })
  test('is for its owner alone also in place of a file that others could read', () => {
    const { folder } = planned()
    chmodSync(join(folder, 'plan.json'), 0o644)
    steward(folder, 'apply', '--dry-run', '--out', 'plan.json', ...inTree)
    expect(statSync(join(folder, 'plan.json')).mode & 0o777).toBe(0o600)
    expect(applyPlan(folder).status).toBe(0)
  })
  test('is neither shown nor applied where somebody has changed it', () => {
    const { folder } = planned()
    const file = join(folder, 'plan.json')
    writeFileSync(file, readFileSync(file, 'utf8').replace('"/b"', '"/other"'))
    for (const ran of [applyPlan(folder), steward(folder, 'show', 'plan.json')])
      expect(ran).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('plan.json was changed since steward saved it'),
      })
    expect(read(folder, 'a')).toBe('before\n')
  })
  test('is refused for a file that was changed since, and applied to the others', () => {
    const { folder } = planned()
    writeFileSync(join(folder, 'tree/a'), 'edited since\n')
    const { status, stdout, stderr } = applyPlan(folder)
    expect(status).toBe(4)
    expect(stderr).toBe('')
    expect(stdout).toContain('1 blocked')
    expect(stdout).toMatch(/failed +file\[\/a\]/)
    expect(stdout).toContain('what is there of file[/a] has changed since the plan')
    expect([read(folder, 'a'), read(folder, 'b')]).toEqual(['edited since\n', 'b'])
  })
  test('is refused for a file that was made since though the plan makes it', () => {
    const { folder } = planned()
    writeFileSync(join(folder, 'tree/b'), 'mine\n')
    expect(applyPlan(folder).status).toBe(4)
    expect([read(folder, 'a'), read(folder, 'b')]).toEqual(['new', 'mine\n'])
  })
  test('is refused for what the manifests or the data want otherwise now, or want besides', () => {
    const { folder } = planned()
    writeFileSync(join(folder, 'm/main.yaml'), manifest('newer', '  - file: /c\n    content: c\n'))
    const secrets = join(folder, 'tree/etc/zulip/zulip-secrets.conf')
    writeFileSync(secrets, '[secrets]\nword = anotherSecretWord\n')
    const { status, stdout, stderr } = applyPlan(folder)
    expect(status).toBe(4)
    for (const ref of ['file[/a]', 'file[/secret]'])
      expect(stdout).toContain(`what manifests, zulip.conf and facts want of ${ref} has changed`)
    expect(stdout).toContain('file[/c] was no part of the plan')
    expect(stdout + stderr).not.toMatch(/SecretWord/)
    expect([read(folder, 'a'), read(folder, 'b'), read(folder, 'c')]).toEqual([
      'before\n',
      'b',
      undefined,
    ])
  })
  test('is applied though a secret is made anew by each run, until somebody gives one', () => {
    const folder = folderWith({
      'tree/etc/zulip/zulip.conf': '[machine]\npuppet_classes = main\n',
      'm/main.yaml': `class: main
parameters:
  word: { type: string, from: secrets.word, generate: { as: hex, length: 24 } }
resources:
  - file: /etc/zulip/zulip-secrets.conf
    ensure: present
  - ini_setting: word
    path: /etc/zulip/zulip-secrets.conf
    section: secrets
    setting: word
    value: "\${{ word }}"
  - file: /told
    content: "the word is \${{ word }}"
`,
    })
    const made = steward(folder, 'apply', '--dry-run', '--out', 'plan.json', ...inTree)
    expect(made.stdout).toMatch(/ini_setting\[word\] +value \(known after apply\)/)
    expect(applyPlan(folder)).toMatchObject({ status: 0, stderr: '' })
    const word = /word = (\w{24})/.exec(read(folder, 'etc/zulip/zulip-secrets.conf') ?? '')?.[1]
    expect(read(folder, 'told')).toBe(`the word is ${word}`)
    expect(steward(folder, 'apply', '--dry-run', ...inTree).stdout).toContain('Nothing to do')

    rmSync(join(folder, 'tree/told'))
    rmSync(join(folder, 'tree/etc/zulip/zulip-secrets.conf'))
    steward(folder, 'apply', '--dry-run', '--out', 'plan.json', ...inTree)
    writeFileSync(
      join(folder, 'tree/etc/zulip/zulip-secrets.conf'),
      '[secrets]\nword = aWordThatWasGivenSince\n',
      { mode: 0o600 },
    )
    expect(applyPlan(folder).stdout).toContain('want of file[/told] has changed since the plan')
  })
  test('names what is not declared any more', () => {
    const { folder } = planned()
    const text = readFileSync(join(folder, 'm/main.yaml'), 'utf8')
    writeFileSync(join(folder, 'm/main.yaml'), text.replace('  - file: /b\n    content: b\n', ''))
    expect(applyPlan(folder).stderr).toContain('file[/b] was planned, and is not declared any more')
    expect(read(folder, 'b')).toBeUndefined()
  })
  test('that is none, or is used the wrong way, is refused before anything is touched', () => {
    const { folder } = planned()
    writeFileSync(join(folder, 'plan.json'), '{"format": "another"}')
    expect(applyPlan(folder)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('plan.json is no plan that steward saved'),
    })
    for (const args of [
      ['apply', '--out', 'x', '--yes'],
      ['apply', '--plan', 'plan.json', '--dry-run'],
    ])
      expect(steward(folder, ...args, ...inTree)).toMatchObject({ status: 1, stdout: '' })
    expect(read(folder, 'a')).toBe('before\n')
  })
})

describe('what a plan that is saved is of', () => {
  test('is what was named then, without naming it again, and nothing else can be named', () => {
    const { folder } = planned()
    steward(folder, 'apply', '--dry-run', '--only', 'file[/b]', '--out', 'plan.json', ...inTree)
    for (const other of [['other'], ['--only', 'file[/a]'], ['--tags', 'x']])
      expect(
        steward(folder, 'apply', ...other, '--plan', 'plan.json', '--yes', ...inTree),
      ).toMatchObject({ status: 1, stderr: expect.stringContaining('made with other') })
    expect(applyPlan(folder)).toMatchObject({ status: 0, stderr: '' })
    expect([read(folder, 'a'), read(folder, 'b')]).toEqual(['before\n', 'b'])
  })
  test('is the machine that it was made on, and no other', () => {
    const { folder } = planned()
    const id = (text: string) => writeFileSync(join(folder, 'tree/etc/machine-id'), text)
    id('c0ffee00c0ffee00c0ffee00c0ffee00\n')
    steward(folder, 'apply', '--dry-run', '--out', 'plan.json', ...inTree)
    expect(readFileSync(join(folder, 'plan.json'), 'utf8')).not.toContain('c0ffee')
    id('badcafe0badcafe0badcafe0badcafe0\n')
    const { status, stderr } = applyPlan(folder)
    expect(status).toBe(1)
    expect(stderr).toContain('the plan was made on another machine')
    expect(read(folder, 'a')).toBe('before\n')
    id('c0ffee00c0ffee00c0ffee00c0ffee00\n')
    expect(applyPlan(folder)).toMatchObject({ status: 0, stderr: '' })
  })
  test('is applied after another run as far as that did not make things otherwise, and the run is named', () => {
    const { folder } = planned()
    writeFileSync(join(folder, 'm/main.yaml'), manifest('another'))
    steward(folder, 'apply', '--only', 'file[/a]', '--yes', ...inTree)
    writeFileSync(join(folder, 'm/main.yaml'), manifest('new'))
    const { status, stdout, stderr } = applyPlan(folder)
    expect(status).toBe(4)
    expect(stderr).toMatch(/run \S+ came after the plan was made/)
    expect(stdout).toContain('what is there of file[/a] has changed since the plan')
    expect(read(folder, 'b')).toBe('b')
  })
  test('is done where all is as it wants by now, and a second apply of it finds nothing to do', () => {
    const { folder } = planned()
    writeFileSync(join(folder, 'tree/b'), 'b')
    chmodSync(join(folder, 'tree/b'), 0o644)
    expect(applyPlan(folder).status).toBe(0)
    expect(applyPlan(folder)).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('Nothing to do'),
    })
  })
})

describe('a plan of which a part failed', () => {
  /** A machine where the plan's second step fails until `mend`. */
  function halfDone() {
    const folder = folderWith({ 'm/main.yaml': '', a: 'before', 'd/in': 'x' })
    writeFileSync(
      join(folder, 'm/main.yaml'),
      `class: main
resources:
  - file: ${folder}/a
    content: new
    notify: { exec: told }
  - file: ${folder}/conf
    ensure: directory
  - file: ${folder}/conf/c
    content: c
  - exec: fails
    command: [sh, -c, "test -e ${folder}/mended"]
    refreshonly: true
    subscribe: { file: ${folder}/a }
  - exec: late
    command: [touch, ${folder}/late]
    creates: ${folder}/late
    require: { exec: fails }
  - exec: told
    command: [sh, -c, "echo once >> ${folder}/told"]
    refreshonly: true
`,
    )
    const run = (...args: readonly string[]) =>
      steward(folder, 'apply', ...args, '--manifests', 'm', '--state', 'state')
    expect(run('main', '--dry-run', '--out', 'plan.json').status).toBe(0)
    const first = run('--plan', 'plan.json', '--yes')
    const text = (name: string) =>
      existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : undefined
    return { folder, first, text, again: () => run('--plan', 'plan.json', '--yes') }
  }

  test('goes on with the rest when it is applied again, and makes each refresh once', () => {
    const { folder, first, text, again } = halfDone()
    expect(first.status).toBe(4)
    expect(first.stdout).toMatch(/failed +exec\[fails\]/)
    expect([text('a'), text('conf/c'), text('told'), text('late')]).toEqual([
      'new',
      'c',
      'once\n',
      undefined,
    ])
    writeFileSync(join(folder, 'mended'), '')
    const { status, stdout } = again()
    expect(stdout).not.toContain('since the plan')
    expect(status).toBe(0)
    expect([text('late'), text('told')]).toEqual(['', 'once\n'])
  })
  test('is still refused for what somebody changed meanwhile', () => {
    const { folder, text, again } = halfDone()
    writeFileSync(join(folder, 'mended'), '')
    writeFileSync(join(folder, 'a'), 'mine')
    const { status, stdout } = again()
    expect(status).toBe(4)
    expect(stdout).toContain(`what is there of file[${folder}/a] has changed since the plan`)
    expect(text('a')).toBe('mine')
  })
})

describe('a refresh', () => {
  /** A machine with a file and who listens to it, in sync but for another file; with the plan for that. */
  function listening(owes: readonly string[]) {
    const folder = folderWith({ 'm/main.yaml': '', f: 'f', g: 'g' })
    const wanted = (more = '') =>
      writeFileSync(
        join(folder, 'm/main.yaml'),
        `class: main
resources:
  - file: ${folder}/f
    content: f
${more}  - file: ${folder}/g
    content: new
    notify: { exec: told }
  - exec: told
    command: [touch, ${folder}/told]
    refreshonly: true
  - file: ${folder}/h
    content: h
`,
      )
    wanted()
    const owe = (listener: string) => {
      const store = Store.open(join(folder, 'state'))
      const run = store.runs.start({ command: ['apply', '--yes'], classes: ['main'] })
      store.runs.owe({ listener, source: 'file[/x]', by: 'refresh', run })
      store.runs.closeCutOff()
      store.close()
    }
    for (const listener of owes) owe(listener)
    const run = (...args: readonly string[]) =>
      steward(folder, 'apply', ...args, '--manifests', 'm', '--state', 'state')
    expect(run('main', '--dry-run', '--out', 'plan.json').status).toBe(0)
    const isThere = (name: string) => existsSync(join(folder, name))
    return { folder, wanted, owe, run, isThere, applyIt: () => run('--plan', 'plan.json', '--yes') }
  }

  test('that the plan has is made, be it owed by an earlier run or for what changes now', () => {
    const { applyIt, isThere } = listening(['exec[told]'])
    expect(applyIt().status).toBe(0)
    expect([isThere('told'), isThere('h')]).toEqual([true, true])
  })
  test('that a run owes only since the plan is refused, and all else applied', () => {
    const { folder, owe, applyIt, isThere, run } = listening([])
    owe('exec[told]')
    const { status, stdout } = applyIt()
    expect(status).toBe(4)
    expect(stdout).toMatch(
      /since the plan, exec\[told\] is due a refresh for file\[\/x\], which run \S+ still owes/,
    )
    expect([isThere('told'), isThere('h')]).toEqual([false, true])
    expect(readFileSync(join(folder, 'g'), 'utf8')).toBe('new')
    // It stays owed.
    expect(run('main', '--yes').status).toBe(0)
    expect(isThere('told')).toBe(true)
  })
  test('that manifests have somebody else ask for since the plan is refused', () => {
    const { folder, wanted, applyIt, isThere } = listening([])
    writeFileSync(join(folder, 'f'), 'other')
    const more = '    notify: { exec: told }\n'
    steward(
      folder,
      'apply',
      'main',
      '--dry-run',
      '--out',
      'plan.json',
      '--manifests',
      'm',
      '--state',
      'state',
    )
    wanted(more)
    const { status, stdout } = applyIt()
    expect(status).toBe(4)
    expect(stdout).toContain(`since the plan, exec[told] is due a refresh for file[${folder}/f]`)
    expect(isThere('told')).toBe(false)
  })
  test('that was made since the plan is not made again', () => {
    const { folder, applyIt, run } = listening(['exec[told]'])
    run('main', '--yes')
    rmSync(join(folder, 'told'))
    expect(applyIt().status).toBe(0)
    expect(existsSync(join(folder, 'told'))).toBe(false)
  })
  test('that manifests ask for no more, though what asked for it is still to change, is refused', () => {
    const { folder, applyIt, isThere } = listening([])
    const file = join(folder, 'm/main.yaml')
    writeFileSync(file, readFileSync(file, 'utf8').replace('    notify: { exec: told }\n', ''))
    const { status, stdout } = applyIt()
    expect(status).toBe(4)
    expect(stdout).toContain(
      `since the plan, exec[told] is not due a refresh for file[${folder}/g]`,
    )
    expect(isThere('told')).toBe(false)
  })
})
