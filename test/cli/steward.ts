import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { onTestFinished } from 'vitest'
import { Store } from '../../engine/record/store.ts'
import { eventsOf, expectAsPlanned, predictedBy, previewOf } from '../truth/plan-truth.ts'

const project = join(import.meta.dirname, '../..')

export interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * What `npm test` has just built starts five times as fast as the sources, which are run where nobody says that it has
 * been built.
 */
export const stewardCommand: readonly string[] =
  process.env.STEWARD_IS_BUILT === '1'
    ? [join(project, 'bin/steward')]
    : [join(project, 'bin/node'), join(project, 'engine/cli/start.ts')]

/**
 * Runs the command line as a process of its own without a terminal, in the given folder. What would change the host is
 * previewed first, and what comes is compared with that.
 */
export function steward(cwd: string, ...args: readonly string[]): Ran {
  const preview = previewOf(args)
  const predicted = preview && predictedBy(stewardAlone(cwd, ...preview).stdout)
  const last = predicted && lastRun(cwd, args)
  const ran = stewardAlone(cwd, ...args)
  const made = predicted && lastRun(cwd, args)
  if (predicted && made && made.id !== last?.id) expectAsPlanned(predicted, made.events)
  return ran
}

/** The newest run in the state folder that the arguments name. */
function lastRun(cwd: string, args: readonly string[]) {
  const at = args.indexOf('--state')
  const state = at < 0 ? undefined : args[at + 1]
  if (state === undefined) return undefined
  try {
    return Store.reading(resolve(cwd, state), ({ runs }) => {
      const [newest] = runs.list(1)
      return newest && { id: newest.id, events: eventsOf(newest, runs.events(newest.id)) }
    })
  } catch {
    return undefined // damaged on purpose
  }
}

/** The same with nothing before it, and no look at the record. */
export function stewardAlone(cwd: string, ...args: readonly string[]): Ran {
  const { status, stdout, stderr } = spawnSync(
    stewardCommand[0] as string,
    [...stewardCommand.slice(1), ...args],
    {
      cwd,
      encoding: 'utf8',
      env: {
        PATH: process.env.PATH,
        HOME: cwd,
        XDG_STATE_HOME: join(cwd, 'state-home'),
        // Where Node itself would put it; named here it helps from the first file on.
        NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'),
      },
    },
  )
  return { status, stdout, stderr }
}

/** A temporary folder with these files by path, removed when the test is over. */
export function folderWith(files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'steward-cli-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}
