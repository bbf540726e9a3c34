import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Runs the very Node that steward is to run on. */
const launcher = join(import.meta.dirname, '../bin/node')

/**
 * Makes `steward.blob` in the folder of the bundle: the memory of a steward that is about to read its arguments,
 * from which Node starts in a fraction of the time that it takes to load the bundle. What a run calls was compiled
 * by a dry run of the shipped example. It fits the very Node that made it, on any processor of its architecture.
 */
export function makeSnapshot(bundle: string): void {
  const scratch = mkdtempSync(join(tmpdir(), 'steward-build-'))
  const blob = join(bundle, 'steward.blob')
  try {
    mkdirSync(join(scratch, 'etc'))
    writeFileSync(join(scratch, 'etc/os-release'), 'ID=debian\nVERSION_ID="12"\n')
    // One letter beyond Latin 1 would double the size of the text in memory.
    const source = join(bundle, 'snapshot.cjs')
    writeFileSync(source, readFileSync(source, 'utf8').replace(/[^\0-\xff]/g, escaped))
    const config = join(scratch, 'snapshot.json')
    // Without Node's own code that is in there already.
    writeFileSync(config, JSON.stringify({ builder: 'snapshot.cjs', withoutCodeCache: true }))
    const example = ['apply', '--dry-run', '--root', scratch]
    const making = ['--no-warnings', '--snapshot-blob', blob, '--build-snapshot-config', config]
    node(bundle, ['--no-flush-bytecode', ...making, ...example])
    node(bundle, ['--snapshot-blob', blob, 'steward.cjs', '--version'])
  } finally {
    rmSync(scratch, { recursive: true })
    rmSync(join(bundle, 'snapshot.cjs'))
  }
}

function escaped(letter: string): string {
  return `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function node(cwd: string, argv: readonly string[]): void {
  const { status, stderr, stdout } = spawnSync(launcher, argv, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`The snapshot does not work (${status}): ${stderr}${stdout}`)
}
