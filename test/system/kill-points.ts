import { report } from './command.ts'
import type { TestHost } from './rig.ts'

/**
 * The N-th call of one system call by the main thread of a run: where
 * `runAndKill` ends it, before the call takes place.
 */
export interface KillPoint {
  readonly call: string
  readonly nth: number
}

// Not `write`: how often node writes to its own pipes and event counters depends on the moment (71 to 142 writes in
// twelve runs, 15 of them to files), so the N-th is another one each time. A write to a file stands between calls that
// are counted.
const writing = `pwrite64 fsync fdatasync ftruncate rename renameat renameat2 unlink unlinkat mkdir
  mkdirat rmdir symlink symlinkat link linkat chmod fchmod fchmodat chown fchown lchown fchownat utimensat
  setxattr fsetxattr flock`.split(/\s+/)

/** Every call that a run to its end makes to change something, in their order. Needs strace in the host. */
export async function killPoints(host: TestHost, argv: readonly string[]): Promise<KillPoint[]> {
  const calls = writing.map((call) => `?${call}`).join(',')
  // Without -f: the main thread alone, in which node does all synchronous
  // calls, so the count is the same each time.
  await host.shell(`strace -qq -o /root/calls -e trace=${calls} -e signal=none ${argv.join(' ')}`)
  const seen = new Map<string, number>()
  return (await host.shell('sed -n "s/^\\([a-z0-9]*\\)(.*/\\1/p" /root/calls; rm /root/calls'))
    .split('\n')
    .filter((call) => call !== '')
    .map((call) => {
      const nth = (seen.get(call) ?? 0) + 1
      seen.set(call, nth)
      return { call, nth }
    })
}

/** Runs the command and kills it at that point; whether the point was reached. */
export async function runAndKill(
  host: TestHost,
  argv: readonly string[],
  { call, nth }: KillPoint,
): Promise<boolean> {
  const trace = ['strace', '-qq', '-o', '/dev/null', '-e', `trace=${call}`, '-e', 'signal=none']
  const result = await host.exec([
    ...trace,
    '-e',
    `inject=${call}:signal=KILL:when=${nth}`,
    ...argv,
  ])
  if (result.exitCode === 137) return true
  console.log(`${call} ${nth} was not reached: ${report(result)}`)
  return false
}
