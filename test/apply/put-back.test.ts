import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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
  test('whose check refused them is not touched at all', async () => {
    const at = temporaryFolder()
    const place = newPlace('/')
    const log: string[] = []
    const checked: ResourceType = {
      ...daemon(join(at, 'f'), log),
      refresh: async () => {
        if (read(`${at}/f`) === 'x\n')
          throw new ApplyError('service[d] is left as it runs', { isUntouched: true })
        return undefined
      },
    }
    const own = withDaemon(checked)
    await runIn(place, manifest(at, '1\n'), { types: own })
    const { events } = await runIn(place, manifest(at, 'x\n'), { types: own })
    expect(log).toEqual([])
    expect(read(`${at}/f`)).toBe('1\n')
    expect(JSON.stringify(events)).toContain('it runs with that')
    expect(Store.reading(place.state, (store) => store.runs.owed())).toEqual([])
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
  test('has back a directory that a file took the place of, or is said to lack it', async () => {
    const at = temporaryFolder()
    mkdirSync(join(at, 'd'))
    writeFileSync(join(at, 'd/x'), 'inside\n')
    const text = `class: main
resources:
  - file: ${at}/d
    content: "2"
    force: true
  - service: d
    restart_on: [${at}/**]
`
    const strict = (meanwhile: () => void) =>
      withDaemon({
        ...checking(join(at, 'd'), []),
        refresh: async () => {
          meanwhile()
          throw new ApplyError('service[d]: no')
        },
      })
    const { events } = await runIn(newPlace('/'), text, { types: strict(() => undefined) })
    expect(read(`${at}/d/x`)).toBe('inside\n')
    expect(JSON.stringify(events)).toContain('what it reads is as it was before, and it runs with')
    const place = newPlace('/')
    const inTheWay = strict(() => {
      rmSync(join(at, 'd'))
      mkdirSync(join(at, 'd/x/y'), { recursive: true })
    })
    const said = JSON.stringify((await runIn(place, text, { types: inTheWay })).events)
    expect(said).toContain('not all that it reads is as it was before')
    expect(said).toContain(`${at}/d/x could not be put back`)
    expect(owedIn(place)).toEqual(['service[d]'])
  })
})

describe('a program that fails since what it runs under has read its definition anew', () => {
  /**
   * A supervisor that starts programs by their lines in one file of definitions, and its programs. Each reads a second
   * file when it starts, and fails where an x is in either. `log` has each start.
   */
  function world(at: string, log: string[]): ReadonlyMap<string, ResourceType> {
    const loaded = new Map<string, string>()
    const failing = new Set<string>()
    const textOf = (name: string) =>
      existsSync(join(at, name)) ? readFileSync(join(at, name), 'utf8').trim() : ''
    const definitionIn = (text: string, title: string) =>
      text.split(',').find((each) => each.startsWith(title))
    const definitionOf = (title: string) => definitionIn(textOf('defined'), title)
    const toLoad = (title: string) => `${definitionOf(title)} ${textOf('read')}`
    const start = (title: string) => {
      const said = toLoad(title)
      loaded.set(title, said)
      log.push(said)
      if (said.includes('x')) failing.add(title)
      else failing.delete(title)
    }
    const fake = { probe: async (all: readonly unknown[]) => all.map(() => undefined) }
    const supervisor: ResourceType = {
      ...fake,
      name: 'service',
      schema: service.schema,
      footprint: (resource) => service.footprint(resource),
      diff: () => ({ changes: [] }),
      apply: async () => undefined,
      refresh: async () => {
        for (const title of ['a', 'b'])
          if (loaded.get(title)?.split(' ')[0] !== definitionOf(title)) start(title)
        return undefined
      },
    }
    const own = types.get('supervisor_program') as ResourceType
    const program: ResourceType = {
      ...fake,
      name: 'supervisor_program',
      schema: own.schema,
      footprint: (resource) => own.footprint(resource),
      isStartedAnewBy: ({ title }, changes) =>
        changes.some(({ content }) => {
          const [was, is] = [content?.from, content?.to].map((text) =>
            definitionIn(Buffer.from(text ?? []).toString(), title),
          )
          return is !== undefined && was !== is
        }),
      diff: ({ title, desired }) => ({
        changes:
          'ensure' in desired && failing.has(title)
            ? [{ attribute: 'ensure', from: 'failed', to: 'running' }]
            : [],
      }),
      apply: async ({ title }) => {
        start(title)
        if (failing.has(title)) throw new ApplyError(`supervisor_program[${title}]: it fails`)
        return undefined
      },
      refresh: async ({ title }) => {
        if (loaded.get(title) === toLoad(title)) return { idle: true }
        start(title)
        if (failing.has(title)) throw new ApplyError(`supervisor_program[${title}]: it fails`)
        return undefined
      },
      standings: async (programs) =>
        programs.map(({ title }) => {
          if (failing.has(title)) return new ApplyError(`supervisor_program[${title}]: it fails`)
          return loaded.has(title) ? 'runs' : 'stopped'
        }),
      recover: async ({ title }) => {
        if (failing.has(title)) start(title)
        return { isAnew: true }
      },
    }
    return new Map([...types, ['service', supervisor], ['supervisor_program', program]])
  }
  const manifest = (at: string, defined: string, read: string) => `class: main
resources:
  - file: ${at}/defined
    content: "${defined}"
  - file: ${at}/read
    content: "${read}"
    provides: { commands: [supervisorctl] }
  - service: supervisor
    ensure: running
    reload_on: [${at}/defined]
  - supervisor_program: a
    ensure: running
    restart_on: [${at}/read]
  - supervisor_program: b
    restart_on: [${at}/read]
`
  const set = () => {
    const at = temporaryFolder()
    const log: string[] = []
    const own = { types: world(at, log) }
    const place = newPlace('/')
    const run = async (defined: string, read: string, surprises: string[] = []) => {
      log.length = 0
      return runIn(place, manifest(at, defined, read), { ...own, surprises })
    }
    const texts = () => ['defined', 'read'].map((name) => readFileSync(join(at, name), 'utf8'))
    const owed = () => Store.reading(place.state, (store) => store.runs.owed())
    return { at, log, run, texts, owed }
  }
  const backOf = (events: readonly { type: string }[]) =>
    events.filter(({ type }) => type === 'put_back')

  test('gets the one before back, which that reads, and the run fails and says so', async () => {
    const { at, log, run, texts, owed } = set()
    await run('a1,b1', 'r1')
    for (const _ of ['first', 'next']) {
      const { outcomes, events, summary } = await run('ax,b1', 'r1')
      expect(log).toEqual(['ax r1', 'a1 r1'])
      expect(texts()).toEqual(['a1,b1', 'r1'])
      expect(backOf(events)).toEqual([
        { type: 'put_back', ref: 'supervisor_program[a]', paths: [`${at}/defined`] },
      ])
      expect(outcomes).toContain('supervisor_program[a] failed')
      expect(JSON.stringify(events)).toContain('it fails; what it reads is as it was before')
      expect(summary).toMatchObject({ status: 'failed', changed: 0, putBack: 1, failed: 1 })
      expect(owed()).toEqual([])
    }
    expect((await run('a2,b1', 'r1')).summary).toMatchObject({ status: 'done', changed: 1 })
    expect(log).toEqual(['a2 r1'])
  })
  test('gets back what it reads besides, once, and who has not come to that yet stays as it is', async () => {
    const { at, log, run, texts, owed } = set()
    await run('a1,b1', 'r1')
    const { events, outcomes, summary } = await run('a2,b1', 'rx')
    expect(log).toEqual(['a2 rx', 'a1 r1'])
    expect(texts()).toEqual(['a1,b1', 'r1'])
    expect(backOf(events)).toMatchObject([{ paths: [`${at}/defined`, `${at}/read`] }])
    expect(outcomes.filter((outcome) => outcome.startsWith('supervisor_program'))).toEqual([
      'supervisor_program[a] failed',
      'supervisor_program[b] unchanged',
    ])
    expect(summary).toMatchObject({ changed: 0, putBack: 2 })
    expect(owed()).toEqual([])
  })
  test('each of two is looked at, and the second is not to blame for the first', async () => {
    const { run, log, texts } = set()
    await run('a1,b1', 'r1')
    const { outcomes } = await run('a1,bx', 'r1')
    expect(log).toEqual(['bx r1', 'b1 r1'])
    expect(outcomes).toContain('supervisor_program[b] failed')
    expect(outcomes).not.toContain('supervisor_program[a] failed')
    expect(texts()[0]).toBe('a1,b1')
  })
  test('keeps the new one where it had failed before, and where it is to run that is said', async () => {
    const { at, run, texts } = set()
    // Not known to supervisor before.
    await run('ax,bx', 'r1', ['supervisor_program[a]'])
    expect(texts()[0]).toBe('ax,bx')
    const { events, summary } = await run('axx,bxx', 'r1')
    expect(texts()[0]).toBe('axx,bxx')
    expect(backOf(events)).toEqual([])
    expect(JSON.stringify(events)).toContain(`what it reads is not put back: ${at}/defined`)
    expect(summary).toMatchObject({ failed: 1, changed: 1 })
  })
})
