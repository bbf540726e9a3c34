import { spawn } from 'node:child_process'
import { constants } from 'node:os'

/** Signals that whoever runs steward sends it, and that are for the program. */
const PASSED = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const

/**
 * Runs a program with this process's terminal, and this process for as long as it takes only passes signals on. Gives
 * its exit status, or 128 and the number of the signal that ended it.
 */
export function handOver(argv: readonly string[]): Promise<number> {
  const [program = '', ...args] = argv
  // What the keyboard sends reaches both, and only the program decides what it ends.
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) process.on(signal, () => undefined)
  const child = spawn(program, args, { stdio: 'inherit' })
  for (const signal of PASSED) process.on(signal, () => child.kill(signal))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) =>
      resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']),
    )
  })
}
