import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const folder = join(import.meta.dirname, 'system')

test('no two files of scenarios run at a time have hosts of one name', () => {
  const byName = new Map<string, string[]>()
  for (const file of globSync('*.{system,series}.ts', { cwd: folder })) {
    const text = readFileSync(join(folder, file), 'utf8')
    for (const name of new Set(
      [...text.matchAll(/rig\.up\('([a-z0-9-]+)'/g)].map(([, n = '']) => n),
    ))
      byName.set(name, [...(byName.get(name) ?? []), file])
  }
  expect(byName.size).toBeGreaterThan(20)
  expect([...byName].filter(([, files]) => files.length > 1)).toEqual([])
})
