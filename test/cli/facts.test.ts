import { readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { factsSchema } from '../../engine/facts/schema.ts'
import { folderWith, steward } from './steward.ts'

test('shows every fact by its name, with what it means', () => {
  const { status, stdout } = steward(folderWith(), 'facts')
  expect(status).toBe(0)
  for (const name of Object.keys(factsSchema)) expect(stdout).toContain(`facts.${name}`)
  expect(stdout).toMatch(/^facts\.kernel\.name +Linux /m)
  expect(stdout).toContain(factsSchema.memory.fields.total_mb.description)
})

test('prints JSON that --facts reads back the same', () => {
  const folder = folderWith()
  const first = steward(folder, 'facts', '--json')
  expect(JSON.parse(first.stdout)).toMatchObject({ hostname: hostname().split('.')[0] })
  writeFileSync(join(folder, 'facts.json'), first.stdout)
  const { network, ...rest } = JSON.parse(readFileSync(join(folder, 'facts.json'), 'utf8'))
  expect(network.addresses).toBeInstanceOf(Array)
  writeFileSync(join(folder, 'other.json'), JSON.stringify({ ...rest, hostname: 'other' }))
  const second = steward(folder, 'facts', '--json', '--facts', 'other.json')
  expect(second.status).toBe(0)
  expect(JSON.parse(second.stdout)).toMatchObject({ hostname: 'other', os: rest.os, network })
})

test('reads the system and the site facts of a root', () => {
  const folder = folderWith({
    'etc/os-release': 'ID=ubuntu\nVERSION_ID="24.04"\n',
    'etc/steward/facts.d/rack.json': '{"rack": 7}',
  })
  const { stdout } = steward(folder, 'facts', '--root', folder)
  expect(stdout).toMatch(/^facts\.os\.version +24\.04 /m)
  expect(stdout).toMatch(/^facts\.site\.rack +7$/m)
})

test('shows the other facts where one of the site is at fault, keeps JSON clean, and fails', () => {
  const folder = folderWith({ 'etc/steward/facts.d/rack.json': '{' })
  const { status, stdout, stderr } = steward(folder, 'facts', '--json', '--root', folder)
  expect(status).toBe(1)
  expect(JSON.parse(stdout)).toMatchObject({ kernel: { name: 'Linux' } })
  expect(stderr).toContain('rack.json')
})

test('refuses a fact file that holds something else, with its place', () => {
  const folder = folderWith({ 'facts.json': '{ "hostnam": "other" }' })
  const { status, stdout, stderr } = steward(folder, 'facts', '--facts', 'facts.json')
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  expect(stderr).toContain('did you mean "hostname"?')
})
