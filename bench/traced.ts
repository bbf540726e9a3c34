import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { command } from '../test/system/command.ts'
import { rigEnvironment, type TestHost } from '../test/system/rig.ts'

/** Runs a command in the host and gives the commands that it started itself, with whole arguments. */
export async function childrenOf(host: TestHost, argv: readonly string[]): Promise<string[][]> {
  const folder = mkdtempSync(join(tmpdir(), 'steward-trace-'))
  const log = join(folder, 'log')
  try {
    const calls = 'trace=execve,fork,vfork,clone,clone3'
    const trace = [
      'strace',
      '-f',
      '-qq',
      '-xx',
      '-s',
      '100000',
      '--pidns-translation',
      '-e',
      calls,
      '-e',
      'signal=none',
    ]
    await command([...trace, '-o', log, ...host.execArgv(argv)], { env: rigEnvironment })
    return parseChildren(readFileSync(log, 'utf8'), argv)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function parseChildren(log: string, argv: readonly string[]): string[][] {
  const lines = log.split('\n').map((line) => {
    const [, pid = '', call = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    return { pid, call }
  })
  const parent = lines.find(({ call }) => programOf(call)?.join('\0') === argv.join('\0'))?.pid
  if (parent === undefined) throw new Error(`the trace shows no start of ${argv.join(' ')}`)
  const children = new Set<string>()
  const started: string[][] = []
  for (const { pid, call } of lines) {
    // A call that another one interrupts is written in two lines; the end of it tells the child.
    const child =
      pid === parent ? / = \d+ \/\* (\d+) in strace's PID NS \*\/$/.exec(call)?.[1] : undefined
    if (child !== undefined) children.add(child)
    const program = programOf(call)
    if (program === undefined || !children.delete(pid)) continue
    started.push(program)
  }
  return started
}

/** The arguments of an execve call that did not fail; strace writes every byte of them in hexadecimal. */
function programOf(call: string): string[] | undefined {
  const list = / = -1 /.test(call)
    ? undefined
    : /^execve\("[^"]*", (\[.*?\])(?:, | <)/.exec(call)?.[1]
  if (list === undefined) return undefined
  return [...list.matchAll(/"([^"]*)"/g)].map(([, text = '']) =>
    Buffer.from(text.replaceAll('\\x', ''), 'hex').toString(),
  )
}
