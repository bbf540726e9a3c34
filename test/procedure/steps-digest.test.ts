import { expect, test } from 'vitest'
import type { Manifest } from '../../engine/load/manifest.ts'
import { stepsDigest } from '../../engine/procedure/steps-digest.ts'
import { compileInput } from '../compile/input.ts'
import { manifestFolder } from '../compile/road.ts'

const main = `class: main
steps:
  - block: all
    steps:
      - site::part: one
`
const part = (step: string) =>
  `define: site::part\nsteps:\n  - exec: ${step}\n    command: [/bin/true]\n`

async function digestOf(texts: Readonly<Record<string, string>>): Promise<string> {
  const { library } = await compileInput(manifestFolder(texts))
  return stepsDigest(library.find('main') as Manifest, library)
}

test('the digest of a procedure tells the steps of what it uses, and nothing but steps', async () => {
  const first = await digestOf({ 'main.yaml': main, 'site/part.yaml': part('a') })
  expect(await digestOf({ 'main.yaml': main, 'site/part.yaml': part('b') })).not.toBe(first)
  expect(await digestOf({ 'main.yaml': `# told\n${main}`, 'site/part.yaml': part('a') })).toBe(
    first,
  )
})
