import { spawn } from 'node:child_process'
import { constants } from 'node:os'

export interface CommandResult {
  /** 128 + the signal's number where a signal ended it, as a shell counts. */
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly stdin?: string
  /** 600 000 when absent; the whole process group is killed when it is over, and the call throws. */
  readonly timeoutMs?: number
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Called with everything that is printed, as it comes. */
  readonly onOutput?: (text: string) => void
}

/**
 * Runs a command to its end, in a process group of its own. Any exit
 * status is a result; only a time-out throws.
 */
export function command(
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const [file = '', ...args] = argv
  const timeoutMs = options.timeoutMs ?? 600_000
  const child = spawn(file, args, {
    detached: true,
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: 'pipe',
  })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  for (const [stream, chunks] of [
    [child.stdout, stdout],
    [child.stderr, stderr],
  ] as const) {
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      options.onOutput?.(chunk.toString())
    })
  }
  // A command that ends without reading its input is no failure of ours.
  child.stdin.on('error', () => {})
  child.stdin.end(options.stdin ?? '')
  return new Promise((resolve, reject) => {
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    }, timeoutMs)
    child.on('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      const result = {
        exitCode: code ?? 128 + signalNumber(signal),
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      }
      if (timedOut)
        reject(new Error(`${argv.join(' ')} took longer than ${timeoutMs} ms\n${report(result)}`))
      else resolve(result)
    })
  })
}

/** The same, for a command that must succeed: anything but exit status 0 throws, with what it printed. */
export async function must(
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const result = await command(argv, options)
  if (result.exitCode !== 0) throw new Error(`${argv.join(' ')} failed\n${report(result)}`)
  return result
}

/** What a person needs to see of a result: of what was printed its end, where it went wrong. */
export function report({ exitCode, stdout, stderr }: CommandResult): string {
  return `exit status ${exitCode}\n--- stderr\n${endOf(stderr)}\n--- stdout\n${endOf(stdout)}`
}

const MOST_LINES = 25

function endOf(text: string): string {
  const lines = text.trimEnd().split('\n')
  const left = lines.length - MOST_LINES
  return left > 0 ? `(${left} lines before)\n${lines.slice(left).join('\n')}` : lines.join('\n')
}

function signalNumber(signal: NodeJS.Signals | null): number {
  return signal === null ? 0 : constants.signals[signal]
}
