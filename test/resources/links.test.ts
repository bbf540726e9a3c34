import { describe, expect, test } from 'vitest'
import { followLinks } from '../../engine/resources/links.ts'
import { type FakeFile, fakeHost } from '../support/fake-host.ts'

const file = 'text'
const someone = { uid: 1000, gid: 1000 }
const folder = { kind: 'directory' } as const

describe('followLinks', () => {
  test.each([
    ['gives a path without links as it is', '/etc/a', { '/etc/a': file }, '/etc/a'],
    ['gives a path where nothing is', '/etc/x/y', { '/etc/a': file }, '/etc/x/y'],
    [
      'follows a relative link',
      '/etc/l',
      { '/etc/l': { target: 'd/../a' }, '/etc/a': file, '/etc/d': folder },
      '/etc/a',
    ],
    [
      'follows an absolute link inside the tree',
      '/etc/l',
      { '/etc/l': { target: '/srv/a' }, '/srv/a': file },
      '/srv/a',
    ],
    ['follows a chain', '/l', { '/l': { target: 'm' }, '/m': { target: '/a' }, '/a': file }, '/a'],
    [
      'follows links among the parents',
      '/var/run/a',
      { '/var/run': { target: '../run' }, '/run/a': file },
      '/run/a',
    ],
    [
      'gives a missing path behind a parent link',
      '/var/run/a',
      { '/var/run': { target: '/run' }, '/run': folder },
      '/run/a',
    ],
    ['does not climb above the root', '/l', { '/l': { target: '../../../a' }, '/a': file }, '/a'],
    [
      'trusts a link of root in a sticky folder of root',
      '/tmp/l',
      { '/tmp': { ...folder, mode: 0o1777 }, '/tmp/l': { target: '/a' }, '/a': file },
      '/a',
    ],
    [
      'trusts a folder that the group of root can write',
      '/d/l',
      { '/d': { ...folder, mode: 0o775 }, '/d/l': { target: '/a' }, '/a': file },
      '/a',
    ],
    [
      'follows into what somebody else owns',
      '/l',
      { '/l': { target: '/home/a' }, '/home': { ...folder, ...someone }, '/home/a': file },
      '/home/a',
    ],
  ] satisfies [string, string, Record<string, FakeFile>, string][])(
    '%s',
    (_title, path, files, end) => {
      expect(followLinks(path, fakeHost({ files }))).toMatchObject({ path: end })
    },
  )

  test.each([
    [
      'a link that leads nowhere',
      '/l',
      { '/l': { target: '/gone' } },
      '/l is a link to /gone, where nothing is',
    ],
    [
      'a link that leads nowhere, far down',
      '/l',
      { '/l': { target: '/gone/../x' } },
      '/l is a link to /x, where nothing is',
    ],
    [
      'a loop',
      '/l',
      { '/l': { target: 'm' }, '/m': { target: 'l' } },
      '/l leads through a loop of links',
    ],
    [
      'a file among the parents',
      '/a/b',
      { '/a': file },
      '/a is a file where a directory is needed',
    ],
    [
      'a link that somebody else owns',
      '/l',
      { '/l': { target: '/a', ...someone }, '/a': file },
      'the link /l is not followed',
    ],
    [
      'a link in a folder of somebody else',
      '/home/l',
      { '/home': { ...folder, ...someone }, '/home/l': { target: '/a' }, '/a': file },
      'the link /home/l is not followed',
    ],
    [
      'a link below a folder of somebody else',
      '/home/d/l',
      { '/home': { ...folder, ...someone }, '/home/d/l': { target: '/a' }, '/a': file },
      'the link /home/d/l is not followed',
    ],
    [
      'a link in a folder that all can write',
      '/d/l',
      { '/d': { ...folder, mode: 0o777 }, '/d/l': { target: '/a' }, '/a': file },
      'the link /d/l is not followed',
    ],
    [
      'a link in a folder that a group can write',
      '/d/l',
      { '/d': { ...folder, mode: 0o775, gid: 5 }, '/d/l': { target: '/a' }, '/a': file },
      'the link /d/l is not followed',
    ],
    [
      'a link in a sticky folder of somebody else',
      '/d/l',
      { '/d': { ...folder, mode: 0o1777, uid: 5 }, '/d/l': { target: '/a' }, '/a': file },
      'the link /d/l is not followed',
    ],
    [
      'an untrusted link at the end of a trusted one',
      '/l',
      { '/l': { target: '/m' }, '/m': { target: '/a', ...someone }, '/a': file },
      'the link /m is not followed',
    ],
  ] satisfies [string, string, Record<string, FakeFile>, string][])(
    'is blocked by %s',
    (_title, path, files, reason) => {
      expect(followLinks(path, fakeHost({ files }))).toMatchObject({
        blocked: expect.stringContaining(reason),
      })
    },
  )
})
