import { describe, expect, test } from 'vitest'
import { CHANGED, Refreshes, STAYS_READ } from '../../engine/apply/refreshes.ts'
import type { Catalog } from '../../engine/compile/catalog.ts'
import { plan } from '../../engine/plan.ts'
import type { States } from '../../engine/probe.ts'
import { types } from '../../engine/resources/index.ts'
import type { Change } from '../../engine/resources/type.ts'
import { catalogOf } from '../compile/road.ts'

const manifest = `class: main
resources:
  - package: supervisor
  - file: /etc/app.conf
    content: x
  - file: /etc/supervisor.conf
    content: x
  - file: /etc/later.conf
    content: x
    require: { service: supervisor }
  - service: supervisor
    ensure: running
    restart_on: [/etc/supervisor.conf]
    reload_on: [/etc/programs.conf]
  - file: /etc/programs.conf
    content: x
  - supervisor_program: app
    ensure: running
    restart_on: [/etc/app.conf, /etc/later.conf]
`
const content: Change = { attribute: 'content', from: '1 line', to: '2 lines' }
const mode = (from: string, to: string): Change => ({ attribute: 'mode', from, to })

const indexOf = (catalog: Catalog, ref: string): number =>
  catalog.resources.findIndex((resource) => resource.ref === ref)

/** What a plan says is refreshed, all else being in sync. */
async function refreshed(changes: Readonly<Record<string, readonly Change[]>>): Promise<string[]> {
  const catalog = await catalogOf(manifest)
  const states: States = catalog.resources.map(({ ref }) => ({
    kind: 'known',
    verdict: { changes: changes[ref] ?? [] },
  }))
  return plan({ catalog, states, types }).resources.flatMap(({ ref, refresh }) =>
    refresh === undefined ? [] : [`${ref} ${refresh.by} by ${refresh.from.join(', ')}`],
  )
}

describe('a program under supervisor', () => {
  test('is restarted when what it reads changes', async () => {
    expect(await refreshed({ 'file[/etc/app.conf]': [content] })).toEqual([
      'supervisor_program[app] restart by file[/etc/app.conf]',
    ])
  })

  test('is not restarted a second time where supervisor is, after what it reads has changed', async () => {
    const both = { 'file[/etc/app.conf]': [content], 'file[/etc/supervisor.conf]': [content] }
    expect(await refreshed(both)).toEqual([
      'service[supervisor] restart by file[/etc/supervisor.conf]',
    ])
  })

  test('is restarted where what it reads changes after supervisor is', async () => {
    const both = { 'file[/etc/later.conf]': [content], 'file[/etc/supervisor.conf]': [content] }
    expect(await refreshed(both)).toEqual([
      'service[supervisor] restart by file[/etc/supervisor.conf]',
      'supervisor_program[app] restart by file[/etc/later.conf]',
    ])
  })

  test('is restarted where supervisor only looks for changed programs', async () => {
    const both = { 'file[/etc/app.conf]': [content], 'file[/etc/programs.conf]': [content] }
    expect(await refreshed(both)).toEqual([
      'service[supervisor] reload by file[/etc/programs.conf]',
      'supervisor_program[app] restart by file[/etc/app.conf]',
    ])
  })

  describe('that supervisor is told to define anew', () => {
    const definition = (from: string, to: string): Change => ({
      ...content,
      content: { from: Buffer.from(from), to: Buffer.from(to) },
    })
    const app = (command: string) => `[program:app]\ncommand=${command}\n`

    test('is not restarted a second time for what it reads and has changed before', async () => {
      const both = {
        'file[/etc/app.conf]': [content],
        'file[/etc/programs.conf]': [definition(app('one'), app('two'))],
      }
      expect(await refreshed(both)).toEqual([
        'service[supervisor] reload by file[/etc/programs.conf]',
      ])
    })

    test('is restarted for what changes after that', async () => {
      const both = {
        'file[/etc/later.conf]': [content],
        'file[/etc/programs.conf]': [definition(app('one'), app('two'))],
      }
      expect(await refreshed(both)).toEqual([
        'service[supervisor] reload by file[/etc/programs.conf]',
        'supervisor_program[app] restart by file[/etc/later.conf]',
      ])
    })

    test('is restarted where it is another that is defined anew', async () => {
      const both = {
        'file[/etc/app.conf]': [content],
        'file[/etc/programs.conf]': [
          definition(app('one'), `${app('one')}[program:b]\ncommand=b\n`),
        ],
      }
      expect(await refreshed(both)).toEqual([
        'service[supervisor] reload by file[/etc/programs.conf]',
        'supervisor_program[app] restart by file[/etc/app.conf]',
      ])
    })
  })

  test('is due in an apply until supervisor has been restarted', async () => {
    const catalog = await catalogOf(manifest)
    const app = catalog.resources[indexOf(catalog, 'supervisor_program[app]')]
    if (!app) throw new Error('the catalog lacks the program')
    const changed = new Uint8Array(catalog.resources.length)
    changed[indexOf(catalog, 'file[/etc/app.conf]')] = CHANGED
    const refreshes = new Refreshes(catalog, types, [])
    expect(refreshes.due(app, changed).due?.from).toEqual(['file[/etc/app.conf]'])
    refreshes.restarted(indexOf(catalog, 'service[supervisor]'))
    expect(refreshes.due(app, changed)).toEqual({ due: undefined, isSettled: true })
  })

  test('is due what an earlier run owes it until supervisor has been restarted', async () => {
    const catalog = await catalogOf(manifest)
    const app = catalog.resources[indexOf(catalog, 'supervisor_program[app]')]
    if (!app) throw new Error('the catalog lacks the program')
    const debt = { listener: app.ref, source: 'file[/etc/gone]', by: 'restart', run: '1' } as const
    const refreshes = new Refreshes(catalog, types, [debt])
    const changed = new Uint8Array(catalog.resources.length)
    expect(refreshes.due(app, changed).due).toMatchObject({ owedSince: '1' })
    refreshes.restarted(indexOf(catalog, 'service[supervisor]'))
    expect(refreshes.due(app, changed)).toEqual({ due: undefined, isSettled: true })
  })

  test('is not due for a change that it need not read', async () => {
    const catalog = await catalogOf(manifest)
    const app = catalog.resources[indexOf(catalog, 'supervisor_program[app]')]
    if (!app) throw new Error('the catalog lacks the program')
    const changed = new Uint8Array(catalog.resources.length)
    changed[indexOf(catalog, 'file[/etc/app.conf]')] = STAYS_READ
    const refreshes = new Refreshes(catalog, types, [])
    expect(refreshes.due(app, changed)).toEqual({ due: undefined, isSettled: true })
  })
})

describe('a mode of a file', () => {
  test.each([
    ['0664', '0644', 'takes something away from who could read it'],
    ['0644', '0640', 'hides what has been read'],
  ])('%s → %s %s, and nobody is restarted', async (from, to) => {
    expect(await refreshed({ 'file[/etc/app.conf]': [mode(from, to)] })).toEqual([])
  })

  test.each([
    ['0600', '0644', 'lets somebody read it for the first time'],
    ['0644', '0755', 'lets it be run'],
  ])('%s → %s %s, and who reads it is restarted', async (from, to) => {
    expect(await refreshed({ 'file[/etc/app.conf]': [mode(from, to)] })).toHaveLength(1)
  })

  test('that is known later leaves open whether who listens is refreshed', async () => {
    const catalog = await catalogOf(`class: main
resources:
  - exec: first
    command: [/bin/true]
    unless: [/bin/false]
  - exec: second
    command: [/bin/true]
    refreshonly: true
    subscribe: { exec: first }
  - service: nginx
    ensure: running
    subscribe: { exec: second }
`)
    const states: States = catalog.resources.map(({ type, title }) =>
      title === 'first'
        ? { kind: 'later', on: 0 }
        : { kind: 'known', verdict: { changes: type === 'package' ? [content] : [] } },
    )
    const told = plan({ catalog, states, types }).resources
    expect(told.map(({ ref, action, because }) => [ref, action, because])).toEqual([
      ['exec[first]', 'later', 'exec[first]'],
      ['exec[second]', 'later', 'exec[first]'],
      ['service[nginx]', 'later', 'exec[second]'],
    ])
  })

  test('beside another change restarts who reads it', async () => {
    const changes = [content, mode('0664', '0644')]
    expect(await refreshed({ 'file[/etc/app.conf]': changes })).toHaveLength(1)
  })
})
