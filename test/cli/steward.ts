import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'

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
const command =
  process.env.STEWARD_IS_BUILT === '1'
    ? [join(project, 'bin/steward')]
    : [join(project, 'bin/node'), join(project, 'engine/cli/start.ts')]

/** Runs the command line as a process of its own without a terminal, in the given folder. */
export function steward(cwd: string, ...args: readonly string[]): Ran {
  const { status, stdout, stderr } = spawnSync(
    command[0] as string,
    [...command.slice(1), ...args],
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
