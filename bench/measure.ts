import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Command } from './tool.ts'

/** What one whole process used, the processes that it waited for included. */
export interface Measurement {
  readonly wallMs: number
  /** User and system time. */
  readonly cpuMs: number
  /** Resident memory of the largest process at its largest. */
  readonly peakKb: number
  /** 124 when it was ended because it took too long. */
  readonly exit: number
}

/** Runs the command once, its output in the file `log`. */
export function measure(command: Command, log: string, timeoutSeconds: number): Measurement {
  // These change how a program starts, and are no part of it.
  const { NODE_OPTIONS: _options, NODE_EXTRA_CA_CERTS: _certificates, ...environment } = process.env
  const script = join(import.meta.dirname, 'measure.pl')
  const { stdout, stderr, status } = spawnSync(
    'perl',
    [script, String(timeoutSeconds), log, ...command.argv],
    { encoding: 'utf8', env: { ...environment, ...command.environment } },
  )
  const [wall, cpu, peak, exit] = stdout.trim().split(' ').map(Number)
  if (
    status !== 0 ||
    wall === undefined ||
    cpu === undefined ||
    peak === undefined ||
    exit === undefined
  ) {
    throw new Error(`measure.pl failed: ${stderr || stdout}`)
  }
  return { wallMs: wall * 1000, cpuMs: cpu * 1000, peakKb: peak, exit }
}
