import { describe, expect, test } from 'vitest'
import { blockInFile } from '../../engine/resources/block-in-file.ts'
import type { Resource } from '../../engine/resources/type.ts'
import { fakeHost } from '../support/fake-host.ts'

type Desired = Parameters<typeof blockInFile.footprint>[0]['desired']

const path = '/etc/app'

function declared(desired: Partial<Desired> = {}): Resource<Desired> {
  return {
    ref: 'block_in_file[x]',
    type: 'block_in_file',
    title: 'x',
    desired: { path, content: 'one\ntwo\n', ...desired },
  }
}
function hostWith(content: string) {
  return fakeHost({ files: { [path]: content } })
}
async function verdictOn(host: ReturnType<typeof fakeHost>, resource: Resource<Desired>) {
  const [current] = await blockInFile.probe([resource], host)
  if (current === undefined) throw new Error('no state')
  return blockInFile.diff(resource, current)
}

const block = '# BEGIN x\none\ntwo\n# END x\n'

test.each<readonly [string, string, Partial<Desired>, string]>([
  ['a block is added at the end', 'a\n', {}, `a\n${block}`],
  ['a block is added to an empty file', '', {}, block],
  ['a last line without end gets one', 'a', {}, `a\n${block}`],
  ['a content may leave its last line end out', 'a\n', { content: 'one\ntwo' }, `a\n${block}`],
  [
    'a block takes the line ends of the file',
    'a\r\n',
    { content: 'b\n' },
    'a\r\n# BEGIN x\r\nb\r\n# END x\r\n',
  ],
  [
    'a block is put behind the last line that is met',
    'a\na\nb\n',
    { insert_after: '^a' },
    `a\na\n${block}b\n`,
  ],
  [
    'a block is put before the first line that is met',
    'a\nb\nb\n',
    { insert_before: '^b' },
    `a\n${block}b\nb\n`,
  ],
  ['a block is put at the beginning', 'a\n', { insert_before: '^' }, `${block}a\n`],
  ['a block is put at the end where nothing is met', 'a\n', { insert_before: 'q' }, `a\n${block}`],
  [
    'a block is changed where it stands',
    'a\n# BEGIN x\n1\n# END x\nb',
    { insert_before: '^' },
    `a\n${block}b`,
  ],
  ['a block is emptied', `a\n${block}`, { content: '' }, 'a\n# BEGIN x\n# END x\n'],
  ['a block has its own marker', 'a\n', { marker: '<{mark}>', content: '' }, 'a\n<BEGIN>\n<END>\n'],
  ['a block is removed with its markers', `a\n${block}b`, { ensure: 'absent' }, 'a\nb'],
  [
    'of two blocks one is changed',
    `# BEGIN y\n# END y\n${block}`,
    { content: '' },
    '# BEGIN y\n# END y\n# BEGIN x\n# END x\n',
  ],
])('%s', async (_title, before, desired, after) => {
  const host = hostWith(before)
  expect(await verdictOn(host, declared(desired))).not.toEqual({ changes: [] })
  await blockInFile.apply(declared(desired), [], host)
  expect(host.text(path)).toBe(after)
  expect(await verdictOn(host, declared(desired))).toEqual({ changes: [] })
})

describe('markers that are broken fail the resource and leave the file', () => {
  test.each([
    ['the end is missing', '# BEGIN x\na\n', 'begins in line 1 and ends nowhere'],
    ['the beginning is missing', 'a\n# END x\n', 'begins nowhere and ends in line 2'],
    ['they are reversed', '# END x\n# BEGIN x\n', 'begins in line 2 and ends in line 1'],
    ['they are doubled', `${block}${block}`, 'begins in line 1, 5 and ends in line 4, 8'],
  ])('%s', async (_title, content, told) => {
    const host = hostWith(content)
    expect(await verdictOn(host, declared())).toEqual({
      blocked: `block_in_file[x]: in /etc/app its block ${told}`,
      help: 'put its markers right: "# BEGIN x" once, and "# END x" once below it',
    })
    await expect(blockInFile.apply(declared(), [], host)).rejects.toThrow('its block')
    expect(host.writes).toEqual([])
  })
})

test('diff shows the lines of the block and nothing else of the file', async () => {
  const host = hostWith('secret\n# BEGIN x\nold\n# END x\n')
  const verdict = await verdictOn(host, declared())
  expect(verdict).toMatchObject({
    changes: [
      {
        attribute: 'content',
        content: { from: Buffer.from('old\n'), to: Buffer.from('one\ntwo\n') },
      },
    ],
  })
  expect(JSON.stringify(verdict)).not.toContain('secret')
})

test('a file that is missing fails, and has every block absent', async () => {
  expect(await verdictOn(hostWith(''), declared({ path: '/etc/none' }))).toMatchObject({
    blocked: 'block_in_file[x]: there is no file /etc/none',
  })
  const gone = declared({ path: '/etc/none', ensure: 'absent' })
  expect(await verdictOn(hostWith(''), gone)).toEqual({ changes: [] })
})

test('check', () => {
  const { content: _content, ...rest } = declared().desired
  expect(blockInFile.check?.({ ...declared(), desired: rest })?.attribute).toBe('content')
  const both = { insert_after: 'a', insert_before: 'b' }
  expect(blockInFile.check?.(declared(both))?.attribute).toBe('insert_before')
  expect(blockInFile.check?.(declared({ insert_after: '(' }))?.attribute).toBe('insert_after')
  expect(blockInFile.check?.(declared({ content: 'a\n# END x\nb' }))?.attribute).toBe('content')
  expect(blockInFile.check?.({ ...declared(), title: 'a\nb' })?.attribute).toBe('marker')
  expect(blockInFile.check?.(declared({ path: '/a/..' }))?.attribute).toBe('path')
})
