import {
  chmodSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Store } from '../../engine/record/store.ts'
import { readTree } from '../support/disk-tree.ts'
import { folderWith, steward } from './steward.ts'

const inTree = ['--root', 'tree', '--state', 'state', '--manifests', 'm']
/** More than is held in memory at once. Bytes. */
const large = 9_000_000

test('a purge loses nothing that a stranger has there: an undo brings back all of it', () => {
  const folder = folderWith({
    'm/main.yaml': `class: main
resources:
  - file: /app.d
    ensure: directory
    recurse: true
    purge: true
    force: true
  - file: /app.d/ours.conf
    content: ours
`,
    'tree/app.d/mine.conf': 'mine',
    'tree/app.d/deep/er/mine.conf': 'mine, too',
    'tree/app.d/large': '',
  })
  const at = (path: string) => join(folder, 'tree/app.d', path)
  chmodSync(at('mine.conf'), 0o640)
  chmodSync(at('deep/er'), 0o2750)
  mkdirSync(at('empty'))
  symlinkSync('../somewhere', at('link'))
  writeFileSync(at('large'), 'begins')
  truncateSync(at('large'), large)
  const before = readTree(join(folder, 'tree'))
  expect(steward(folder, 'apply', 'main', '--yes', ...inTree)).toMatchObject({ status: 0 })
  expect(readdirSync(at(''))).toEqual(['ours.conf'])
  const { stdout } = steward(folder, 'bucket', 'list', '--json', ...inTree.slice(0, 4))
  const kept = (JSON.parse(stdout) as { path: string }[]).map(({ path }) => path)
  expect(kept.sort()).toEqual(
    ['deep', 'deep/er', 'deep/er/mine.conf', 'empty', 'large', 'link', 'mine.conf'].map(
      (path) => `/app.d/${path}`,
    ),
  )
  const run = Store.reading(join(folder, 'state'), (store) => store.runs.list(1)[0]?.id) ?? ''
  expect(steward(folder, 'undo', run, '--yes', ...inTree)).toMatchObject({ status: 0, stderr: '' })
  expect(readTree(join(folder, 'tree'))).toEqual(before)
})
