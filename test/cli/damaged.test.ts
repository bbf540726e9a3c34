import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Store } from '../../engine/record/store.ts'
import { folderWith, stewardAlone as steward } from './steward.ts'

const site = 'class: main\nresources:\n  - file: /f\n    content: x\n'
const args = ['--root', 'tree', '--state', 'state', '--manifests', 'm']
const apply = (folder: string) => steward(folder, 'apply', 'main', '--yes', ...args)
const preview = (folder: string) => steward(folder, 'apply', 'main', '--dry-run', ...args)
const state = (folder: string) => join(folder, 'state/state.db')
const aside = (folder: string) =>
  readdirSync(join(folder, 'state')).filter((name) => name.startsWith('state.db.damaged-'))

/** A tree whose record holds a run and enough events for many pages. */
function withRecord() {
  const folder = folderWith({ 'm/main.yaml': site, 'tree/x': '' })
  expect(apply(folder).status).toBe(0)
  const store = Store.open(join(folder, 'state'))
  const run = store.runs.start({ command: ['apply'], classes: ['main'] })
  store.begin()
  for (let number = 0; number < 500; number++)
    store.runs.addEvent(run, { type: 'notice', message: `${number} `.repeat(20) })
  store.close()
  return folder
}

describe('a record that is damaged', () => {
  test('stops no preview, and is set aside by the next run, which begins a new one', () => {
    const folder = withRecord()
    const nonsense = 'this is no database\n'.repeat(1000)
    writeFileSync(state(folder), nonsense)
    const { status, stdout, stderr } = preview(folder)
    expect(status).toBe(0)
    expect(stdout).toMatch(/^Nothing to do: 1 resource is in sync/)
    expect(stderr).toContain('warning: the record in')
    expect(readFileSync(state(folder), 'utf8')).toBe(nonsense)
    const applied = apply(folder)
    expect(applied.status).toBe(0)
    expect(applied.stdout).toContain('is set aside as')
    const [name = '', ...others] = aside(folder)
    expect(others).toEqual([])
    expect(readFileSync(join(folder, 'state', name), 'utf8')).toBe(nonsense)
    expect(apply(folder).stdout).toMatch(/^Nothing to do: 1 resource is in sync/)
  })
  test('only in its middle is told as such, and set aside by the run after that', () => {
    const folder = withRecord()
    const { size } = statSync(state(folder))
    const file = openSync(state(folder), 'r+')
    for (let at = 4096; at < size; at += 4096)
      writeSync(file, Buffer.alloc(4096, 0xa5), 0, 4096, at)
    closeSync(file)
    const first = apply(folder)
    expect(first.status).toBe(1)
    expect(first.stderr).toContain('is damaged')
    expect(first.stderr).not.toContain('bug')
    expect(apply(folder).status).toBe(0)
    expect(aside(folder)).toHaveLength(1)
  })
})
