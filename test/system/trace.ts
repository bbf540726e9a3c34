import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CommandResult, command } from './command.ts'
import { rigEnvironment, type TestHost } from './rig.ts'

/**
 * Runs a command in the host and gives the programs that it and its
 * children started, each as its argument list.
 */
export async function programsStartedBy(
  host: TestHost,
  argv: readonly string[],
): Promise<{ result: CommandResult; programs: string[][] }> {
  const folder = mkdtempSync(join(tmpdir(), 'steward-trace-'))
  const log = join(folder, 'log')
  try {
    // Traced from outside: the host is as it is without the trace.
    const trace = [
      'strace',
      '-f',
      '-qq',
      '-s',
      '400',
      '-e',
      'trace=execve',
      '-e',
      'signal=none',
      '-o',
      log,
    ]
    const result = await command([...trace, ...host.execArgv(argv)], { env: rigEnvironment })
    return { result, programs: parseTrace(readFileSync(log, 'utf8'), argv) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The successful execve calls from that of `argv` on; what went before is the way into the host. */
function parseTrace(log: string, argv: readonly string[]): string[][] {
  const programs: string[][] = []
  // A call that another process interrupts is written in two lines: "…
  // <unfinished ...>" and "<... execve resumed> …".
  const unfinished = new Map<string, string[]>()
  for (const line of log.split('\n')) {
    const pid = line.slice(0, line.indexOf(' '))
    const program = argumentList(line) ?? unfinished.get(pid)
    if (program === undefined) continue
    if (line.includes('<unfinished')) unfinished.set(pid, program)
    else unfinished.delete(pid)
    if (line.endsWith(' = 0')) programs.push(program)
  }
  const first = programs.findIndex((program) => program.join('\0') === argv.join('\0'))
  if (first === -1) throw new Error(`the trace shows no start of ${argv.join(' ')}`)
  return programs.slice(first)
}

function argumentList(line: string): string[] | undefined {
  const list = /execve\("[^"]*", (\[.*?\])(?:, | <)/.exec(line)?.[1]
  if (list === undefined) return undefined
  return [...list.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((match) => match[1] ?? '')
}
