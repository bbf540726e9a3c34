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
    // Node's `withoutCodeCache` would leave out what was compiled of the bundle, too.
    writeFileSync(config, JSON.stringify({ builder: 'snapshot.cjs' }))
    const example = ['apply', '--dry-run', '--root', scratch]
    const making = ['--no-warnings', '--snapshot-blob', blob, '--build-snapshot-config', config]
    node(bundle, ['--no-flush-bytecode', ...making, ...example])
    writeFileSync(blob, withoutCodeCache(readFileSync(blob)))
    node(bundle, ['--snapshot-blob', blob, 'steward.cjs', '--version'])
  } finally {
    rmSync(scratch, { recursive: true })
    rmSync(join(bundle, 'snapshot.cjs'))
  }
}

/**
 * A snapshot without the compiled code of all of Node's own modules, of which steward calls few: four megabytes that
 * would be read at every start. They come last: how many there are, and then of each its name and its code, both
 * after their length. As it is where that is not found, in the snapshot of another Node. Source:
 * src/node_snapshotable.cc of Node, `SnapshotData::ToBlob`.
 */
function withoutCodeCache(blob: Buffer): Buffer {
  for (let at = 0; at < blob.length - 8; at++) {
    const count = lengthAt(blob, at)
    if (count > 0 && count < 10_000 && endOfModules(blob, at + 8, count) === blob.length)
      return Buffer.concat([blob.subarray(0, at), Buffer.alloc(8)])
  }
  return blob
}

/** Where so many modules end that begin at `start`; undefined where they can't be modules. */
function endOfModules(blob: Buffer, start: number, count: number): number | undefined {
  let at = start
  for (let left = count; left > 0; left--) {
    if (at > blob.length - 8) return undefined
    const name = at + 8
    const code = name + lengthAt(blob, at)
    if (code > blob.length - 8 || !/^[\w./-]+$/.test(blob.toString('latin1', name, code)))
      return undefined
    at = code + 8 + lengthAt(blob, code)
  }
  return at
}

/** A length of eight bytes; beyond any file where it takes more than four. */
function lengthAt(blob: Buffer, at: number): number {
  return blob.readUInt32LE(at + 4) === 0 ? blob.readUInt32LE(at) : Number.POSITIVE_INFINITY
}

function escaped(letter: string): string {
  return `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function node(cwd: string, argv: readonly string[]): void {
  const { status, stderr, stdout } = spawnSync(launcher, argv, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`The snapshot does not work (${status}): ${stderr}${stdout}`)
}
