import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Store } from '../../engine/record/store.ts'
import { manifestFolder, temporaryFolder } from '../compile/road.ts'
import { type RunOptions, trip } from './trip.ts'

/** Types that keep a file of their own, what declares one, and where the file lies. */
const types = [
  ['cron', 'cron: job\n    schedule: "0 2 * * *"\n    command: run VERSION', '/etc/cron.d/job'],
  ['sysctl', 'sysctl: vm.swappiness\n    value: VERSION', '/etc/sysctl.d/60-vm.swappiness.conf'],
  [
    'apt_repository',
    'apt_repository: ours\n    uris: http://127.0.0.1/VERSION\n    suites: bookworm\n    components: main',
    '/etc/apt/sources.list.d/ours.sources',
  ],
  [
    'apt_repository, its pin',
    'apt_repository: ours\n    uris: http://127.0.0.1/\n    suites: bookworm\n    components: main\n    pin: { packages: "*", pin: release a=VERSION, priority: 7 }',
    '/etc/apt/preferences.d/ours.pref',
  ],
] as const

function place() {
  const root = temporaryFolder()
  const folders = ['cron.d', 'sysctl.d', 'apt/sources.list.d', 'apt/preferences.d']
  for (const folder of folders) mkdirSync(join(root, 'etc', folder), { recursive: true })
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n')
  return { root, state: temporaryFolder() }
}

describe.each(types)('the file of %s', (_type, declaration, path) => {
  const apply = async (
    where: ReturnType<typeof place>,
    version: string,
    options: RunOptions = {},
  ) => {
    const text = `class: main\nresources:\n  - ${declaration.replace('VERSION', version)}\n`
    return trip(where, manifestFolder({ 'main.yaml': text }), options)
  }
  const editsOf = ({ plan }: Awaited<ReturnType<typeof apply>>) =>
    plan.resources.flatMap(({ changes }) =>
      changes.flatMap(({ edit, at }) => (edit === undefined ? [] : [`${at} ${edit}`])),
    )

  test('is told where it was here before steward, and can be had back', async () => {
    const where = place()
    const file = join(where.root, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, 'of somebody else\n')
    const ran = await apply(where, '1')
    expect(editsOf(ran)).toEqual([`${path} here before steward`])
    expect(ran.summary.overwritten).toEqual([path])
    expect(readFileSync(file, 'utf8')).toContain('1')
    expect(statSync(file).mode & 0o777).toBe(0o644)
    const store = Store.open(where.state)
    expect(store.bucket.list().map((row) => row.path)).toContain(path)
    store.close()
  })

  test('keeps what was here before steward, where that is asked for, when it gets another mode', async () => {
    const where = place()
    const file = join(where.root, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, 'of somebody else\n', { mode: 0o600 })
    const kept = await apply(where, '1', { localEdits: 'keep' })
    expect(kept.summary).toMatchObject({ changed: 1, failed: 0 })
    expect(readFileSync(file, 'utf8')).toBe('of somebody else\n')
    expect(statSync(file).mode & 0o777).toBe(0o644)
  })

  test('is told where it was edited here, and kept or merged where that is asked for', async () => {
    const where = place()
    const file = join(where.root, path)
    await apply(where, '1')
    const before = readFileSync(file, 'utf8')
    expect(editsOf(await apply(where, '2'))).toEqual([])
    writeFileSync(file, `# ours\n${readFileSync(file, 'utf8')}`)

    const kept = await apply(where, '3', { localEdits: 'keep' })
    expect(kept.summary).toMatchObject({ changed: 0, failed: 0 })
    expect(readFileSync(file, 'utf8')).toMatch(/^# ours/)

    const refused = await apply(where, '3', { localEdits: 'fail' })
    expect(refused.summary).toMatchObject({ failed: 1 })

    const overwritten = await apply(where, '1')
    expect(editsOf(overwritten)).toEqual([`${path} edited here, and has a new version`])
    expect(readFileSync(file, 'utf8')).toBe(before)
    expect((await apply(where, '1')).plan.resources).toEqual([])
  })

  test('is told where it goes and holds what steward did not write', async () => {
    const where = place()
    const file = join(where.root, path)
    await apply(where, '1')
    writeFileSync(file, 'edited\n')
    const text = `class: main\nresources:\n  - ${declaration.split('\n')[0]}\n    ensure: absent\n`
    const gone = await trip(where, manifestFolder({ 'main.yaml': text }))
    expect(editsOf(gone)).toEqual([`${path} edited here, and is removed`])
    expect(existsSync(file)).toBe(false)
  })
})
