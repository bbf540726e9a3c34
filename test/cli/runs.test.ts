import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Store } from '../../engine/record/store.ts'
import { folderWith, steward } from './steward.ts'

const summary = {
  status: 'done',
  changed: 1,
  refreshed: 0,
  failed: 0,
  skipped: 0,
  unchanged: 3,
  other: 0,
  durationMs: 1200,
} as const

/** A folder whose `state` holds two runs, the second cut off; their ids, the newest first. */
async function recorded() {
  const folder = folderWith()
  const store = Store.open(join(folder, 'state'))
  const first = store.runs.start({ command: ['apply', '--yes'], classes: ['site::web'] })
  store.runs.addEvent(first, {
    type: 'resource_finished',
    ref: 'file[/etc/motd]',
    outcome: 'changed',
    changes: [{ attribute: 'mode', from: '0600', to: '0644' }],
    durationMs: 5,
  })
  store.runs.finish(first, { run: first, ...summary })
  // Runs are told apart by the millisecond in which they began.
  await new Promise((resolve) => setTimeout(resolve, 5))
  const second = store.runs.start({ command: ['apply'], classes: [] })
  store.close()
  return { folder, ids: [second, first] as const }
}

describe('list', () => {
  test('is an array of objects with ids, the newest first', async () => {
    const { folder, ids } = await recorded()
    const { status, stdout } = steward(folder, 'runs', 'list', '--state', 'state', '--json')
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toEqual([
      expect.objectContaining({ id: ids[0], status: 'running' }),
      expect.objectContaining({ id: ids[1], status: 'done', classes: ['site::web'] }),
    ])
  })

  test('shows as many as asked for', async () => {
    const { folder, ids } = await recorded()
    const { stdout } = steward(folder, 'runs', 'list', '--limit', '1', '--state', 'state')
    expect(stdout).toContain(ids[0])
    expect(stdout).not.toContain(ids[1])
    expect(stdout).toContain('not finished')
  })

  test('refuses a limit that is no number', () => {
    expect(steward(folderWith(), 'runs', 'list', '--limit', 'few')).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('--limit'),
    })
  })

  test('is empty without a state, and makes none', () => {
    const folder = folderWith()
    const list = ['runs', 'list', '--root', folder]
    expect(steward(folder, ...list)).toMatchObject({ status: 0, stdout: 'No run is on record.\n' })
    expect(steward(folder, ...list, '--json')).toMatchObject({ status: 0, stdout: '[]\n' })
    expect(existsSync(join(folder, 'var'))).toBe(false)
  })
})

describe('show', () => {
  test('tells what was changed', async () => {
    const { folder, ids } = await recorded()
    const { stdout } = steward(folder, 'runs', 'show', ids[1], '--state', 'state')
    expect(stdout).toContain('steward apply --yes')
    expect(stdout).toContain('file[/etc/motd]')
  })

  test('gives all that is on record as JSON', async () => {
    const { folder, ids } = await recorded()
    const { stdout } = steward(folder, 'runs', 'show', ids[1], '--state', 'state', '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      id: ids[1],
      summary: { changed: 1 },
      events: [{ event: { ref: 'file[/etc/motd]' } }],
      kept: [],
    })
  })

  test('takes the beginning of an id, but not one that several share', async () => {
    const { folder, ids } = await recorded()
    expect(steward(folder, 'runs', 'show', ids[1].slice(0, -1), '--state', 'state').status).toBe(0)
    const { status, stderr } = steward(folder, 'runs', 'show', '2', '--state', 'state')
    expect(status).toBe(1)
    expect(stderr).toContain('2 runs have an id that begins with 2')
  })

  test('says that there is no such run', () => {
    const folder = folderWith()
    mkdirSync(join(folder, 'state'))
    const { status, stdout, stderr } = steward(folder, 'runs', 'show', 'x', '--state', 'state')
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toContain('there is no run x: none is on record')
  })
})
