import { describe, expect, test } from 'vitest'
import { Store } from '../../engine/record/store.ts'
import { manifestFolder, temporaryFolder } from '../compile/road.ts'
import { makeTree, readTree } from '../support/disk-tree.ts'
import { runKilledAt } from './run-killed.ts'
import { type Place, trip } from './trip.ts'

const before = {
  changed: 'by hand\n',
  removed: 'by hand\n',
  'folder/inside': 'by hand\n',
  link: { target: 'changed' },
}
const manifest = `class: main
resources:
  - file: /changed
    content: new
    mode: "0600"
  - file: /removed
    ensure: absent
  - file: /made
    ensure: directory
  - file: /made/file
    content: new
  - file: /folder
    ensure: absent
    force: true
  - file: /link
    target: made/file
`

/**
 * Every fourth point, so that writes and what is taken down of them both have their turn, and it takes seconds.
 */
const STEP = 4

describe('a run that is killed at any point', () => {
  let folder: string
  let done: Record<string, string>
  let points: number

  const started = (): Place => {
    const place = { root: temporaryFolder(), state: temporaryFolder() }
    makeTree(place.root, before)
    return place
  }

  test('is finished by the next one, and has kept all that it overwrote', async () => {
    folder = manifestFolder({ 'main.yaml': manifest })
    const whole = started()
    const { stdout } = await runKilledAt(whole, folder, 0)
    points = Number(stdout.split(' ')[0])
    expect(stdout).toBe(`${points} done\n`)
    expect(points).toBeGreaterThanOrEqual(20)
    done = readTree(whole.root)

    const next = async (first: number): Promise<void> => {
      for (let at = first; at <= points; at += 2 * STEP) await killAndGoOn(at)
    }
    await Promise.all([next(1), next(1 + STEP)])
  })

  async function killAndGoOn(at: number): Promise<void> {
    const place = started()
    expect(await runKilledAt(place, folder, at), `point ${at}`).toMatchObject({ killed: true })
    const store = Store.read(place.state)
    const [run] = store?.runs.list() ?? []
    expect(run?.status, `point ${at}`).toBe('running')
    const kept = new Set(store?.bucket.of(run?.id ?? '').map(({ path }) => path))
    const now = readTree(place.root)
    for (const [path, was] of Object.entries(readTree(copyOfBefore()))) {
      if (now[path] !== was) expect([...kept], `point ${at}: ${path}`).toContain(`/${path}`)
    }
    for (const row of store?.bucket.of(run?.id ?? '') ?? []) {
      if (row.kind === 'file' && row.goes === 'all')
        expect(store?.contents.get(row.hash ?? '')?.toString(), `point ${at}`).toBe('by hand\n')
    }
    store?.close()
    // No file is ever seen half written, and nothing of a broken write is taken for a file of the host's.
    for (const [path, is] of Object.entries(now))
      if (path === 'changed')
        expect(is).toMatch(/^file 0(644 by hand\n|600 new|600 by hand\n|644 new)$/)

    const { summary, events } = await trip(place, folder)
    expect(summary.status, JSON.stringify(events)).toBe('done')
    expect(readTree(place.root), `point ${at}`).toEqual(done)
    expect((await trip(place, folder)).plan.resources).toEqual([])
  }

  function copyOfBefore(): string {
    const copy = temporaryFolder()
    makeTree(copy, before)
    return copy
  }
})
