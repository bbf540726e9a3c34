import { hash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Store } from '../../engine/record/store.ts'
import type { LocalEdits } from '../../engine/resources/type.ts'
import { newPlace, runIn } from './run.ts'
import type { Place } from './trip.ts'

const one = 'first\nsecond\nthird\nfourth\nfifth\n'
const two = one.replace('fifth', 'FIFTH')
const contradicting = one.replace('first', 'eerste')
const edited = one.replace('first', 'mine')

const fileOf = (content: string, more = '') => `class: main
resources:
  - file: /f
    content: ${JSON.stringify(content)}
    mode: "0644"
${more}`

type Given = (path: string) => void
const edit: Given = (path) => writeFileSync(path, edited)
const nothing: Given = () => undefined

/** A root in which steward wrote version one, and then somebody had a hand in. */
async function afterOne(hand: Given): Promise<{ place: Place; path: string }> {
  const place = newPlace()
  await runIn(place, fileOf(one))
  const path = join(place.root, 'f')
  hand(path)
  return { place, path }
}
const read = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined)

describe('a file that somebody had a hand in', () => {
  const link: Given = (path) => {
    rmSync(path)
    symlinkSync('/elsewhere', path)
  }
  test.each<[string, Given, string, Record<LocalEdits, string | undefined>]>([
    ['left alone', nothing, two, { overwrite: two, keep: two, merge: two, fail: two }],
    ['edited', edit, one, { overwrite: one, keep: edited, merge: edited, fail: 'fails' }],
    [
      'edited, with a new version',
      edit,
      two,
      { overwrite: two, keep: edited, merge: edited.replace('fifth', 'FIFTH'), fail: 'fails' },
    ],
    [
      'edited, with a new version of the same line',
      edit,
      contradicting,
      { overwrite: contradicting, keep: edited, merge: 'fails', fail: 'fails' },
    ],
    [
      'edited, to what the new version is',
      (path) => writeFileSync(path, two),
      two,
      { overwrite: two, keep: two, merge: two, fail: two },
    ],
    [
      'deleted',
      (path) => rmSync(path),
      one,
      { overwrite: one, keep: undefined, merge: undefined, fail: 'fails' },
    ],
    [
      'deleted, with a new version',
      (path) => rmSync(path),
      two,
      { overwrite: two, keep: undefined, merge: 'fails', fail: 'fails' },
    ],
    [
      'replaced by a link',
      link,
      one,
      { overwrite: one, keep: undefined, merge: undefined, fail: 'fails' },
    ],
    [
      'replaced by a link, with a new version',
      link,
      two,
      { overwrite: two, keep: undefined, merge: 'fails', fail: 'fails' },
    ],
  ])('%s', async (_what, hand, wanted, results) => {
    for (const policy of ['overwrite', 'keep', 'merge', 'fail'] as const) {
      const { place, path } = await afterOne(hand)
      const before = read(path)
      const { outcomes } = await runIn(place, fileOf(wanted), { localEdits: policy })
      const result = results[policy]
      const [outcome] = outcomes
      if (result === 'fails') {
        expect(outcome, policy).toBe('file[/f] failed')
        expect(read(path), policy).toBe(before)
      } else {
        expect(outcome, policy).not.toContain('failed')
        expect(read(path), policy).toBe(result)
        const again = await runIn(place, fileOf(wanted), { localEdits: policy })
        expect(again.summary, policy).toMatchObject({ changed: 0, failed: 0 })
      }
    }
  })

  test('that was there before steward is overwritten, kept, or fails', async () => {
    for (const [policy, result] of [
      ['overwrite', one],
      ['keep', edited],
      ['merge', 'fails'],
      ['fail', 'fails'],
    ] as const) {
      const place = newPlace()
      const path = join(place.root, 'f')
      writeFileSync(path, edited)
      const { plan, outcomes } = await runIn(place, fileOf(one), { localEdits: policy })
      if (policy === 'overwrite')
        expect(plan.resources[0]?.changes[0]?.edit).toBe('here before steward')
      expect(outcomes[0]?.endsWith('failed'), policy).toBe(result === 'fails')
      expect(read(path), policy).toBe(result === 'fails' ? edited : result)
    }
  })

  test("that its package brought, and nobody touched, is nobody's edit", async () => {
    const place = newPlace()
    writeFileSync(join(place.root, 'f'), edited)
    mkdirSync(join(place.root, 'var/lib/dpkg'), { recursive: true })
    writeFileSync(
      join(place.root, 'var/lib/dpkg/status'),
      `Package: p\nStatus: install ok installed\nConffiles:\n /f ${hash('md5', edited)}\n /g 0\n\n`,
    )
    const { plan, outcomes } = await runIn(place, fileOf(one), { localEdits: 'keep' })
    expect(plan.resources[0]?.changes[0]).not.toHaveProperty('edit')
    expect(outcomes).toEqual(['file[/f] changed'])
  })

  test("that something in the same run made first, as a package's script does, is nobody's edit", async () => {
    const at = mkdtempSync(join(tmpdir(), 'steward-'))
    onTestFinished(() => rmSync(at, { recursive: true }))
    const manifest = `class: main
resources:
  - exec: script
    shell: echo brought >${at}/f
    creates: ${at}/f
  - file: ${at}/f
    content: ours
    require: { exec: script }
`
    const ran = await runIn(newPlace('/'), manifest, { localEdits: 'keep' })
    expect(ran.outcomes).toEqual(['exec[script] changed', `file[${at}/f] changed`])
    expect(read(`${at}/f`)).toBe('ours')
  })

  test("that takes the place of a link of steward's own, or gives way to one, is no edit", async () => {
    const place = newPlace()
    const path = join(place.root, 'f')
    const link = 'class: main\nresources:\n  - file: /f\n    target: /elsewhere\n'
    for (const [text, content] of [
      [link, undefined],
      [fileOf(one), one],
      [link, undefined],
    ] as const) {
      const { outcomes } = await runIn(place, text, { localEdits: 'keep' })
      expect(outcomes).toEqual(['file[/f] changed'])
      expect(read(path)).toBe(content)
    }
    // One that leads elsewhere by now is somebody's.
    rmSync(path)
    symlinkSync('/mine', path)
    await runIn(place, fileOf(one), { localEdits: 'keep' })
    expect(lstatSync(path).isSymbolicLink()).toBe(true)
  })

  test('and was a link that was found as declared is no edit either', async () => {
    const place = newPlace()
    const path = join(place.root, 'f')
    symlinkSync('/elsewhere', path)
    await runIn(place, 'class: main\nresources:\n  - file: /f\n    target: /elsewhere\n')
    await runIn(place, fileOf(one), { localEdits: 'keep' })
    expect(read(path)).toBe(one)
  })

  test('and is to be removed goes only where edits are overwritten', async () => {
    const gone = 'class: main\nresources:\n  - file: /f\n    ensure: absent\n'
    for (const [policy, stays] of [
      ['overwrite', false],
      ['keep', true],
      ['merge', true],
      ['fail', true],
    ] as const) {
      const { place, path } = await afterOne(edit)
      const { outcomes } = await runIn(place, gone, { localEdits: policy })
      expect(existsSync(path), policy).toBe(stays)
      expect(outcomes[0]?.endsWith('failed'), policy).toBe(policy === 'merge' || policy === 'fail')
    }
    const { place, path } = await afterOne(nothing)
    await runIn(place, gone, { localEdits: 'keep' })
    expect(existsSync(path)).toBe(false)
  })

  test('and is to be of another type, or to go as what it became, goes only so too', async () => {
    const become = (attributes: string) =>
      `class: main\nresources:\n  - file: /f\n    force: true\n    ${attributes}\n`
    const makeDirectory: Given = (path) => {
      rmSync(path)
      mkdirSync(path)
    }
    for (const [hand, wanted] of [
      [edit, 'target: /elsewhere'],
      [edit, 'ensure: directory'],
      [link, 'ensure: absent'],
      [link, 'target: /other'],
      [link, 'ensure: directory'],
      [makeDirectory, 'ensure: absent'],
    ] as const) {
      for (const policy of ['keep', 'merge', 'fail', 'overwrite'] as const) {
        const { place, path } = await afterOne(hand)
        const before = lstatSync(path)
        const { outcomes } = await runIn(place, become(wanted), { localEdits: policy })
        const what = `${policy} ${wanted}`
        const after = lstatSync(path, { throwIfNoEntry: false })
        expect(after?.ino === before.ino && after.mode === before.mode, what).toBe(
          policy !== 'overwrite',
        )
        const fails = policy === 'merge' || policy === 'fail'
        expect(outcomes[0]?.endsWith('failed'), what).toBe(fails)
      }
    }
    for (const wanted of ['target: /elsewhere', 'ensure: directory', 'ensure: absent']) {
      const { place } = await afterOne(nothing)
      const { outcomes } = await runIn(place, become(wanted), { localEdits: 'fail' })
      expect(outcomes).toEqual(['file[/f] changed'])
    }
  })

  test('and became a directory is left so, or a conflict', async () => {
    for (const [policy, outcome] of [
      ['keep', 'file[/f] unchanged'],
      ['merge', 'file[/f] failed'],
    ] as const) {
      const { place } = await afterOne((path) => {
        rmSync(path)
        mkdirSync(path)
      })
      const { outcomes } = await runIn(place, fileOf(one), { localEdits: policy })
      expect(outcomes, policy).toEqual([outcome])
    }
  })

  test('has its mode kept, or given by the side that changed it', async () => {
    const modeAfter = async (policy: LocalEdits, mode: string) => {
      const { place, path } = await afterOne((at) => chmodSync(at, 0o600))
      const { outcomes } = await runIn(place, fileOf(one).replace('0644', mode), {
        localEdits: policy,
      })
      return outcomes[0]?.endsWith('failed') ? 'fails' : (statSync(path).mode & 0o777).toString(8)
    }
    expect(await modeAfter('overwrite', '0644')).toBe('644')
    expect(await modeAfter('keep', '0644')).toBe('600')
    expect(await modeAfter('merge', '0644')).toBe('600')
    expect(await modeAfter('fail', '0644')).toBe('fails')
  })
})

test('a mode that is kept stays so through every version and run', async () => {
  for (const policy of ['keep', 'merge'] as const) {
    const { place, path } = await afterOne((at) => chmodSync(at, 0o600))
    for (const version of [two, two, contradicting, contradicting]) {
      await runIn(place, fileOf(version), { localEdits: policy })
      expect(read(path)).toBe(version)
      expect(statSync(path).mode & 0o777, policy).toBe(0o600)
    }
    await runIn(place, fileOf(two))
    expect(statSync(path).mode & 0o777).toBe(0o644)
    // What the manifests want as well is nobody's edit any more.
    chmodSync(path, 0o600)
    await runIn(place, fileOf(one).replace('0644', '0600'), { localEdits: policy })
    await runIn(place, fileOf(one), { localEdits: policy })
    expect(statSync(path).mode & 0o777).toBe(0o644)
  }
})

test('an owner that is kept stays so, whatever group is given', async () => {
  const { place, path } = await afterOne((at) => chownSync(at, 1234, 0))
  const owned = (group: number, content = one) =>
    fileOf(content).replace('    mode:', `    owner: 0\n    group: ${group}\n    mode:`)
  for (const manifest of [owned(7), owned(7), owned(8, two), owned(9)]) {
    await runIn(place, manifest, { localEdits: 'keep' })
    expect(statSync(path).uid).toBe(1234)
  }
  expect(statSync(path).gid).toBe(9)
})

describe('merging', () => {
  test('keeps an edit through every later version', async () => {
    const { place, path } = await afterOne(edit)
    const versions = [two, two.replace('third', 'THIRD'), `${two}sixth\n`]
    for (const version of versions) {
      const { outcomes } = await runIn(place, fileOf(version), { localEdits: 'merge' })
      expect(outcomes).toEqual(['file[/f] changed'])
      expect(read(path)).toBe(version.replace('first', 'mine'))
    }
    expect(Store.reading(place.state, (store) => store.files.find('/f')?.base)).not.toBe(
      Store.reading(place.state, (store) => store.files.find('/f')?.written),
    )
  })
  test('takes an edit that a new version makes too for that version', async () => {
    const { place, path } = await afterOne((at) =>
      writeFileSync(at, edited.replace('fifth', 'FIFTH')),
    )
    const { outcomes } = await runIn(place, fileOf(two), { localEdits: 'merge' })
    expect(outcomes).toEqual(['file[/f] unchanged'])
    const three = two.replace('FIFTH', 'five')
    await runIn(place, fileOf(three), { localEdits: 'merge' })
    expect(read(path)).toBe(three.replace('first', 'mine'))
  })
  test('takes a mode that only the manifests changed', async () => {
    const { place, path } = await afterOne(edit)
    await runIn(place, fileOf(one).replace('0644', '0600'), { localEdits: 'merge' })
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(read(path)).toBe(edited)
    chmodSync(path, 0o640)
    await runIn(place, fileOf(two).replace('0644', '0600'), { localEdits: 'merge' })
    expect(statSync(path).mode & 0o777).toBe(0o640)
  })
  test('tells the lines of a conflict, and refreshes nobody for it', async () => {
    const { place } = await afterOne(edit)
    const notifying = fileOf(
      contradicting,
      '    notify: { exec: told }\n  - exec: told\n    command: [/bin/true]\n    refreshonly: true\n',
    )
    const { plan, outcomes, summary, events } = await runIn(place, notifying, {
      localEdits: 'merge',
    })
    expect(plan.resources[0]).toMatchObject({
      action: 'blocked',
      conflict: 'line 1\n- mine\n+ eerste',
      because: expect.stringContaining('both changed line 1'),
    })
    expect(outcomes).toEqual(['file[/f] failed', 'exec[told] skipped (file[/f])'])
    expect(summary).toMatchObject({ failed: 1, conflicts: 1 })
    expect(JSON.stringify(events)).toContain('- mine')
  })
  test('shows no line of a file that holds a secret', async () => {
    const secret = (content: string) =>
      `class: main
parameters:
  word: { type: string, from: secrets.word }
resources:
  - file: /f
    content: "\${{ word }}\\n${content}\\n"
`
    const place = newPlace()
    const options = { secrets: { word: 'aVerySecretWord' }, localEdits: 'merge' } as const
    await runIn(place, secret('one'), options)
    writeFileSync(join(place.root, 'f'), 'aVerySecretWord\nmine\n')
    const { plan, events } = await runIn(place, secret('two'), options)
    expect(plan.resources[0]).toMatchObject({ action: 'blocked', conflict: '' })
    expect(JSON.stringify([plan, events])).not.toContain('mine')
  })
})

test('what becomes of edits is chosen by the run, else by the resource, else by its class', async () => {
  const manifest = (own: string, defaults: string) => `class: main
${defaults}resources:
  - file: /f
    content: ${JSON.stringify(two)}
${own}`
  const after = async (own: string, defaults: string, localEdits?: LocalEdits) => {
    const { place, path } = await afterOne(edit)
    await runIn(place, manifest(own, defaults), localEdits ? { localEdits } : {})
    return read(path) === two ? 'overwrite' : 'keep'
  }
  const keepAll = 'defaults:\n  file: { local_edits: keep }\n'
  expect(await after('', '')).toBe('overwrite')
  expect(await after('', keepAll)).toBe('keep')
  expect(await after('    local_edits: overwrite\n', keepAll)).toBe('overwrite')
  expect(await after('    local_edits: overwrite\n', '', 'keep')).toBe('keep')
})

test('files below a directory are each kept as they are edited', async () => {
  const place = newPlace()
  const manifest = {
    'main.yaml': `class: main
resources:
  - file: /d
    ensure: directory
    recurse: true
    source: tree
    local_edits: keep
`,
    'files/tree/a': 'a\n',
    'files/tree/b': 'b\n',
  }
  await runIn(place, manifest)
  writeFileSync(join(place.root, 'd/a'), 'mine\n')
  const { summary } = await runIn(place, {
    ...manifest,
    'files/tree/a': 'A\n',
    'files/tree/b': 'B\n',
  })
  expect(summary).toMatchObject({ failed: 0, changed: 1 })
  expect([read(join(place.root, 'd/a')), read(join(place.root, 'd/b'))]).toEqual(['mine\n', 'B\n'])
})

test('a directory is neither edited nor kept from being made', async () => {
  const place = newPlace()
  mkdirSync(join(place.root, 'd'), { mode: 0o700 })
  const manifest =
    'class: main\nresources:\n  - file: /d\n    ensure: directory\n    mode: "0755"\n'
  const { summary } = await runIn(place, manifest, { localEdits: 'keep' })
  expect(summary).toMatchObject({ changed: 1, failed: 0 })
})

test('what was typed here to be just the new version is that version from then on', async () => {
  const { place, path } = await afterOne((at) => writeFileSync(at, two))
  await runIn(place, fileOf(two), { localEdits: 'fail' })
  const three = two.replace('FIFTH', 'five')
  const { outcomes } = await runIn(place, fileOf(three), { localEdits: 'fail' })
  expect(outcomes).toEqual(['file[/f] changed'])
  expect(read(path)).toBe(three)
})

test('an edit that is what a later version says becomes that version, and is looked at once', async () => {
  const { place, path } = await afterOne((file) => writeFileSync(file, two))
  // Until its ctime is surely of before the next run.
  await sleep(50)
  const found = () => Store.reading(place.state, (store) => store.files.find('/f'))
  const { outcomes, run } = await runIn(place, fileOf(two))
  expect(outcomes).toEqual(['file[/f] unchanged'])
  expect(found()).toMatchObject({ base: hash('sha256', two), written: hash('sha256', two), run })
  await runIn(place, fileOf(two))
  expect(found()).toMatchObject({ run })
  // Written again as it was: looked at, found the same, and settled by that run.
  writeFileSync(path, two)
  const { run: third } = await runIn(place, fileOf(two))
  expect(found()).toMatchObject({ base: hash('sha256', two), run: third })
})

test("what was typed between the question and the answer is nobody's base", async () => {
  const place = newPlace()
  const path = join(place.root, 'f')
  writeFileSync(path, one)
  chmodSync(path, 0o644)
  await runIn(place, fileOf(one), { meanwhile: () => writeFileSync(path, edited) })
  const { outcomes } = await runIn(place, fileOf(two), { localEdits: 'keep' })
  expect(outcomes).toEqual(['file[/f] unchanged'])
  expect(read(path)).toBe(edited)
})

test('a file of which steward kept only a part is not its version', async () => {
  const place = newPlace()
  const path = join(place.root, 'f')
  writeFileSync(path, 'mine = 5\na = 1\n')
  await runIn(
    place,
    'class: main\nresources:\n  - ini_setting: a\n    path: /f\n    setting: a\n    value: "2"\n',
  )
  const { outcomes } = await runIn(place, fileOf('a = 2\n'), { localEdits: 'keep' })
  expect(outcomes).toEqual(['file[/f] unchanged'])
  expect(read(path)).toBe('mine = 5\na = 2\n')
})

test('what was secret below a directory is not shown, nor kept where it can be', async () => {
  const place = newPlace()
  const secret = {
    'main.yaml': `class: main
parameters:
  word: { type: string, from: secrets.word }
resources:
  - file: /d
    ensure: directory
  - file: /d/f
    content: "\${{ word }}"
`,
  }
  await runIn(place, secret, { secrets: { word: 'aSecretOfThisTest' } })
  const { plan, run } = await runIn(place, {
    'main.yaml':
      'class: main\nresources:\n  - file: /d\n    ensure: directory\n    recurse: true\n    source: tree\n',
    'files/tree/f': 'nothing secret\n',
  })
  expect(JSON.stringify(plan)).not.toContain('aSecretOfThisTest')
  const [kept] = Store.reading(place.state, (store) => store.bucket.of(run)) ?? []
  expect(Store.reading(place.state, (store) => store.contents.of(kept?.hash ?? ''))).toMatchObject({
    isSecret: true,
  })
})

describe('a file whose format is told', () => {
  const settings = 'a = 1\nb = 2\nc = 3\n'
  const told = (content: string) => fileOf(content, '    format: ini\n')
  test('has an edit merged with a new version of the setting beside it', async () => {
    const place = newPlace()
    const path = join(place.root, 'f')
    await runIn(place, told(settings))
    writeFileSync(path, settings.replace('b = 2', 'b = mine'))
    const next = settings.replace('c = 3', 'c = new')
    await runIn(place, told(next), { localEdits: 'merge' })
    expect(read(path)).toBe('a = 1\nb = mine\nc = new\n')
    const { plan } = await runIn(place, told(next.replace('b = 2', 'b = other')), {
      localEdits: 'merge',
    })
    expect(plan.resources[0]?.conflict).toBe('line 2\n- b = mine\n+ b = other')
  })
})

test('a link that is found as declared takes no base from the files behind it', async () => {
  const place = newPlace()
  mkdirSync(join(place.root, 'there'))
  symlinkSync('there', join(place.root, 'link'))
  const version = (content: string, more = '') => fileOf(content, more).replace('/f', '/link/f')
  const link = '  - file: /link\n    target: there\n'
  const path = join(place.root, 'there/f')
  await runIn(place, version(one))
  writeFileSync(path, edited)
  await runIn(place, version(one, link), { localEdits: 'merge' })
  await runIn(place, version(two, link), { localEdits: 'merge' })
  expect(readFileSync(path, 'utf8')).toBe(edited.replace('fifth', 'FIFTH'))
})
