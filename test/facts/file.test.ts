import { describe, expect, test } from 'vitest'
import { factsFromFile, factsFromText } from '../../engine/facts/file.ts'
import { exampleFacts } from './example.ts'

const read = (value: unknown) =>
  factsFromText(typeof value === 'string' ? value : JSON.stringify(value), 'f.json', exampleFacts)

async function factsOf(value: unknown) {
  const found = await read(value)
  if ('diagnostics' in found) throw new Error(found.diagnostics[0]?.message)
  return found.facts
}

describe('factsFromText', () => {
  test('takes from this host what the file leaves out', async () => {
    expect(await factsOf({})).toEqual(exampleFacts)
    expect(await factsOf({ os: { id: 'ubuntu' }, memory: { total_mb: 512 } })).toEqual({
      ...exampleFacts,
      os: { ...exampleFacts.os, id: 'ubuntu' },
      memory: { total_mb: 512 },
    })
  })

  test('takes lists as a whole, and site facts by name', async () => {
    const facts = await factsOf({ network: { resolvers: [] }, site: { rack: [1] } })
    expect(facts.network).toEqual({ ...exampleFacts.network, resolvers: [] })
    expect(facts.site).toEqual({ owner: 'ops', rack: [1] })
  })

  test('takes no clusters from this host', async () => {
    const base = { ...exampleFacts, postgresql_clusters: ['14'] }
    expect(await factsFromText('{}', 'f.json', base)).toEqual({ facts: exampleFacts })
    expect((await factsOf({ postgresql_clusters: ['16'] })).postgresql_clusters).toEqual(['16'])
  })

  test('lets null say that there is none', async () => {
    const facts = await factsOf({ release: null, network: { default_route: null } })
    expect(facts.release).toBeNull()
    expect(facts.network.default_route).toBeNull()
  })

  test('needs only the version of a release', async () => {
    expect((await factsOf({ release: { version: '10.2' } })).release).toEqual({
      version: '10.2',
      major: 10,
      minor: 2,
      tree: null,
      node: null,
    })
  })

  test.each<[string, unknown, string, string]>([
    ['text for a number', { memory: { total_mb: '512' } }, 'memory.total_mb', 'integer'],
    ['half a number', { memory: { total_mb: 1.5 } }, 'memory.total_mb', 'integer'],
    ['null for text', { hostname: null }, 'hostname', 'string'],
    ['text for a map', { os: 'debian' }, 'os', 'map'],
    ['a wrong item', { network: { resolvers: ['::1', 2] } }, 'network.resolvers.1', 'string'],
    ['a list item with a part missing', { mounts: [{ path: '/' }] }, 'mounts.0.device', 'string'],
    ['a release without its version', { release: {} }, '', ''],
    ['null among site facts', { site: { a: null } }, 'site.a', 'text'],
    ['a list for the whole', [], 'the whole', 'map'],
  ])('refuses %s, naming file and key', async (_title, value, key, expected) => {
    const base = key === '' ? { ...exampleFacts, release: null } : exampleFacts
    const found = await factsFromText(JSON.stringify(value), 'f.json', base)
    expect('diagnostics' in found && found.diagnostics[0]).toMatchObject({
      code: 'fact-file',
      message: expect.stringContaining(`f.json: ${key || 'release.version'}`),
      expected: expect.stringContaining(expected),
    })
  })

  test('tells all mistakes at their places, with the nearest name', async () => {
    const found = await read('{"os": {"verson": "12"},\n "memory": {"total_mb": true}}')
    expect('diagnostics' in found && found.diagnostics).toMatchObject([
      { place: { line: 1, column: 9 }, help: 'did you mean "version"?' },
      { place: { line: 2, column: 13 } },
    ])
  })

  test('refuses what is no JSON', async () => {
    expect(await read('{')).toMatchObject({
      diagnostics: [{ code: 'fact-file', place: { line: 1 } }],
    })
  })
})

test('a file that is not there is told as such', async () => {
  expect(await factsFromFile('/nonexistent/f.json', exampleFacts)).toMatchObject({
    diagnostics: [{ code: 'fact-file', message: expect.stringContaining('/nonexistent/f.json') }],
  })
})
