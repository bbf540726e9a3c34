import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Store } from '../../engine/record/store.ts'
import { temporaryFolder } from '../compile/road.ts'

interface Kept {
  readonly path: string
  readonly content: string
  readonly goes: 'all' | 'mode'
  /** Whether it is the first that its run keeps. */
  readonly isNewRun: boolean
}
const path = fc.constantFrom('/a', '/b', '/c')
const word = fc.string({ unit: fc.constantFrom('x', 'y', 'z'), minLength: 1, maxLength: 4 })
const kept: fc.Arbitrary<Kept> = fc.record({
  path,
  content: word,
  goes: fc.constantFrom('all', 'all', 'mode'),
  isNewRun: fc.boolean(),
})
const retention = fc.oneof(
  fc.record({ keep: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ maxBytes: fc.integer({ min: 0, max: 12 }) }),
  fc.constant({ before: '2999-01-01' }),
)

describe('what is collected', () => {
  test('is never what the last run kept of a path, nor a base, nor an adopted edit', () => {
    const nothingNeeded = fc.property(
      fc.array(kept, { minLength: 1, maxLength: 14 }),
      fc.record({ written: word, base: word, adopted: word }),
      retention,
      (rows, { written, base, adopted }, limits) => {
        const store = Store.open(temporaryFolder())
        store.begin()
        const put = (text: string) => store.contents.put(Buffer.from(text), { sensitive: false })
        const all: (Kept & { readonly id: number; readonly run: number })[] = []
        let run = ''
        let number = 0
        for (const row of rows) {
          if (row.isNewRun || run === '') {
            run = store.runs.start({ command: ['apply'], classes: [] })
            number++
          }
          const isWhole = row.goes === 'all'
          store.bucket.keep({
            run,
            ref: `file[${row.path}]`,
            path: row.path,
            kind: 'file',
            goes: row.goes,
            mode: 0o644,
            uid: 0,
            gid: 0,
            hash: isWhole ? put(row.content) : undefined,
            target: undefined,
            base: isWhole ? put(`base of ${row.content}`) : undefined,
          })
          all.push({ ...row, id: store.bucket.lastId(), run: number })
        }
        store.files.record({
          path: '/a',
          ref: 'file[/a]',
          written: put(written),
          base: put(`${base} base`),
          mode: 0o644,
          uid: 0,
          gid: 0,
          run,
          sensitive: false,
        })
        store.files.adopt('/a', { base: put('before'), edited: put(`${adopted} adopted`) })
        store.bucket.collect(limits)
        const needed = all.filter(({ path: own, goes, run: of }) =>
          all.every((other) => other.path !== own || other.goes !== goes || other.run <= of),
        )
        for (const { id, goes, content } of needed) {
          const row = store.bucket.find(id)
          expect(row?.id).toBe(id)
          if (goes !== 'all') continue
          expect(store.contents.get(row?.hash ?? '')?.toString()).toBe(content)
          expect(store.contents.get(row?.base ?? '')?.toString()).toBe(`base of ${content}`)
        }
        const file = store.files.find('/a')
        expect(store.contents.get(file?.written ?? '')?.toString()).toBe(written)
        expect(store.contents.get(file?.base ?? '')?.toString()).toBe(`${base} base`)
        expect(store.files.adopted().get('/a')?.[0]?.edited.toString()).toBe(`${adopted} adopted`)
        // And all else goes that the limit is about.
        const left = all.filter(({ id }) => store.bucket.find(id))
        if ('before' in limits) expect(left).toEqual(needed)
        if ('maxBytes' in limits && limits.maxBytes === 0) expect(left).toEqual(needed)
        store.close()
      },
    )
    fc.assert(nothingNeeded, { numRuns: 60 })
  })
})

test('the run that moved a link away from somewhere is not one that only went there and back', () => {
  const store = Store.open(temporaryFolder())
  const link = '/srv/current'
  const move = (...from: readonly string[]) => {
    const run = store.runs.start({ command: ['restart'], classes: [] })
    const owned = { mode: 0o777, uid: 0, gid: 0, hash: undefined, base: undefined }
    for (const target of from)
      store.bucket.keep({
        run,
        ref: `file[${link}]`,
        path: link,
        kind: 'link',
        goes: 'all',
        target,
        ...owned,
      })
    return run
  }
  const upgrade = move('/srv/a')
  // A rollback that failed, and was brought back by its rescue.
  move('/srv/b', '/srv/a')
  expect(store.bucket.runThatMoved(link, '/srv/a')).toBe(upgrade)
  expect(store.bucket.runThatMoved(link, '/srv/c')).toBeUndefined()
  store.close()
})
