import { readFileSync, rmSync } from 'node:fs'
import { type CommandResult, command, report } from './command.ts'

/** The N-th call of one system call by the main thread of a command, in which Node does all synchronous calls. */
export interface WritingCall {
  readonly call: string
  readonly nth: number
  /** The path that it acted on, or the last one that it named; what follows a process's number is left out. */
  readonly at: string
}

const writing =
  `openat write pwrite64 fsync fdatasync ftruncate fallocate copy_file_range rename renameat renameat2
  unlink unlinkat mkdir mkdirat rmdir symlink symlinkat link linkat chmod fchmod fchmodat chown fchown lchown fchownat
  utimensat setxattr fsetxattr`.split(/\s+/)

function strace(log: string, calls: readonly string[]): string[] {
  const trace = `trace=${calls.map((call) => `?${call}`).join(',')}`
  return ['strace', '-qq', '-y', '-o', log, '-e', 'signal=none', '-e', trace]
}

/** Where what fails is a write of the runtime to itself, such as that a child has ended, it waits for ever. */
const LIMIT_S = 60

/** Every call that the command makes to change something in the folder, in their order. */
export async function writingCalls(
  argv: readonly string[],
  { folder, log }: { readonly folder: string; readonly log: string },
): Promise<WritingCall[]> {
  const result = await command([...strace(log, writing), ...argv])
  if (result.exitCode !== 0) throw new Error(`the undisturbed run failed\n${report(result)}`)
  const counts = new Map<string, number>()
  return linesOf(log).flatMap((line) => {
    const call = line.slice(0, line.indexOf('('))
    const nth = (counts.get(call) ?? 0) + 1
    counts.set(call, nth)
    return isWrite(line, folder) ? [{ call, nth, at: placeOf(line) }] : []
  })
}

/**
 * Runs the command and does that to it in the place of the call: ends it (`signal=KILL`) or fails the call
 * (`error=ENOSPC`). `reached` is false where this run made no such call, or another than it was to be.
 */
export async function disturbed(
  argv: readonly string[],
  point: WritingCall,
  what: string,
  { folder, log }: { readonly folder: string; readonly log: string },
): Promise<{ readonly result: CommandResult; readonly reached: boolean }> {
  const inject = `inject=${point.call}:${what}:when=${point.nth}`
  const limit = ['timeout', '--signal=KILL', String(LIMIT_S)]
  const result = await command([...limit, ...strace(log, [point.call]), '-e', inject, ...argv])
  const hit = linesOf(log).find((line) => line.includes('(INJECTED)') || line.endsWith(' = ?'))
  rmSync(log)
  return { result, reached: hit !== undefined && isWrite(hit, folder) }
}

function linesOf(log: string): string[] {
  return readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => /^\w+\(/.test(line))
}

/** Not those that the runtime makes to its own pipes and event counters, and no opening for reading. */
function isWrite(line: string, folder: string): boolean {
  if (!line.includes(folder) && !line.includes('/proc/self/fd/')) return false
  return !line.startsWith('openat(') || /O_(WRONLY|RDWR|CREAT)/.test(line)
}

function placeOf(line: string): string {
  const names = [...line.matchAll(/"((?:[^"\\]|\\.)*)"|<([^>]*)>/g)]
  const paths = names.map(([, quoted, opened]) => quoted ?? opened ?? '')
  return (paths.filter((path) => path.startsWith('/')).at(-1) ?? '')
    .replace(/^\/proc\/self\/fd\/\d+/, '')
    .replaceAll(/\.steward-\d+-\d+/g, '.steward-')
    .replaceAll(/incoming-[0-9a-f]+/g, 'incoming-')
}
