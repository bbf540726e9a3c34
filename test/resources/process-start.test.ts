import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { localHost } from '../../engine/host/local.ts'
import { startedAt } from '../../engine/resources/process-start.ts'

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
