import { execa } from 'execa'
import type { CommandResult } from './host.ts'

/** How much of an output is kept: its last part, where failures are told. */
const mostOutput = 1024 * 1024
/**
 * From a polite end to a forced one, and from the end of a command to that of what it left holding its output.
 */
const graceMs = 2000
const lingerMs = 300

interface StartOptions {
  readonly cwd: string
  readonly environment: Readonly<Record<string, string>>
  readonly stdin?: string
  readonly timeoutMs: number
  /** Whether what the command left running in its process group ends with it. */
  readonly endsGroup: boolean
  readonly onLine?: (line: string) => void
}

/** Process groups that run now: they end with steward, also where it is stopped at once. */
const running = new Set<number>()
process.on('exit', () => {
  for (const pid of running) endGroup(pid, 'SIGTERM')
})

/** Starts a process in a group of its own and waits for its end. */
export async function start(
  [file = '', ...args]: readonly string[],
  options: StartOptions,
): Promise<Omit<CommandResult, 'argv'>> {
  const child = execa(file, args, {
    cwd: options.cwd,
    env: options.environment,
    extendEnv: false,
    stdin: options.stdin === undefined ? 'ignore' : 'pipe',
    buffer: false,
    reject: false,
    detached: true,
    cleanup: false,
    encoding: 'buffer',
  })
  const { pid } = child
  // A command that ends without reading it is no error.
  child.stdin?.on('error', () => undefined).end(options.stdin)
  const stdout = collect(child.stdout)
  if (options.onLine) splitLines(child.stdout, options.onLine)
  const stderr = collect(child.stderr)
  let timedOut = false
  const timers: NodeJS.Timeout[] = []
  if (pid !== undefined) {
    running.add(pid)
    const limit = (): void => {
      timedOut = true
      endGroup(pid, 'SIGTERM')
      timers.push(setTimeout(() => endGroup(pid, 'SIGKILL'), graceMs))
    }
    timers.push(setTimeout(limit, options.timeoutMs))
    child.nodeChildProcess.once('exit', () => {
      running.delete(pid)
      for (const timer of timers) clearTimeout(timer)
      // Whatever ran over time, or belongs to a guard, leaves nothing behind.
      if (timedOut || options.endsGroup) endGroup(pid, 'SIGKILL')
      // A daemon that the command started may hold its output open for good.
      timers.push(
        setTimeout(() => {
          child.stdout.destroy()
          child.stderr.destroy()
        }, lingerMs),
      )
    })
  }
  const result = await child
  for (const timer of timers) clearTimeout(timer)
  return {
    ...(result.exitCode === undefined ? {} : { exitCode: result.exitCode }),
    ...(result.signal === undefined ? {} : { signal: result.signal }),
    ...(pid === undefined ? { startError: result.code ?? 'could not be started' } : {}),
    timedOut,
    stdout: stdout(),
    stderr: stderr(),
    durationMs: result.durationMs,
  }
}

function endGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch {
    // Nobody of the group is left.
  }
}

/** What ends with a carriage return, as a progress does that writes over itself, is a line too. */
function splitLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  const decoder = new TextDecoder()
  let rest = ''
  stream.on('data', (piece: Buffer) => {
    const lines = (rest + decoder.decode(piece, { stream: true })).split(/[\r\n]+/)
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
}

/** Gathers the end of an output, with a note where its beginning was dropped. */
function collect(stream: NodeJS.ReadableStream): () => string {
  let pieces: Buffer[] = []
  let held = 0
  let dropped = 0
  stream.on('data', (piece: Buffer) => {
    pieces.push(piece)
    held += piece.length
    if (held > 2 * mostOutput) {
      const all = Buffer.concat(pieces)
      const kept = all.subarray(all.length - mostOutput)
      dropped += all.length - kept.length
      pieces = [kept]
      held = kept.length
    }
  })
  return () => {
    const all = Buffer.concat(pieces)
    const kept = wholeLines(all, dropped > 0)
    const lost = dropped + all.length - kept.length
    return lost === 0 ? kept.toString() : `[${lost} bytes left out]\n${kept.toString()}`
  }
}

/** The last lines of an output: of a line that was cut in two nobody would know a secret again. */
function wholeLines(all: Buffer, isCut: boolean): Buffer {
  if (!isCut && all.length <= mostOutput) return all
  const kept = all.subarray(Math.max(0, all.length - mostOutput))
  const end = kept.indexOf('\n')
  return end === kept.length - 1 ? kept : kept.subarray(end + 1)
}
