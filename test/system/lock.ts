import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'

/**
 * Runs the body while this process holds the file's lock, which ends with the process. Waits for other holders.
 */
export async function withLock<T>(path: string, body: () => Promise<T>): Promise<T> {
  const release = await takeLock(path, [])
  try {
    return await body()
  } finally {
    release?.()
  }
}

/** Gives what releases the lock, or undefined where somebody else holds it. */
export function tryLock(path: string): Promise<(() => void) | undefined> {
  return takeLock(path, ['--nonblock'])
}

// The lock belongs to the open file, which this process shares with the command: flock(1) takes it, and
// this process keeps it by keeping the file open.
async function takeLock(path: string, flags: readonly string[]): Promise<(() => void) | undefined> {
  const fd = openSync(path, 'a')
  const child = spawn('flock', ['--exclusive', ...flags, '3'], {
    stdio: ['ignore', 'ignore', 'inherit', fd],
  })
  const code = await new Promise((resolve, reject) =>
    child.on('error', reject).on('close', resolve),
  )
  if (code === 0) return () => closeSync(fd)
  closeSync(fd)
  return undefined
}
