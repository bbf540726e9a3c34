import { describe, expect, test } from 'vitest'
import { cron } from '../../engine/resources/cron.ts'
import type { Resource } from '../../engine/resources/type.ts'
import { fakeHost } from '../support/fake-host.ts'

type Desired = Parameters<typeof cron.footprint>[0]['desired']

function declared(desired: Desired, title = 'job'): Resource<Desired> {
  return { ref: `cron[${title}]`, type: 'cron', title, desired }
}
const job = { command: 'true', schedule: '@daily' }
const folder = { '/etc/cron.d': { kind: 'directory' } } as const

/** Has a job made as it is declared. */
async function apply(host: ReturnType<typeof fakeHost>, resource: Resource<Desired>) {
  const [found] = await cron.probe([resource], host)
  const verdict = found && cron.diff(resource, found)
  if (!verdict || !('changes' in verdict)) throw new Error('the probe gave nothing to do')
  return cron.apply(resource, verdict.changes ?? [], host)
}

/** The file that a job is written as, without the line that says whose it is. */
async function written(desired: Desired): Promise<string[]> {
  const host = fakeHost({ files: folder })
  await apply(host, declared({ ...job, ...desired }))
  const [first, ...lines] = host.text('/etc/cron.d/job').split('\n')
  expect(first).toBe('# Kept by steward as cron[job]: what is changed here is overwritten.')
  expect(lines.at(-1)).toBe('')
  return lines.slice(0, -1)
}

describe('check', () => {
  test.each(['job.conf', 'job~', 'a b', '.hidden', 'a/b', ''])('refuses the title %j', (title) => {
    expect(cron.check?.(declared(job, title))?.message).toContain('would be ignored by cron')
  })
  test('takes the titles that cron takes', () => {
    expect(cron.check?.(declared(job, '_under-Score9'))).toBeUndefined()
  })
  test.each(['command', 'schedule'] as const)(
    'wants a %s unless the job is absent',
    (attribute) => {
      const { [attribute]: _left, ...rest } = job
      expect(cron.check?.(declared(rest))).toEqual({
        attribute,
        message: `cron[job] has no ${attribute}`,
      })
      expect(cron.check?.(declared({ ...rest, ensure: 'absent' }))).toBeUndefined()
    },
  )

  // Each was given to Debian 12's cron (3.0pl1-162), which ran the jobs of its file, or none of them.
  test.each([
    '@daily',
    '@reboot',
    '* * * * *',
    '01 05 * * *',
    '1,2-4,*/7 * * * *',
    '1-30/5 * * * *',
    '5-5 * * * *',
    '* * * * 7',
    '* * * * 5-7',
    '* * * JAN mon-fri',
    '* * * jan,mar sat-sun',
    '0 0 29 2 *',
  ])('takes the schedule %j, as cron does', (schedule) => {
    expect(cron.check?.(declared({ ...job, schedule }))).toBeUndefined()
  })
  test.each([
    '60 * * * *',
    '5/10 * * * *',
    '*/0 * * * *',
    '1, * * * *',
    '-1 * * * *',
    '* * 0 * *',
    '* * * 13 *',
    '* * * * 8',
    '* * * * monday',
    '* * L * *',
    '? * * * *',
  ])('refuses the schedule %j, as cron does', (schedule) => {
    const mistake = cron.check?.(declared({ ...job, schedule }))
    expect(mistake).toMatchObject({ attribute: 'schedule' })
    expect(mistake?.message).toContain(`has a schedule, "${schedule}", that cron would refuse`)
  })
  test.each([
    ['* * 31 2 *', 'there is no such day'],
    ['* * * * mon#2', 'cron does not know "#"'],
    ['* * 15W * *', 'cron does not know "W"'],
    ['* * * * 6-1', 'larger'],
  ])('refuses %j, which cron takes for something else or never runs', (schedule, reason) => {
    expect(cron.check?.(declared({ ...job, schedule }))?.message).toContain(reason)
  })

  test('counts the bytes of a command as they stand in the file', () => {
    const check = (command: string) => cron.check?.(declared({ ...job, command }))
    expect(check('x'.repeat(998))).toBeUndefined()
    expect(check('x'.repeat(999))).toMatchObject({ attribute: 'command' })
    expect(check('%'.repeat(499))).toBeUndefined()
    expect(check('%'.repeat(500))).toMatchObject({ attribute: 'command' })
    expect(check('ü'.repeat(500))).toMatchObject({ attribute: 'command' })
  })
  test('refuses the values that cron would change, whatever the quotes', () => {
    const check = (value: string) => cron.check?.(declared({ ...job, environment: { V: value } }))
    expect(check(`a"b'c`)).toBeUndefined()
    for (const value of [`"b'c`, '"quoted"', "'quoted'", 'blank ', ' ', `" '`]) {
      expect(check(value)).toMatchObject({ attribute: 'environment' })
    }
    expect(check('"')).toBeUndefined()
    expect(check('x'.repeat(996))).toBeUndefined()
    expect(check('x'.repeat(997))).toMatchObject({ attribute: 'environment' })
  })
})

describe('footprint', () => {
  test('a job needs its user and the folder', () => {
    expect(cron.footprint(declared({ ...job, user: 'zulip' }))).toEqual({
      ensures: ['path:/etc/cron.d/job'],
      isWhole: true,
      needs: ['path:/etc/cron.d', 'user:zulip'],
    })
  })
  test('an absent one needs nothing', () => {
    expect(cron.footprint(declared({ ensure: 'absent' }))).toEqual({
      removes: ['path:/etc/cron.d/job'],
    })
  })
})

describe('apply', () => {
  test('writes one line with single blanks', async () => {
    const lines = await written({ schedule: ' 0  3\t* * sun', user: 'zulip', command: 'a  b' })
    expect(lines).toEqual(['0 3 * * sun zulip a  b'])
  })

  // What the shell was handed by Debian 12's cron for the text on the right is the text on the left.
  test.each([
    ['printf %s a%b', String.raw`printf \%s a\%b`],
    [String.raw`printf '[%s]' 'a\%b'`, String.raw`printf '[\%s]' 'a\\\%b'`],
    [String.raw`printf 'a\nb'`, String.raw`printf 'a\nb'`],
    [String.raw`echo 'a\\b'`, String.raw`echo 'a\\\\b'`],
    [String.raw`echo a\\%`, String.raw`echo a\\\\\%`],
    [`echo a#b '#' # c`, `echo a#b '#' # c`],
  ])('%s', async (command, line) => {
    expect(await written({ command })).toEqual([`@daily root ${line}`])
  })

  test.each([
    ['two  words', 'V=two  words'],
    ['', 'V=""'],
    ['  blanks', 'V="  blanks"'],
    [' say "so"', `V=' say "so"'`],
    [`"so" he said`, `V='"so" he said'`],
    ["'", `V="'"`],
    [`a"b'c`, `V=a"b'c`],
    ['a # b=c $HOME', 'V=a # b=c $HOME'],
  ])('the environment value %j', async (value, line) => {
    const lines = await written({ environment: { FIRST: '1', V: value } })
    expect(lines).toEqual(['FIRST=1', line, '@daily root true'])
  })
})

describe('diff', () => {
  const path = '/etc/cron.d/job'
  async function diffOn(host: ReturnType<typeof fakeHost>, desired: Desired) {
    const [found] = await cron.probe([declared(desired)], host)
    return found && cron.diff(declared(desired), found)
  }
  test('is empty after apply, and removes what was made', async () => {
    const host = fakeHost({ files: folder })
    await apply(host, declared(job))
    expect(await diffOn(host, job)).toEqual({ changes: [] })
    const absent = { ensure: 'absent' } as const
    expect(await diffOn(host, absent)).toMatchObject({
      changes: [{ attribute: 'ensure', to: 'absent' }],
    })
    await apply(host, declared(absent))
    expect(host.stat(path)).toBeUndefined()
    expect(await diffOn(host, absent)).toEqual({ changes: [] })
  })
  test('shows the bodies of a file that was edited, and its owner and mode', async () => {
    const host = fakeHost({
      files: { [path]: { content: 'edited\n', mode: 0o666, uid: 7, gid: 8 } },
    })
    const verdict = await diffOn(host, job)
    expect(verdict).toMatchObject({
      changes: [
        { attribute: 'content', content: { from: Buffer.from('edited\n') } },
        { attribute: 'owner', from: '7', to: 'root' },
        { attribute: 'group', from: '8', to: 'root' },
        { attribute: 'mode', from: '0666', to: '0644' },
      ],
    })
  })
  test('a link is replaced, a directory is in the way', async () => {
    const linked = fakeHost({ files: { [path]: { target: '/tmp/job' } } })
    expect(await diffOn(linked, job)).toMatchObject({
      changes: [{ attribute: 'ensure', from: 'link', to: 'file' }, { attribute: 'content' }],
    })
    await apply(linked, declared(job))
    expect(linked.stat(path)).toMatchObject({ kind: 'file', mode: 0o644, uid: 0, gid: 0 })
    const blocked = fakeHost({ files: { [path]: { kind: 'directory' } } })
    expect(await diffOn(blocked, job)).toMatchObject({ blocked: `${path} is a directory` })
  })
})
