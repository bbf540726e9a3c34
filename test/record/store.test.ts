import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test, vi } from 'vitest'
import { Refusal } from '../../engine/diagnostics/diagnostic.ts'
import type { Summary } from '../../engine/events.ts'
import { HostError } from '../../engine/host/error.ts'
import { Store } from '../../engine/record/store.ts'
import { temporaryFolder } from '../compile/road.ts'

const summary: Summary = {
  run: '',
  status: 'done',
  changed: 1,
  refreshed: 0,
  failed: 0,
  skipped: 0,
  unchanged: 0,
  other: 0,
  durationMs: 5,
}
const open = { sensitive: false }
const small = Buffer.from('small\n')
const large = Buffer.alloc(300_000, 'large')

/** A module that does `body` with an open `store`, and is then killed in the middle of whatever it was in. */
function killedAfter(folder: string, body: string): void {
  const file = join(import.meta.dirname, '../../engine/record/store.ts')
  const script = `import { Store } from ${JSON.stringify(file)}
const store = Store.open(${JSON.stringify(folder)})
${body}
process.kill(process.pid, 'SIGKILL')`
  expect(() =>
    execFileSync(process.execPath, ['--input-type=module-typescript', '--eval', script], {
      stdio: 'pipe',
    }),
  ).toThrow(expect.objectContaining({ signal: 'SIGKILL' }))
}

describe('what was committed', () => {
  test('is there after a kill in the middle of the next transaction, which is not', () => {
    const folder = temporaryFolder()
    killedAfter(
      folder,
      `const run = store.runs.start({ command: ['apply'], classes: ['main'] })
store.begin()
store.runs.intend(run, 'file[/a]', 'change')
const hash = store.contents.put(Buffer.from('before'), { sensitive: false })
store.bucket.keep({ run, ref: 'file[/a]', path: '/a', kind: 'file', goes: 'all', mode: 420, uid: 0, gid: 0, hash, target: undefined })
store.commit()
store.begin()
store.runs.addEvent(run, { type: 'notice', message: 'lost' })
store.contents.put(Buffer.from('lost'), { sensitive: false })`,
    )
    const store = Store.open(folder)
    const [run] = store.runs.list()
    expect(run).toMatchObject({ status: 'running', finished: undefined, classes: ['main'] })
    const id = run?.id ?? ''
    expect(store.runs.events(id)).toEqual([])
    const [kept] = store.bucket.of(id)
    expect(store.contents.get(kept?.hash ?? '')?.toString()).toBe('before')
    expect(store.contents.get(hashOf('lost'))).toBeUndefined()
    store.runs.finish(id, summary)
    expect(store.runs.find(id)).toMatchObject({ status: 'done', summary })
    store.close()
  })

  test('can be read while another writes, and after one was killed', () => {
    const folder = temporaryFolder()
    const writer = Store.open(folder)
    const run = writer.runs.start({ command: [], classes: [] })
    writer.begin()
    writer.runs.addEvent(run, { type: 'notice', message: 'not yet' })
    const reader = Store.read(folder)
    expect(reader?.runs.events(run)).toEqual([])
    writer.commit()
    expect(reader?.runs.events(run)).toHaveLength(1)
    reader?.close()
    writer.close()
    killedAfter(folder, `store.begin(); store.runs.addEvent(${JSON.stringify(run)}, {})`)
    const again = Store.read(folder)
    expect(again?.runs.events(run)).toHaveLength(1)
    again?.close()
  })

  test('is committed on closing, too', () => {
    const folder = temporaryFolder()
    const store = Store.open(folder)
    store.begin()
    const run = store.runs.start({ command: [], classes: [] })
    store.close()
    const again = Store.open(folder)
    expect(again.runs.find(run)?.id).toBe(run)
    again.close()
  })
})

describe('an object', () => {
  test.each([
    ['small', small],
    ['empty', Buffer.alloc(0)],
    ['large', large],
    ['of any bytes', Buffer.from([0, 255, 128, 10])],
  ])('comes back as it was: %s', (_title, content) => {
    const store = Store.open(temporaryFolder())
    const hash = store.contents.put(content, open)
    expect(store.contents.get(hash)).toEqual(content)
    expect(store.contents.put(content, open)).toBe(hash)
    store.close()
  })

  test('comes back whole that came in pieces, and is the same as one that came at once', () => {
    const folder = temporaryFolder()
    const store = Store.open(folder)
    const hash = store.contents.putPieces([large.subarray(0, 7), large.subarray(7)])
    expect(store.contents.get(hash)).toEqual(large)
    expect(store.contents.put(large, open)).toBe(hash)
    expect(store.contents.putPieces([small])).toBe(hashOf('small\n'))
    expect(store.contents.put(small, open)).toBe(hashOf('small\n'))
    expect(store.contents.get(hashOf('small\n'))).toEqual(small)
    store.close()
    expect(readdirSync(join(folder, 'objects')).filter((name) => name.startsWith('.'))).toEqual([])
  })

  test('that is a file without a row, left by a kill, is taken up again', () => {
    const folder = temporaryFolder()
    killedAfter(
      folder,
      `store.begin(); store.contents.put(Buffer.alloc(300_000, 'large'), { sensitive: false })`,
    )
    const store = Store.open(folder)
    const hash = hashOf(large)
    expect(store.contents.get(hash)).toBeUndefined()
    store.contents.put(large, open)
    expect(store.contents.get(hash)).toEqual(large)
    store.close()
  })

  test('with a secret is in no file that holds anything else, and only root can read it', () => {
    const folder = temporaryFolder()
    const store = Store.open(folder)
    const hash = store.contents.put(Buffer.from('correct-horse'), { sensitive: true })
    store.close()
    for (const name of readdirSync(folder).filter((each) => each !== 'objects'))
      expect(readFileSync(join(folder, name)).includes('correct-horse'), name).toBe(false)
    const file = join(folder, 'objects', hash.slice(0, 2), hash.slice(2))
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })
})

describe('the state folder', () => {
  test('is made for its owner alone', () => {
    const folder = join(temporaryFolder(), 'deep/state')
    Store.open(folder).close()
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(statSync(join(folder, 'state.db')).mode & 0o777).toBe(0o600)
  })

  test('is not made by who only reads', () => {
    const folder = join(temporaryFolder(), 'state')
    expect(Store.read(folder)).toBeUndefined()
    expect(existsSync(folder)).toBe(false)
  })

  test('that somebody had just begun to make is an empty one', () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'state.db'), '')
    expect(Store.read(folder)).toBeUndefined()
    const store = Store.open(folder)
    expect(store.runs.list()).toEqual([])
    store.close()
  })

  test.each([
    ['is a file', (path: string) => writeFileSync(path, '')],
    [
      'has a folder in place of the database',
      (path: string) => mkdirSync(join(path, 'state.db'), { recursive: true }),
    ],
  ])('that %s is refused in one sentence', (_title, make) => {
    const path = join(temporaryFolder(), 'state')
    make(path)
    expect(refusal(() => Store.open(path))).toMatchObject({
      code: 'state',
      message: expect.stringContaining(`the state folder ${path} can't be used`),
      help: expect.stringContaining('--state'),
    })
  })

  test('that can not be written is refused, with the way out', () => {
    const path = temporaryFolder()
    chmodSync(path, 0o555)
    asNobody(() => expect(refusal(() => Store.open(path))).toMatchObject({ code: 'state' }))
  })

  test('of a newer steward is left alone, by readers too', () => {
    const path = temporaryFolder()
    Store.open(path).close()
    const db = new DatabaseSync(join(path, 'state.db'))
    db.exec('PRAGMA user_version = 99')
    db.close()
    for (const use of [() => Store.open(path), () => Store.read(path)])
      expect(refusal(use).message).toContain('of a newer steward: it has layout 99')
  })

  test('of an earlier steward is read as it is, and brought up to date by who writes', () => {
    const path = temporaryFolder()
    const made = Store.open(path)
    const run = made.runs.start({ command: [], classes: ['main'] })
    made.close()
    const db = new DatabaseSync(join(path, 'state.db'))
    db.exec(
      'DROP TABLE owed; DROP TABLE adopted; DROP TABLE managed; DROP TABLE noted; DROP TABLE link; ALTER TABLE kept DROP COLUMN base; ALTER TABLE kept DROP COLUMN given; PRAGMA user_version = 1',
    )
    db.close()
    expect(Store.reading(path, (store) => store.runs.owed())).toEqual([])
    const store = Store.open(path)
    const debt = { listener: 'service[a]', source: 'file[/b]', by: 'reload', run } as const
    store.runs.owe(debt)
    store.close()
    expect(Store.reading(path, (each) => each.runs.owed())).toEqual([debt])
    expect(Store.reading(path, (each) => each.runs.list().map(({ id }) => id))).toEqual([run])
  })

  /** Root may write everywhere, and so steps down. */
  function asNobody(act: () => void) {
    if (process.geteuid?.() !== 0) return act()
    process.seteuid?.(65534)
    try {
      act()
    } finally {
      process.seteuid?.(0)
    }
  }

  function refusal(act: () => unknown) {
    try {
      act()
    } catch (error) {
      if (error instanceof Refusal) return error.diagnostics[0] ?? expect.fail()
      throw error
    }
    return expect.fail('it was taken')
  }
})

describe('runs', () => {
  test('come the newest first, and are found by the beginning of their id where only one has it', () => {
    const store = Store.open(temporaryFolder())
    const ids = [0, 1, 2].map(() => store.runs.start({ command: ['apply'], classes: ['main'] }))
    expect(
      store.runs
        .list()
        .map(({ id }) => id)
        .sort(),
    ).toEqual([...ids].sort())
    expect(store.runs.list(1)).toHaveLength(1)
    expect(store.runs.find(ids[0] ?? '')?.id).toBe(ids[0])
    expect(store.runs.find('2')).toBeUndefined()
    expect(store.runs.find('%')).toBeUndefined()
    store.close()
  })

  test('come in the order in which they began, though the clock was set back', () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    try {
      const store = Store.open(temporaryFolder())
      const startAt = (time: string): string => {
        vi.setSystemTime(time)
        const run = store.runs.start({ command: ['apply'], classes: [] })
        store.procedures.save({ run, name: 'p', arguments: {}, state: 'open', progress: {} })
        store.runs.owe({ listener: `service[${run}]`, source: 'file[/a]', by: 'restart', run })
        store.runs.finish(run, { ...summary, run })
        return run
      }
      const earlier = startAt('2026-03-02T12:00:00Z')
      const later = startAt('2026-03-01T12:00:00Z')
      expect(store.runs.list().map(({ id }) => id)).toEqual([later, earlier])
      expect(store.runs.find('last')?.id).toBe(later)
      expect(store.runs.listAfter(earlier).map(({ id }) => id)).toEqual([later])
      expect(store.runs.listAfter(undefined).map(({ id }) => id)).toEqual([later, earlier])
      expect(store.runs.owed().map(({ run }) => run)).toEqual([earlier, later])
      expect(store.procedures.open('p')?.run).toBe(later)
      expect(store.procedures.allOpen().map(({ run }) => run)).toEqual([earlier, later])
      store.close()
    } finally {
      vi.useRealTimers()
    }
  })

  test('tell how long each resource last took', () => {
    const store = Store.open(temporaryFolder())
    const run = store.runs.start({ command: [], classes: [] })
    const finished = (ref: string, outcome: string, durationMs: number) =>
      store.runs.addEvent(run, { type: 'resource_finished', ref, outcome, changes: [], durationMs })
    finished('a', 'changed', 10)
    finished('a', 'changed', 20)
    finished('b', 'failed', 30)
    expect(store.runs.lastDurations()).toEqual(new Map([['a', 20]]))
    store.close()
  })
})

describe('a path', () => {
  test.each(['/plain', '/bad\udcff', '/gr\u00fc\u00dfe "x"', '"quoted"'])(
    '%j comes back as it was',
    (path) => {
      const store = Store.open(temporaryFolder())
      const run = store.runs.start({ command: [], classes: [] })
      const about = { ref: 'file[/x]', mode: 0o644, uid: 0, gid: 0, run }
      store.bucket.keep({
        ...about,
        path,
        kind: 'link',
        goes: 'all',
        hash: undefined,
        target: path,
        base: undefined,
      })
      store.files.record({ ...about, path, written: 'a', base: 'a', sensitive: false })
      expect(store.bucket.of(run)).toMatchObject([{ path, target: path }])
      expect(store.files.find(path)).toMatchObject({ path, written: 'a' })
      expect(store.files.settled()(path, Date.now() - 1000)).toBe(false)
      store.runs.finish(run, { run, status: 'done' } as Summary)
      expect(store.files.settled()(path, Date.now() - 1000)).toBe(true)
      expect(store.files.settled()(path, Date.now() + 1000)).toBe(false)
      store.files.record({ ...about, path, written: 'merged', base: 'a', sensitive: false })
      expect(store.files.settled()(path, Date.now() - 1000)).toBe(false)
      store.close()
    },
  )
})

describe('a procedure', () => {
  test('is open until it is said to be otherwise, with its arguments and progress', () => {
    const folder = temporaryFolder()
    const store = Store.open(folder)
    const row = {
      run: '1',
      name: 'zulip::upgrade',
      arguments: { tree: '/x' },
      state: 'open',
      progress: { answers: { '?a': { lines: ['x'] } } },
    } as const
    store.procedures.save(row)
    store.close()
    const again = Store.open(folder)
    expect(again.procedures.open('zulip::upgrade')).toEqual(row)
    expect(again.procedures.open('other')).toBeUndefined()
    again.procedures.save({ ...row, state: 'done' })
    expect(again.procedures.open('zulip::upgrade')).toBeUndefined()
    again.close()
  })
})

/** Makes the database answer an insert into a table as it does when its disk is full. */
function fill(folder: string, table: string): void {
  const db = new DatabaseSync(join(folder, 'state.db'))
  db.exec(
    `CREATE TRIGGER full BEFORE INSERT ON ${table} BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END`,
  )
  db.close()
}

describe('a full disk', () => {
  test('is told as such, and what comes later is kept where there is room again', () => {
    const folder = temporaryFolder()
    const store = Store.open(folder)
    fill(folder, 'object')
    store.begin()
    store.runs.addEvent('run', { lost: true })
    expect(() => store.contents.put(small, open)).toThrow(
      `the state folder ${folder} can't be used: database or disk is full`,
    )
    store.begin()
    store.runs.addEvent('run', { lost: false })
    store.commit()
    expect(store.runs.events('run').map(({ event }) => event)).toEqual([{ lost: false }])
    store.close()
  })

  test('leaves nothing of a content that did not fit, nor does a kill', () => {
    const folder = temporaryFolder()
    const store = Store.open(folder)
    const failing = function* () {
      yield large
      throw new HostError('EIO', '/x')
    }
    expect(() => store.contents.putPieces(failing())).toThrow(HostError)
    expect(readdirSync(join(folder, 'objects'))).toEqual([])
    writeFileSync(join(folder, 'objects/.incoming-1'), 'half')
    store.close()
    Store.open(folder).close()
    expect(readdirSync(join(folder, 'objects'))).toEqual([])
  })
})

test('what later runs made is told also of those that began in the same second', () => {
  const store = Store.open(temporaryFolder())
  const made = (path: string): void => {
    const run = store.runs.start({ command: ['apply'], classes: [] })
    const changes = [{ attribute: 'ensure', from: 'absent', to: 'file' }]
    const ended = { type: 'resource_finished', outcome: 'changed', changes, durationMs: 1 } as const
    store.runs.addEvent(run, { ...ended, ref: `file[${path}]` })
  }
  made('/before')
  const run = store.runs.start({ command: ['apply'], classes: [] })
  const paths = Array.from({ length: 20 }, (_, n) => `/after${n}`)
  for (const path of paths) made(path)
  expect(store.runs.toldSince(run)).toEqual(new Map(paths.map((path) => [`file[${path}]`, true])))
  store.close()
})

function hashOf(content: string | Buffer): string {
  const store = Store.open(temporaryFolder())
  const hash = store.contents.put(Buffer.from(content), open)
  store.close()
  return hash
}

test('a record that was being made when its run was cut off is none, and is made by the next', () => {
  const [from, to] = [temporaryFolder(), temporaryFolder()]
  // What SQLite has not yet rolled back: a change is under way, and its journal is on the disk.
  const begun = new DatabaseSync(join(from, 'state.db'))
  begun.exec('CREATE TABLE a (b); PRAGMA cache_size = 1; BEGIN IMMEDIATE')
  begun.exec('INSERT INTO a SELECT zeroblob(100000)')
  for (const name of ['state.db', 'state.db-journal'])
    copyFileSync(join(from, name), join(to, name))
  begun.close()
  expect(Store.read(to)).toBeUndefined()
  const store = Store.open(to)
  expect(store.runs.list()).toEqual([])
  store.close()
  expect(Store.reading(to, (read) => read.runs.list())).toEqual([])
})
