import { describe, expect, test, vi } from 'vitest'
import { accountsOf } from '../../engine/host/accounts.ts'
import { HostError } from '../../engine/host/error.ts'
import type { FileDesired } from '../../engine/resources/file/desired.ts'
import { file } from '../../engine/resources/file.ts'
import type { Change, Resource, Verdict } from '../../engine/resources/type.ts'
import { type FakeFile, fakeHost } from '../support/fake-host.ts'

const accounts = {
  users: [
    { name: 'root', uid: 0 },
    { name: 'zulip', uid: 1000 },
  ],
  groups: [
    { name: 'root', gid: 0 },
    { name: 'zulip', gid: 1000 },
  ],
}
const folder = { kind: 'directory' } as const
const created = { attribute: 'ensure', from: 'absent', to: 'file' }
const replaced = (from: string, to: string) => ({ attribute: 'ensure', from, to })

describe('check', () => {
  test.each([
    ['a plain file', '/etc/a', { content: 'text' }],
    ['a file that is there or not', '/etc/a', { ensure: 'absent', content: 'text' }],
    ['a link', '/etc/a', { target: 'b' }],
    [
      'a directory that is copied',
      '/etc/a',
      { ensure: 'directory', source: '/srv/a', recurse: true },
    ],
    ['switched off recursion of a file', '/etc/a', { recurse: false, purge: false }],
    ['attributes of the root', '/', { mode: '0755' }],
    ['a path that is not the shortest', '/etc//a/./b/', { content: '' }],
    ['bytes that are no UTF-8', '/etc/a', { content: 'caf\udce9' }],
  ] satisfies [string, string, FileDesired][])('accepts %s', (_title, path, desired) => {
    expect(file.check?.(resource(path, desired))).toBeUndefined()
  })

  const mistakes: [string, string, FileDesired, string | undefined][] = [
    ['a relative path', 'etc/a', {}, undefined],
    ['a path that climbs', '/etc/../a', {}, undefined],
    ['a NUL byte in the path', '/etc/a\0b', {}, undefined],
    ['content beside source', '/etc/a', { content: 'a', source: '/b' }, 'source'],
    ['content beside template', '/etc/a', { content: 'a', template: 'b.hbs' }, 'template'],
    ['a target beside source', '/etc/a', { source: '/b', target: '/c' }, 'target'],
    ['a link without a target', '/etc/a', { ensure: 'link' }, 'ensure'],
    ['a target of a file', '/etc/a', { ensure: 'file', target: '/b' }, 'target'],
    ['a target of what may be a file', '/etc/a', { ensure: 'present', target: '/b' }, 'target'],
    ['content of a directory', '/etc/a', { ensure: 'directory', content: '' }, 'content'],
    ['content of a link', '/etc/a', { ensure: 'link', content: '' }, 'content'],
    [
      'a source of a directory that is not copied',
      '/etc/a',
      { ensure: 'directory', source: '/b' },
      'source',
    ],
    ['recurse of a file', '/etc/a', { content: '', recurse: true }, 'recurse'],
    ['recurse without a kind', '/etc/a', { recurse: true }, 'recurse'],
    ['purge without recurse', '/etc/a', { ensure: 'directory', purge: true }, 'purge'],
    ['ignore without recurse', '/etc/a', { ensure: 'directory', ignore: '*.swp' }, 'ignore'],
    ['a limit without recurse', '/etc/a', { ensure: 'directory', recurselimit: 0 }, 'recurselimit'],
    ['a root that is removed', '//', { ensure: 'absent', force: true }, 'ensure'],
    ['a root that is a file', '/', { content: '' }, 'ensure'],
    ['a root that is purged', '/./', { ensure: 'directory', recurse: true, purge: true }, 'purge'],
    [
      'a glob that makes no sense',
      '/etc/a',
      { ensure: 'directory', recurse: true, ignore: ['*.swp', '[z-a]'] },
      'ignore',
    ],
    ['half a character', '/etc/a', { content: 'a\ud800b' }, 'content'],
  ]
  test.each(mistakes)('refuses %s', (_title, path, desired, attribute) => {
    const mistake = file.check?.(resource(path, desired))
    expect(mistake).toMatchObject({ message: expect.any(String) })
    expect(mistake?.attribute).toBe(attribute)
  })
  test('says what is wrong, and what to do', () => {
    const said = mistakes.map(([, path, desired]) => {
      const { message, help } = file.check?.(resource(path, desired)) ?? {}
      return help === undefined ? message : `${message}. ${help}`
    })
    expect(said.join('\n')).toMatchInlineSnapshot(`
      "its path is not an absolute path
      its path holds "..", which a path of a resource may not
      its path holds a NUL byte
      content and source exclude each other. Keep one of them.
      content and template exclude each other. Keep one of them.
      source and target exclude each other. Keep one of them.
      a link needs a target. Add target: PATH.
      target does not go with a file
      target does not go with what may be a file
      content does not go with a directory
      content does not go with a link
      the source of a directory is only copied with recurse. Add recurse: true.
      recurse is only for directories. Add ensure: directory.
      recurse is only for directories. Add ensure: directory.
      purge does nothing without recurse. Add recurse: true.
      ignore does nothing without recurse. Add recurse: true.
      recurselimit does nothing without recurse. Add recurse: true.
      / can't be absent
      / can't be a file
      purge would remove the whole host
      ignore holds a range that runs backwards
      content holds half a character (a lone surrogate)"
    `)
  })
})

describe('footprint', () => {
  test.each([
    [
      'a file needs its directory',
      { content: '' },
      { needs: ['path:/etc'], ensures: ['path:/etc/a'], isLeaf: true, isWhole: true },
    ],
    [
      'a file that is only begun with a content leaves the rest to others',
      { content: '', replace: false },
      { needs: ['path:/etc'], ensures: ['path:/etc/a'], isLeaf: true },
    ],
    [
      'named owners are needed',
      { ensure: 'directory', owner: 'zulip', group: 'adm' },
      { needs: ['user:zulip', 'group:adm', 'path:/etc'], ensures: ['path:/etc/a'] },
    ],
    [
      'root and numbers are not',
      { ensure: 'file', owner: 'root', group: 33 },
      { needs: ['path:/etc'], ensures: ['path:/etc/a'], isLeaf: true },
    ],
    [
      'digits are a number',
      { owner: '0', group: '33' },
      { needs: [], after: ['path:/etc/a'], manages: ['path:/etc/a'] },
    ],
    [
      'a link comes after what it points to',
      { target: '../srv/b/' },
      { needs: ['path:/etc'], ensures: ['path:/etc/a'], after: ['path:/srv/b'] },
    ],
    ['absence removes', { ensure: 'absent', owner: 'zulip' }, { removes: ['path:/etc/a'] }],
    [
      'what makes nothing only comes after what does',
      { owner: 'zulip' },
      { needs: ['user:zulip'], after: ['path:/etc/a'], manages: ['path:/etc/a'] },
    ],
    [
      'a tree may write all below',
      { ensure: 'directory', recurse: true, source: '/srv/a' },
      {
        needs: ['path:/etc'],
        ensures: ['path:/etc/a'],
        after: ['path:/srv/a'],
        writes: ['/etc/a/**'],
      },
    ],
  ] satisfies [string, FileDesired, object][])('%s', (_title, desired, footprint) => {
    expect(file.footprint(resource('/etc//a/', desired))).toEqual(footprint)
  })
  test('the root needs nothing', () => {
    expect(file.footprint(resource('/', { ensure: 'directory' }))).toEqual({
      needs: [],
      ensures: ['path:/'],
    })
  })
})

describe('probe and diff', () => {
  const there = { '/etc/a': 'text', '/etc/d/f': 'text', '/etc/l': { target: 'a' } }

  test.each([
    ['a file with its content', '/etc/a', { content: 'text' }],
    ['a file whatever its content', '/etc/a', { ensure: 'file' }],
    ['a file under another spelling', '/etc//a/', { content: 'text', mode: '644' }],
    ['owners by name and number', '/etc/a', { owner: 'root', group: 0 }],
    ['a directory', '/etc/d', { ensure: 'directory', mode: '0644' }],
    ['a link', '/etc/l', { target: 'a', owner: 'root', mode: '0600' }],
    ['a link that leads to the content', '/etc/l', { content: 'text', links: 'follow' }],
    ['something of any kind', '/etc/d', { ensure: 'present' }],
    ['a link, whatever links says', '/etc/l', { target: 'a', links: 'follow' }],
    ['absence', '/etc/x', { ensure: 'absent' }],
    ['absence below what is missing', '/x/y/z', { ensure: 'absent' }],
  ] satisfies [string, string, FileDesired][])(
    'is in sync with %s',
    async (_title, path, desired) => {
      expect(await verdict(path, desired, there)).toEqual({ changes: [] })
    },
  )

  test.each([
    ['makes an empty file', '/etc/x', { ensure: 'file' }, [created]],
    ['makes a file where any kind would do', '/etc/x', { ensure: 'present' }, [created]],
    [
      'makes a file with all that is declared',
      '/etc/x',
      { content: 'new', owner: 'zulip', group: 1000, mode: 'o=' },
      [
        created,
        {
          attribute: 'content',
          from: undefined,
          to: 'sha256:11507a0e',
          content: bodies(undefined, 'new'),
        },
        { attribute: 'owner', from: undefined, to: 'zulip' },
        { attribute: 'group', from: undefined, to: '1000' },
        { attribute: 'mode', from: undefined, to: '0640' },
      ],
    ],
    [
      'makes a directory that can be searched',
      '/etc/x',
      { ensure: 'directory', mode: '0640' },
      [replaced('absent', 'directory'), { attribute: 'mode', from: undefined, to: '0750' }],
    ],
    [
      'makes a link, which has no mode',
      '/etc/x',
      { target: '/srv', mode: '0640' },
      [replaced('absent', 'link'), { attribute: 'target', from: undefined, to: '/srv' }],
    ],
    [
      'changes content of the same length',
      '/etc/a',
      { content: 'texT' },
      [
        {
          attribute: 'content',
          from: 'sha256:982d9e3e',
          to: 'sha256:89c0e45f',
          content: bodies('text', 'texT'),
        },
      ],
    ],
    [
      'changes an owner',
      '/etc/a',
      { owner: 'zulip' },
      [{ attribute: 'owner', from: 'root', to: 'zulip' }],
    ],
    [
      'changes a group',
      '/etc/a',
      { group: '33' },
      [{ attribute: 'group', from: 'root', to: '33' }],
    ],
    [
      'changes to a user that is still to come',
      '/etc/a',
      { owner: 'new' },
      [{ attribute: 'owner', from: 'root', to: 'new' }],
    ],
    [
      'changes an octal mode',
      '/etc/a',
      { mode: '0600' },
      [{ attribute: 'mode', from: '0644', to: '0600' }],
    ],
    [
      'changes a symbolic mode',
      '/etc/d',
      { mode: 'g+ws' },
      [{ attribute: 'mode', from: '0755', to: '2775' }],
    ],
    [
      'changes where a link points',
      '/etc/l',
      { target: '/etc/a' },
      [{ attribute: 'target', from: 'a', to: '/etc/a' }],
    ],
    [
      'changes what a link belongs to',
      '/etc/l',
      { owner: 'zulip' },
      [{ attribute: 'owner', from: 'root', to: 'zulip' }],
    ],
    ['removes a file', '/etc/a', { ensure: 'absent' }, [replaced('file', 'absent')]],
    [
      'removes a file, whatever replace says',
      '/etc/a',
      { ensure: 'absent', replace: false },
      [replaced('file', 'absent')],
    ],
    [
      'removes a link, not what it points to',
      '/etc/l',
      { ensure: 'absent', links: 'follow' },
      [replaced('link', 'absent')],
    ],
    [
      'removes a directory with force',
      '/etc/d',
      { ensure: 'absent', force: true },
      [{ ...replaced('directory', 'absent'), removes: ['/etc/d', '/etc/d/f'] }],
    ],
    ['replaces a link by a file', '/etc/l', { ensure: 'file' }, [replaced('link', 'file')]],
    [
      'replaces a file by a directory',
      '/etc/a',
      { ensure: 'directory' },
      [replaced('file', 'directory')],
    ],
    [
      'replaces a directory with force',
      '/etc/d',
      { ensure: 'file', force: true },
      [{ ...replaced('directory', 'file'), removes: ['/etc/d/f'] }],
    ],
    [
      'replaces a file by a link',
      '/etc/a',
      { target: 'b' },
      [replaced('file', 'link'), { attribute: 'target', from: undefined, to: 'b' }],
    ],
  ] satisfies [string, string, FileDesired, Change[]][])(
    '%s',
    async (_title, path, desired, changes) => {
      expect(await verdict(path, desired, there)).toEqual({ changes })
    },
  )

  const things: Record<string, FakeFile> = {
    ...there,
    '/etc/pipe': { kind: 'fifo' },
    '/etc/gone': { target: 'nothing' },
    '/etc/loop': { target: 'loop' },
    '/srv/current': { target: '/etc' },
    '/home': { ...folder, uid: 1000, gid: 1000 },
    '/home/l': { target: '/etc/a' },
    '/home/etc': { target: '/etc' },
  }

  test.each([
    [
      'a directory that only goes with force',
      '/etc/d',
      { ensure: 'absent' },
      '/etc/d is a directory, which is removed only with force',
    ],
    [
      'a directory in place of a file',
      '/etc/d',
      { content: '' },
      '/etc/d is a directory, which is replaced by a file only with force',
    ],
    [
      'a directory in place of a link',
      '/etc/d',
      { target: '/x' },
      '/etc/d is a directory, which is replaced by a link only with force',
    ],
    [
      'a fifo that only goes with force',
      '/etc/pipe',
      { ensure: 'absent' },
      '/etc/pipe is a fifo, which is removed only with force',
    ],
    [
      'a file where a directory is needed',
      '/etc/a/b',
      { content: '' },
      '/etc/a is a file where a directory is needed',
    ],
    [
      'a file where a directory far above is needed',
      '/etc/a/b/c/d',
      { ensure: 'directory' },
      '/etc/a is a file where a directory is needed',
    ],
    [
      'a link that leads nowhere',
      '/etc/gone',
      { content: '', links: 'follow' },
      '/etc/gone is a link to /etc/nothing, where nothing is',
    ],
    [
      'a loop of links',
      '/etc/loop',
      { owner: 'zulip', links: 'follow' },
      '/etc/loop leads through a loop of links',
    ],
    [
      'a loop among the parents',
      '/etc/loop/a',
      { content: '' },
      '/etc/loop/a: is a symbolic link, or a loop of them (ELOOP)',
    ],
    [
      'a link of somebody else that it would follow',
      '/home/l',
      { content: '', links: 'follow' },
      'the link /home/l is not followed, for /home belongs to another user (uid 1000)',
    ],
    [
      'a link of somebody else among the parents',
      '/home/etc/new',
      { content: '' },
      'the link /home/etc is not followed, for /home belongs to another user (uid 1000)',
    ],
    [
      'a link among the parents of what it purges',
      '/srv/current/d',
      { ensure: 'directory', recurse: true, purge: true },
      '/srv/current/d leads through a link, and purge never does',
    ],
    [
      'a link to what it purges',
      '/srv/current',
      { ensure: 'directory', links: 'follow', recurse: true, purge: true },
      '/srv/current leads through a link, and purge never does',
    ],
    [
      'a missing source',
      '/etc/a',
      { source: '/nowhere/at/all' },
      '/nowhere/at/all: no such file or directory (ENOENT)',
    ],
  ] satisfies [string, string, FileDesired, string][])(
    'is blocked by %s',
    async (_title, path, desired, blocked) => {
      expect(await verdict(path, desired, things)).toMatchObject({ blocked })
    },
  )

  test.each([
    ['in sync', '/srv/current/a', { content: 'text' }, []],
    ['in need of a change', '/srv/current/x', { ensure: 'file' }, [created]],
  ] satisfies [string, string, FileDesired, Change[]][])(
    'goes through a link of root among the parents where it is %s',
    async (_title, path, desired, changes) => {
      expect(await verdict(path, desired, things)).toEqual({ changes })
    },
  )

  test('is not blocked by a link that another resource declares, for that may lead elsewhere by then', async () => {
    const one = resource('/home/etc/new', { ensure: 'file' })
    const host = fakeHost({ files: things, accounts })
    const [current] = await file.probe([one], host, { declared: new Set(['path:/home/etc']) })
    expect(current && file.diff(one, current)).toEqual({ changes: [created] })
  })

  test('is not blocked by a link behind which it would change nothing', async () => {
    const desired: FileDesired = { content: 'new', replace: false }
    expect(await verdict('/home/etc/a', desired, things)).toMatchObject({ changes: [] })
  })

  test('is not blocked by a file that another resource declares, for that may be a directory by then', async () => {
    const one = resource('/etc/a/b', { ensure: 'file' })
    const host = fakeHost({ files: there, accounts })
    const [current] = await file.probe([one], host, { declared: new Set(['path:/etc/a']) })
    expect(current && file.diff(one, current)).toEqual({ changes: [created] })
  })

  test.each([
    [
      'what replace leaves',
      '/etc/a',
      { content: 'new', replace: false },
      [],
      '/etc/a is kept: it differs, and is made only where it is missing (replace: false)',
    ],
    [
      'another kind that replace leaves',
      '/etc/l',
      { ensure: 'directory', replace: false },
      [],
      '/etc/l is kept: it differs, and is made only where it is missing (replace: false)',
    ],
    [
      'a link that replace leaves',
      '/etc/l',
      { target: '/x', replace: false },
      [],
      '/etc/l is kept: it differs, and is made only where it is missing (replace: false)',
    ],
    [
      'what replace leaves, but for its mode',
      '/etc/a',
      { content: 'new', mode: '0600', replace: false },
      [{ attribute: 'mode', from: '0644', to: '0600' }],
      '/etc/a is kept: it differs, and is made only where it is missing (replace: false)',
    ],
    [
      'content that what is there can not have',
      '/etc/d',
      { ensure: 'present', content: 'x' },
      [],
      '/etc/d is a directory, so its content is not managed',
    ],
  ] satisfies [string, string, FileDesired, Change[], string][])(
    'notes %s',
    async (_title, path, desired, changes, note) => {
      expect(await verdict(path, desired, things)).toEqual({ changes, note })
    },
  )

  test('makes what replace leaves where nothing is', async () => {
    const changes = [created]
    expect(await verdict('/etc/x', { ensure: 'file', replace: false }, there)).toEqual({ changes })
  })

  test('tells of a fifo that force takes that it is not kept', async () => {
    const note = "a fifo can't be kept"
    expect(await verdict('/etc/pipe', { ensure: 'file', force: true }, things)).toEqual({
      changes: [{ ...replaced('fifo', 'file'), note }],
    })
    expect(await verdict('/etc/pipe', { ensure: 'absent', force: true }, things)).toEqual({
      changes: [{ ...replaced('fifo', 'absent'), note }],
    })
  })

  test('follows a link through a folder of root to what somebody else owns', async () => {
    const desired: FileDesired = { ensure: 'directory', owner: 'root', links: 'follow' }
    const files = { '/etc/z': { target: '/home/z' }, '/home/z': { ...folder, uid: 1000 } }
    expect(await verdict('/etc/z', desired, files)).toEqual({
      changes: [{ attribute: 'owner', from: 'zulip', to: 'root' }],
    })
  })

  test('knows root in a tree without accounts', async () => {
    const one = resource('/a', { owner: 'root', group: 'root' })
    const host = { ...fakeHost({ files: { '/a': '' } }), accounts: () => accountsOf([], []) }
    const [current] = await file.probe([one], host)
    expect(current && file.diff(one, current)).toEqual({ changes: [] })
  })

  test('reads a file only where content is declared, and once', async () => {
    const host = fakeHost({ files: there, accounts })
    const read = vi.spyOn(host, 'read')
    await file.probe(
      [resource('/etc/a', { mode: '0600' }), resource('/etc/d', { content: '' })],
      host,
    )
    expect(read).not.toHaveBeenCalled()
    await file.probe([resource('/etc/a', { content: 'text' })], host)
    expect(read).toHaveBeenCalledTimes(1)
  })

  test('one that can not be read does not keep the others from being read', async () => {
    const host = fakeHost({ files: there, accounts })
    vi.spyOn(host, 'read').mockImplementationOnce((path) => {
      throw new HostError('EACCES', path)
    })
    const both = [
      resource('/etc/a', { content: 'text' }),
      resource('/etc/d/f', { content: 'text' }),
    ]
    const found = await file.probe(both, host)
    expect(found).toMatchObject([
      { blocked: '/etc/a: permission denied (EACCES)' },
      { entries: [] },
    ])
  })
})

function bodies(from: string | undefined, to: string) {
  return { from: from === undefined ? undefined : Buffer.from(from), to: Buffer.from(to) }
}

function resource(title: string, desired: FileDesired): Resource<FileDesired> {
  return { ref: `file[${title}]`, type: 'file', title, desired }
}

async function verdict(
  path: string,
  desired: FileDesired,
  files: Record<string, FakeFile>,
): Promise<Verdict> {
  const host = fakeHost({ files, accounts })
  const one = resource(path, desired)
  const [current] = await file.probe([one], host)
  if (current === undefined) throw new Error('the probe gave nothing')
  return file.diff(one, current)
}
