import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { types } from '../../engine/resources/index.ts'
import { folderWith, steward } from './steward.ts'

test('lists every type, metaparameter, function and helper', () => {
  const { status, stdout } = steward(folderWith(), 'types')
  expect(status).toBe(0)
  for (const name of [...types.keys(), 'for_each', 'is_set(name)', '{{join list', 'query'])
    expect(stdout).toContain(`\n  ${name}`)
})

test('tells each attribute of a type: what it takes, its default, what it means', () => {
  const { stdout } = steward(folderWith(), 'types', 'exec')
  expect(stdout).toContain('  refreshonly  (true or false; default: false)\n')
  expect(stdout).toContain('  command  (a list of text)\n')
  expect(stdout).toContain('Such as: 600 · 5m')
  expect(stdout).toMatch(/^Examples\n {2}- exec: /m)
})

test('gives the whole reference as JSON, each attribute described', () => {
  const { stdout } = steward(folderWith(), 'types', '--json')
  const reference = JSON.parse(stdout)
  expect(reference.types.map(({ name }: { name: string }) => name)).toEqual([...types.keys()])
  for (const entry of [...reference.types, ...reference.steps, reference.metaparameters])
    for (const attribute of entry.attributes)
      expect([entry.name, attribute]).toEqual([
        entry.name,
        expect.objectContaining({
          type: expect.not.stringMatching(/any value|undefined/),
          description: expect.stringMatching(/\w/),
        }),
      ])
  const file = JSON.parse(steward(folderWith(), 'types', 'file', '--json').stdout)
  expect(file).toEqual(reference.types.find(({ name }: { name: string }) => name === 'file'))
})

test('refuses a type that does not exist, and offers the nearest', () => {
  const { status, stdout, stderr } = steward(folderWith(), 'types', 'fille')
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  expect(stderr).toContain('did you mean "file"?')
  expect(steward(folderWith(), 'types', 'zulip::job').stderr).toContain(
    'steward classes zulip::job',
  )
})

test('ends in peace where nobody reads to the end', async () => {
  const project = join(import.meta.dirname, '../..')
  const child = spawn(join(project, 'bin/node'), [
    join(project, 'engine/cli/start.ts'),
    'types',
    '--json',
  ])
  child.stdout.destroy()
  let said = ''
  child.stderr.on('data', (text) => {
    said += text
  })
  expect(await once(child, 'close')).toEqual([0, null])
  expect(said).toBe('')
})
