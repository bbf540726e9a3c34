import { expect, test } from 'vitest'
import { secretWriters } from '../../engine/record/secret-writers.ts'
import { catalogOf } from '../compile/road.ts'

test('who writes a file that holds a secret, writes a secret', async () => {
  const catalog = await catalogOf(
    `class: main
parameters:
  password: { type: string, from: secrets.password }
resources:
  - { file: /etc/own, content: "\${{ password }}" }
  - { ini_setting: password, path: /etc/app, setting: password, value: "\${{ password }}" }
  - { ini_setting: port, path: /etc/app, setting: port, value: 1 }
  - { file_line: before, path: /etc/known, line: a }
  - { file_line: harmless, path: /etc/harmless, line: a }
`,
    { secrets: { password: 'correct-horse' } },
  )
  expect([...secretWriters(catalog, new Set(['/etc/known']))].toSorted()).toEqual([
    'file[/etc/own]',
    'file_line[before]',
    'ini_setting[password]',
    'ini_setting[port]',
  ])
})
