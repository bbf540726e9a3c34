import { execFile } from 'node:child_process'
import { join } from 'node:path'
import type { Place } from './trip.ts'

/**
 * A run in a process of its own that is killed at its Nth point, or at none for 0; `forgets` makes one whose record
 * never learns who is owed a refresh.
 */
export function runKilledAt(
  place: Place,
  folder: string,
  at: number,
  { forgets = false } = {},
): Promise<{ readonly killed: boolean; readonly stdout: string }> {
  const script = join(import.meta.dirname, 'killed.ts')
  const argv = [script, folder, place.root, place.state, String(at), ...(forgets ? ['1'] : [])]
  return new Promise((resolve, reject) => {
    execFile(process.execPath, argv, (error, stdout, stderr) => {
      if (error && error.signal !== 'SIGKILL') reject(new Error(stderr))
      else resolve({ killed: error?.signal === 'SIGKILL', stdout })
    })
  })
}
