import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { type IPty, spawn as spawnTerminal } from '@lydell/node-pty'
import { describe, expect, onTestFinished, test } from 'vitest'
import { acquireLock } from '../../engine/host/lock.ts'
import { folderWith } from './steward.ts'

const project = join(import.meta.dirname, '../..')
const site = { 'm/site.yaml': 'class: site\nresources:\n  - file: /x\n    content: x\n' }
const args = ['apply', 'site', '--yes', '--manifests', 'm', '--root', '.', '--state', 'state']

function start(folder: string, command: readonly string[], stdout: 'pipe' | number = 'pipe') {
  const child: ChildProcess = spawn(
    join(project, 'bin/node'),
    [join(project, 'engine/cli/start.ts'), ...command],
    { cwd: folder, stdio: ['ignore', stdout, 'pipe'] },
  )
  onTestFinished(() => void child.kill('SIGKILL'))
  const said = { stdout: '', stderr: '' }
  child.stdout?.on('data', (piece) => (said.stdout += piece))
  child.stderr?.on('data', (piece) => (said.stderr += piece))
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  return { child, said, ended }
}

describe('a signal', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s ends the wait for another run', async (signal, status) => {
    const folder = folderWith({ ...site, 'state/kept': '' })
    const lock = await acquireLock(join(folder, 'state/run.lock'), { waitMs: 0, run: 'other' })
    onTestFinished(lock.release)
    const { child, said, ended } = start(folder, args)
    child.stdout?.once('data', () => child.kill(signal))
    expect(await ended).toBe(status)
    expect(said.stderr).toBe('')
    expect(existsSync(join(folder, 'x'))).toBe(false)
  })
})

describe('at the question', () => {
  const asked = (answer: (terminal: IPty) => void) => {
    const folder = folderWith(site)
    const command = args.filter((arg) => arg !== '--yes')
    const terminal = spawnTerminal(
      join(project, 'bin/node'),
      [join(project, 'engine/cli/start.ts'), ...command],
      { cwd: folder },
    )
    let shown = ''
    let isAnswered = false
    terminal.onData((text) => {
      shown += text
      if (isAnswered || !shown.includes('[y/N]')) return
      isAnswered = true
      answer(terminal)
    })
    return new Promise<{ exitCode: number; shown: string; isMade: boolean }>((resolve) =>
      terminal.onExit(({ exitCode }) =>
        resolve({ exitCode, shown, isMade: existsSync(join(folder, 'x')) }),
      ),
    )
  }

  test('a signal is a no, and the exit status tells of it', async () => {
    const { exitCode, shown, isMade } = await asked(({ pid }) => process.kill(pid, 'SIGTERM'))
    expect(exitCode).toBe(143)
    expect(shown).toMatch(/\[y\/N\] .*\r\nNothing was changed\.\r\n$/s)
    expect(isMade).toBe(false)
  })

  test('a no is no failure', async () => {
    const { exitCode, isMade } = await asked((terminal) => terminal.write('n\r'))
    expect(exitCode).toBe(0)
    expect(isMade).toBe(false)
  })
})

describe('an output', () => {
  test('that takes nothing any more lets a run end, which then fails', async () => {
    const folder = folderWith(site)
    const full = openSync('/dev/full', 'w')
    const { said, ended } = start(folder, args, full)
    closeSync(full)
    const status = await ended
    expect(said.stderr).toMatch(/^error: the standard output can't be written: .*\n$/)
    expect(status).toBe(4)
    expect(existsSync(join(folder, 'x'))).toBe(true)
  })
})
