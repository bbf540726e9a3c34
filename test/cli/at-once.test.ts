import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { acquireLock } from '../../engine/host/lock.ts'
import { folderWith, steward, stewardCommand } from './steward.ts'

const site = 'class: main\nresources:\n  - file: /f\n    content: x\n'
const conf = 'tree/etc/zulip/zulip.conf'
const places = ['--root', 'tree', '--state', 'state']
const manifests = ['--manifests', 'm']

test('edits of zulip.conf at once are all in it', async () => {
  const folder = folderWith({ 'm/main.yaml': site, [conf]: '[memcached]\nmemory = 5\n' })
  const keys = ['a', 'b', 'c', 'd']
  const [program = '', ...args] = stewardCommand
  const ends = await Promise.all(
    keys.map((key) =>
      once(
        spawn(program, [...args, 'conf', 'set', `site.${key}`, '1', ...places], { cwd: folder }),
        'close',
      ),
    ),
  )
  expect(ends).toEqual(keys.map(() => [0, null]))
  const text = readFileSync(join(folder, conf), 'utf8')
  for (const key of keys) expect(text).toContain(`${key} = 1\n`)
})

test('whoever would change what a run goes by or keeps is refused while it goes on, and told who it is', async () => {
  const folder = folderWith({ 'm/main.yaml': site, [conf]: '[machine]\n', 'tree/f': 'old' })
  expect(steward(folder, 'apply', 'main', '--yes', ...manifests, ...places).status).toBe(0)
  writeFileSync(join(folder, 'tree/f'), 'edited')
  const [run] = JSON.parse(steward(folder, 'runs', '--json', '--state', 'state').stdout) as {
    id: string
  }[]
  const lock = await acquireLock(join(folder, 'state/run.lock'), { waitMs: 0, run: 'the other' })
  const since = /\(process \d+\) since \d{4}-/
  try {
    for (const command of [
      ['apply', 'main', '--yes', ...manifests],
      ['undo', run?.id ?? '', '--yes', ...manifests],
      ['conf', 'set', 'memcached.memory', '7'],
      ['conf', 'unset', 'memcached.memory'],
      ['conf', 'add', 'machine.puppet_classes', 'main', ...manifests],
      ['local', 'adopt', '/f', ...manifests],
      ['bucket', 'restore', '/f', '--yes', ...manifests],
      ['bucket', 'gc', '--keep', '1'],
    ]) {
      const { status, stderr } = steward(folder, ...command, ...places, '--wait', '0')
      expect(stderr, command.join(' ')).toContain('found run the other')
      expect(stderr).toMatch(since)
      expect(status).toBe(1)
    }
  } finally {
    lock.release()
  }
  expect(readFileSync(join(folder, 'tree/f'), 'utf8')).toBe('edited')
  expect(readFileSync(join(folder, conf), 'utf8')).toBe('[machine]\n')
})
