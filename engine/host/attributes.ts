import { spawn, spawnSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemPath } from './bytes.ts'
import { HostError } from './error.ts'
import { thingFlags } from './folder.ts'
import { perl, systemCalls } from './perl.ts'

/**
 * ACLs and extended attributes of a file that is replaced. Node can neither list nor copy them. cp(1) copies
 * both, without the packages acl and attr, but as a process for each file; most files have none. So
 * a Perl process, which lives as long as steward and is started for the first file that is replaced,
 * says which have any. Where there is no Perl, cp is asked each time.
 */

/**
 * Takes them over to the file that replaces it, or throws rather than lose them. Both files are named by
 * open descriptors, so no name can be exchanged meanwhile.
 */
export function keepAttributes(old: string, newFd: number, path: string): void {
  const oldFd = openSync(systemPath(old), thingFlags)
  try {
    if (countBytes(place(oldFd)) === 0) return
    const copied = spawnSync(
      'cp',
      ['--attributes-only', '--preserve=mode,xattr', '--', place(oldFd), place(newFd)],
      { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' },
    )
    if (copied.status !== 0) {
      const reason = copied.error?.message ?? copied.stderr.trim()
      throw new HostError('ENOTSUP', path, `its ACL or attributes can't be kept: ${reason}`)
    }
  } finally {
    closeSync(oldFd)
  }
}

/** As another process finds our descriptor. */
function place(fd: number): string {
  return `/proc/${process.pid}/fd/${fd}`
}

interface Asker {
  readonly questions: number
  readonly answers: number
}
let asker: Asker | 'none' | undefined

/** How long the list of attribute names is, the ACLs among them; undefined where that can't be told. */
function countBytes(path: string): number | undefined {
  asker ??= startAsker()
  if (asker === 'none') return undefined
  const answer = Buffer.alloc(32)
  try {
    writeSync(asker.questions, `${path}\n`)
    const length = readSync(asker.answers, answer)
    const count = length === 0 ? -1 : Number.parseInt(answer.toString('latin1', 0, length), 10)
    return count < 0 ? undefined : count
  } catch {
    // It was ended by somebody (EPIPE): cp answers from here on.
    asker = 'none'
    return undefined
  }
}

/**
 * A path a line; answers with what listxattr(2) returns: 95 is ENOTSUP, a file system that has no attributes.
 */
const script = `
my $listxattr = shift() + 0;
$| = 1;
while (my $path = <STDIN>) {
  chomp $path;
  my $nowhere = '';
  my $length = syscall $listxattr, $path, $nowhere, 0;
  print $length < 0 && $! == 95 ? 0 : $length, "\\n";
}
`

/** Talks through two fifos, for `node:fs` reads and writes those without a turn of the event loop. */
function startAsker(): Asker | 'none' {
  const calls = systemCalls()
  if (calls === undefined) return 'none'
  const dir = mkdtempSync(join(tmpdir(), 'steward-'))
  try {
    const names = [join(dir, 'questions'), join(dir, 'answers')] as const
    if (spawnSync('mkfifo', ['-m', '600', ...names]).status !== 0) return 'none'
    const [asked, questions] = openFifo(names[0])
    const [answers, answered] = openFifo(names[1])
    const child = spawn(perl, ['-e', script, String(calls.listxattr)], {
      stdio: [asked, answered, 'ignore'],
      // Ctrl-C is for steward; this process ends when steward's end of the fifo closes.
      detached: true,
    })
    child.on('error', () => undefined)
    child.unref()
    closeSync(asked)
    closeSync(answered)
    return { questions, answers }
  } finally {
    rmSync(dir, { recursive: true })
  }
}

/** Both ends, to read and to write. Opened both ways first: one end alone would wait for the other. */
function openFifo(path: string): [number, number] {
  const both = openSync(path, constants.O_RDWR)
  try {
    return [openSync(path, constants.O_RDONLY), openSync(path, constants.O_WRONLY)]
  } finally {
    closeSync(both)
  }
}
