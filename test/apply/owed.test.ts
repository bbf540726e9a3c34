import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { departedListeners } from '../../engine/record/owed-refreshes.ts'
import { Store } from '../../engine/record/store.ts'
import { types } from '../../engine/resources/index.ts'
import { service } from '../../engine/resources/service.ts'
import type { ResourceType } from '../../engine/resources/type.ts'
import { catalogOf, manifestFolder, temporaryFolder } from '../compile/road.ts'
import { newPlace, runIn } from './run.ts'
import { runKilledAt } from './run-killed.ts'
import { type Place, trip } from './trip.ts'

const owedIn = ({ state }: Place) => Store.reading(state, (store) => store.runs.owed()) ?? []

describe('the refresh of what the plan could say nothing of', () => {
  /** It is there once its unit is, and notes when what it was refreshed for was made. */
  const daemon = (at: string, told: (number | undefined)[]): ResourceType => ({
    name: 'service',
    schema: service.schema,
    footprint: () => ({}),
    probe: async (resources) => resources.map(() => existsSync(join(at, 'unit'))),
    diff: (_resource, isThere) => (isThere ? { changes: [] } : { blocked: 'there is no unit' }),
    apply: async () => undefined,
    refresh: async (_resource, _by, _host, madeAt) => {
      told.push(madeAt)
      return madeAt === undefined ? undefined : { idle: true, note: 'it was started after that' }
    },
  })
  const manifest = (at: string, content: string) => `class: main
resources:
  - file: ${at}/conf
    content: ${content}
  - file: ${at}/unit
    content: unit
  - service: d
    restart_on: [${at}/conf]
    require: { file: ${at}/unit }
`
  const now = () => Number(process.hrtime.bigint() / 1000n)

  test('comes with the moment of the change, and is paid where that is needless', async () => {
    const at = temporaryFolder()
    const place = newPlace('/')
    const told: (number | undefined)[] = []
    const own = new Map([...types, ['service', daemon(at, told)]])
    const began = now()
    const first = await runIn(place, manifest(at, 'one'), { types: own })
    expect(first.plan.resources.at(-1)).toMatchObject({ ref: 'service[d]', action: 'later' })
    expect(first.outcomes.at(-1)).toBe('service[d] unchanged')
    expect(told).toEqual([expect.any(Number)])
    expect(told[0]).toBeGreaterThan(began)
    expect(told[0]).toBeLessThan(now())
    expect(owedIn(place)).toEqual([])
    // What a plan has said is done.
    const second = await runIn(place, manifest(at, 'two'), { types: own })
    expect(second.plan.resources.at(-1)).toMatchObject({ ref: 'service[d]', action: 'refresh' })
    expect(told[1]).toBeUndefined()
  })
  test('is paid where the listener is left alone, for it does not run', async () => {
    const at = temporaryFolder()
    const place = newPlace('/')
    const alone: ResourceType = {
      ...daemon(at, []),
      diff: () => ({ changes: [], note: 'left stopped', leftAlone: true }),
      refresh: () => Promise.reject(new Error('it does not run')),
    }
    const own = new Map([...types, ['service', alone]])
    const { outcomes } = await runIn(place, manifest(at, 'one'), { types: own })
    expect(outcomes.at(-1)).toBe('service[d] unchanged')
    expect(owedIn(place)).toEqual([])
  })
  test('comes without one where an earlier run owes it', async () => {
    const at = temporaryFolder()
    const place = newPlace('/')
    const told: (number | undefined)[] = []
    const own = new Map([...types, ['service', daemon(at, told)]])
    await runIn(place, manifest(at, 'one'), { selection: { only: [`file[${at}/conf]`] } })
    expect(owedIn(place)).toHaveLength(1)
    await runIn(place, manifest(at, 'one'), { types: own })
    expect(told).toEqual([undefined])
  })
})

describe('a refresh that is owed', () => {
  const manifest = (at: string, one = '1') => `class: main
resources:
  - file: ${at}/one
    content: "${one}"
    notify: { exec: told }
  - exec: told
    command: [/bin/sh, -c, "test -e ${at}/ready && echo told >> ${at}/log"]
    refreshonly: true
`
  const log = (at: string) =>
    existsSync(join(at, 'log')) ? readFileSync(join(at, 'log'), 'utf8') : ''

  test('for it failed is paid by the next run, once', async () => {
    const at = temporaryFolder()
    const place = newPlace('/')
    const first = await runIn(place, manifest(at))
    expect(first.outcomes).toEqual([`file[${at}/one] changed`, 'exec[told] failed'])
    writeFileSync(join(at, 'ready'), '')
    const second = await runIn(place, manifest(at))
    expect(second.plan.resources).toMatchObject([
      { ref: 'exec[told]', refresh: { from: [`file[${at}/one]`], owedSince: first.run } },
    ])
    expect(second.outcomes).toEqual([`file[${at}/one] unchanged`, 'exec[told] refreshed'])
    const third = await runIn(place, manifest(at))
    expect(third.plan.resources).toEqual([])
    expect(log(at)).toBe('told\n')
  })
  test('is one with that of another change', async () => {
    const at = temporaryFolder()
    const place = newPlace('/')
    await runIn(place, manifest(at))
    writeFileSync(join(at, 'ready'), '')
    await runIn(place, manifest(at, '2'))
    expect(log(at)).toBe('told\n')
    expect(owedIn(place)).toEqual([])
  })
  test('because it was not chosen is paid once it is', async () => {
    const at = temporaryFolder()
    const place = newPlace('/')
    writeFileSync(join(at, 'ready'), '')
    await runIn(place, manifest(at), { selection: { only: [`file[${at}/one]`] } })
    expect(log(at)).toBe('')
    await runIn(place, manifest(at))
    expect(log(at)).toBe('told\n')
  })
  test('to a command is paid by its own run', async () => {
    const at = temporaryFolder()
    const place = newPlace('/')
    await runIn(place, manifest(at))
    writeFileSync(join(at, 'ready'), '')
    const own = manifest(at).replace('    refreshonly: true\n', '')
    const { outcomes } = await runIn(place, own)
    expect(outcomes).toContain('exec[told] changed')
    expect(log(at)).toBe('told\n')
    expect(owedIn(place)).toEqual([])
  })
  test('does not come from what was not changed after all', async () => {
    const at = temporaryFolder()
    const place = newPlace('/')
    const { outcomes } = await runIn(place, manifest(at), {
      host: (host) => ({
        ...host,
        writeFile(path) {
          throw Object.assign(new Error(`${path} can't be written`), { syscall: 'write' })
        },
      }),
    })
    expect(outcomes).toEqual([`file[${at}/one] failed`, `exec[told] skipped (file[${at}/one])`])
    expect(owedIn(place)).toEqual([])
  })
  test('does not come from what a request to stop left undone', async () => {
    const at = temporaryFolder()
    const place = newPlace('/')
    const before = `class: main\nresources:\n  - file: ${at}/zero\n    content: x\n`
    const whole = before + manifest(at).replace(/^class: main\nresources:\n/, '')
    const { summary } = await runIn(place, whole, { onEvent: (_event, stop) => stop() })
    expect(summary.status).toBe('interrupted')
    expect(existsSync(join(at, 'one'))).toBe(false)
    expect(owedIn(place)).toEqual([])
  })
  test('is dropped where the same classes do not declare it any more, and kept for others', async () => {
    const at = temporaryFolder()
    const place = newPlace('/')
    const { run } = await runIn(place, manifest(at))
    const owed = owedIn(place)
    const known = {
      find: (id: string) => Store.reading(place.state, (store) => store.runs.find(id)),
    }
    const without = await catalogOf(
      `class: main\nresources:\n  - file: ${at}/one\n    content: x\n`,
    )
    expect(departedListeners(owed, without, known)).toEqual([
      { listener: 'exec[told]', source: `file[${at}/one]`, by: 'refresh', run },
    ])
    expect(departedListeners(owed, { ...without, classes: ['other'] }, known)).toEqual([])
    expect(departedListeners(owed, await catalogOf(manifest(at)), known)).toEqual([])
  })
})

describe('a run that is killed between a change and its refresh', () => {
  /** The exec notes what it saw of both files; what it noted last has to be how they are. */
  const manifest = (at: string) => `class: main
resources:
  - file: ${at}/one
    content: "1"
    notify: { exec: told }
  - file: ${at}/two
    content: "2"
    notify: { exec: told }
  - exec: told
    command: [/bin/sh, -c, "cd ${at}; cat one two > seen"]
    refreshonly: true
    notify: { exec: after }
  - exec: after
    command: [/bin/cp, ${at}/seen, ${at}/passed-on]
    refreshonly: true
`
  /** The first point at which the run after a killed one leaves something unseen. */
  async function lostAt(how: { readonly forgets?: boolean }): Promise<number | undefined> {
    const at = temporaryFolder()
    const folder = manifestFolder({ 'main.yaml': manifest(at) })
    const clean = () => {
      for (const name of ['one', 'two', 'seen', 'passed-on'])
        rmSync(join(at, name), { force: true })
      return newPlace('/')
    }
    const { stdout } = await runKilledAt(clean(), folder, 0, how)
    const points = Number(stdout.split(' ')[0])
    expect(points).toBeGreaterThan(10)
    for (let point = 1; point <= points; point++) {
      const place = clean()
      expect(await runKilledAt(place, folder, point, how)).toMatchObject({ killed: true })
      const { summary } = await trip(place, folder)
      expect(summary.status).toBe('done')
      const passedOn = join(at, 'passed-on')
      if (!existsSync(passedOn) || readFileSync(passedOn, 'utf8') !== '12') return point
      expect(owedIn(place)).toEqual([])
    }
    return undefined
  }

  test('loses none, wherever that is', async () => {
    expect(await lostAt({})).toBeUndefined()
  }, 60_000)
  test('would lose some if the record did not know who is owed one', async () => {
    expect(await lostAt({ forgets: true })).toBeDefined()
  }, 60_000)
})
