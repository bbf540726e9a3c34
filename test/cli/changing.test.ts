import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { folderWith, stewardAlone as steward } from './steward.ts'

const places = ['--root', 'tree', '--state', 'state']
const road = ['--manifests', 'm', ...places]
const manifest = `class: main
resources:
  - file: /etc/f
    content: "of steward\\n"
  - file: /etc/purged
    ensure: directory
    recurse: true
    purge: true
`
const lines = 5000

/** Runs until the test is over: writes ever other contents, each of lines that are all the same. */
async function writing(folder: string, program: string): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    [
      '-e',
      `const fs = require('node:fs')
const text = (count) => \`version \${count}\\n\`.repeat(${lines})
let count = 0
const again = () => { for (let k = 0; k < 20; k++) step(text(++count)); setImmediate(again) }
${program}
again()`,
    ],
    { cwd: join(folder, 'tree/etc'), stdio: ['ignore', 'ignore', 'inherit'] },
  )
  onTestFinished(() => void child.kill('SIGKILL'))
  while (!existsSync(join(folder, 'tree/etc/began'))) await new Promise((go) => setTimeout(go, 20))
  return child
}

const hostWith = () =>
  folderWith({
    'tree/etc/f': 'before\n',
    'tree/etc/purged/x': 'before\n',
    'tree/etc/zulip/zulip.conf': '[machine]\npuppet_classes = main\n',
    'm/main.yaml': manifest,
  })

interface Row {
  readonly id: number
  readonly path: string
  readonly kind: string
}

/**
 * What steward kept of files, and those contents among them that never were. A file that is written in place does hold
 * a beginning of a version.
 */
function bucket(folder: string, { isInPlace = false } = {}): { rows: number; torn: string[] } {
  const { stdout } = steward(folder, 'bucket', 'list', '--json', ...places)
  const rows = (JSON.parse(stdout) as Row[]).filter(({ kind }) => kind === 'file')
  const torn = rows.flatMap(({ id, path }) => {
    const content = steward(folder, 'bucket', 'show', String(id), ...places).stdout
    const first = content.slice(0, content.indexOf('\n') + 1)
    const version = first.repeat(lines)
    const isOne =
      ['before\n', 'of steward\n'].includes(content) ||
      (isInPlace ? version.startsWith(content) : version === content)
    return isOne ? [] : [`${path} ${id}: ${content.length} bytes`]
  })
  return { rows: rows.length, torn }
}

const commands = [
  ['apply', '--dry-run', ...road],
  ['apply', '--yes', ...road],
  ['local', 'diff', '/etc/f', ...road],
  ['local', 'list', ...road],
  ['apply', '--yes', '--local-edits', 'merge', ...road],
]

describe('files that change while steward looks at them', () => {
  test('by being replaced are kept whole, and come to what steward wants or a clear failure', async () => {
    const folder = hostWith()
    const renames = `const step = (content) => {
  for (const name of ['f', 'purged/x']) { fs.writeFileSync('new', content); fs.renameSync('new', name) }
  fs.writeFileSync('began', '')
}`
    const child = await writing(folder, renames)
    for (const command of [...commands, ...commands.slice(0, 2)]) {
      const { status, stdout, stderr } = steward(folder, ...command)
      expect([0, 1, 4]).toContain(status)
      expect(stdout + stderr).not.toMatch(/bug|\.ts:\d/)
      if (status === 4) expect(stdout).toMatch(/error: |conflict/)
    }
    child.kill('SIGKILL')
    const { rows, torn } = bucket(folder)
    expect(torn).toEqual([])
    expect(rows).toBeGreaterThan(1)
    expect(steward(folder, 'apply', '--yes', '--local-edits', 'overwrite', ...road).status).toBe(0)
    expect(readFileSync(join(folder, 'tree/etc/f'), 'utf8')).toBe('of steward\n')
  })

  test('by being written in place end no run otherwise than with a result or a clear failure', async () => {
    const folder = hostWith()
    const inPlace = `const step = (content) => {
  for (const name of ['f', 'purged/x']) {
    try { var fd = fs.openSync(name, 'r+') } catch { continue }
    fs.ftruncateSync(fd, 0)
    for (let at = 0; at < content.length; at += 4096) fs.writeSync(fd, content.slice(at, at + 4096))
    fs.closeSync(fd)
  }
  fs.writeFileSync('began', '')
}`
    const child = await writing(folder, inPlace)
    for (const command of commands) {
      const { status, stdout, stderr } = steward(folder, ...command)
      expect([0, 1, 4]).toContain(status)
      expect(stdout + stderr).not.toMatch(/bug|\.ts:\d/)
      if (status === 4) expect(stdout).toMatch(/error: |conflict/)
    }
    child.kill('SIGKILL')
    const { rows, torn } = bucket(folder, { isInPlace: true })
    expect(torn).toEqual([])
    expect(rows).toBeGreaterThan(0)
    expect(steward(folder, 'apply', '--yes', '--local-edits', 'overwrite', ...road).status).toBe(0)
    expect(readFileSync(join(folder, 'tree/etc/f'), 'utf8')).toBe('of steward\n')
    expect(statSync(join(folder, 'tree/etc/purged')).isDirectory()).toBe(true)
  })
})
