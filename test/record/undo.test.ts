import { expect, test } from 'vitest'
import type { Event } from '../../engine/events.ts'
import { undoOf } from '../../engine/record/undo.ts'
import { types } from '../../engine/resources/index.ts'
import { fakeHost } from '../support/fake-host.ts'

test('a package that the run removed is installed again, before its service is started', () => {
  const removed = (
    ref: string,
    changes: readonly (readonly [string, string, string])[],
  ): Event => ({
    type: 'resource_finished',
    ref,
    outcome: 'changed',
    changes: changes.map(([attribute, from, to]) => ({ attribute, from, to })),
    durationMs: 1,
  })
  const { catalog, remainder } = undoOf({
    kept: [],
    events: [
      removed('service[memcached]', [['ensure', 'running', 'stopped']]),
      removed('package[memcached]', [['ensure', '1.6', 'absent']]),
    ],
    contents: { of: () => undefined },
    host: fakeHost({}),
    types,
    current: { classes: [], resources: [], edges: [], secrets: [] },
    withPackages: false,
  })
  expect(remainder).toEqual([])
  const order = catalog.order.map((index) => catalog.resources[index])
  expect(order.map((resource) => [resource?.ref, resource?.desired])).toEqual([
    ['package[memcached]', { ensure: 'present' }],
    ['service[memcached]', { ensure: 'running' }],
  ])
})
