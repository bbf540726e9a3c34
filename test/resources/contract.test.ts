import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { types } from '../../engine/resources/index.ts'
import type { ResourceType } from '../../engine/resources/type.ts'
import {
  converge,
  declaredAttributes,
  exampleResources,
  footprintFaults,
  questionsOf,
  schemaFaults,
  type TypeSchema,
} from '../support/type-contract.ts'

const project = join(import.meta.dirname, '../..')

/** Types that nothing but a running machine can converge: they run commands and ask servers. */
const needMachine = new Set([
  'alternatives',
  'archive',
  'debconf',
  'download',
  'dpkg_divert',
  'exec',
  'package',
  'postgresql_cluster',
  'postgresql_database',
  'postgresql_extension',
  'postgresql_role',
  'rabbitmq_permission',
  'rabbitmq_user',
  'rabbitmq_vhost',
  'service',
  'supervisor_program',
])

test('a schema stands beside each type, and none stands alone', () => {
  const schemas = globSync('schemas/resources/*.json', { cwd: project })
  const names = schemas.map((path) => basename(path, '.json')).toSorted()
  expect(names).toEqual([...types.keys()].toSorted())
})

describe.each([...types])('%s', (name, type: ResourceType) => {
  const schema = type.schema as TypeSchema
  const examples = exampleResources(schema)

  test('is in the table under its name, with the schema of that name', () => {
    const file = join(project, 'schemas/resources', `${name}.json`)
    expect(type.name).toBe(name)
    expect(schema).toEqual(JSON.parse(readFileSync(file, 'utf8')))
  })

  test('has a schema that compiles, describes and gives examples that hold', () => {
    expect(schemaFaults(name, schema)).toEqual([])
  })

  test('names in its TypeScript the attributes of its schema', () => {
    const stem = join(project, 'engine/resources', name.replaceAll('_', '-'))
    // In a file of its own where others of the type's files need it too.
    const places = ['/desired.ts', '-desired.ts', '-acts.ts', '.ts'].map((end) => `${stem}${end}`)
    const sources = places
      .filter((place) => existsSync(place))
      .map((place) => readFileSync(place, 'utf8'))
    const declared = declaredAttributes(
      sources.find((text) => /interface \w*Desired \{/.test(text)) ?? '',
    )
    expect(declared.toSorted()).toEqual(Object.keys(schema.properties).toSorted())
  })

  test('checks its examples and finds nothing', () => {
    expect(examples.map((example) => type.check?.(example))).toEqual(examples.map(() => undefined))
  })

  test.each(examples)('has a footprint that is pure and well formed: $ref', (example) => {
    expect(footprintFaults(type, example)).toEqual([])
  })

  test('asks once for many', async () => {
    const together = await questionsOf(type, examples)
    const alone = await Promise.all(examples.map((example) => questionsOf(type, [example])))
    for (const [question, times] of together) {
      const most = Math.max(...alone.map((asked) => asked.get(question) ?? 0))
      expect([question, times]).toEqual([question, most])
    }
  })

  // The system tests converge these.
  if (needMachine.has(name)) return
  const reason = process.geteuid?.() === 0 ? undefined : 'only root can give files away'
  test.skipIf(reason !== undefined).each(examples)(
    `is in sync after apply${reason ? ` (skipped: ${reason})` : ''}: $ref`,
    async (example) => {
      const { first, second } = await converge(type, example)
      expect(first).toMatchObject({ changes: expect.any(Array) })
      expect(second).toMatchObject({ changes: [] })
    },
  )
})
