import { expect, test } from 'vitest'
import { parseOsRelease, readOs } from '../../engine/facts/os.ts'
import { fakeHost } from '../support/fake-host.ts'

// From Debian 12.
const debian = `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
VERSION_CODENAME=bookworm
ID=debian
`

test('the file of the tree is read through its link', () => {
  const host = fakeHost({
    files: {
      '/etc/os-release': { target: '../usr/lib/os-release' },
      '/usr/lib/os-release': debian,
    },
  })
  expect(readOs(host)).toEqual({
    family: 'Debian',
    id: 'debian',
    codename: 'bookworm',
    version: '12',
    name: 'Debian GNU/Linux 12 (bookworm)',
  })
})

test.each([
  ['debian', 'ID=ubuntu\nID_LIKE=debian\n', 'Debian'],
  ['rhel', 'ID="rocky"\nID_LIKE="rhel centos fedora"\n', 'RedHat'],
  ['none', 'ID=alpine\n', 'alpine'],
])('the family comes from what it is like: %s', (_title, text, family) => {
  expect(parseOsRelease(text).family).toBe(family)
})

test('quotes and escapes are those of the shell', () => {
  expect(parseOsRelease('PRETTY_NAME="a \\"b\\" \\$c"\nVERSION_ID=\'1 \\\'\n')).toMatchObject({
    name: 'a "b" $c',
    version: '1 \\',
  })
})

test('a system without the file has no version', () => {
  expect(readOs(fakeHost())).toEqual({
    family: 'linux',
    id: 'linux',
    codename: '',
    version: '',
    name: 'Linux',
  })
})
