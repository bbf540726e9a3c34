import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Store } from '../../engine/record/store.ts'
import { types } from '../../engine/resources/index.ts'
import { service } from '../../engine/resources/service.ts'
import { ApplyError, type ResourceType } from '../../engine/resources/type.ts'
import { temporaryFolder } from '../compile/road.ts'
import { newPlace, runIn } from './run.ts'

describe('validate', () => {
  const manifest = (at: string, content: string) => `class: main
resources:
  - file: ${at}/f
    content: ${JSON.stringify(content)}
    validate: [grep, -q, "^good 100%%$", "%"]
    notify: { exec: told }
  - exec: told
    command: [touch, ${at}/told]
    refreshonly: true
`
  test('lets a content in that its command finds nothing wrong with', async () => {
    const at = temporaryFolder()
    const { outcomes } = await runIn(newPlace('/'), manifest(at, 'good 100%\n'))
    expect(outcomes).toEqual([`file[${at}/f] changed`, 'exec[told] refreshed'])
  })
  test('leaves the file as it is where it does, with what it said, and refreshes nobody', async () => {
    const at = temporaryFolder()
    const place = newPlace('/')
    await runIn(place, manifest(at, 'good 100%\n'))
    const said = manifest(at, 'bad\n').replace(
      '[grep, -q, "^good 100%%$", "%"]',
      `[sh, -c, "echo 'fault in %' >&2; exit 3"]`,
    )
    const { outcomes, events } = await runIn(place, said)
    expect(outcomes).toEqual([`file[${at}/f] failed`, `exec[told] skipped (file[${at}/f])`])
    expect(readFileSync(join(at, 'f'), 'utf8')).toBe('good 100%\n')
    const failed = events.find((event) => 'error' in event)
    expect(failed).toMatchObject({
      error: {
        message: expect.stringContaining('is left as it is'),
        // The file as people know it, and not its copy.
        ran: { exit: 'exit code 3', output: `fault in ${at}/f` },
      },
    })
  })
  test('is not asked where nothing changes, nor in a tree that commands cannot run in', async () => {
    const at = temporaryFolder()
    const never =
      'class: main\nresources:\n  - file: /f\n    content: x\n    validate: [/bin/false]\n'
    const place = newPlace()
    expect((await runIn(place, never)).summary).toMatchObject({ failed: 0, changed: 1 })
    writeFileSync(join(at, 'f'), 'x')
    const there = never.replace('/f', `${at}/f`)
    expect((await runIn(newPlace('/'), there)).summary).toMatchObject({ failed: 0 })
  })
  test('comes after what brings its command', async () => {
    const at = temporaryFolder()
    const text = `class: main
resources:
  - file: ${at}/f
    content: good
    validate: [${at}/checker, "%"]
  - exec: install
    shell: printf '#!/bin/sh\\necho "never good" >&2; exit 1\\n' >${at}/checker; chmod 755 ${at}/checker
    provides: { files: ["${at}/checker"] }
`
    const { outcomes } = await runIn(newPlace('/'), text)
    expect(outcomes).toEqual(['exec[install] changed', `file[${at}/f] failed`])
  })
  test('is passed over where its command is not there, which is said', async () => {
    const at = temporaryFolder()
    const text = manifest(at, 'bad\n').replace('[grep, ', '[no-such-checker, ')
    const { outcomes, events } = await runIn(newPlace('/'), text)
    expect(outcomes).toEqual([`file[${at}/f] changed`, 'exec[told] refreshed'])
    expect(events.find((event) => 'note' in event)).toMatchObject({
      ref: `file[${at}/f]`,
      note: 'not validated, for there is no no-such-checker',
    })
  })
})

describe('a service that does not take what its files became', () => {
  /** It reads one file of its own, and runs with a number in it. */
  function daemon(file: string, log: string[]): ResourceType {
    const isGood = () => !existsSync(file) || /^\d+$/m.test(readFileSync(file, 'utf8'))
    const start = () => {
      log.push(`${existsSync(file) ? readFileSync(file, 'utf8').trim() : 'nothing'}`)
      if (!isGood()) throw new ApplyError('service[d]: it does not start')
    }
    return {
      name: 'service',
      schema: service.schema,
      footprint: () => ({}),
      probe: async (resources) => resources.map(() => undefined),
      diff: () => ({ changes: [] }),
      apply: async () => undefined,
      refresh: async () => {
        start()
        return undefined
      },
      recover: async () => {
        start()
        return { isAnew: true }
      },
    }
  }
  const withDaemon = (type: ResourceType) => new Map([...types, ['service', type]])
  const manifest = (at: string, content: string) => `class: main
resources:
  - file: ${at}/f
    content: ${JSON.stringify(content)}
  - file: ${at}/other
    content: ${JSON.stringify(content)}
  - service: d
    restart_on: [${at}/f]
`
  const read = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined)

  test('gets the ones before back and runs with them, and the run fails and says so', async () => {
    const at = temporaryFolder()
    const place = newPlace('/')
    const log: string[] = []
    const own = withDaemon(daemon(join(at, 'f'), log))
    await runIn(place, manifest(at, '1\n'), { types: own })
    const { outcomes, events, summary } = await runIn(place, manifest(at, 'x\n'), { types: own })
    expect(log).toEqual(['1', 'x', '1'])
    expect(outcomes.at(-1)).toBe('service[d] failed')
    expect(summary.status).toBe('failed')
    expect(events).toContainEqual({ type: 'put_back', ref: 'service[d]', paths: [`${at}/f`] })
    expect(JSON.stringify(events)).toContain('it runs with that')
    expect([read(`${at}/f`), read(`${at}/other`)]).toEqual(['1\n', 'x\n'])
    // Nothing is owed, what is there counts as what steward wrote, and the next run tries again.
    expect(Store.reading(place.state, (store) => store.runs.owed())).toEqual([])
    const next = await runIn(place, manifest(at, '2\n'), { types: own })
    expect(next.plan.resources[0]?.changes[0]).not.toHaveProperty('edit')
    expect(log.at(-1)).toBe('2')
  })
  test('keeps what was edited here an edit', async () => {
    const at = temporaryFolder()
    const place = newPlace('/')
    const own = withDaemon(daemon(join(at, 'f'), []))
    await runIn(place, manifest(at, '1\n'), { types: own })
    writeFileSync(join(at, 'f'), '7\n')
    await runIn(place, manifest(at, 'x\n'), { types: own })
    expect(read(`${at}/f`)).toBe('7\n')
    const { plan } = await runIn(place, manifest(at, 'x\n'), { types: own })
    expect(plan.resources.find(({ ref }) => ref === `file[${at}/f]`)?.changes[0]?.edit).toContain(
      'edited here',
    )
  })
  test('that was made in this run is gone again', async () => {
    const at = temporaryFolder()
    const log: string[] = []
    const own = withDaemon(daemon(join(at, 'f'), log))
    await runIn(newPlace('/'), manifest(at, 'x\n'), { types: own })
    expect(read(`${at}/f`)).toBeUndefined()
    expect(log).toEqual(['x', 'nothing'])
  })
  test('still is owed a start where it does not run with the ones before either', async () => {
    const at = temporaryFolder()
    const place = newPlace('/')
    const own = withDaemon(daemon(join(at, 'f'), []))
    writeFileSync(join(at, 'f'), 'never good\n')
    const { events } = await runIn(place, manifest(at, 'x\n'), { types: own })
    expect(JSON.stringify(events)).toContain('it fails with that too')
    expect(Store.reading(place.state, (store) => store.runs.owed())).toMatchObject([
      { listener: 'service[d]' },
    ])
  })

  /** A service for which nothing is right that holds an x, and that goes on with what it has read. */
  const checking = (file: string, reads: string[]): ResourceType => ({
    ...daemon(file, []),
    refresh: async ({ title }) => {
      const text = readFileSync(file, 'utf8')
      if (title === 'strict' && text.includes('x'))
        throw new ApplyError('service[strict]: x is wrong')
      reads.push(`${title} ${text.trim()}`)
      return undefined
    },
    recover: async () => ({ isAnew: false }),
  })
  const two = (at: string, content: string, more = '') => `class: main
resources:
  - file: ${at}/f
    content: ${JSON.stringify(content)}
${more}  - service: lax
    restart_on: [${at}/f]
  - service: strict
    restart_on: [${at}/f, ${at}/g]
    require: { service: lax }
`
  const owedIn = (place: { state: string }) =>
    Store.reading(place.state, (store) => store.runs.owed().map(({ listener }) => listener))

  test('has others that read it already read again, in the next run', async () => {
    const at = temporaryFolder()
    const place = newPlace('/')
    const reads: string[] = []
    const own = withDaemon(checking(join(at, 'f'), reads))
    await runIn(place, two(at, '1\n'), { types: own })
    await runIn(place, two(at, 'x\n'), { types: own })
    expect(reads).toEqual(['lax 1', 'strict 1', 'lax x'])
    expect(owedIn(place)).toEqual(['service[lax]'])
    await runIn(place, two(at, '1\n'), { types: own })
    expect(reads.at(-1)).toBe('lax 1')
    expect(owedIn(place)).toEqual([])
  })
  test('still is owed what an earlier run owes it, where it was not started anew', async () => {
    const at = temporaryFolder()
    const place = newPlace('/')
    const own = withDaemon(checking(join(at, 'f'), []))
    const more = `  - file: ${at}/g\n    content: g\n`
    await runIn(place, two(at, '1\n'), { types: own })
    await runIn(place, two(at, '1\n', more), {
      types: own,
      selection: { only: [`file[${at}/g]`] },
    })
    expect(owedIn(place)).toEqual(['service[strict]'])
    await runIn(place, two(at, 'x\n', more), { types: own })
    expect(owedIn(place)).toContain('service[strict]')
  })
  test('has a directory back with what it held, and what was typed meanwhile in the bucket', async () => {
    const at = temporaryFolder()
    const place = newPlace('/')
    mkdirSync(join(at, 'd'))
    writeFileSync(join(at, 'd/x'), 'inside\n')
    writeFileSync(join(at, 'f'), '1\n')
    const own = withDaemon({
      ...checking(join(at, 'f'), []),
      refresh: async () => {
        writeFileSync(join(at, 'f'), 'typed meanwhile\n')
        throw new ApplyError('service[d]: no')
      },
    })
    const text = `class: main
resources:
  - file: ${at}/d
    ensure: absent
    force: true
  - file: ${at}/f
    content: "2"
  - service: d
    restart_on: [${at}/**]
`
    const { summary, run } = await runIn(place, text, { types: own })
    expect(summary.status).toBe('failed')
    expect([read(`${at}/d/x`), read(`${at}/f`)]).toEqual(['inside\n', '1\n'])
    const kept = Store.reading(place.state, (store) =>
      store.bucket.of(run).map(({ hash }) => hash && store.contents.get(hash)?.toString()),
    )
    expect(kept).toContain('typed meanwhile\n')
  })
})
