import { describe, expect, test } from 'vitest'
import { iniSetting } from '../../engine/resources/ini-setting.ts'
import type { Resource } from '../../engine/resources/type.ts'
import { type FakeFile, fakeHost } from '../support/fake-host.ts'

type Desired = Parameters<typeof iniSetting.footprint>[0]['desired']

const path = '/etc/app.conf'

function declared(desired: Partial<Desired>): Resource<Desired> {
  const whole = { path, section: 'a', setting: 'x', value: '1', ...desired }
  return { ref: 'ini_setting[x]', type: 'ini_setting', title: 'x', desired: whole }
}
function absent(desired: Partial<Desired> = {}): Resource<Desired> {
  return declared({ ...desired, ensure: 'absent' })
}
async function verdictOn(host: ReturnType<typeof fakeHost>, resource: Resource<Desired>) {
  const [current] = await iniSetting.probe([resource], host)
  if (current === undefined) throw new Error('no state')
  return iniSetting.diff(resource, current)
}
/** The file after the changes, which are then in sync. */
async function applied(content: FakeFile, ...resources: Resource<Desired>[]): Promise<string> {
  const host = fakeHost({ files: { [path]: content } })
  for (const resource of resources) {
    await iniSetting.apply(resource, [], host)
    expect(await verdictOn(host, resource)).toEqual({ changes: [] })
  }
  return host.text(path)
}

describe('a value is set', () => {
  test.each<readonly [string, string, Partial<Desired>, string]>([
    ['where it stands', '[a]\nx = 0\ny = 2\n', {}, '[a]\nx = 1\ny = 2\n'],
    ['with the separator and the indent of its line', '[a]\n\tx:0\n', {}, '[a]\n\tx:1\n'],
    ['in its section only', '[b]\nx = 0\n[a]\nx = 0\n', {}, '[b]\nx = 0\n[a]\nx = 1\n'],
    ['everywhere that it stands', '[a]\nx=0\nx=1\n[a]\nx=2\n', {}, '[a]\nx=1\nx=1\n[a]\nx=1\n'],
    ['over a value that goes on', '[a]\nx = 0,\n  3\n  4\ny = 5\n', {}, '[a]\nx = 1\ny = 5\n'],
    ['where the name stands alone', '[a]\nx\n', {}, '[a]\nx = 1\n'],
    ['where the value was empty', '[a]\nx =\n', {}, '[a]\nx = 1\n'],
    ['to nothing', '[a]\nx = 0\n', { value: '' }, '[a]\nx =\n'],
    ['of a number', '[a]\nx = 0\n', { value: 1.5 }, '[a]\nx = 1.5\n'],
    ['in a last line, which then ends', '[a]\nx = 0', {}, '[a]\nx = 1\n'],
    ['and a last line that is not touched is kept', '[a]\nx = 0\ny', {}, '[a]\nx = 1\ny'],
    ['of a name with blanks', '[a]\nx y = 0\n', { setting: 'x y' }, '[a]\nx y = 1\n'],
    ['behind a header with a comment', '[a] # ]\nx = 0\n', {}, '[a] # ]\nx = 1\n'],
    [
      'with the characters that a replacement reads',
      '[a]\nx=0\n',
      { value: '$&$1' },
      '[a]\nx=$&$1\n',
    ],
  ])('%s', async (_title, before, desired, after) => {
    expect(await applied(before, declared(desired))).toBe(after)
  })
})

describe('a setting is added', () => {
  test.each<readonly [string, string, Partial<Desired>, string]>([
    ['to an empty file', '', {}, '[a]\nx = 1\n'],
    ['before any header', '', { section: '' }, 'x = 1\n'],
    ['above the first header', '[b]\n', { section: '' }, 'x = 1\n\n[b]\n'],
    ['below others of the same part', 'y = 2\n\n[b]\n', { section: '' }, 'y = 2\nx = 1\n\n[b]\n'],
    ['with its separator', '', { key_val_separator: '=' }, '[a]\nx=1\n'],
    ['at the end of its section', '[a]\ny = 2\n\n[b]\n', {}, '[a]\ny = 2\nx = 1\n\n[b]\n'],
    ['above the comment of the next header', '[a]\n# b\n[b]\n', {}, '[a]\nx = 1\n# b\n[b]\n'],
    ['below the comments of the last section', '[a]\n# c\n', {}, '[a]\n# c\nx = 1\n'],
    ['with the indent of the others', '[a]\n\ty = 2\n', {}, '[a]\n\ty = 2\n\tx = 1\n'],
    ['in a section of its own', '[b]\ny = 2\n', {}, '[b]\ny = 2\n\n[a]\nx = 1\n'],
    ['behind a last line without end', '[a]\ny = 2', {}, '[a]\ny = 2\nx = 1\n'],
    ['with the line ends of the file', '[a]\r\ny = 2\r\n', {}, '[a]\r\ny = 2\r\nx = 1\r\n'],
    ['where only a comment names it', '[a]\n#x = 1\n', {}, '[a]\n#x = 1\nx = 1\n'],
    ['where another spelling is there', '[a]\nX = 1\n', {}, '[a]\nX = 1\nx = 1\n'],
    ['behind a byte order mark', '\ufeff[a]\n', {}, '\ufeff[a]\nx = 1\n'],
  ])('%s', async (_title, before, desired, after) => {
    expect(await applied(before, declared(desired))).toBe(after)
  })
})

describe('a setting is removed', () => {
  test.each<readonly [string, string, Partial<Desired>, string]>([
    ['with all its lines', '[a]\nx = 0,\n  1\ny = 2\nx = 3\n', {}, '[a]\ny = 2\n'],
    ['with the header, where it was the last', '[b]\ny=1\n\n[a]\nx = 0\n', {}, '[b]\ny=1\n'],
    [
      'with the comment right above the header',
      '# f\n\n# a\n[a]\nx=0\n\n[b]\n',
      {},
      '# f\n\n[b]\n',
    ],
    [
      'but not where a comment is left',
      '[a]\nx = 0\n# y = 1\n\n[b]\n',
      {},
      '[a]\n# y = 1\n\n[b]\n',
    ],
    ['and not with the comment of the next', '[a]\nx = 0\n# b\n[b]\n', {}, '# b\n[b]\n'],
    ['and a section that was empty stays', '[a]\n[b]\ny = 1\n', {}, '[a]\n[b]\ny = 1\n'],
    ['from the part before any header', 'x = 0\n[a]\n', { section: '' }, '[a]\n'],
  ])('%s', async (_title, before, desired, after) => {
    expect(await applied(before, absent(desired))).toBe(after)
  })
})

test('several settings of one file compose', async () => {
  const settings = [declared({}), declared({ setting: 'y' }), declared({ section: 'b' }), absent()]
  expect(await applied('', ...settings)).toBe('[a]\ny = 1\n\n[b]\nx = 1\n')
})

test('bytes that are no UTF-8 stay as they are', async () => {
  const host = fakeHost({ files: { [path]: Buffer.from('[a]\n# \xe4\xff\nx = 0\n', 'latin1') } })
  await iniSetting.apply(declared({ value: 'ä' }), [], host)
  expect(host.read(path)).toEqual(
    Buffer.concat([Buffer.from('[a]\n# \xe4\xff\nx = ', 'latin1'), Buffer.from('ä\n')]),
  )
})

test('the file keeps its owner and mode, and a new one is root’s', async () => {
  const file = { content: '', uid: 5, gid: 6, mode: 0o640 }
  const host = fakeHost({ files: { [path]: file } })
  await iniSetting.apply(declared({}), [], host)
  await iniSetting.apply(declared({ path: '/etc/new.conf' }), [], host)
  expect(host.writes).toMatchObject([
    { path, uid: 5, gid: 6, mode: 0o640 },
    { path: '/etc/new.conf', uid: 0, gid: 0, mode: 0o644 },
  ])
})

test.each(['value', '*'])('a new one for a secret (%s) is for root alone', async (attribute) => {
  const host = fakeHost({ files: { '/etc': { kind: 'directory' } } })
  await iniSetting.apply({ ...declared({}), sensitive: new Set([attribute]) }, [], host)
  await iniSetting.apply(declared({ setting: 'other' }), [], host)
  expect(host.writes).toMatchObject([{ mode: 0o600 }, { mode: 0o600 }])
})

describe('diff', () => {
  test.each<readonly [string, string, Resource<Desired>, unknown]>([
    ['tells old and new value', '[a]\nx = 0\n', declared({}), { from: '0', to: '1' }],
    ['tells every old value', '[a]\nx=0\nx=1\n', declared({}), { from: ['0', '1'], to: '1' }],
  ])('%s', async (_title, content, resource, change) => {
    const host = fakeHost({ files: { [path]: content } })
    const changes = [{ attribute: 'value', ...(change as object) }]
    expect(await verdictOn(host, resource)).toEqual({ changes })
  })
  test('tells what is made and removed', async () => {
    const host = fakeHost({ files: { [path]: '[b]\nx = 1\n' } })
    expect(await verdictOn(host, declared({ value: true }))).toEqual({
      changes: [
        { attribute: 'ensure', from: 'absent', to: 'present' },
        { attribute: 'value', from: undefined, to: 'true' },
      ],
    })
    expect(await verdictOn(host, absent({ section: 'b' }))).toEqual({
      changes: [{ attribute: 'ensure', from: 'present', to: 'absent' }],
    })
  })
  test('says why a file can’t be edited', async () => {
    const host = fakeHost({ files: { '/etc/bin': 'a\0b', '/etc/loop': { target: 'loop' } } })
    expect(await verdictOn(host, declared({ path: '/etc' }))).toEqual({
      blocked: '/etc is a directory and no text file',
    })
    expect(await verdictOn(host, declared({ path: '/etc/bin' }))).toEqual({
      blocked: '/etc/bin holds NUL bytes, and is no text file',
    })
    expect(await verdictOn(host, declared({ path: '/etc/loop' }))).toMatchObject({
      blocked: expect.stringContaining('loop of links'),
    })
  })
  test('follows a link of root’s, and not one that somebody else could have placed', async () => {
    const host = fakeHost({
      files: {
        '/etc/real.conf': '[a]\nx = 0\n',
        [path]: { target: 'real.conf' },
        '/home/eve': { kind: 'directory', uid: 1000 },
        '/home/eve/app.conf': { target: '/etc/real.conf', uid: 1000 },
      },
    })
    await iniSetting.apply(declared({}), [], host)
    expect(host.text('/etc/real.conf')).toBe('[a]\nx = 1\n')
    expect(await verdictOn(host, declared({ path: '/home/eve/app.conf' }))).toMatchObject({
      blocked: expect.stringContaining('is not followed'),
    })
  })
})

test('check', () => {
  const { value: _value, ...rest } = declared({}).desired
  expect(iniSetting.check?.({ ...declared({}), desired: rest })).toEqual({
    attribute: 'value',
    message: 'ini_setting[x] has no value',
  })
  expect(iniSetting.check?.(absent({}))).toBeUndefined()
  expect(iniSetting.check?.(declared({ path: '/a/../b' }))?.attribute).toBe('path')
})

test('footprint', () => {
  expect(iniSetting.footprint(declared({ path: '/etc//app.conf' }))).toEqual({
    needs: ['path:/etc'],
    after: [`path:${path}`],
    writes: [path],
    edits: [{ path, part: 'setting ["a","x"]', isGone: false }],
  })
})

test('a header may stand below any number of comments and blank lines', async () => {
  const above = '# x\n'.repeat(30_000) + '\n'.repeat(30_000)
  expect(await applied(`${above}# b\n[b]\n`, declared({}))).toContain('[a]\nx = 1\n')
})
