import { describe, expect, test } from 'vitest'
import type { CatalogResource, Edge } from '../../engine/compile/catalog.ts'
import type { Event } from '../../engine/events.ts'
import type { KeptRow } from '../../engine/record/bucket.ts'
import { undoOf } from '../../engine/record/undo.ts'
import { types } from '../../engine/resources/index.ts'
import type { ResourceType, Shown } from '../../engine/resources/type.ts'
import { fakeHost } from '../support/fake-host.ts'

const changed = (ref: string, ...changes: (readonly [string, Shown, Shown])[]): Event => ({
  type: 'resource_finished',
  ref,
  outcome: 'changed',
  changes: changes.map(([attribute, from, to]) => ({ attribute, from, to })),
  durationMs: 1,
})
const made = (path: string, id = 1): KeptRow => ({
  id,
  run: 'r',
  ref: `file[${path}]`,
  path,
  kind: 'absent',
  goes: 'all',
  mode: 0,
  uid: 0,
  gid: 0,
  hash: undefined,
  target: undefined,
  base: undefined,
})

/** What takes these back, in its order, on a host whose manifests have these resources; each hears of the one before it. */
function undone(
  {
    kept = [],
    events = [],
  }: { readonly kept?: readonly KeptRow[]; readonly events?: readonly Event[] },
  declared: readonly (readonly [type: string, title: string, desired?: object])[] = [],
) {
  const resources = declared.map(([type, title, desired = {}], index): CatalogResource => {
    const ref = `${type}[${title}]`
    const footprint = (types.get(type) as ResourceType).footprint({ ref, type, title, desired })
    return {
      ref,
      type,
      title,
      desired,
      index,
      id: undefined,
      tags: [],
      noop: false,
      sensitive: new Set(),
      containers: [],
      file: '',
      path: [],
      footprint,
      sources: new Map(),
    }
  })
  const edges = resources
    .slice(1)
    .map(
      (_, from): Edge => ({ from, to: from + 1, kind: 'reads', weak: false, refresh: 'restart' }),
    )
  const { catalog, remainder } = undoOf({
    kept,
    events,
    contents: { of: () => undefined },
    host: fakeHost({}),
    types,
    current: { classes: [], resources, edges, secrets: [] },
    withPackages: true,
  })
  expect(remainder).toEqual([])
  const order = catalog.order.map((index) => catalog.resources[index] as CatalogResource)
  return order.map(({ ref, desired }) => [ref, desired])
}

describe('what takes a run back', () => {
  test('installs a package that the run removed before its service is started', () => {
    const events = [
      changed('service[memcached]', ['ensure', 'running', 'stopped']),
      changed('package[memcached]', ['ensure', '1.6', 'absent']),
    ]
    expect(undone({ events })).toEqual([
      ['package[memcached]', { ensure: 'present' }],
      ['service[memcached]', { ensure: 'running' }],
    ])
  })
  test('ends services by their unit files, and removes users once nothing runs as them', () => {
    const unit = '/etc/systemd/system/ticker.service'
    const events = [
      changed('group[ticker]', ['ensure', 'absent', 'present']),
      changed('user[ticker]', ['ensure', 'absent', 'present']),
      changed('package[memcached]', ['ensure', 'absent', '1.6']),
      changed('service[ticker]', ['enable', false, true], ['ensure', 'failed', 'running']),
    ]
    expect(undone({ kept: [made(unit)], events })).toEqual([
      ['service[ticker]', { ensure: 'stopped', enable: false }],
      [`file[${unit}]`, { ensure: 'absent' }],
      ['package[memcached]', { ensure: 'absent' }],
      ['user[ticker]', { ensure: 'absent' }],
      ['group[ticker]', { ensure: 'absent' }],
    ])
  })
  test('tells nothing to a service that goes with its package, and starts none', () => {
    const events = [changed('package[memcached]', ['ensure', 'absent', '1.6'])]
    const running = { ensure: 'running', enable: true }
    const kept = [made('/etc/memcached.conf')]
    const file = ['file', '/etc/memcached.conf'] as const
    expect(undone({ kept, events }, [file, ['service', 'memcached', running]])).toEqual([
      ['file[/etc/memcached.conf]', { ensure: 'absent' }],
      ['package[memcached]', { ensure: 'absent' }],
    ])
    expect(undone({ kept }, [file, ['service', 'memcached', running]])).toEqual([
      ['file[/etc/memcached.conf]', { ensure: 'absent' }],
      ['service[memcached]', {}],
    ])
  })
  test('runs what makes something of a file when that comes back, and not when it goes', () => {
    const exec = ['exec', 'make', { command: ['make'], creates: '/made' }] as const
    const owner: KeptRow = { ...made('/f'), kind: 'file', goes: 'owner', base: '' }
    const declared = [['file', '/f'] as const, exec]
    expect(undone({ kept: [made('/f')] }, declared).map(([ref]) => ref)).toEqual(['file[/f]'])
    expect(undone({ kept: [owner] }, declared)).toEqual([
      ['file[/f]', { owner: 0, group: 0, mode: '0000' }],
      ['exec[make]', { ...exec[2], refreshonly: true }],
    ])
  })
  test('goes by what was first, where the run came to a resource again', () => {
    const events = [
      changed('service[web]', ['ensure', 'running', 'stopped']),
      changed('service[web]', ['ensure', 'stopped', 'running']),
    ]
    expect(undone({ events })).toEqual([['service[web]', { ensure: 'running' }]])
  })
})
