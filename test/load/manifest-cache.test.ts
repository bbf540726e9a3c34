import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Library, siteFolder } from '../../engine/load/library.ts'
import { manifestCache } from '../../engine/load/manifest-cache.ts'
import { Sources } from '../../engine/load/sources.ts'

let folder: string
let kept: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'steward-cache-'))
  kept = join(folder, 'kept')
  mkdirSync(join(folder, 'manifests'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const manifest = `class: web
summary: A site.
parameters:
  port: { type: integer, default: 80 }
let:
  roots: [/srv/a, /srv/b]
resources:
  - user: web
    when: port > 0
`
const save = (name: string, text: string) => writeFileSync(join(folder, 'manifests', name), text)

/** The class as read with such a cache, and whether its text had to be parsed. */
function read(options: { build?: string; writes?: boolean; name?: string } = {}) {
  const cache = manifestCache({
    build: options.build ?? 'one',
    folders: [kept],
    writeTo: options.writes ? kept : undefined,
  })
  let parsed = true
  const watched: typeof cache = {
    get(file, text) {
      const found = cache.get(file, text)
      parsed = found === undefined
      return found
    },
    put: (...given) => cache.put(...given),
  }
  const library = new Library({
    folders: [siteFolder(join(folder, 'manifests'))],
    types: ['user'],
    sources: new Sources(),
    cache: watched,
  })
  return { manifest: library.read(options.name ?? 'web'), parsed, library }
}

describe('manifestCache', () => {
  test('gives back what parsing gave', () => {
    save('web.yaml', manifest)
    const first = read({ writes: true })
    const second = read()
    expect([first.parsed, second.parsed]).toEqual([true, false])
    expect(second.manifest).toEqual(first.manifest)
  })

  test('keeps nothing where it may only read', () => {
    save('web.yaml', manifest)
    read()
    expect(readdirSync(folder)).toEqual(['manifests'])
  })

  test('never gives what a text was before it changed', () => {
    save('web.yaml', manifest)
    read({ writes: true })
    save('web.yaml', manifest.replace('default: 80', 'default: 81'))
    const { manifest: now, parsed } = read()
    expect(parsed).toBe(true)
    expect(now?.parameters.port?.default).toBe(81)
  })

  test('never gives what another version of steward kept', () => {
    save('web.yaml', manifest)
    read({ writes: true, build: 'one' })
    expect(read({ build: 'two' }).parsed).toBe(true)
  })

  test('does not let a class pass under another name', () => {
    save('web.yaml', manifest)
    read({ writes: true })
    save('other.yaml', manifest)
    const { manifest: other, library } = read({ name: 'other' })
    expect(other).toBeUndefined()
    expect(library.diagnostics.map(({ code }) => code)).toEqual(['class-file-name'])
  })

  test('does not keep numbers that JSON would change', () => {
    save('web.yaml', manifest.replace('[/srv/a, /srv/b]', '[.inf, -0]'))
    const first = read({ writes: true }).manifest
    expect(read().manifest).toEqual(first)
  })

  test('parses again where a copy is broken', () => {
    save('web.yaml', manifest)
    read({ writes: true })
    for (const name of readdirSync(kept)) writeFileSync(join(kept, name), '{"kind":')
    expect(read().parsed).toBe(true)
  })

  test('goes on without a copy where none can be written', () => {
    save('web.yaml', manifest)
    writeFileSync(kept, '')
    expect(read({ writes: true }).manifest?.name).toBe('web')
  })

  test('forgets what was kept longest ago', () => {
    mkdirSync(kept)
    for (let i = 0; i < 1000; i++) writeFileSync(join(kept, `${i}.json`), '')
    save('web.yaml', manifest)
    read({ writes: true })
    expect(readdirSync(kept)).toHaveLength(1000)
    expect(read().parsed).toBe(false)
  })
})
