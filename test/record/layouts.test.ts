import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { folderWith, stewardAlone as steward } from '../cli/steward.ts'

/**
 * What stewards of earlier layouts left: they had put `f` and `g` in place of files that were there, and failed to
 * refresh an exec for `g`. Since layout 2, an edit of `f` had been adopted after that. Made by their own commits.
 */
const layouts = [1, 2, 3]

/** A machine with such a record, and what lay on it. */
function hostOf(layout: number) {
  const folder = folderWith({
    f: 'ONE of mine\ntwo\nthree\nfour\nfive\n',
    g: 'new\n',
    conf: '[machine]\npuppet_classes = main\n',
    'm/main.yaml': '',
  })
  const text = readFileSync(join(import.meta.dirname, `layouts/${layout}.sql`), 'utf8')
  mkdirSync(join(folder, 'state'), { mode: 0o700 })
  const database = new DatabaseSync(join(folder, 'state/state.db'))
  database.exec('PRAGMA journal_mode = WAL')
  database.exec(text.replaceAll('{folder}', folder))
  database.exec(`PRAGMA user_version = ${layout}`)
  database.close()
  const run = (...args: readonly string[]) => steward(folder, ...args, '--state', 'state')
  const road = ['--manifests', 'm', '--config', 'conf']
  const want = (last: string) =>
    writeFileSync(
      join(folder, 'm/main.yaml'),
      `class: main
resources:
  - file: ${folder}/f
    content: "one\\ntwo\\nthree\\nfour\\n${last}\\n"
  - file: ${folder}/g
    content: "new\\n"
    notify: { exec: told }
  - exec: told
    command: [touch, ${folder}/told]
    refreshonly: true
`,
    )
  want('five')
  const read = (name: string) => readFileSync(join(folder, name), 'utf8')
  return { folder, run, road, want, read }
}

describe.each(layouts)('a record of layout %i', (layout) => {
  test('is read by all that only looks, and is not touched by that', () => {
    const { folder, run, road, read } = hostOf(layout)
    const before = readFileSync(join(folder, 'state/state.db'))
    const planned = run('apply', '--dry-run', ...road)
    expect(planned).toMatchObject({ status: 0, stderr: '' })
    if (layout === 1) expect(planned.stdout).toContain('What was changed here and is overwritten')
    else expect(planned.stdout).toMatch(/exec\[told\] +run/)
    const runs = run('runs', 'list', '--json')
    expect(runs.status).toBe(0)
    const { id } = JSON.parse(runs.stdout)[0]
    for (const command of [
      ['runs', 'show', id],
      ['bucket', 'list'],
      ['local', 'list', ...road],
      ['orphans', 'list', ...road],
      ['undo', id, '--dry-run', ...road],
    ])
      expect([...command, run(...command).status]).toEqual([...command, 0])
    // 1 where something is owed.
    expect(run('status').status).toBe(layout === 1 ? 0 : 1)
    expect(run('bucket', 'show', join(folder, 'f')).stdout).toBe('before steward\n')
    expect(readFileSync(join(folder, 'state/state.db')).equals(before)).toBe(true)
    expect(read('f')).toContain('ONE of mine')
  })

  test('keeps runs, bucket, base, what is owed and what was adopted as an apply brings it up to date', () => {
    const { folder, run, road, want, read } = hostOf(layout)
    want('six')
    // Of layout 1 the base alone is on record, by which an edit is merged when that is asked for.
    const how = layout === 1 ? ['--local-edits', 'merge'] : []
    expect(run('apply', '--yes', ...how, ...road)).toMatchObject({ status: 0, stderr: '' })
    expect(read('f')).toBe('ONE of mine\ntwo\nthree\nfour\nsix\n')
    // A steward of layout 1 did not know what it owed.
    expect(existsSync(join(folder, 'told'))).toBe(layout > 1)
    expect(JSON.parse(run('runs', 'list', '--json').stdout)).toHaveLength(2)
    expect(run('bucket', 'show', join(folder, 'g')).stdout).toBe('old\n')
    expect(run('status').stdout).not.toContain('owed')
    if (layout > 1) expect(run('local', 'list', ...road).stdout).toContain('adopted')
    expect(run('apply', '--dry-run', ...how, ...road).stdout).toContain('Nothing to do')
    expect(readdirSync(join(folder, 'state')).some((name) => name.includes('damaged'))).toBe(false)
  })

  test('has its run taken back, and gives what it had overwritten', () => {
    const { run, road, read } = hostOf(layout)
    const { id } = JSON.parse(run('runs', 'list', '--json').stdout)[0]
    expect(run('undo', id, '--yes', ...road)).toMatchObject({ status: 0 })
    expect([read('f'), read('g')]).toEqual(['before steward\n', 'old\n'])
  })
})

describe('a record of a newer layout', () => {
  const newer = () => {
    const host = hostOf(2)
    const database = new DatabaseSync(join(host.folder, 'state/state.db'))
    database.exec('PRAGMA user_version = 99')
    database.close()
    return host
  }

  test('is refused by whatever needs it, with what to do, and is neither changed nor set aside', () => {
    const { folder, run, road } = newer()
    const { size } = statSync(join(folder, 'state/state.db'))
    for (const command of [
      ['apply', '--yes', ...road],
      ['runs', 'list'],
      ['status'],
      ['bucket', 'list'],
      ['local', 'list', ...road],
    ])
      expect([...command, run(...command)]).toEqual([
        ...command,
        {
          status: 1,
          stdout: '',
          stderr: expect.stringMatching(
            /^error: the record in .*state is of a newer steward: .*layout 99.*; install that steward again/,
          ),
        },
      ])
    expect(readdirSync(join(folder, 'state'))).toContain('state.db')
    expect(statSync(join(folder, 'state/state.db')).size).toBe(size)
  })

  test('stops no preview, of classes or of a procedure', () => {
    const { folder, run, road } = newer()
    writeFileSync(
      join(folder, 'm/work.yaml'),
      'class: work\nsteps:\n  - apply: all\n    classes: zulip.conf\n',
    )
    for (const named of [[], ['work']])
      expect(run('apply', '--dry-run', ...named, ...road)).toMatchObject({
        status: 0,
        stdout: expect.stringContaining(`file[${folder}/f]`),
        stderr: expect.stringMatching(/^warning: the record in .* is of a newer steward/),
      })
  })
})
