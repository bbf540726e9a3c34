import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { folderWith, steward } from './steward.ts'

const inTree = ['--root', 'tree', '--state', 'state', '--manifests', 'm']
const purging = (name: string) => `class: ${name}
resources:
  - file: /d
    ensure: directory
    recurse: true
    purge: true
  - file: /d/${name}
    content: ${name}
`

describe('a directory that is purged', () => {
  const host = (listed: string) =>
    folderWith({
      'tree/etc/zulip/zulip.conf': `[machine]\npuppet_classes = ${listed}\n`,
      'tree/d/two': 'two',
      'tree/d/stranger': 'x',
      'm/one.yaml': purging('one'),
      'm/two.yaml': purging('two'),
    })
  const stays = (folder: string, name: string) => existsSync(join(folder, 'tree/d', name))

  test('loses nothing where only some of the classes of the host are named', () => {
    const folder = host('one, two')
    const { status, stdout } = steward(folder, 'apply', 'one', '--yes', ...inTree)
    expect(status).toBe(0)
    expect(stdout).toContain('nothing is purged where only some of the host')
    expect([stays(folder, 'one'), stays(folder, 'two'), stays(folder, 'stranger')]).toEqual([
      true,
      true,
      true,
    ])
  })
  test.each([
    ['all of them are', 'one, two', ['one', 'two']],
    ['none is', 'one, two', []],
    ['the host lists no other', 'one', ['one']],
  ])('loses strangers where %s', (_title, listed, named) => {
    const folder = host(listed)
    expect(steward(folder, 'apply', ...named, '--yes', ...inTree).status).toBe(0)
    expect(stays(folder, 'stranger')).toBe(false)
    expect(stays(folder, 'two')).toBe(listed.includes('two'))
  })
})
