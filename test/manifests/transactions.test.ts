import { describe, expect, test } from 'vitest'
import { exampleFacts } from '../facts/example.ts'
import { type Case, catalogOf } from './catalog.ts'

const release = (version: string) =>
  ({ release: { version, major: Number.parseInt(version, 10) } }) as NonNullable<Case['facts']>
const noble = { os: { ...exampleFacts.os, id: 'ubuntu', version: '24.04' } } as NonNullable<
  Case['facts']
>
const newer = '[postgresql]\nversion = 16\n'

/** The packages of a server, in lists that one call of apt installs each. */
function transactions(options: Case): string[][] {
  const { resources, batches } = catalogOf({ conf: '[postgresql]\nversion = 15\n', ...options })
  const packages = resources.filter(({ type }) => type === 'package')
  const lists = Map.groupBy(packages, ({ index }) => batches[index])
  return [...lists.values()].map((list) => list.map(({ title }) => title))
}

describe('apt is called once for all packages', () => {
  test.each<[string, Case]>([
    ['of a whole server', { classes: ['zulip::voyager'] }],
    ['of Zulip 9', { classes: ['zulip::voyager'], facts: release('9.4') }],
    ['of Zulip 10', { classes: ['zulip::voyager'], facts: release('10.1') }],
    ['of an application server', { classes: ['zulip::profile::app_frontend'] }],
    ['of a database server', { classes: ['zulip::profile::postgresql'] }],
    ['of a queue', { classes: ['zulip::profile::rabbitmq'] }],
  ])('%s', (_title, options) => {
    expect(transactions(options)).toHaveLength(1)
  })
})

// What they have in /etc nobody knows, so RabbitMQ's configuration is written after them, and before its package.
describe('apt is called twice where no table knows a package', () => {
  test.each<[string, Case]>([
    ['of Ubuntu', { classes: ['zulip::voyager'], facts: noble, conf: newer }],
    ['of another archive', { classes: ['zulip::voyager'], conf: newer }],
  ])('%s', (_title, options) => {
    const [, second] = transactions(options)
    expect(transactions(options)).toHaveLength(2)
    expect(second).toEqual(['erlang-base', 'rabbitmq-server'])
  })
})
