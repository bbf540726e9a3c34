import { expect, test } from 'vitest'
import { redefines } from '../../engine/resources/supervisor-definitions.ts'

const before = `; ours
[program:app]
command=/bin/app --one
user=zulip
environment=A="x",
  B="y"

[program:worker]
command=/bin/worker

[program:other]
command=/bin/other ; a comment

[group:workers]
programs=worker, other
`
const changed = (title: string, from: string, to: string): boolean => {
  expect(before).toContain(from)
  const after = Buffer.from(before.replace(from, to))
  return redefines(title, { from: Buffer.from(before), to: after })
}

test.each([
  ['another value', 'app', '--one', '--two'],
  ['a further setting', 'app', 'user=zulip', 'user=zulip\nnumprocs=2'],
  ['a value over several lines', 'app', 'B="y"', 'B="z"'],
  ['a process of a program', 'app:app_00', '--one', '--two'],
  ['a program of a group', 'workers:worker', '/bin/worker', '/bin/better'],
  ['another program of the group', 'workers:worker', '/bin/other', '/bin/better'],
  ['the group itself', 'workers', '/bin/other', '/bin/better'],
  ['who is in the group', 'worker', 'worker, other', 'worker'],
])('%s defines it anew', (_title, title, from, to) => {
  expect(changed(title, from, to)).toBe(true)
})

test.each([
  ['another program', 'app', '/bin/worker', '/bin/better'],
  ['a comment', 'app', '; ours', '; theirs'],
  ['a comment behind a value', 'app', 'user=zulip', 'user=zulip # not root'],
  [
    'blanks and order',
    'app',
    'command=/bin/app --one\nuser=zulip',
    'user = zulip\ncommand: /bin/app --one',
  ],
  ['variables in another order and with other blanks', 'app', 'A="x",\n  B="y"', "B= 'y', A=x"],
  ['a program whose name begins alike', 'work', '/bin/worker', '/bin/better'],
])('%s does not', (_title, title, from, to) => {
  expect(changed(title, from, to)).toBe(false)
})

test('a program that comes is defined anew, and one that goes is not', () => {
  const content = Buffer.from(before)
  expect(redefines('app', { from: undefined, to: content })).toBe(true)
  expect(redefines('app', { from: content, to: undefined })).toBe(false)
  expect(redefines('nosuch', { from: undefined, to: content })).toBe(false)
})
