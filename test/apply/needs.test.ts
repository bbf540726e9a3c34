import { existsSync, mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '../compile/road.ts'
import { newPlace, runIn } from './run.ts'

describe('a need that nothing meets', () => {
  test('blocks a resource when it is applied as it did in the plan', async () => {
    const place = newPlace()
    const { plan, outcomes, events } = await runIn(
      place,
      `class: main
resources:
  - file: /x
    content: x
    needs: { users: [nobody-has-this-name] }
`,
    )
    expect(plan.counts.blocked).toBe(1)
    expect(outcomes).toEqual(['file[/x] failed'])
    expect(events).toContainEqual(
      expect.objectContaining({ error: expect.objectContaining({ code: 'blocked' }) }),
    )
    expect(existsSync(join(place.root, 'x'))).toBe(false)
  })

  test('blocks where what makes it was not chosen', async () => {
    const { plan, outcomes } = await runIn(
      newPlace(),
      `class: main
resources:
  - file: /folder
    ensure: directory
  - file: /folder/x
    content: x
    tags: [chosen]
`,
      { selection: { tags: ['chosen'] } },
    )
    expect(plan.resources).toMatchObject([
      {
        action: 'blocked',
        because:
          'file[/folder/x] needs /folder, which is not there, and what makes it was not chosen',
      },
    ])
    expect(outcomes).toEqual(['file[/folder/x] failed'])
  })

  test('blocks no more once something before has met it', async () => {
    const at = temporaryFolder()
    const { outcomes } = await runIn(
      newPlace('/'),
      `class: main
resources:
  - exec: make it
    command: [/bin/mkdir, ${at}/made]
  - file: ${at}/x
    content: x
    needs: { directories: [${at}/made] }
    require: { exec: make it }
`,
    )
    expect(outcomes).toEqual(['exec[make it] changed', `file[${at}/x] changed`])
  })

  test('blocks where what was there for the plan is gone', async () => {
    const place = newPlace()
    mkdirSync(join(place.root, 'there'))
    const { outcomes } = await runIn(
      place,
      `class: main
resources:
  - file: /x
    content: x
    needs: { directories: [/there] }
`,
      { meanwhile: () => rmdirSync(join(place.root, 'there')) },
    )
    expect(outcomes).toEqual(['file[/x] failed'])
  })
})

describe('what the host does not let be looked at', () => {
  test('blocks itself, and nothing else of its type', async () => {
    const at = temporaryFolder()
    const long = `/${'n'.repeat(300)}`
    const { plan, outcomes } = await runIn(
      newPlace('/'),
      `class: main
resources:
  - exec: long
    command: [/bin/true]
    creates: ${long}
  - exec: short
    command: [/bin/touch, ${at}/made]
    creates: ${at}/made
`,
    )
    expect(plan.resources[0]).toMatchObject({
      action: 'blocked',
      because: `exec[long]: ${long}: the name is too long (ENAMETOOLONG)`,
    })
    expect(outcomes).toEqual(['exec[long] failed', 'exec[short] changed'])
  })
})
