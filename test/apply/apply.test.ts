import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { changesOf } from '../../engine/events.ts'
import { HostError } from '../../engine/host/error.ts'
import { Store } from '../../engine/record/store.ts'
import { temporaryFolder } from '../compile/road.ts'
import { newPlace, runIn } from './run.ts'
import type { Place } from './trip.ts'

const text = (place: Place, path: string) => readFileSync(join(place.root, path), 'utf8')
const put = (place: Place, path: string, content: string) =>
  writeFileSync(join(place.root, path), content)

const motd = `class: main
resources:
  - file: /motd
    content: |
      hello
  - file: /folder
    ensure: directory
  - file: /folder/link
    target: ../motd
`

describe('a run', () => {
  test('makes what is missing, and finds nothing to do the next time', async () => {
    const place = newPlace()
    const first = await runIn(place, motd)
    expect(first.outcomes).toEqual([
      'file[/motd] changed',
      'file[/folder] changed',
      'file[/folder/link] changed',
    ])
    expect(first.summary).toMatchObject({ status: 'done', changed: 3, failed: 0, unchanged: 0 })
    expect(text(place, '/folder/link')).toBe('hello\n')
    const second = await runIn(place, motd)
    expect(second.plan.resources).toEqual([])
    expect(second.summary).toMatchObject({ status: 'done', changed: 0, unchanged: 3 })
  })

  test('puts right what was changed by hand, also where size and time are the same', async () => {
    const place = newPlace()
    await runIn(place, motd)
    const file = join(place.root, 'motd')
    const { mtime, atime } = statSync(file)
    put(place, 'motd', 'HELLO\n')
    utimesSync(file, atime, mtime)
    const { outcomes } = await runIn(place, motd)
    expect(outcomes[0]).toBe('file[/motd] changed')
    expect(text(place, 'motd')).toBe('hello\n')
  })

  test('says what differs from its plan, either way', async () => {
    const place = newPlace()
    await runIn(place, motd)
    put(place, 'motd', 'changed\n')
    const { events, outcomes } = await runIn(place, motd, {
      meanwhile: () => put(place, 'motd', 'hello\n'),
    })
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'differs_from_plan', ref: 'file[/motd]' }),
    )
    expect(outcomes[0]).toBe('file[/motd] unchanged')
  })

  test('looks again at what comes after a change, and tells what is no longer in sync', async () => {
    const place = newPlace('/')
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'after'), 'after\n')
    const { events, outcomes } = await runIn(
      place,
      `class: main
resources:
  - exec: spoil
    command: [/bin/sh, -c, "echo spoilt > ${folder}/after"]
    before: { file: ${folder}/after }
  - file: ${folder}/after
    content: |
      after
`,
      { surprises: [`file[${folder}/after]`] },
    )
    expect(outcomes).toEqual(['exec[spoil] changed', `file[${folder}/after] changed`])
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'differs_from_plan',
        message: `file[${folder}/after] was in sync, and is not any more`,
      }),
    )
  })

  test('finishes the resource in hand when it is to stop, and begins nothing more', async () => {
    const place = newPlace()
    const { outcomes, summary } = await runIn(place, motd, {
      onEvent: (event, stop) => {
        if (event.type === 'resource_started') stop()
      },
    })
    expect(outcomes).toEqual(['file[/motd] changed'])
    expect(summary.status).toBe('interrupted')
    expect(existsSync(join(place.root, 'folder'))).toBe(false)
    expect((await runIn(place, motd)).summary).toMatchObject({ status: 'done', changed: 2 })
  })
})

test('what a tree can not run is told apart from what is in sync', async () => {
  const place = newPlace()
  const manifest = `class: main
resources:
  - file: /motd
    content: x
  - exec: reads
    command: [/bin/true]
    unless: [/bin/false]
    subscribe: { file: /motd }
  - service: nginx
    restart_on: [/motd]
`
  const first = await runIn(place, manifest)
  expect(first.plan).toMatchObject({ inSync: 0, leftAlone: 2 })
  expect(first.outcomes.toSorted()).toEqual([
    'exec[reads] unchanged',
    'file[/motd] changed',
    'service[nginx] unchanged',
  ])
  expect(first.summary).toMatchObject({ changed: 1, unchanged: 0, other: 2 })
  const second = await runIn(place, manifest)
  expect(second.plan).toMatchObject({ resources: [], inSync: 1, leftAlone: 2 })
  expect(second.summary).toMatchObject({ changed: 0, unchanged: 1, other: 2 })
})

describe('a run of files alone', () => {
  test('hears of a request to stop, which comes as a signal does', async () => {
    const { summary } = await runIn(
      newPlace(),
      `class: main
resources:
  - file: /\${{ each.value }}
    for_each: \${{ range(0, 40).map(i, string(i)) }}
    content: x
`,
      {
        host: (host) => ({
          ...host,
          writeFile(path, content, how) {
            // Too long for all of them to be written in one turn of the event loop.
            Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
            host.writeFile(path, content, how)
          },
        }),
        onEvent: (event, stop) => {
          if (event.type === 'run_started') globalThis.setImmediate(stop)
        },
      },
    )
    expect(summary.status).toBe('interrupted')
    expect(summary.changed).toBeLessThan(40)
  })
})

describe('a failure', () => {
  const folder = () => temporaryFolder()

  test('skips only what depends on it, and names its root once for all of them', async () => {
    const at = folder()
    const { outcomes, events, summary } = await runIn(
      newPlace('/'),
      `class: main
resources:
  - exec: root cause
    command: [/bin/false]
  - file: ${at}/needs-it
    content: x
    require: { exec: root cause }
  - file: ${at}/needs-that
    content: x
    require: { file: ${at}/needs-it }
  - file: ${at}/on-its-own
    content: x
`,
    )
    expect(outcomes).toEqual([
      'exec[root cause] failed',
      `file[${at}/needs-it] skipped (exec[root cause])`,
      `file[${at}/needs-that] skipped (exec[root cause])`,
      `file[${at}/on-its-own] changed`,
    ])
    expect(summary).toMatchObject({ status: 'failed', failed: 1, skipped: 2, changed: 1 })
    const errors = events.flatMap((event) =>
      event.type === 'resource_finished' && event.error ? [event.error] : [],
    )
    expect(errors).toHaveLength(1)
    expect(errors[0]).toMatchObject({
      code: 'apply-failed',
      ran: { argv: ['/bin/false'] },
    })
    expect(readdirSync(at)).toEqual(['on-its-own'])
  })

  test('of what is blocked is told with its reason, and the rest goes on', async () => {
    const place = newPlace()
    put(place, 'in-the-way', 'a file')
    const { outcomes, events } = await runIn(
      place,
      `class: main
resources:
  - file: /in-the-way/below
    content: x
  - file: /fine
    content: x
    noop: false
`,
    )
    expect(outcomes).toEqual(['file[/in-the-way/below] failed', 'file[/fine] changed'])
    expect(events).toContainEqual(
      expect.objectContaining({
        outcome: 'failed',
        error: expect.objectContaining({ code: 'blocked' }),
      }),
    )
  })

  test('leaves alone what was only to be refreshed by what failed', async () => {
    const at = folder()
    const { outcomes } = await runIn(
      newPlace('/'),
      `class: main
resources:
  - exec: fails
    command: [/bin/false]
    notify: { exec: told }
  - exec: told
    command: [/bin/sh, -c, "echo >> ${at}/told"]
    refreshonly: true
`,
    )
    expect(outcomes).toEqual(['exec[fails] failed', 'exec[told] skipped (exec[fails])'])
    expect(existsSync(join(at, 'told'))).toBe(false)
  })
})

describe('a failure half way', () => {
  test('counts what was changed before it, and tells it', async () => {
    const place = newPlace()
    put(place, 'half', 'x')
    put(place, 'not', 'x')
    const { outcomes, events, summary, run } = await runIn(
      place,
      `class: main
resources:
  - file: /half
    owner: 12
    mode: "0600"
  - file: /not
    mode: "0600"
`,
      {
        host: (host) => ({
          ...host,
          setMode: (path) => {
            throw new HostError('EROFS', path)
          },
        }),
      },
    )
    expect(outcomes).toEqual(['file[/half] failed', 'file[/not] failed'])
    const changesIn = (all: readonly unknown[]) =>
      all.flatMap((event) => (event as { changes?: unknown[] }).changes ?? [])
    const made = [{ attribute: 'owner', from: expect.anything(), to: '12' }]
    expect(changesIn(events)).toEqual(made)
    expect(summary).toMatchObject({ status: 'failed', changed: 0, failed: 2, partly: 1 })
    expect(changesOf(summary)).toBe(1)
    const store = Store.read(place.state)
    expect(changesIn(store?.runs.events(run).map(({ event }) => event) ?? [])).toEqual(made)
    expect(store?.runs.find(run)?.summary?.partly).toBe(1)
    store?.close()
  })

  test('of a command counts as no change', async () => {
    const at = temporaryFolder()
    const { summary } = await runIn(
      newPlace('/'),
      `class: main
resources:
  - exec: fails
    command: [/bin/sh, -c, "touch ${at}/made; false"]
    creates: ${at}/made
`,
    )
    expect(changesOf(summary)).toBe(0)
  })
})

describe('a refresh', () => {
  const manifest = (at: string, more = '') => `class: main
resources:
  - file: ${at}/one
    content: "1"
    notify: { exec: told }
  - file: ${at}/two
    content: "2"
    notify: { exec: told }
  - exec: told
    command: [/bin/sh, -c, "cd ${at}; set -- *; echo $* >> log"]
    refreshonly: true
  - file: ${at}/three
    content: "3"
    require: { exec: told }
${more}`

  test('happens once, at the place of who is refreshed', async () => {
    const at = temporaryFolder()
    const { outcomes } = await runIn(newPlace('/'), manifest(at))
    expect(outcomes).toEqual([
      `file[${at}/one] changed`,
      `file[${at}/two] changed`,
      'exec[told] refreshed',
      `file[${at}/three] changed`,
    ])
    expect(readFileSync(join(at, 'log'), 'utf8')).toBe('one two\n')
  })

  test('does not happen where nothing changed', async () => {
    const at = temporaryFolder()
    const place = newPlace('/')
    await runIn(place, manifest(at))
    rmSync(join(at, 'log'))
    rmSync(join(at, 'three'))
    const { outcomes } = await runIn(place, manifest(at))
    expect(outcomes.filter((each) => each.includes('exec'))).toEqual(['exec[told] unchanged'])
  })

  test('does not come from what is only told (noop), nor reach it', async () => {
    const at = temporaryFolder()
    const { outcomes, summary } = await runIn(
      newPlace('/'),
      `class: main
resources:
  - file: ${at}/one
    content: "1"
    noop: true
    notify: { exec: told }
  - exec: told
    command: [/bin/sh, -c, "echo >> ${at}/log"]
    refreshonly: true
  - file: ${at}/two
    content: "2"
    notify: { exec: silent }
  - exec: silent
    command: [/bin/sh, -c, "echo >> ${at}/log"]
    refreshonly: true
    noop: true
`,
    )
    expect(outcomes).toContain(`file[${at}/one] noop`)
    expect(outcomes).toContain('exec[told] unchanged')
    expect(summary).toMatchObject({ changed: 1, refreshed: 0, status: 'done' })
    expect(readdirSync(at)).toEqual(['two'])
  })

  test('and a run of its own are one run of a command', async () => {
    const at = temporaryFolder()
    await runIn(
      newPlace('/'),
      `class: main
resources:
  - file: ${at}/one
    content: "1"
    notify: { exec: both }
  - exec: both
    command: [/bin/sh, -c, "echo run >> ${at}/log"]
`,
    )
    expect(readFileSync(join(at, 'log'), 'utf8')).toBe('run\n')
  })

  test('goes on from a command that it made run', async () => {
    const at = temporaryFolder()
    const { outcomes } = await runIn(
      newPlace('/'),
      `class: main
resources:
  - file: ${at}/one
    content: "1"
  - exec: first
    command: [/bin/true]
    refreshonly: true
    subscribe: { file: ${at}/one }
    notify: { exec: second }
  - exec: second
    command: [/bin/sh, -c, "echo second >> ${at}/log"]
    refreshonly: true
`,
    )
    expect(outcomes.slice(1)).toEqual(['exec[first] refreshed', 'exec[second] refreshed'])
  })

  test('that its guards make needless is no change, and goes no further', async () => {
    const at = temporaryFolder()
    const { plan, outcomes, summary } = await runIn(
      newPlace('/'),
      `class: main
resources:
  - file: ${at}/one
    content: "1"
  - exec: first
    command: [/bin/touch, ${at}/first]
    unless: [/bin/true]
    refreshonly: true
    subscribe: { file: ${at}/one }
    notify: { exec: second }
  - exec: second
    command: [/bin/touch, ${at}/second]
    refreshonly: true
`,
    )
    // Its guard decides when it is due.
    expect(plan.resources.find(({ ref }) => ref === 'exec[first]')?.action).toBe('later')
    expect(outcomes.slice(1)).toEqual(['exec[first] unchanged', 'exec[second] unchanged'])
    expect(summary).toMatchObject({ changed: 1, refreshed: 0 })
    expect(readdirSync(at)).toEqual(['one'])
  })

  test('that fails is told as such, and skips what waits for it', async () => {
    const at = temporaryFolder()
    const { outcomes, events } = await runIn(
      newPlace('/'),
      `class: main
resources:
  - file: ${at}/one
    content: "1"
    notify: { exec: fails }
  - exec: fails
    command: [/bin/false]
    refreshonly: true
  - file: ${at}/two
    content: "2"
    require: { exec: fails }
`,
    )
    expect(outcomes.slice(1)).toEqual([
      'exec[fails] failed',
      `file[${at}/two] skipped (exec[fails])`,
    ])
    expect(events).toContainEqual(
      expect.objectContaining({ error: expect.objectContaining({ code: 'refresh-failed' }) }),
    )
  })
})

describe('a selection', () => {
  const manifest = `class: main
include: [other]
resources:
  - file: /tree
    ensure: directory
    recurse: true
    purge: true
    tags: [tree]
  - file: /tree/declared
    content: kept
  - file: /plain
    content: x
    require: { file: /base }
  - file: /base
    content: x
`
  const texts = {
    'main.yaml': manifest,
    'other.yaml': 'class: other\nresources:\n  - file: /other\n    content: x\n',
  }

  test('by tag leaves everything else, and purges nothing that the whole catalog declares', async () => {
    const place = newPlace()
    mkdirSync(join(place.root, 'tree'))
    put(place, 'tree/declared', 'kept')
    put(place, 'tree/stranger', 'goes')
    const { outcomes } = await runIn(place, texts, { selection: { tags: ['tree'] } })
    expect(outcomes).toEqual(['file[/tree] changed'])
    expect(readdirSync(place.root)).toEqual(['tree'])
    expect(readdirSync(join(place.root, 'tree'))).toEqual(['declared'])
  })

  test('by class takes the resources of that class', async () => {
    const { outcomes } = await runIn(newPlace(), texts, { selection: { tags: ['other'] } })
    expect(outcomes).toEqual(['file[/other] changed'])
  })

  test.each([
    [{ tags: ['site::pair'] }, ['a', 'b', 'c']],
    [{ tags: ['one'] }, ['a', 'b']],
    [{ only: ['site::pair[two]'] }, ['c']],
  ])('by define and its title takes what is inside: %j', async (selection, made) => {
    const place = newPlace()
    await runIn(
      place,
      {
        'main.yaml': `class: main
resources:
  - site::pair: one
    names: [a, b]
  - site::pair: two
    names: [c]
  - file: /plain
    content: x
`,
        'site/pair.yaml': `define: site::pair
parameters:
  names: { type: array }
resources:
  - file: /\${{ each.value }}
    for_each: \${{ names }}
    content: x
`,
      },
      { selection },
    )
    expect(readdirSync(place.root)).toEqual(made)
  })

  test('of one resource takes what it needs along', async () => {
    const { outcomes } = await runIn(newPlace(), texts, { selection: { only: ['file[/plain]'] } })
    expect(outcomes).toEqual(['file[/base] changed', 'file[/plain] changed'])
  })

  test.each([
    [{ tags: ['treee'] }, 'no resource of the catalog has the tag treee'],
    [{ only: ['file[/plan]'] }, 'there is no resource file[/plan] in the catalog'],
  ])('of nothing is refused: %j', async (selection, message) => {
    await expect(runIn(newPlace(), texts, { selection })).rejects.toThrow(message)
  })
})

describe('the record', () => {
  test('has what was there, durable, before it is overwritten or removed', async () => {
    const place = newPlace()
    for (const name of ['changed', 'removed']) put(place, name, `${name} by hand`)
    mkdirSync(join(place.root, 'folder'))
    put(place, 'folder/inside', 'of the folder')
    const seen: string[] = []
    const kept = (path: string) => {
      const store = Store.read(place.state)
      const [run] = store?.runs.list(1) ?? []
      const row = store?.bucket.of(run?.id ?? '').find((each) => each.path === path)
      const content = row?.hash === undefined ? undefined : store?.contents.get(row.hash)
      store?.close()
      return content?.toString()
    }
    const { run } = await runIn(
      place,
      `class: main
resources:
  - file: /changed
    content: new
  - file: /removed
    ensure: absent
  - file: /folder
    ensure: absent
    force: true
`,
      {
        host: (host) => ({
          ...host,
          writeFile(path, content, how) {
            seen.push(`write ${path}: ${kept(path)}`)
            host.writeFile(path, content, how)
          },
          remove(path) {
            seen.push(`remove ${path}: ${kept(path === '/folder' ? '/folder/inside' : path)}`)
            host.remove(path)
          },
        }),
      },
    )
    expect(seen).toEqual([
      'write /changed: changed by hand',
      'remove /removed: removed by hand',
      'remove /folder: of the folder',
    ])
    const store = Store.read(place.state)
    expect(store?.files.find('/changed')).toMatchObject({ ref: 'file[/changed]', run })
    expect(store?.runs.find(run)).toMatchObject({ status: 'done', classes: ['main'] })
    store?.close()
  })

  test('shows no secret in events, plan, journal or report', async () => {
    const password = 'correct-horse'
    const place = newPlace()
    put(place, 'secret', 'of before')
    const { events, plan, summary } = await runIn(
      place,
      {
        'main.yaml': `class: main
parameters:
  password: { type: string, from: secrets.password }
resources:
  - file: /secret
    template: secret.hbs
  - file: /innocent
    content: there is correct-horse in it by chance
`,
        'templates/secret.hbs': 'password = {{password}}\n',
      },
      { secrets: { password } },
    )
    expect(text(place, 'secret')).toBe(`password = ${password}\n`)
    expect(JSON.stringify([events, plan, summary])).not.toContain(password)
    const store = Store.read(place.state)
    const [run] = store?.runs.list() ?? []
    expect(JSON.stringify(store?.runs.events(run?.id ?? ''))).not.toContain(password)
    store?.close()
  })

  test('a command that fails with a secret in its output is told without it', async () => {
    const { events } = await runIn(
      newPlace('/'),
      `class: main
parameters:
  password: { type: string, from: secrets.password }
resources:
  - exec: tells all
    command: [/bin/sh, -c, "cat; exit 1"]
    stdin: \${{ password }}
`,
      { secrets: { password: 'correct-horse' } },
    )
    expect(JSON.stringify(events)).toContain('(secret)')
    expect(JSON.stringify(events)).not.toContain('correct-horse')
  })
})
