import { describe, expect, test } from 'vitest'
import { currentDeployment, numbersOf, readRelease } from '../../engine/facts/release.ts'
import { fakeHost } from '../support/fake-host.ts'

const tree = '/home/zulip/deployments/2026-11-22-10-00-00'
const link = { [currentDeployment]: { target: tree } }
const versionFile = 'import os\n\nZULIP_VERSION = "9.4"\n\nZULIP_VERSION = lines.pop(0)\n'

describe('readRelease', () => {
  test('reads the version of the tree that the link leads to', () => {
    const host = fakeHost({ files: { ...link, [`${tree}/version.py`]: versionFile } })
    expect(readRelease(host, currentDeployment)).toEqual({
      version: '9.4',
      major: 9,
      minor: 4,
      tree,
    })
  })

  test('takes the version from git where there is one', () => {
    const host = fakeHost({
      files: {
        ...link,
        [`${tree}/version.py`]: versionFile,
        [`${tree}/zulip-git-version`]: '9.4-14-gabc123\nabc123\n',
      },
    })
    expect(readRelease(host, currentDeployment)).toMatchObject({ version: '9.4-14-gabc123' })
  })

  test.each([
    ['where nothing is', {}],
    ['behind a dangling link', link],
    ['where version.py says none', { ...link, [`${tree}/version.py`]: '# nothing\n' }],
  ])('is null %s', (_title, files) => {
    expect(readRelease(fakeHost({ files }), currentDeployment)).toBeNull()
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
