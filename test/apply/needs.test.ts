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
