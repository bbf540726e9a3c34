import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { acquireLock } from '../../engine/host/lock.ts'
import { Store } from '../../engine/record/store.ts'
import { folderWith, steward } from './steward.ts'

/** A folder whose `state` holds a run that was cut off, what it owes, and a procedure that it began. */
function cutOff() {
  const folder = folderWith()
  const store = Store.open(join(folder, 'state'))
  const run = store.runs.start({ command: ['apply', '--yes'], classes: ['main'] })
  store.runs.owe({ listener: 'service[nginx]', source: 'file[/etc/x]', by: 'reload', run })
  store.procedures.save({ run, name: 'upgrade', arguments: {}, state: 'open', progress: {} })
  store.close()
  return { folder, run }
}

describe('status', () => {
  test('tells what is open, and what ends it', () => {
    const { folder, run } = cutOff()
    const { status, stdout } = steward(folder, 'status', '--state', 'state')
    expect(status).toBe(1)
    expect(stdout).toBe(`Cut off:
  run ${run}  steward apply --yes
The next run goes on from where it came to: steward apply --state state

Refreshes that are owed:
  service[nginx]  reload, because file[/etc/x] changed in run ${run}
The next run makes them: steward apply --state state

Procedures that are open:
  run ${run}  steward apply --yes
The same command goes on with one; with --abandon it is given up

No run has come to its end.
`)
  })
  test('takes no run that is going on for one that was cut off', async () => {
    const { folder } = cutOff()
    const lock = await acquireLock(join(folder, 'state/run.lock'), { waitMs: 0, run: 'a run' })
    const { stdout } = steward(folder, 'status', '--state', 'state', '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      holder: { run: 'a run', pid: process.pid },
      cutOff: [],
    })
    lock.release()
    const after = JSON.parse(steward(folder, 'status', '--state', 'state', '--json').stdout)
    expect(after.cutOff).toHaveLength(1)
  })
  test('is 0 where nothing is open, and makes no state', () => {
    const folder = folderWith()
    expect(steward(folder, 'status', '--state', 'state')).toMatchObject({
      status: 0,
      stdout: 'Nothing is open.\n\nNo run has come to its end.\n',
    })
    expect(Store.read(join(folder, 'state'))).toBeUndefined()
  })
})

test('the next run tells once of one that was cut off, and pays what it owed', () => {
  const folder = folderWith({ 'm/main.yaml': '' })
  const log = join(folder, 'log')
  writeFileSync(
    join(folder, 'm/main.yaml'),
    `class: main
resources:
  - exec: told
    command: [/bin/sh, -c, "echo told >> ${log}"]
    refreshonly: true
`,
  )
  const store = Store.open(join(folder, 'state'))
  const run = store.runs.start({ command: ['apply', '--yes'], classes: ['main'] })
  store.runs.owe({ listener: 'exec[told]', source: 'file[/etc/x]', by: 'refresh', run })
  store.runs.owe({ listener: 'exec[gone]', source: 'file[/etc/x]', by: 'refresh', run })
  store.close()
  const apply = () =>
    steward(folder, 'apply', 'main', '--yes', '--manifests', 'm', '--state', 'state')
  const first = apply()
  expect(first.stdout).toContain(
    `notice       run ${run} (steward apply --yes) was cut off; this run goes on from where it came to`,
  )
  expect(first.stdout).toContain(
    `> exec[told]  run, owed since run ${run}, because file[/etc/x] changed`,
  )
  expect(first.stdout).toContain('exec[gone] was owed a refresh')
  expect(first.status).toBe(0)
  expect(apply().stdout).toBe('Nothing to do: 1 resource is in sync.\n')
  expect(readFileSync(log, 'utf8')).toBe('told\n')
  expect(steward(folder, 'status', '--state', 'state').status).toBe(0)
})
