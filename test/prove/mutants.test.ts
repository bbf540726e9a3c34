import { expect, test } from 'vitest'
import { catalogOf } from '../compile/road.ts'
import { isKnownMiss, mutants, rootedEdges, tried, triedInRoot, whole } from './mutants.ts'
import { Simulation, seeded } from './simulation.ts'

/** Every so manieth; the long series tries all of them. */
const STEP = 6

test('of the mutants of our own manifests that matter, those are found that are known to be', () => {
  const sample = mutants.filter((_, index) => index % STEP === 0)
  const { matter, missed } = tried(sample)
  expect(matter).toBeGreaterThan(30)
  expect(missed.filter((each) => !isKnownMiss(each))).toEqual([])
})

test('of those that really go wrong in a root, all are found', async () => {
  const { matter, missed } = await triedInRoot(rootedEdges.filter((_, index) => index % 9 === 0))
  expect(matter).toBeGreaterThan(2)
  expect(missed).toEqual([])
})

test('the catalog as it is goes wrong in no order', () => {
  expect(new Simulation(whole, seeded(1)).breaks(whole)).toBeUndefined()
})

test.each([
  ['a need', '  - file: /srv/x\n    ensure: directory\n  - file: /srv/x/y\n    content: y\n'],
  [
    'a write',
    '  - file: /srv/x\n    ensure: present\n  - file_line: x\n    path: /srv/x\n    line: x\n',
  ],
  ['what is read', '  - file: /srv/x\n    content: x\n  - service: x\n    restart_on: [/srv/x]\n'],
])('a mutant in which %s goes wrong is one that matters', async (_what, resources) => {
  const catalog = await catalogOf(`class: main\nresources:\n${resources}`)
  const simulation = new Simulation(catalog, seeded(1))
  expect(simulation.breaks(catalog)).toBeUndefined()
  expect(simulation.breaks({ ...catalog, edges: [] })).toBeDefined()
})
