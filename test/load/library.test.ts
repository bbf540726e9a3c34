import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Library, siteFolder } from '../../engine/load/library.ts'
import { Sources } from '../../engine/load/sources.ts'
import { types } from '../../engine/resources/index.ts'
import { manifestFolder } from '../compile/road.ts'

const libraryOf = (...folders: string[]) =>
  new Library({ folders: folders.map(siteFolder), types: types.keys(), sources: new Sources('/') })
const named = (name: string, more = '') => `class: ${name}\n${more}`

describe('a name', () => {
  test('means the first folder that has it, for classes, templates and files alike', () => {
    const site = manifestFolder({
      'zulip/nginx.yaml': named('zulip::nginx', 'summary: of the site\n'),
      'templates/a.hbs': 'site',
    })
    const shipped = manifestFolder({
      'zulip/nginx.yaml': named('zulip::nginx', 'summary: shipped\n'),
      'zulip/redis.yaml': named('zulip::redis'),
      'templates/a.hbs': 'shipped',
      'templates/deep/b.hbs': 'shipped',
    })
    const library = libraryOf(site, shipped)
    expect(library.find('zulip::nginx')?.summary).toBe('of the site')
    expect(library.find('zulip::redis')?.name).toBe('zulip::redis')
    expect(library.path('templates', 'a.hbs')).toBe(join(site, 'templates/a.hbs'))
    expect(library.path('templates', 'deep/b.hbs')).toBe(join(shipped, 'templates/deep/b.hbs'))
    expect(library.names()).toEqual(['zulip::nginx', 'zulip::redis'])
  })

  test.each(['Zulip', 'zulip::', '../etc/passwd', 'zulip/nginx', 'a b', ''])(
    'that is no name of a class means nothing: %j',
    (name) => {
      expect(
        libraryOf(manifestFolder({ 'zulip/nginx.yaml': named('zulip::nginx') })).find(name),
      ).toBeUndefined()
    },
  )

  test('of a template leads out of no folder', () => {
    const folder = manifestFolder({ 'secret.txt': '', 'templates/a.hbs': '' })
    expect(libraryOf(folder).path('templates', '../secret.txt')).toBeUndefined()
    expect(libraryOf(folder).path('files', '../templates/a.hbs')).toBeUndefined()
  })

  test('nearest to a misspelt one is offered', () => {
    const folder = manifestFolder({
      'zulip/nginx.yaml': named('zulip::nginx'),
      'templates/motd.hbs': '',
    })
    expect(libraryOf(folder).nearest('zulip::ngnix')).toBe('did you mean "zulip::nginx"?')
    expect(libraryOf(folder).nearestPath('templates', 'mtod.hbs')).toBe('did you mean "motd.hbs"?')
  })
})

describe('an alias', () => {
  test('leads over others to the class that it stands for', () => {
    const library = libraryOf(
      manifestFolder({
        'a.yaml': named('a', 'alias_of: b\n'),
        'b.yaml': named('b', 'alias_of: c\n'),
        'c.yaml': named('c'),
      }),
    )
    expect(library.find('a')?.name).toBe('c')
    expect(library.read('a')?.aliasOf).toBe('b')
    expect(library.diagnostics).toEqual([])
  })

  test.each([
    [
      'a circle',
      { 'a.yaml': named('a', 'alias_of: b\n'), 'b.yaml': named('b', 'alias_of: a\n') },
      'alias',
    ],
    ['nothing', { 'a.yaml': named('a', 'alias_of: nowhere\n') }, 'unknown-class'],
    [
      'a class, with more of its own',
      { 'a.yaml': named('a', 'alias_of: c\nresources: []\n') },
      'manifest-shape',
    ],
  ])('of %s is at fault, and says so once', (_title, texts, code) => {
    const library = libraryOf(manifestFolder({ ...texts, 'c.yaml': named('c') }))
    expect(library.find('a')).toBeUndefined()
    expect(library.isBad('a')).toBe(true)
    expect(library.diagnostics.map((each) => each.code)).toEqual([code])
  })
})

test('a manifest that can not be read is told, and nothing else stops', () => {
  const folder = manifestFolder({ 'fine.yaml': named('fine') })
  symlinkSync('broken.yaml', join(folder, 'broken.yaml'))
  const library = libraryOf(folder)
  expect(library.find('broken')).toBeUndefined()
  expect(library.find('fine')?.name).toBe('fine')
})
