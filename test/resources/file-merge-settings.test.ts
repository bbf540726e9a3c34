import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { merge } from '../../engine/resources/file/merge.ts'
import type { Format } from '../../engine/resources/file/settings.ts'

const merged = (base: string, present: string, wanted: string, format: Format = 'ini') => {
  const found = merge(Buffer.from(base), Buffer.from(present), Buffer.from(wanted), format)
  return 'merged' in found ? found.merged.toString() : found
}

describe('a file of settings', () => {
  test('has edits of settings that stand side by side merged', () => {
    const base = '# top\n[one]\na = 1\nb = 2\nc = 3\n'
    const here = base.replace('a = 1', 'a = mine').replace('c = 3', 'c = 3\nown = 1')
    const there = base.replace('b = 2', '# why\nb = new').replace('c = 3\n', 'd = 4\n')
    const lineWise = merge(Buffer.from(base), Buffer.from(here), Buffer.from(there))
    expect(lineWise).toHaveProperty('conflicts')
    expect(merged(base, here, there)).toBe(
      '# top\n[one]\na = mine\n# why\nb = new\nd = 4\nown = 1\n',
    )
  })
  test.each([
    [
      'settings',
      'work_mem 1MB\nport = 1\n',
      'work_mem 2MB\nport = 1\n',
      'work_mem 1MB\nport = 2\n',
      'work_mem 2MB\nport = 2\n',
    ],
    ['settings', 'net.a=1\nnet.b=1\n', 'net.a=2\nnet.b=1\n', 'net.a=1\n', 'net.a=2\n'],
    [
      'ini',
      '[a]\nx=1\n[b]\nx=1\n',
      '[a]\nx=2\n[b]\nx=1\n',
      '[a]\nx=1\n[b]\nx=3\n',
      '[a]\nx=2\n[b]\nx=3\n',
    ],
    [
      'ini',
      'env =\n a,\n b\nz=1\n',
      'env =\n a,\n c\nz=1\n',
      'env =\n a,\n b\nz=2\n',
      'env =\n a,\n c\nz=2\n',
    ],
    [
      'ini',
      'Exec=a \\\n  b\nz=1\n',
      'Exec=a \\\n  c\nz=1\n',
      'Exec=a \\\n  b\nz=2\n',
      'Exec=a \\\n  c\nz=2\n',
    ],
  ] as const)(
    'of the format %s is read as its programs read it',
    (format, base, here, there, result) => {
      expect(merged(base, here, there, format)).toBe(result)
    },
  )
  test('shows both values of a setting that both changed, wherever they stand', () => {
    const base = '[one]\na = 1\n[two]\nb = 2\n'
    const here = base.replace('a = 1', 'a = mine')
    expect(merged(base, here, base.replace('a = 1', 'a = new'))).toEqual({
      conflicts: [{ line: 2, present: ['a = mine'], base: ['a = 1'], wanted: ['a = new'] }],
    })
    const ownAtTop = base.replace('[one]\n', '[one]\nc = mine\n')
    const newAtEnd = base.replace('a = 1\n', 'a = 1\nc = new\n')
    expect(merged(base, ownAtTop, newAtEnd)).toEqual({
      conflicts: [{ line: 2, present: ['c = mine'], base: [], wanted: ['c = new'] }],
    })
    expect(merged(base, base.replace('a = 1\n', ''), base.replace('a = 1', 'a = new'))).toEqual({
      conflicts: [{ line: 1, present: [], base: ['a = 1'], wanted: ['a = new'] }],
    })
  })
  test('lets no setting come into another section', () => {
    const base = '[one]\na = 1\n[two]\nb = 2\n'
    const found = merged(base, '[one]\na = 1\n', base.replace('b = 2', 'b = 2\nc = 3'))
    expect(found).toMatchObject({ conflicts: [{ wanted: ['c = 3'] }] })
  })
})

/** What one side does to each line of a file: nothing, another value, away; and what it adds behind it. */
interface Edits {
  readonly acts: readonly ('keep' | 'change' | 'remove')[]
  readonly adds: readonly ('nothing' | 'comment' | 'setting')[]
}
const size = 8
const edits: fc.Arbitrary<Edits> = fc.record({
  acts: fc.array(fc.constantFrom('keep', 'keep', 'keep', 'change', 'remove'), {
    minLength: size,
    maxLength: size,
  }),
  adds: fc.array(fc.constantFrom('nothing', 'nothing', 'nothing', 'comment', 'setting'), {
    minLength: size,
    maxLength: size,
  }),
})
const sectionOf = (at: number) => (at < size / 2 ? 'one' : 'two')
const edited = (who: string, { acts, adds }: Edits) =>
  Array.from({ length: size }, (_, at) => [
    ...(at % (size / 2) === 0 ? [`[${sectionOf(at)}]`] : []),
    ...(acts[at] === 'remove' ? [] : [`s${at} = ${acts[at] === 'change' ? who : 'base'}`]),
    ...(adds[at] === 'comment' ? [`# ${who} ${at}`] : []),
    ...(adds[at] === 'setting' ? [`${who}${at} = ${who}`] : []),
  ])
    .flat()
    .map((line) => `${line}\n`)
    .join('')
const none: Edits = { acts: [], adds: [] }

describe('whatever two sides do to a file of settings', () => {
  const same = fc.property(edits, edits, (here, there) => {
    const present = edited('here', here)
    const found = merged(edited('base', none), present, edited('there', there))
    const both = here.acts.flatMap((act, at) => {
      const other = there.acts[at] ?? 'keep'
      const isSame = act === 'keep' || other === 'keep' || (act === 'remove' && other === 'remove')
      return isSame ? [] : [at]
    })
    if (both.length > 0) {
      const told = (found as unknown as { conflicts: { present: string[]; wanted: string[] }[] })
        .conflicts
      const value = (act: string | undefined, at: number, who: string) =>
        act === 'remove' ? [] : [`s${at} = ${who}`]
      expect(told.map(({ present: mine, wanted }) => [mine, wanted])).toEqual(
        both.map((at) => [value(here.acts[at], at, 'here'), value(there.acts[at], at, 'there')]),
      )
      return
    }
    const lines = (found as string).trimEnd().split('\n')
    const expected = Array.from({ length: size }, (_, at) => {
      const acts = [here.acts[at], there.acts[at]]
      if (acts.includes('remove')) return []
      return [`s${at} = ${acts[0] === 'change' ? 'here' : acts[1] === 'change' ? 'there' : 'base'}`]
    }).flat()
    // Each setting is in its section, once, as the side has it that changed it; and in its order.
    expect(lines.filter((line) => /^s\d/.test(line))).toEqual(expected)
    const added = ([who, { adds }]: readonly [string, Edits]) =>
      adds.flatMap((add, at) =>
        add === 'nothing' ? [] : add === 'comment' ? `# ${who} ${at}` : `${who}${at} = ${who}`,
      )
    const all = [...added(['here', here]), ...added(['there', there])]
    expect(lines.filter((line) => !/^(s\d|\[)/.test(line)).sort()).toEqual(all.sort())
    const second = lines.indexOf('[two]')
    for (const [at, line] of lines.entries()) {
      const number = /(\d)/.exec(line)?.[1]
      if (number !== undefined)
        expect([line, at > second]).toEqual([line, Number(number) >= size / 2])
    }
  })
  test('nothing of either is lost, and what both changed is told', () => {
    fc.assert(same, { numRuns: 500 })
  })
})
