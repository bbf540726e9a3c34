import { describe, expect, test } from 'vitest'
import { numbersOf, readHostRelease, readRelease } from '../../engine/facts/release.ts'
import { fakeHost } from '../support/fake-host.ts'

const tree = '/home/zulip/deployments/2026-11-22-10-00-00'
const current = '/home/zulip/deployments/current'
const link = { [current]: { target: tree } }
const versionFile = 'import os\n\nZULIP_VERSION = "9.4"\n\nZULIP_VERSION = lines.pop(0)\n'

test('before its first start the release of a host is the one that is to run', () => {
  const other = '/home/zulip/deployments/2026-12-01-10-00-00'
  const files = {
    '/home/zulip/deployments/next': { target: other },
    [`${other}/version.py`]: 'ZULIP_VERSION = "10.1"\n',
    [`${tree}/version.py`]: versionFile,
  }
  expect(readHostRelease(fakeHost({ files }))?.version).toBe('10.1')
  expect(readHostRelease(fakeHost({ files: { ...files, ...link } }))?.version).toBe('9.4')
  expect(readHostRelease(fakeHost())).toBeNull()
})

describe('readRelease', () => {
  test('reads the version of the tree that the link leads to', () => {
    const host = fakeHost({ files: { ...link, [`${tree}/version.py`]: versionFile } })
    expect(readRelease(host, current)).toEqual({
      version: '9.4',
      major: 9,
      minor: 4,
      tree,
      node: null,
    })
  })

  test('tells which Node.js its scripts install, where they say all of it', () => {
    const sums = { amd64: 'a1'.repeat(32), arm64: 'b2'.repeat(32) }
    const script = (version: string) => `set -e
version=${version}
case $(uname -m) in
  x86_64)
    tarball="node-v$version-linux-x64.tar.xz"
    sha256=${sums.amd64}
    ;;
  aarch64)
    tarball="node-v$version-linux-arm64.tar.xz"
    sha256=${sums.arm64}
    ;;
esac
`
    const nodeOf = (text: string) => {
      const files = {
        [`${tree}/version.py`]: versionFile,
        [`${tree}/scripts/lib/install-node`]: text,
      }
      return readRelease(fakeHost({ files: { ...link, ...files } }), current)?.node
    }
    expect(nodeOf(script('20.18.1'))).toEqual({ version: '20.18.1', ...sums })
    expect(nodeOf(script('"$(echo 20)"'))).toBeNull()
    expect(nodeOf(script('20.18.1').replace(sums.arm64, 'unknown'))).toBeNull()
  })

  test('takes the version from git where there is one', () => {
    const host = fakeHost({
      files: {
        ...link,
        [`${tree}/version.py`]: versionFile,
        [`${tree}/zulip-git-version`]: '9.4-14-gabc123\nabc123\n',
      },
    })
    expect(readRelease(host, current)).toMatchObject({ version: '9.4-14-gabc123' })
  })

  test.each([
    ['where nothing is', {}],
    ['behind a dangling link', link],
    ['where version.py says none', { ...link, [`${tree}/version.py`]: '# nothing\n' }],
  ])('is null %s', (_title, files) => {
    expect(readRelease(fakeHost({ files }), current)).toBeNull()
  })
})

test.each([
  ['2.0.4', 2, 0],
  ['10.0-dev+git', 10, 0],
  ['13.0-beta1', 13, 0],
  ['9.2-14-gabc123', 9, 2],
  ['12ab3c4', 0, 0],
])('%s has the numbers %i and %i', (version, major, minor) => {
  expect(numbersOf(version)).toEqual({ version, major, minor })
})
