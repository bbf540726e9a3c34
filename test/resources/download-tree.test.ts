import { chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { localHost } from '../../engine/host/local.ts'
import { readRecord, recordName } from '../../engine/resources/download-tree.ts'
import { temporaryFolder } from '../compile/road.ts'

function recorded(entries: object, owner?: number) {
  const root = temporaryFolder()
  mkdirSync(join(root, 'tree'))
  const path = join(root, 'tree', recordName)
  writeFileSync(path, JSON.stringify({ checksum: '0'.repeat(64), strip: 0, entries }))
  if (owner !== undefined) chownSync(path, owner, owner)
  return readRecord(localHost({ root }), '/tree')
}

describe('the record of an unpacked archive', () => {
  const entries = {
    bin: { folder: true },
    'bin/tool': { sha256: '1'.repeat(64), executable: true },
  }
  test('is believed where steward wrote it', () => {
    expect(recorded(entries)).toMatchObject({ entries })
  })
  test.skipIf(process.getuid?.() !== 0)(
    'is not believed where somebody else could have written it (skipped unless root: it gives the file away)',
    () => {
      expect(recorded(entries, 1000)).toBeUndefined()
    },
  )
  test.each(['../etc', '/etc', 'bin/../../etc', '', './x', 'bin//x'])(
    'is not believed where it names %j, which lies elsewhere',
    (name) => {
      expect(recorded({ [name]: { folder: true } })).toBeUndefined()
    },
  )
})
