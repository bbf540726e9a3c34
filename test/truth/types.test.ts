import { appendFileSync, chmodSync, globSync, lstatSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { types } from '../../engine/resources/index.ts'
import type { Resource, ResourceType } from '../../engine/resources/type.ts'
import { newPlace, runIn } from '../apply/run.ts'
import { exampleResources, makeTree, type TypeSchema } from '../support/type-contract.ts'

/** Types that a tree without a running machine can hold. */
const rooted = [
  'apt_repository',
  'block_in_file',
  'cron',
  'file',
  'file_line',
  'group',
  'ini_setting',
  'sysctl',
  'tidy',
  'user',
]

function manifest({ type, title }: Resource, desired: object): string {
  return JSON.stringify({ class: 'main', resources: [{ [type]: title, ...desired }] })
}

/** What another hand leaves of every file of a tree: a line more, and another mode. */
function spoil(root: string): void {
  for (const path of globSync('**', { cwd: root })) {
    const whole = join(root, path)
    if (!lstatSync(whole).isFile() || /^etc\/(passwd|group|shadow|gshadow)$/.test(path)) continue
    appendFileSync(whole, 'spoiled\n')
    chmodSync(whole, 0o640)
  }
}

describe.skipIf(process.geteuid?.() !== 0).each(rooted)('%s', (name) => {
  const type = types.get(name) as ResourceType
  const schema = type.schema as TypeSchema & {
    readonly properties: { readonly ensure?: { readonly enum?: readonly string[] } }
  }
  const goes = schema.properties.ensure?.enum?.includes('absent')

  // A run that comes otherwise than its plan says throws.
  test.each(exampleResources(schema))(
    'is made, mended and removed just as planned: $ref',
    async (example) => {
      const place = newPlace()
      makeTree(place.root, type, example)
      const made = await runIn(place, manifest(example, example.desired))
      expect(made.summary.failed).toBe(0)
      spoil(place.root)
      await runIn(place, manifest(example, example.desired))
      const absent = { ...example.desired, ensure: 'absent' }
      if (!goes || type.check?.({ ...example, desired: absent })) return
      await runIn(place, manifest(example, absent))
      expect((await runIn(place, manifest(example, absent))).summary.changed).toBe(0)
    },
  )
})
