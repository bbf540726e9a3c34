import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Refusal } from '../../engine/diagnostics/diagnostic.ts'
import { acquireLock, type Holder } from '../../engine/host/lock.ts'

let dir: string
let lock: string
const children: ChildProcess[] = []
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lock-'))
  lock = join(dir, 'lock')
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(dir, { recursive: true })
})

/** Another process that takes the lock, says so, and keeps it until `script` is over. */
async function holder(script: string): Promise<ChildProcess> {
  const module = new URL('../../engine/host/lock.ts', import.meta.url).href
  const code = `import { acquireLock } from '${module}'
    const held = await acquireLock(process.argv[1], { waitMs: 0, run: 'other' })
    console.log('held')
    ${script}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code, lock], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  children.push(child)
  if (child.stdout !== null) await once(child.stdout, 'data')
  return child
}

async function refusal(promise: Promise<unknown>): Promise<Refusal> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof Refusal)) throw new Error('it was not refused', { cause: error })
  return error
}

test('a free lock is taken, says who holds it, and is free again after release', async () => {
  const { release } = await acquireLock(lock, { waitMs: 0, run: 'r1' })
  const said = JSON.parse(readFileSync(`${lock}.json`, 'utf8')) as Holder
  expect(said).toMatchObject({ pid: process.pid, run: 'r1' })
  expect(Math.abs(Date.now() - Date.parse(said.since))).toBeLessThan(10_000)
  release()
  const again = await acquireLock(lock, { waitMs: 0, run: 'r2' })
  again.release()
})

test('who may not wait is told at once who holds it since when', async () => {
  const child = await holder('process.stdin.resume()')
  const { diagnostics } = await refusal(acquireLock(lock, { waitMs: 0, run: 'mine' }))
  expect(diagnostics).toMatchObject([{ code: 'lock-held' }])
  expect(diagnostics[0]?.found).toMatch(
    new RegExp(`^run other \\(process ${child.pid}\\) since \\d{4}-\\d\\d-\\d\\dT`),
  )
})

test('who waits is told for whom, and gets the lock when it is free', async () => {
  await holder('setTimeout(() => held.release(), 300)')
  const told: (Holder | undefined)[] = []
  const mine = await acquireLock(lock, {
    waitMs: 10_000,
    run: 'mine',
    onWait: (by) => told.push(by),
  })
  expect(told).toMatchObject([{ run: 'other' }])
  expect(JSON.parse(readFileSync(`${lock}.json`, 'utf8'))).toMatchObject({ run: 'mine' })
  mine.release()
})

test('a wait that is too long is refused', async () => {
  await holder('process.stdin.resume()')
  const { diagnostics } = await refusal(acquireLock(lock, { waitMs: 200, run: 'mine' }))
  expect(diagnostics[0]?.code).toBe('lock-held')
})

test('a wait can be given up', async () => {
  await holder('process.stdin.resume()')
  const waiting = acquireLock(lock, {
    waitMs: 60_000,
    run: 'mine',
    signal: AbortSignal.timeout(100),
  })
  await expect(waiting).rejects.toThrow('aborted')
})

test('kill -9 frees it at once, though a child of the holder lives on', async () => {
  const child = await holder(`
    const { localHost } = await import('${new URL('../../engine/host/local.ts', import.meta.url).href}')
    void localHost().run(['sleep', '5'])
    setTimeout(() => console.log('started'), 300)`)
  if (child.stdout !== null) await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
  const mine = await acquireLock(lock, { waitMs: 0, run: 'mine' })
  mine.release()
})

test('of several at once one holds it at a time', async () => {
  let inside = 0
  let most = 0
  await Promise.all(
    ['a', 'b', 'c', 'd'].map(async (run) => {
      const { release } = await acquireLock(lock, { waitMs: 20_000, run })
      most = Math.max(most, ++inside)
      await new Promise((resolve) => setTimeout(resolve, 20))
      inside--
      release()
    }),
  )
  expect(most).toBe(1)
})
