import { describe, expect, test } from 'vitest'
import { tidy } from '../../engine/resources/tidy.ts'
import type { Resource, Thing } from '../../engine/resources/type.ts'
import { type FakeFile, fakeHost } from '../support/fake-host.ts'

type Desired = Parameters<typeof tidy.footprint>[0]['desired']

const day = 86_400_000

function declared(desired: Desired, title = '/d'): Resource<Desired> {
  return { ref: `tidy[${title}]`, type: 'tidy', title, desired }
}
function aged(days: number, more: Exclude<FakeFile, string | Uint8Array> = {}): FakeFile {
  return { ...more, mtimeMs: Date.now() - days * day }
}
const tree: Record<string, FakeFile> = {
  '/d': aged(9, { kind: 'directory' }),
  '/d/old.gz': aged(9, { content: 'x'.repeat(1500) }),
  '/d/new.gz': aged(1),
  '/d/.hidden': aged(9),
  '/d/link': aged(9, { target: '/elsewhere' }),
  '/d/pipe': aged(9, { kind: 'fifo' }),
  '/d/full': aged(9, { kind: 'directory' }),
  '/d/full/old': aged(9),
  '/d/full/new': aged(1),
  '/d/empty': aged(9, { kind: 'directory' }),
  '/d/deep': aged(9, { kind: 'directory' }),
  '/d/deep/er': aged(9, { kind: 'directory' }),
  '/d/deep/er/old': aged(9),
  '/d/fresh': aged(1, { kind: 'directory' }),
  '/elsewhere': 'kept',
}
async function verdictOn(
  host: ReturnType<typeof fakeHost>,
  resource: Resource<Desired>,
  declaredThings: readonly Thing[] = [],
) {
  const [current] = await tidy.probe([resource], host, { declared: new Set(declaredThings) })
  if (current === undefined) throw new Error('no state')
  return tidy.diff(resource, current)
}
/** What goes, as the plan lists it. */
async function listed(desired: Desired, title?: string, things: readonly Thing[] = []) {
  const verdict = await verdictOn(fakeHost({ files: tree }), declared(desired, title), things)
  if (!('changes' in verdict)) throw new Error('no changes')
  return verdict.changes?.[1]?.from ?? []
}

describe('what goes', () => {
  const shallow = ['/d/.hidden', '/d/link', '/d/old.gz']
  const files = ['/d/.hidden', '/d/deep/er/old', '/d/full/old', '/d/link', '/d/old.gz']
  test.each<readonly [string, Desired, readonly string[]]>([
    ['are old files of the directory', { age: '3d', recurse: 1 }, shallow],
    ['are old files of the whole tree', { age: '3d', recurse: true }, files],
    ['nothing where all is younger', { age: '2w', recurse: true }, []],
    [
      'are names that match, of any age',
      { matches: '*.gz', recurse: 1 },
      ['/d/new.gz', '/d/old.gz'],
    ],
    ['are old names that match', { matches: ['*.gz', 'x'], age: '3d', recurse: 1 }, ['/d/old.gz']],
    [
      'are directories in which nothing is left, after what was in them',
      { age: '3d', recurse: true, rmdirs: true },
      [
        '/d/.hidden',
        '/d/deep/er/old',
        '/d/deep/er',
        '/d/deep',
        '/d/empty',
        '/d/full/old',
        '/d/link',
        '/d/old.gz',
      ],
    ],
    ['without recurse is no directory', { age: '3d' }, []],
  ])('%s', async (_title, desired, expected) => {
    expect(await listed(desired)).toEqual(expected)
  })
  test('without recurse is the path itself', async () => {
    expect(await listed({ age: '3d' }, '/d/old.gz')).toEqual(['/d/old.gz'])
    expect(await listed({ age: '3d', rmdirs: true }, '/d/empty')).toEqual(['/d/empty'])
    expect(await listed({ age: '3d', rmdirs: true }, '/d/full')).toEqual([])
    expect(await listed({ age: '3d' }, '/d/new.gz')).toEqual([])
  })
  test('is below the path, where the title is only a name', async () => {
    expect(await listed({ path: '/d//full/', age: '3d', recurse: true }, 'name')).toEqual([
      '/d/full/old',
    ])
  })
  test('is never what another resource declares, nor a directory with such', async () => {
    const desired = { age: '3d', recurse: true, rmdirs: true, path: '/d/deep' }
    expect(await listed(desired, 'x', ['path:/d/deep/er/old'])).toEqual([])
    expect(await listed(desired, 'x', ['path:/d/deep/er'])).toEqual(['/d/deep/er/old'])
  })
})

test('diff tells how much it is', async () => {
  const host = fakeHost({ files: tree })
  expect(await verdictOn(host, declared({ matches: 'o*', recurse: 1 }))).toEqual({
    changes: [
      { attribute: 'ensure', from: 'present', to: 'absent', note: '1 in all, 1.5 kB' },
      {
        attribute: 'files',
        from: ['/d/old.gz'],
        to: [],
        content: { from: Buffer.from('/d/old.gz\n'), to: Buffer.of() },
        removes: ['/d/old.gz'],
      },
    ],
  })
})

test('a path that is not there is tidy', async () => {
  const host = fakeHost({})
  expect(await verdictOn(host, declared({ age: '1d', recurse: true }))).toEqual({ changes: [] })
  expect(await verdictOn(host, declared({ age: '1d' }))).toEqual({ changes: [] })
})

test('a path through a link that somebody unprivileged may have placed is not followed', async () => {
  const files = {
    '/home/eve': { kind: 'directory', uid: 7 },
    '/home/eve/l': { target: '/d', uid: 7 },
  }
  const host = fakeHost({ files: { ...tree, ...(files as Record<string, FakeFile>) } })
  expect(
    await verdictOn(host, declared({ age: '1d', recurse: true }, '/home/eve/l')),
  ).toMatchObject({
    blocked: expect.stringContaining('is not followed'),
  })
})

test('apply removes what was listed, and no directory that was filled meanwhile', async () => {
  const host = fakeHost({ files: tree })
  const resource = declared({ age: '3d', recurse: true, rmdirs: true })
  const verdict = await verdictOn(host, resource)
  if (!('changes' in verdict) || verdict.changes === undefined) throw new Error('no changes')
  host.put('/d/empty/late', '')
  await tidy.apply(resource, verdict.changes, host)
  expect(host.stat('/d/deep')).toBeUndefined()
  expect(host.stat('/d/empty/late')).toBeDefined()
  expect(host.text('/elsewhere')).toBe('kept')
  expect(host.list('/d')).toEqual(['empty', 'fresh', 'full', 'new.gz', 'pipe'])
})

test.each([
  [{}, 'would remove whatever it finds'],
  [{ age: '1d', path: '/a/../b' }, 'holds ".."'],
  [{ age: '1d', path: '/' }, 'would tidy the whole host'],
])('check refuses %j', (desired, message) => {
  expect(tidy.check?.(declared(desired))?.message).toContain(message)
})
