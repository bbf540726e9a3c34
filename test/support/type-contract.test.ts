import { describe, expect, test } from 'vitest'
import type { Resource, ResourceType } from '../../engine/resources/type.ts'
import {
  converge,
  declaredAttributes,
  exampleResources,
  footprintFaults,
  questionsOf,
  schemaFaults,
  type TypeSchema,
} from './type-contract.ts'

const attribute = {
  type: 'string',
  description: 'What it is, in a sentence of its own.',
  examples: ['a'],
  'x-invalid': [1],
}
const schema = {
  title: 'thing',
  description: 'A thing, as the tests of the contract want it.',
  type: 'object',
  additionalProperties: false,
  properties: { name: attribute },
  examples: [{ thing: ['one', 'two'], name: 'a', when: 'true' }],
}
const thing: ResourceType = {
  name: 'thing',
  schema,
  footprint: () => ({ needs: ['path:/etc', 'user:zulip'] }),
  probe: async (resources) => resources.map(() => true),
  diff: () => ({ changes: [] }),
  apply: async () => undefined,
}
const resource: Resource = { ref: 'thing[one]', type: 'thing', title: 'one', desired: {} }

test('an example stands for as many resources as it has titles, without metaparameters', () => {
  const found = exampleResources(schema as TypeSchema)
  expect(found.map(({ ref, desired }) => [ref, desired])).toEqual([
    ['thing[one]', { name: 'a' }],
    ['thing[two]', { name: 'a' }],
  ])
})

describe('schemaFaults', () => {
  const faultsWith = (change: object) =>
    schemaFaults('thing', { ...schema, ...change } as TypeSchema)
  const faultsOf = (change: object) =>
    faultsWith({ properties: { name: { ...attribute, ...change } } })

  test('finds none in a good schema', () => {
    expect(faultsWith({})).toEqual([])
  })
  test.each<[string, string[]]>([
    ['name has no examples', faultsOf({ examples: [] })],
    ['name has no x-invalid', faultsOf({ 'x-invalid': undefined })],
    ['name is not described in sentences', faultsOf({ description: 'the name' })],
    ['name refuses its example 7', faultsOf({ examples: [7] })],
    ['name takes its x-invalid "b"', faultsOf({ 'x-invalid': ['b'] })],
    ['its title is other', faultsWith({ title: 'other' })],
    ['is not described in sentences', faultsWith({ description: undefined })],
    ['lets unknown attributes pass', faultsWith({ additionalProperties: true })],
    [
      "notify is a metaparameter's name",
      faultsWith({ properties: { name: attribute, notify: attribute } }),
    ],
    ['has no examples of whole resources', faultsWith({ examples: [] })],
    ['other[x] is an example of another type', faultsWith({ examples: [{ other: 'x' }] })],
    [
      'thing[x] is refused: data must NOT have additional properties',
      faultsWith({ examples: [{ thing: 'x', nmae: 'a' }] }),
    ],
  ])('finds: %s', (fault, faults) => {
    expect(faults).toEqual([fault])
  })
  test('a schema that ajv does not take strictly throws', () => {
    expect(() => faultsOf({ typo: true })).toThrow('unknown keyword: "typo"')
  })
})

describe('footprintFaults', () => {
  test('finds none in a pure one', () => {
    expect(footprintFaults(thing, resource)).toEqual([])
  })
  test('finds one that changes from call to call', () => {
    let calls = 0
    const footprint = () => ({ writes: [`/etc/${calls++}`] })
    expect(footprintFaults({ ...thing, footprint }, resource)).toEqual(['differs when asked again'])
  })
  test('lets none change the resource', () => {
    const footprint = (given: Resource) => Object.assign(given.desired, { seen: true }) && {}
    expect(() => footprintFaults({ ...thing, footprint }, resource)).toThrow(TypeError)
  })
  test('finds paths that are not absolute', () => {
    const footprint = () => ({ ensures: ['path:etc/x'] as const })
    expect(footprintFaults({ ...thing, footprint }, resource)).toEqual(['names path:etc/x'])
  })
})

test('questionsOf counts what is asked of a host', async () => {
  const asking: ResourceType = {
    ...thing,
    probe: (resources, host) =>
      Promise.all(
        resources.map(async () => {
          host.read('/etc/passwd')
          return host.query(['show'])
        }),
      ),
  }
  expect(Object.fromEntries(await questionsOf(asking, [resource, resource]))).toEqual({
    'read /etc/passwd': 2,
    query: 2,
  })
})

test('converge shows a type that is never done', async () => {
  const change = { attribute: 'name', from: 'a', to: 'b' }
  const restless: ResourceType = { ...thing, diff: () => ({ changes: [change] }) }
  expect((await converge(thing, resource)).second).toEqual({ changes: [] })
  expect((await converge(restless, resource)).second).toEqual({ changes: [change] })
})

test('declaredAttributes reads the names of an interface, and none of nested ones', () => {
  const source =
    'interface ThingDesired {\n  /** x */\n  readonly a?: string\n  readonly b: {\n    readonly c: 1\n  }\n}\n'
  expect(declaredAttributes(source)).toEqual(['a', 'b'])
})
