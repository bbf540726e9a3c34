import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { localHost } from '../../engine/host/local.ts'
import { startedAt } from '../../engine/resources/process-start.ts'
import { fakeHost } from '../support/fake-host.ts'

const now = () => Number(process.hrtime.bigint() / 1000n)

test('a process was started between what came before and what comes after', async () => {
  const before = now()
  await sleep(100)
  const child = spawn('sleep', ['100'])
  onTestFinished(() => void child.kill())
  await new Promise((done) => child.once('spawn', done))
  const after = now()
  const started = startedAt(child.pid ?? 0, localHost()) ?? 0
  expect(started).toBeGreaterThan(before)
  expect(started).toBeLessThan(after)
})

test.each([0, -1, Number.NaN, 2 ** 30])('there is no process %d', (pid) => {
  expect(startedAt(pid, localHost())).toBeUndefined()
})

test('where uptime is that of a container that began after its host, nothing is told', () => {
  const ownStat = readFileSync(`/proc/${process.pid}/stat`, 'latin1')
  const startedAfter = (seconds: number) => {
    const uptime = Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]) - seconds
    const files = { '/proc/uptime': `${uptime} 0.00\n`, [`/proc/${process.pid}/stat`]: ownStat }
    return startedAt(process.pid, fakeHost({ files }))
  }
  expect(startedAfter(0)).toBeLessThan(now())
  expect(startedAfter(100)).toBeUndefined()
})
