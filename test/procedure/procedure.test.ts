import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { localHost } from '../../engine/host/local.ts'
import { newProgress } from '../../engine/procedure/progress.ts'
import { inFolder, type Procedure, procedureOf } from './run.ts'

/** Why queries can't be asked here, such as for want of the right to make a namespace. */
const probed = await localHost().guard(['/bin/true'])
const unasked = 'unavailable' in probed ? probed.unavailable : false

const read = (procedure: Procedure, name: string) => readFileSync(inFolder(procedure, name), 'utf8')
/** What the commands of a procedure have noted, one word a line. */
const log = (procedure: Procedure) =>
  existsSync(inFolder(procedure, 'log')) ? read(procedure, 'log').trim().split('\n') : []
const note = (word: string) => `command: [/bin/sh, -c, "echo ${word} >> DIR/log"]`

const chain = `class: main
steps:
  - query: old
    link: DIR/current
  - query: words
    command: [/bin/echo, "one two"]
    match: '^(\\w+)'
  - file: DIR/answer
    content: '\${{ query.words.lines[0] }} \${{ query.old.exists ? query.old.target : "none" }}'
  - exec: after
    ${note('after')}
    when: query.words.lines[0] == "one"
  - exec: never
    ${note('never')}
    when: query.words.lines[0] == "two"
`

describe.skipIf(unasked)('a procedure', () => {
  test('asks, makes what depends on the answers, and runs what follows, in its order', async () => {
    const procedure = procedureOf(chain)
    const { steps, summary } = await procedure.run()
    expect(steps).toEqual([
      'done query[old]',
      'done query[words]',
      `done file[${inFolder(procedure, 'answer')}]`,
      'done exec[after]',
      'left out exec[never]',
    ])
    expect(summary).toMatchObject({ status: 'done', changed: 2, failed: 0 })
    expect(read(procedure, 'answer')).toBe('one none')
    expect(log(procedure)).toEqual(['after'])
  })

  test('looks at the host anew at each step', async () => {
    const { steps } = await procedureOf(`class: main
steps:
  - file: DIR/file
    content: first
  - file: DIR/file
    content: second
  - file: DIR/file
    content: second
`).run()
    expect(steps.map((step) => step.split(' file')[0])).toEqual(['done', 'done', 'in sync'])
  })

  test('stops at the first failure, and says why', async () => {
    const procedure = procedureOf(`class: main
steps:
  - exec: breaks
    command: [/bin/false]
  - exec: after
    ${note('after')}
`)
    const { steps, events, summary } = await procedure.run()
    expect(steps).toEqual(['failed exec[breaks]'])
    expect(summary).toMatchObject({ status: 'failed', failed: 1 })
    expect(log(procedure)).toEqual([])
    expect(JSON.stringify(events)).toContain('/bin/false')
  })

  test('is refused by fail, with its words', async () => {
    const procedure = procedureOf(`class: main
steps:
  - fail: This host is \${{ facts.os.id }}.
    when: facts.os.id == "debian"
`)
    const { events, summary } = await procedure.run()
    expect(summary?.status).toBe('failed')
    expect(events).toContainEqual(
      expect.objectContaining({
        error: expect.objectContaining({ message: 'This host is debian' }),
      }),
    )
  })

  test('tells a mistake of a step when it is reached, and does nothing of it', async () => {
    const procedure = procedureOf(`class: main
steps:
  - query: number
    command: [/bin/echo, "no number"]
  - file: DIR/file
    content: "\${{ string(int(query.number.text)) }}"
`)
    const { events } = await procedure.run()
    expect(JSON.stringify(events)).toContain('expression-failed')
    expect(existsSync(inFolder(procedure, 'file'))).toBe(false)
  })

  test('uses defines and classes, and those with steps of their own', async () => {
    const procedure = procedureOf({
      'main.yaml': `class: main
steps:
  - site::note: one
    text: given
  - class: plain
  - site::walk: inner
  - class: walked
`,
      'site/note.yaml': `define: site::note
parameters:
  text: { type: string }
resources:
  - file: DIR/note-\${{ title }}
    content: \${{ text }}
`,
      'plain.yaml': 'class: plain\nresources:\n  - file: DIR/plain\n    content: x\n',
      'site/walk.yaml': `define: site::walk
steps:
  - query: word
    command: [/bin/echo, "\${{ title }}"]
  - file: DIR/walk
    content: \${{ query.word.text }}
`,
      'walked.yaml': `class: walked\nsteps:\n  - exec: walked\n    ${note('walked')}\n`,
    })
    const { steps } = await procedure.run()
    expect(steps).toEqual([
      'done site::note[one]',
      'done class[plain]',
      'done query[word]',
      `done file[${inFolder(procedure, 'walk')}]`,
      'done site::walk[inner]',
      'done exec[walked]',
      'done class[walked]',
    ])
    expect(read(procedure, 'walk')).toBe('inner')
    expect(read(procedure, 'note-one')).toBe('given')
  })

  test('applies other classes, and asks for their plan', async () => {
    const procedure = procedureOf({
      'main.yaml': `class: main
steps:
  - query: configuration
    plan: other
  - apply: configuration
    classes: other
    when: query.configuration.changes > 0
  - query: again
    plan: { classes: [other] }
  - file: DIR/answer
    content: "\${{ string(query.configuration.changes) }} \${{ query.configuration.files[0] }} \${{ string(query.again.changes) }}"
`,
      'other.yaml': 'class: other\nresources:\n  - file: DIR/other\n    content: x\n',
    })
    const { steps } = await procedure.run()
    expect(steps.slice(0, 3)).toEqual([
      'done query[configuration]',
      'done apply[configuration]',
      'done query[again]',
    ])
    expect(read(procedure, 'answer')).toBe(`1 ${inFolder(procedure, 'other')} 0`)
  })

  test('takes the tags of an apply as the command line does', async () => {
    const tagged = (tag: string) =>
      procedureOf({
        'main.yaml': `class: main\nsteps:\n  - apply: some\n    classes: other\n    tags: ${tag}\n`,
        'other.yaml': `class: other
include: [inner]
resources:
  - file: DIR/tagged
    content: x
    tags: mine
  - file: DIR/plain
    content: x
`,
        'inner.yaml': 'class: inner\nresources:\n  - file: DIR/inner\n    content: x\n',
      })
    const made = async (tag: string) => {
      const procedure = tagged(tag)
      await procedure.run()
      return ['tagged', 'plain', 'inner'].filter((name) => existsSync(inFolder(procedure, name)))
    }
    expect(await made('mine')).toEqual(['tagged'])
    expect(await made('inner')).toEqual(['inner'])
    await expect(tagged('nobody').plan()).rejects.toThrow('no resource of the catalog has the tag')
  })

  test('reads a member of an archive, wherever that lies, or says what keeps it from being unpacked', async () => {
    const procedure = procedureOf(`class: main
steps:
  - query: release
    archive: DIR/release.tar.gz
    member: top-*/version
    match: '^version (.+)'
  - query: cut
    archive: DIR/cut.tar.gz
    member: top-*/version
  - query: none
    archive: DIR/none.tar.gz
    member: x
  - file: DIR/answer
    content: "\${{ query.release.lines[0] }} \${{ query.release.fault }}|\${{ query.cut.fault }}|\${{ string(query.none.exists) }}"
`)
    execFileSync('sh', [
      '-ec',
      `cd "$1"; mkdir top-1; echo 'version 9.1' >top-1/version; head -c 100000 /dev/urandom >top-1/noise
      tar -czf release.tar.gz top-1; head -c 50000 release.tar.gz >cut.tar.gz`,
      'sh',
      procedure.folder,
    ])
    await procedure.run()
    expect(read(procedure, 'answer')).toMatch(
      /^9\.1 \|.*cut\.tar\.gz can't be unpacked: .*\|false$/,
    )
  })

  test('unrolls for_each when it is reached', async () => {
    const procedure = procedureOf(`class: main
steps:
  - query: names
    command: [/bin/echo, "a\\nb"]
  - exec: note \${{ each.value }}
    for_each: \${{ query.names.lines }}
    command: [/bin/sh, -c, "echo \${{ each.value }} >> DIR/log"]
    when: each.value != "c"
`)
    await procedure.run()
    expect(log(procedure)).toEqual(['a', 'b'])
  })

  test('waits until a query holds, or says that it did not', async () => {
    const procedure = procedureOf(`class: main
steps:
  - query: ready
    file: DIR/ready
    until: ready.exists && ready.lines == ["yes"]
    timeout: 5
  - query: never
    file: DIR/never
    until: never.exists
    timeout: 1
`)
    const running = procedure.run()
    setTimeout(() => writeFileSync(inFolder(procedure, 'ready'), 'yes\n'), 300)
    const { steps, events } = await running
    expect(steps).toEqual(['done query[ready]', 'failed query[never]'])
    expect(JSON.stringify(events)).toContain('did not become true that never.exists')
  })

  test('says once what it waits for where that takes long', async () => {
    const procedure = procedureOf(`class: main
steps:
  - query: holder
    command: [echo, since noon of root]
    until: size(holder.lines) == 0
    timeout: 5
  - fail: no
`)
    const { events } = await procedure.run()
    const told = events.filter(({ type }) => type === 'waiting')
    expect(told).toHaveLength(1)
    expect(told[0]).toHaveProperty(
      'message',
      expect.stringMatching(/^query\[holder\], for up to \d s more: since noon of root$/),
    )
  })

  test('keeps asking a command that says "not yet" by its exit, and tells its last output', async () => {
    // A query sees an empty /tmp.
    const seen = mkdtempSync('/var/tmp/steward-test-')
    onTestFinished(() => rmSync(seen, { recursive: true }))
    const procedure = procedureOf(`class: main
steps:
  - query: ready
    command: [/bin/sh, -c, "if test -e ${seen}/ready; then echo '[1]'; elif test -e ${seen}/half; then echo soon; else exit 3; fi"]
    json: true
    until: size(ready.json) == 1
    timeout: 10
  - query: never
    command: [/bin/sh, -c, "echo not up >&2; exit 7"]
    until: never.text == "up"
    timeout: 1
`)
    expect((await procedure.plan())[0]).toBe(
      'query[ready] not asked (a run would wait until size(ready.json) == 1)',
    )
    const running = procedure.run()
    setTimeout(() => writeFileSync(join(seen, 'half'), ''), 300)
    setTimeout(() => writeFileSync(join(seen, 'ready'), ''), 1000)
    const { steps, events } = await running
    expect(steps).toEqual(['done query[ready]', 'failed query[never]'])
    expect(events).toContainEqual(
      expect.objectContaining({
        error: expect.objectContaining({
          message: 'query[never]: within 1 s it did not become true that never.text == "up"',
          ran: expect.objectContaining({ exit: 'exit code 7', output: 'not up\n' }),
        }),
      }),
    )
  })

  test('tells the last answer of a query that did not hold in time, and fails at once where no command is', async () => {
    const { events } = await procedureOf(`class: main
steps:
  - query: word
    command: [/bin/echo, down]
    until: word.text == "up"
    timeout: 1
`).run()
    expect(JSON.stringify(events)).toContain('"output":"down"')
    const missing = await procedureOf(`class: main
steps:
  - query: word
    command: [/no/such/command]
    until: word.text == "up"
    timeout: 3600
`).run()
    expect(missing.steps).toEqual(['failed query[word]'])
  })

  test('says in the words of the procedure what a query was to find out', async () => {
    const procedure = procedureOf(`class: main
steps:
  - query: health
    command: [/bin/false]
    until: size(health.lines) > 0
    timeout: 1
    message: The server does not answer
`)
    const { events } = await procedure.run()
    expect(JSON.stringify(events)).toContain('The server does not answer')
  })

  test('shows no secret that a query prints and fails', async () => {
    const procedure = procedureOf(
      `class: main
parameters:
  password: { type: string, from: secrets.password }
steps:
  - query: a
    command: [/bin/sh, -c, 'echo "no entry with $PASSWORD" >&2; exit 3']
    environment: { PASSWORD: "\${{ password }}" }
`,
      { secrets: { password: 'correct-horse' } },
    )
    const { steps, events } = await procedure.run()
    expect(steps).toEqual(['failed query[a]'])
    expect(JSON.stringify(events)).toContain('no entry with (secret)')
    expect(JSON.stringify(events)).not.toContain('correct-horse')
  })

  test('takes the answer of a query that was given a secret, or says that it is one, for a secret', async () => {
    const steps = `class: main
parameters:
  key: { type: string, sensitive: true, default: correct-horse }
steps:
  - query: given
    command: [/bin/sh, -c, 'echo "$KEY-1"; cat']
    environment: { KEY: "\${{ key }}" }
    stdin: "\${{ key }}-2"
  - query: said
    command: [/bin/echo, tell-nobody]
    sensitive: true
  - file: DIR/file
    content: "\${{ query.given.lines[0] }} \${{ query.given.lines[1] }} \${{ query.said.text }}"
`
    const procedure = procedureOf(steps)
    writeFileSync(inFolder(procedure, 'file'), 'before')
    const shown = JSON.stringify(await procedure.plan())
    const { events, summary } = await procedure.run()
    expect(summary?.status).toBe('done')
    expect(read(procedure, 'file')).toBe('correct-horse-1 correct-horse-2 tell-nobody')
    expect(JSON.stringify(events)).toContain('"attribute":"content","from":"(secret)"')
    expect(shown + JSON.stringify(events)).not.toMatch(/correct-horse|tell-nobody/)
    const refused = await procedureOf(
      `${steps}  - exec: argument\n    command: [/bin/echo, "\${{ query.said.lines[0] }}"]\n`,
    ).run()
    expect(refused.steps.at(-1)).toBe('failed exec[argument]')
    expect(JSON.stringify(refused.events)).toContain('sensitive-value')
  })

  test('names no step by the secret that it goes over', async () => {
    const procedure = procedureOf(`class: main
steps:
  - query: said
    command: [/bin/echo, '{"tell-nobody": "a", "nor-him": "b"}']
    json: true
    sensitive: true
  - block: one
    for_each: \${{ query.said.json }}
    steps:
      - exec: inside
        ${note('inside')}
`)
    const { events, summary } = await procedure.run()
    expect(summary?.status).toBe('done')
    expect(log(procedure)).toEqual(['inside', 'inside'])
    const { answers, ...rest } = procedure.progress
    expect(JSON.stringify(answers)).toContain('tell-nobody')
    expect(JSON.stringify([events, rest])).not.toMatch(/tell-nobody|nor-him/)
  })

  test('tells nothing that a secret query prints and fails or waits for', async () => {
    const failing = (how: string) => `class: main
steps:
  - query: a
    command: [/bin/sh, -c, 'echo correct-""horse; echo battery-""staple >&2; ${how}']
    sensitive: true
    until: int(a.text) == 1
    timeout: 1
`
    for (const how of ['exit 3', 'true']) {
      const { steps, events } = await procedureOf(failing(how)).run()
      expect(steps, how).toEqual(['failed query[a]'])
      expect(JSON.stringify(events), how).not.toMatch(/correct-horse|battery-staple/)
    }
  })

  test('shows no secret in what people see of its steps', async () => {
    const secrets = { password: 'correct-horse' }
    for (const step of [
      'fail: It is ${{ password }}.',
      'query: x\n    command: [/bin/echo, "${{ password }}"]',
      'exec: x\n    command: [/bin/echo, "${{ password }}"]',
    ]) {
      const { events, summary } = await procedureOf(
        `class: main\nparameters:\n  password: { type: string, from: secrets.password }\nsteps:\n  - ${step}\n`,
        { secrets },
      ).run()
      expect(summary?.status, step).toBe('failed')
      expect(JSON.stringify(events), step).toContain('sensitive-value')
      expect(JSON.stringify(events), step).not.toContain('correct-horse')
    }
  })
})

describe.skipIf(unasked)('a block', () => {
  const block = (inner: string) => `class: main
steps:
  - block: switch
    steps:
      - exec: begin
        ${note('begin')}
${inner}
    rescue:
      - exec: mend
        ${note('rescue')}
      - fail: It went wrong late.
        when: step.late.status == "failed"
      - exec: mend more
        ${note('more')}
    always:
      - exec: tidy
        ${note('always')}
  - exec: after
    ${note('after')}
`

  test('takes its always, and no rescue, where nothing fails', async () => {
    const procedure = procedureOf(block('      - exec: late\n        command: [/bin/true]'))
    expect((await procedure.run()).summary?.status).toBe('done')
    expect(log(procedure)).toEqual(['begin', 'always', 'after'])
  })

  test('takes rescue and always where a step fails, and has failed all the same', async () => {
    const procedure = procedureOf(
      block(
        '      - exec: late\n        command: [/bin/true]\n      - exec: breaks\n        command: [/bin/false]',
      ),
    )
    const { summary, steps } = await procedure.run()
    expect(summary?.status).toBe('failed')
    expect(log(procedure)).toEqual(['begin', 'rescue', 'more', 'always'])
    expect(steps.at(-1)).toBe('failed block[switch]')
  })

  test('knows in its rescue how each step ended, and takes always also where the rescue fails', async () => {
    const procedure = procedureOf(block('      - exec: late\n        command: [/bin/false]'))
    expect((await procedure.run()).summary?.status).toBe('failed')
    expect(log(procedure)).toEqual(['begin', 'rescue', 'always'])
  })

  test('in a block is rescued before the one around it', async () => {
    const procedure = procedureOf(`class: main
steps:
  - block: outer
    steps:
      - block: inner
        steps:
          - exec: breaks
            command: [/bin/false]
        rescue:
          - exec: mend inner
            ${note('inner')}
    rescue:
      - exec: mend outer
        ${note('outer')}
`)
    await procedure.run()
    expect(log(procedure)).toEqual(['inner', 'outer'])
  })
})

describe.skipIf(unasked)('a run that was cut off', () => {
  const whole = `class: main
steps:
  - query: asked
    command: [/bin/sh, -c, "echo answer"]
  - exec: outside
    ${note('outside')}
  - file: DIR/file
    content: \${{ query.asked.text }}
  - block: switch
    steps:
      - exec: first
        ${note('first')}
      - exec: second
        ${note('second')}
    always:
      - exec: tidy
        ${note('tidy')}
  - exec: last
    ${note('last')}
`

  test('goes on after any event, repeats no command outside a block, and comes to the same end', async () => {
    const undisturbed = procedureOf(whole)
    const { events } = await undisturbed.run()
    for (let killAfter = 1; killAfter < events.length; killAfter++) {
      const procedure = procedureOf(whole)
      await procedure.run({ killAfter })
      const { summary } = await procedure.run()
      expect(summary?.status, `after ${killAfter}`).toBe('done')
      expect(read(procedure, 'file')).toBe('answer')
      const words = log(procedure)
      // What was under way at the kill may have run: an exec is told only when it is over.
      for (const word of ['outside', 'last'])
        expect(
          words.filter((each) => each === word).length,
          `${word} after ${killAfter}`,
        ).toBeLessThanOrEqual(killedInside(events[killAfter - 1], word) ? 2 : 1)
      expect(words.at(-1)).toBe('last')
      expect((await procedure.run()).steps.filter((step) => step.startsWith('done exec'))).toEqual(
        [],
      )
    }
    function killedInside(event: (typeof events)[number] | undefined, word: string): boolean {
      return event !== undefined && 'ref' in event && event.ref === `exec[${word}]`
    }
  })

  test('enters an unfinished block at its first step', async () => {
    const procedure = procedureOf(whole)
    const { events } = await procedureOf(whole).run()
    const at = events.findIndex(
      (event) => event.type === 'step_finished' && event.title === 'exec[first]',
    )
    await procedure.run({ killAfter: at + 1 })
    await procedure.run()
    expect(log(procedure)).toEqual(['outside', 'first', 'first', 'second', 'tidy', 'last'])
  })

  test('keeps the answers of queries outside blocks, and probes states again', async () => {
    const procedure = procedureOf(`class: main
steps:
  - query: link
    link: DIR/link
  - file: DIR/file
    content: \${{ query.link.target }}
  - exec: last
    ${note('last')}
`)
    symlinkSync('one', inFolder(procedure, 'link'))
    const { events } = await procedure.run({
      onEvent: (event, stop) => {
        if (event.type === 'step_finished' && event.title.startsWith('file')) stop()
      },
    })
    expect(events.at(-1)).toMatchObject({ summary: { status: 'interrupted' } })
    rmSync(inFolder(procedure, 'link'))
    rmSync(inFolder(procedure, 'file'))
    const { steps } = await procedure.run()
    expect(steps[0]).toBe('done before query[link]')
    expect(read(procedure, 'file')).toBe('one')
  })

  const rescued = `class: main
steps:
  - block: outer
    steps:
      - exec: before inner
        ${note('before')}
      - block: inner
        steps:
          - exec: begun
            ${note('begun')}
          - exec: breaks
            command: [/bin/false]
        rescue:
          - exec: mend inner
            ${note('inner')}
          - fail: Begun.
            when: step.begun.status != "done"
    rescue:
      - exec: mend outer
        ${note('outer')}
    always:
      - exec: tidy
        ${note('tidy')}
`

  test('in a rescue goes on with that rescue, and enters no block again', async () => {
    const { events } = await procedureOf(rescued).run()
    const from = events.findIndex(
      (event) => event.type === 'step_finished' && event.title === 'exec[breaks]',
    )
    for (let killAfter = from + 2; killAfter < events.length; killAfter++) {
      const procedure = procedureOf(rescued)
      await procedure.run({ killAfter })
      const { summary } = await procedure.run()
      expect(summary?.status, `after ${killAfter}`).toBe('failed')
      const words = log(procedure)
      expect(
        words.filter((word) => word === 'begun' || word === 'before'),
        `after ${killAfter}`,
      ).toEqual(['before', 'begun'])
      expect(words.indexOf('inner')).toBeLessThan(words.indexOf('outer'))
      expect(words.at(-1)).toBe('tidy')
    }
  })

  test('in the middle of a command does not take it for one that was not reached', async () => {
    const procedure = procedureOf(`class: main
steps:
  - block: switch
    steps:
      - query: gate
        file: DIR/gate
      - fail: The gate is shut.
        when: query.gate.exists
      - exec: migrate
        ${note('migrate')}
    rescue:
      - exec: too late
        ${note('too-late')}
        when: step.migrate.status != "not reached"
      - exec: in time
        ${note('in-time')}
        when: step.migrate.status == "not reached"
`)
    // resource_started is told before the command runs: what follows is cut off.
    const { events } = await procedure
      .run({
        onEvent: (event) => {
          if (event.type === 'resource_started') throw new Error('killed')
        },
      })
      .catch(() => ({ events: [] }))
    expect(events).toEqual([])
    writeFileSync(inFolder(procedure, 'gate'), '')
    await procedure.run()
    expect(log(procedure)).toEqual(['too-late'])
  })

  test('is abandoned through the rescue of every block that it was in, the innermost first', async () => {
    const texts = {
      'main.yaml': `class: main
steps:
  - exec: outside
    ${note('outside')}
  - block: outer
    steps:
      - site::walk: inside
    rescue:
      - exec: mend outer
        ${note('outer')}
    always:
      - exec: tidy
        ${note('tidy')}
  - block: later
    steps:
      - exec: later
        ${note('later')}
    rescue:
      - exec: mend later
        ${note('mend-later')}
`,
      'site/walk.yaml': `define: site::walk
steps:
  - block: each \${{ each.value }}
    for_each: [a, b]
    steps:
      - exec: work
        ${note('work')}
    rescue:
      - exec: mend inner
        ${note('inner')}
      - fail: That can not be mended.
`,
    }
    const whole = await procedureOf(texts).run()
    const worked = whole.events.flatMap((event, index) =>
      event.type === 'step_finished' && event.title === 'exec[work]' ? [index] : [],
    )
    const procedure = procedureOf(texts)
    await procedure.run({ killAfter: (worked[1] as number) + 1 })
    const { summary } = await procedure.abandon()
    expect(summary?.status).toBe('failed')
    expect(log(procedure)).toEqual(['outside', 'work', 'work', 'inner', 'outer', 'tidy'])
  })
})

describe.skipIf(unasked)('a dry run', () => {
  test('asks what it can, changes nothing, and shows what is known only after something', async () => {
    const procedure = procedureOf(`class: main
steps:
  - query: word
    command: [/bin/echo, one]
  - file: DIR/known
    content: \${{ query.word.text }}
  - query: late
    file: DIR/known
  - file: DIR/by-answer
    content: \${{ query.late.text }}
  - exec: whether
    ${note('whether')}
    when: query.late.exists
  - exec: left out
    ${note('left-out')}
    when: query.word.text == "two"
  - block: switch
    steps:
      - exec: inside
        ${note('inside')}
    always:
      - exec: tidy
        ${note('tidy')}
  - exec: note \${{ each.value }}
    for_each: \${{ query.late.lines }}
    command: [/bin/true]
  - fail: Not here.
    when: query.word.text == "one"
`)
    const dir = (lines: string[]) => lines.map((line) => line.replaceAll(procedure.folder, 'DIR'))
    expect(dir(await procedure.plan())).toEqual([
      'query[word] asked: one',
      'file[DIR/known] would create file[DIR/known]',
      'query[late] later: how on DIR/known',
      'file[DIR/by-answer] later: how on query.late',
      'exec[whether] later: whether on query.late',
      'exec[left out] left out',
      'block[switch] begins',
      '  exec[inside] would run exec[inside]',
      '  exec[tidy] would run exec[tidy]',
      'exec[note ${{ each.value }}] later: how on query.late',
      'fail[Not here.] fails: Not here.',
    ])
    expect(existsSync(inFolder(procedure, 'known'))).toBe(false)
    expect(log(procedure)).toEqual([])
  })

  test('knows what an apply makes, and what lacks something may get it from the steps before', async () => {
    const procedure = procedureOf({
      'main.yaml': `class: main
steps:
  - apply: folders
    classes: other
  - file: DIR/made/inside
    content: x
  - exec: unpacked by then
    command: [DIR/made/program]
  - apply: no such class yet
    classes: comes_with_the_release
`,
      'other.yaml': 'class: other\nresources:\n  - file: DIR/made\n    ensure: directory\n',
    })
    const dir = (lines: string[]) => lines.map((line) => line.replaceAll(procedure.folder, 'DIR'))
    expect(dir(await procedure.plan())).toEqual([
      'apply[folders] would create file[DIR/made]',
      'file[DIR/made/inside] would create file[DIR/made/inside]',
      'exec[unpacked by then] later: how on folders',
      'apply[no such class yet] later: how on folders',
    ])
  })

  test('tells the answer of what it asked in short, and neither secrets nor texts of files', async () => {
    const procedure = procedureOf(`class: main
steps:
  - query: upgrades
    command: [/bin/sh, -c, 'seq 10']
  - query: nobody
    command: [/bin/false]
    returns: [0, 1]
  - query: hidden
    sensitive: true
    command: [/bin/echo, pAssw0rd]
  - query: settings
    file: /etc/passwd
  - query: link
    link: /proc/self/exe
`)
    expect(await procedure.plan()).toEqual([
      'query[upgrades] asked: 1, 2, 3, 4, 5, 6, 7, 8 and 2 more',
      'query[nobody] asked: exit code 1',
      'query[hidden] asked: undefined',
      'query[settings] asked: it is there',
      `query[link] asked: ${process.execPath}`,
    ])
  })

  test('of what nothing comes before says what it lacks', async () => {
    const procedure = procedureOf(
      `class: main\nsteps:\n  - exec: lacking\n    command: [DIR/made/program]\n`,
    )
    expect((await procedure.plan())[0]).toContain('exec[lacking] would')
    const unknown = procedureOf('class: main\nsteps:\n  - apply: other\n    classes: nobody\n')
    await expect(unknown.plan()).rejects.toThrow('there is no class nobody')
  })

  test('of a procedure whose goal is reached says that nothing is to be done', async () => {
    const procedure = procedureOf(`class: main
steps:
  - query: word
    command: [/bin/echo, one]
  - file: DIR/file
    content: \${{ query.word.text }}
`)
    await procedure.run()
    procedure.progress = newProgress()
    expect((await procedure.plan()).map((line) => line.split('] ')[1])).toEqual([
      'asked: one',
      'in sync',
    ])
  })
})
