import { readFileSync } from 'node:fs'

/** Whether the process does anything still: a zombie is over, though nobody has asked for its end yet. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
