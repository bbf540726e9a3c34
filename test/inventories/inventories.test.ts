import { describe, expect, test } from 'vitest'
import { library } from './configuration.ts'
import { faultOfReason, isUnfinished, matches, readDifferences } from './differences.ts'
import { type Inventory, inventoryOf, modernRowsOf, resourcesNamed } from './inventories.ts'
import { report } from './report.ts'
import { configurationNames, rowsOf } from './row.ts'
import { openTable } from './table.ts'

const differences = readDifferences()
const { waiting, unfinished, renamed, rules } = differences
const compared = configurationNames.filter((name) => waiting[name] === undefined)
const known = new Map<string, Promise<Inventory>>()

/** Compiled once, however many tests ask. */
function inventory(name: string): Promise<Inventory> {
  const found = known.get(name) ?? inventoryOf(name, differences)
  known.set(name, found)
  return found
}

describe('the catalog of', () => {
  test.each(compared)('%s is as the real one, but for deliberate differences', async (name) => {
    const { outcome, comparison } = await inventory(name)
    expect(outcome.lacks).toEqual([])
    const open = comparison.open.filter(({ row }) => !isUnfinished(row, unfinished))
    if (open.length > 0) {
      const help = `all of them: bin/node test/inventories/report.ts ${name}`
      throw new Error(`${openTable(comparison, open, 20)}\n${help}`)
    }
    expect(comparison.wrong).toEqual([])
  })
})

describe('what waits', () => {
  test.each(Object.entries(waiting))('%s still has to, for %s', async (name, missing) => {
    const { outcome } = await inventory(name)
    const told = outcome.lacks.join('; ')
    expect(told, `${name} compiles whole now: take it out of "waiting"`).not.toBe('')
    const manifest = library.find(missing)
    expect(
      manifest === undefined || manifest.incomplete.length > 0,
      `${missing} is whole, and ${name} still lacks something: name that in "waiting": ${told}`,
    ).toBe(true)
  })
  test('is the name of a configuration', () => {
    expect(Object.keys(waiting).filter((name) => !configurationNames.includes(name))).toEqual([])
  })
  test.each(unfinished)('$type[$title] is open in each catalog that has it', async (entry) => {
    const inventories = await Promise.all(compared.map(inventory))
    const having = inventories.filter(({ comparison }) =>
      comparison.rows.some((row) => isUnfinished(row, [entry])),
    )
    expect(having).not.toEqual([])
    const settled = having.filter(
      ({ comparison }) => !comparison.open.some(({ row }) => isUnfinished(row, [entry])),
    )
    expect(
      settled.map(({ name }) => name),
      `${entry.type}[${entry.title}] is settled: take it out of "unfinished"`,
    ).toEqual([])
  })
})

describe('the rules', () => {
  const counts = resourcesNamed(differences)
  test.each(rules)('$id covers as many resources as it says', ({ id, resources }) => {
    expect(resources).toBe(counts.get(id))
  })
  test.each(rules)('$id has a reason', ({ reason }) => {
    expect(faultOfReason(reason)).toBe(undefined)
  })
  test('each have a name of their own', () => {
    const ids = rules.map(({ id }) => id)
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
  })
  test('say something of configurations that exist', () => {
    const globs = rules.flatMap((rule) => (rule.in === undefined ? [] : [rule.in].flat()))
    const lost = globs.filter((glob) => !configurationNames.some((name) => matches(glob, name)))
    expect(lost).toEqual([])
  })
  test.each([
    'Not done.',
    'This is not yet done, and somebody else will do it.',
    'The class of this one is to be written by somebody else.',
    'It is left out for now, as nobody asks for it.',
    'A sentence that never comes to its end',
  ])('would not pass with the reason: %s', (reason) => {
    expect(faultOfReason(reason)).toBeDefined()
  })
})

describe('names of 2.0', () => {
  test.each(renamed)('$type $from is in a catalog', ({ type, from }) => {
    const old = configurationNames.filter((name) => name.startsWith('2.0')).flatMap(rowsOf)
    expect(old.some((row) => row.type === type && matches(from, row.title))).toBe(true)
  })
  test('become those of today', () => {
    const titles = modernRowsOf('2.0.4-voyager', differences).map(({ title }) => title)
    expect(titles).toContain('/usr/share/postgresql/15/tsearch_data/en_us.dict')
    expect(titles).not.toContain('/usr/share/postgresql/10/tsearch_data/en_us.dict')
  })
})

describe('the report', () => {
  test('has a line for every configuration', async () => {
    const lines = (await report([])).split('\n')
    expect(lines).toHaveLength(configurationNames.length + 1)
  })
  test('tells of a configuration what its rules cover', async () => {
    const text = await report(['9x-redis', '--covered'])
    expect(text).toContain('puppet-itself')
    expect(text).toContain('in its place: file[/etc/security/limits.d/zulip.conf]')
  })
  test('tells what is open in several configurations once', async () => {
    const lines = (await report(['--missing', '9x-redis', '9x-memcached'])).split('\n')
    const apt = lines.filter((line) => line.includes('exec[setup_apt_repo]'))
    expect(apt.length).toBeLessThanOrEqual(1)
  })
})
