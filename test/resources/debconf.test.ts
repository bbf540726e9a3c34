import { describe, expect, test } from 'vitest'
import { debconf } from '../../engine/resources/debconf.ts'
import type { Resource } from '../../engine/resources/type.ts'
import { type FakeHostOptions, fakeHost } from '../support/fake-host.ts'

type Desired = Parameters<typeof debconf.footprint>[0]['desired']

/** In the form in which Debian 12's debconf 1.5.82 writes it. */
const config = `Name: mail/name
Template: mail/name
Value: a.example
Owners: mail, other
Flags: seen
Variables:
 x = y

Name: mail/unanswered
Template: mail/unanswered
Owners: mail

Name: mail/unseen
Template: mail/unseen
Value: one
Owners: mail

`
const passwords = `Name: mail/password
Template: mail/password
Value: hunter2
Owners: mail
Flags: seen

`
function declared(desired: Partial<Desired>, title = 'mail/name'): Resource<Desired> {
  return {
    ref: `debconf[${title}]`,
    type: 'debconf',
    title,
    desired: { package: 'mail', kind: 'string', value: 'a.example', ...desired },
  }
}
function machine(options: FakeHostOptions = {}) {
  const files = {
    '/var/cache/debconf/config.dat': config,
    '/var/cache/debconf/passwords.dat': { content: passwords, mode: 0o600 },
  }
  const commands = { 'debconf-set-selections': '', 'debconf-communicate mail': '0\n' }
  return fakeHost({ files, commands, ...options })
}
async function verdictOn(host: ReturnType<typeof fakeHost>, resource: Resource<Desired>) {
  const [current] = await debconf.probe([resource], host)
  if (current === undefined) throw new Error('no state')
  return debconf.diff(resource, current)
}

describe('diff', () => {
  const created = ['ensure', 'absent', 'present']
  test.each<readonly [string, Partial<Desired>, string, readonly unknown[]]>([
    ['is empty in sync', {}, 'mail/name', []],
    ['tells another answer', { value: 'b' }, 'mail/name', [['value', 'a.example', 'b']]],
    [
      'reads the answer of a boolean',
      { value: true },
      'mail/unseen',
      [
        ['value', 'one', 'true'],
        ['seen', false, true],
      ],
    ],
    [
      'has nothing against one that is to be unseen',
      { value: 'one', seen: false },
      'mail/unseen',
      [],
    ],
    [
      'takes an unanswered question for an empty answer',
      { value: '', seen: false },
      'mail/unanswered',
      [],
    ],
    [
      'tells a question that nobody asked',
      {},
      'mail/new',
      [created, ['value', undefined, 'a.example']],
    ],
    ['tells a question that another package asked', { package: 'new' }, 'mail/name', [created]],
    ['finds nothing to take away', { ensure: 'absent' }, 'mail/new', []],
    ['takes away', { ensure: 'absent' }, 'mail/name', [['ensure', 'present', 'absent']]],
    ['leaves alone what only others ask', { ensure: 'absent', package: 'new' }, 'mail/name', []],
    [
      'shows no password',
      { kind: 'password', value: 'new' },
      'mail/password',
      [['value', '(secret)', '(secret)']],
    ],
  ])('%s', async (_title, desired, title, changes) => {
    const verdict = await verdictOn(machine(), declared(desired, title))
    if (!('changes' in verdict)) throw new Error('no changes')
    expect(verdict.changes?.map(({ attribute, from, to }) => [attribute, from, to])).toEqual(
      changes,
    )
  })
  test('finds a question by its own name where the title is another', async () => {
    expect(await verdictOn(machine(), declared({ question: 'mail/name' }, 'x'))).toEqual({
      changes: [],
    })
  })
  test('does nothing in a tree that can’t run commands', async () => {
    const host = machine({ cannotRun: 'not possible under --root' })
    expect(await verdictOn(host, declared({ value: 'b' }))).toEqual({
      changes: [],
      note: 'not possible under --root',
      leftAlone: true,
    })
  })
})

describe('apply', () => {
  test.each<readonly [string, Partial<Desired>, string, string]>([
    ['sets an answer', { value: 'b c' }, 'debconf-set-selections', 'mail mail/name string b c\n'],
    [
      'sets one that is not seen',
      { kind: 'boolean', value: true, seen: false },
      'debconf-set-selections',
      'mail mail/name boolean true\nmail mail/name seen false\n',
    ],
    ['takes one away', { ensure: 'absent' }, 'debconf-communicate mail', 'UNREGISTER mail/name\n'],
  ])('%s on standard input', async (_title, desired, command, stdin) => {
    const host = machine()
    await debconf.apply(declared(desired), [], host)
    expect(host.runs).toEqual([command])
    expect(host.asked[0]?.options.stdin).toBe(stdin)
  })
})

test('check', () => {
  const { value: _value, ...rest } = declared({}).desired
  expect(debconf.check?.({ ...declared({}), desired: rest })?.attribute).toBe('value')
  expect(debconf.check?.(declared({}, 'the mail name'))?.attribute).toBe('question')
  expect(
    debconf.check?.({ ...declared({}), desired: { package: 'a', ensure: 'absent' } }),
  ).toBeUndefined()
})

test('it comes before its package', () => {
  expect(debconf.footprint(declared({}))).toMatchObject({ before: ['package:mail'] })
})
