import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { Store } from '../../engine/record/store.ts'
import { folderWith, steward } from './steward.ts'

const site = 'class: site\nresources:\n  - file: /x\n    content: x\n'
const args = ['apply', 'site', '--yes', '--manifests', 'm', '--root', '.', '--state', 'state']

/** A folder with a site, whose state has no room for some rows of a table. */
function withFull(table: string, rows = 'true') {
  const folder = folderWith({ 'm/site.yaml': site })
  Store.open(join(folder, 'state')).close()
  const db = new DatabaseSync(join(folder, 'state/state.db'))
  db.exec(
    `CREATE TRIGGER full BEFORE INSERT ON ${table} WHEN ${rows} BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END`,
  )
  db.close()
  return folder
}

test('a root that is not there is refused, in a dry run too', () => {
  const folder = folderWith({ 'm/site.yaml': site })
  for (const more of [[], ['--dry-run']]) {
    const { status, stderr } = steward(folder, ...args, '--root', 'none', ...more)
    expect(status).toBe(1)
    expect(stderr).toContain('--root takes a folder that is there')
  }
  expect(existsSync(join(folder, 'state'))).toBe(false)
})

describe('a state folder', () => {
  const refused = (spoil: (state: string) => void, found: string) => {
    const folder = folderWith({ 'm/site.yaml': site })
    mkdirSync(join(folder, 'state'))
    spoil(join(folder, 'state'))
    for (const more of [[], ['--dry-run']]) {
      const { status, stderr } = steward(folder, ...args, ...more)
      expect(status).toBe(1)
      expect(stderr).toContain(`can't be trusted`)
      expect(stderr).toContain(found)
    }
    expect(readdirSync(join(folder, 'state'))).toEqual([])
  }

  test('that others can write is refused, in a dry run too', () =>
    refused((state) => chmodSync(state, 0o777), 'others can write it (mode 0777)'))

  test.skipIf(process.geteuid?.() === 0 ? false : 'only root can give folders away')(
    'of somebody else is refused as well',
    () => refused((state) => chownSync(state, 12345, 12345), 'another user (uid 12345)'),
  )

  test('that can not be looked at is told by whoever opens it', () => {
    const folder = folderWith({ 'm/site.yaml': site, state: 'a file' })
    const { status, stderr } = steward(folder, ...args, '--state', 'state/below')
    expect(status).toBe(1)
    expect(stderr).toContain("state/below can't be made")
    expect(stderr).not.toContain('bug')
  })

  test('whose lock can not be opened is told as such', () => {
    const folder = folderWith({ 'm/site.yaml': site, 'state/run.lock/x': '' })
    const { status, stderr } = steward(folder, ...args)
    expect(status).toBe(1)
    expect(stderr).toContain('state/run.lock can not be taken: unable to open database file')
    expect(stderr).not.toContain('bug')
  })
})

describe('a state folder that takes nothing more', () => {
  test('before anything is touched refuses the run', () => {
    const folder = withFull('run')
    const { status, stderr } = steward(folder, ...args)
    expect(status).toBe(1)
    expect(stderr).toContain("state can't be used: database or disk is full")
    expect(existsSync(join(folder, 'x'))).toBe(false)
  })

  test('in the middle of a run fails it', () => {
    const { status, stderr } = steward(
      withFull('event', `new.body LIKE '%resource_finished%'`),
      ...args,
    )
    expect(status).toBe(4)
    expect(stderr).toContain("state can't be used: database or disk is full")
    expect(stderr).not.toContain('bug')
  })

  test('keeps a file from being overwritten, for it could not be kept', () => {
    const folder = withFull('kept')
    writeFileSync(join(folder, 'x'), 'by hand')
    const { status, stdout } = steward(folder, ...args)
    expect(status).toBe(4)
    expect(stdout).toContain('error: file[/x]: the state folder')
    expect(stdout).not.toContain('bug')
    expect(readFileSync(join(folder, 'x'), 'utf8')).toBe('by hand')
  })
})
