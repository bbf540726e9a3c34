import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openLibrary } from '../../engine/index.ts'
import { parseConf } from '../../engine/load/conf.ts'
import { misspeltSettings } from '../../engine/load/misspelt-settings.ts'

const project = join(import.meta.dirname, '../..')
const open = () => openLibrary({ manifests: [], state: '/nonexistent', mayKeep: false })
const library = open()
const whole = open()

function told(text: string) {
  const parsed = parseConf(text, 'zulip.conf')
  if (!('conf' in parsed)) throw new Error('zulip.conf is at fault')
  return misspeltSettings(parsed.conf, library, () => whole)
}

test.each([
  ['postgresql', 'replicaton_user', 'write replication_user'],
  ['application_server', 'queue_worker_multiproces', 'write queue_workers_multiprocess'],
  ['memcached', 'Memroy', 'write memory'],
  ['machine', 'deploytype', 'write deploy_type'],
])('[%s] %s is told at its name', (section, key, help) => {
  expect(told(`[${section}]\n # of ours\n${key} : 7\n`)).toEqual([
    expect.objectContaining({
      severity: 'warning',
      message: `no class reads ${section}.${key.toLowerCase()}`,
      place: expect.objectContaining({ line: 3, column: 1, length: key.length }),
      help: expect.stringContaining(help),
    }),
  ])
})

test.each([
  ['postgres', 'version = 15\nlisten_adresses = x'],
  ['aplication_server', 'http_only = yes'],
  ['Memcached', 'memory = 512'],
  ['machnie', 'puppet_classes = zulip::voyager'],
])('the section [%s] is told once, at its header', (section, settings) => {
  expect(told(`[machine]\npuppet_classes = a\n\n[${section}]\n${settings}\n`)).toEqual([
    expect.objectContaining({
      message: `no class reads the section [${section}]`,
      place: expect.objectContaining({ line: 4, column: 1 }),
    }),
  ])
})

test.each([
  [
    'what Zulip itself reads',
    '[application_server]\nrolling_restart = true\n[sentry]\nfrontend_project_dsn = x\n',
  ],
  [
    'what looks like no other',
    '[machine]\nrack = 7\n[nagios]\nalert_email = x\n[redis]\nhostname = y\n',
  ],
  ['a section that looks like another one and holds nothing of it', '[memcache]\nrack = 7\n'],
  ['any setting of a section that is read as a whole', '[tornado_sharding]\n9800 = default\n'],
  ['a default, which shows in every section', '[DEFAULT]\nmemroy = 7\n[memcached]\nmemory = 9\n'],
])('%s is left in peace', (_title, text) => {
  expect(told(text)).toEqual([])
})

test('nothing is told of the shipped examples and of the real configurations', () => {
  const files = [
    ...globSync('manifests/example/*.conf', { cwd: project }),
    ...globSync('test/inventories/configurations/*/zulip.conf', { cwd: project }),
  ]
  expect(files.length).toBeGreaterThan(30)
  for (const file of files)
    expect([file, told(readFileSync(join(project, file), 'utf8'))]).toEqual([file, []])
})
