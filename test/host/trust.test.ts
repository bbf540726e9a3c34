import { describe, expect, test } from 'vitest'
import { tracePath, whyUntrusted } from '../../engine/host/trust.ts'
import { fakeHost } from '../support/fake-host.ts'

describe('tracePath', () => {
  test('follows links among the parents and at the end, and tells what it passed', () => {
    const host = fakeHost({
      files: { '/a': { target: 'b/c' }, '/b/c/f': { target: '../g' }, '/b/g': 'text' },
    })
    const { path, stat, passed } = tracePath(host, '/a/f')
    expect(path).toBe('/b/g')
    expect(stat?.kind).toBe('file')
    const names = passed.map((each) => each.path)
    expect(names).toEqual(['/', '/a', '/b', '/b/c', '/b/c/f', '/b', '/b/g'])
  })

  test('goes no higher than the root', () => {
    expect(tracePath(fakeHost({ files: { '/f': 'x' } }), '/../../f').path).toBe('/f')
  })

  test.each([
    ['a missing file', '/b/x', '/b/x'],
    ['a missing parent', '/x/y/z', '/x/y/z'],
    ['a dangling link', '/l', '/b/none'],
  ])('has no stat for %s', (_title, path, end) => {
    const host = fakeHost({ files: { '/b/f': 'x', '/l': { target: '/b/none' } } })
    expect(tracePath(host, path)).toMatchObject({ path: end, stat: undefined })
  })

  test('refuses a loop', () => {
    const host = fakeHost({ files: { '/a': { target: '/b' }, '/b': { target: '/a' } } })
    expect(() => tracePath(host, '/a')).toThrow(expect.objectContaining({ code: 'ELOOP' }))
  })
})

describe('whyUntrusted', () => {
  const why = (files: Parameters<typeof fakeHost>[0]) =>
    whyUntrusted(tracePath(fakeHost(files), '/d/f'))

  test.each([
    [
      'a link of somebody else',
      { '/d/f': { target: '/g', uid: 5 }, '/g': 'x' },
      '/d/f belongs to another user (uid 5)',
    ],
    [
      'a file for all to write',
      { '/d/f': { mode: 0o646 } },
      '/d/f can be written by others (mode 0646)',
    ],
    [
      'a sticky file, which means nothing',
      { '/d/f': { mode: 0o1646 } },
      '/d/f can be written by others (mode 1646)',
    ],
    [
      'a folder for a group to write',
      { '/d': { kind: 'directory', mode: 0o775, gid: 5 }, '/d/f': 'x' },
      '/d can be written by others (mode 0775)',
    ],
  ] as const)('names %s', (_title, files, reason) => {
    expect(why({ files })).toBe(reason)
  })

  test('trusts what root alone writes, also in a sticky folder', () => {
    expect(
      why({ files: { '/d': { kind: 'directory', mode: 0o1777 }, '/d/f': 'x' } }),
    ).toBeUndefined()
  })
})
