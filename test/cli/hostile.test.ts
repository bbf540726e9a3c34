import { execFileSync, spawnSync } from 'node:child_process'
import { lstatSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeTree } from '../support/disk-tree.ts'
import { folderWith, steward, stewardCommand } from './steward.ts'

const places = ['--root', 'tree', '--state', 'state']
const apply = (folder: string, ...more: string[]) =>
  steward(folder, 'apply', 'main', '--manifests', 'm', ...places, ...more)

const manifest = (resources: string) => `class: main\nresources:\n${resources}`

/** Characters that a terminal obeys, or that change the order of what it shows. */
const raw = /[\p{Cc}\p{Bidi_Control}]/u

describe('names and texts that a terminal would obey', () => {
  const names = ['\u001b]0;title\u0007', 'two\nlines', 'sub/\u009bcsi', 'left\u202eright']
  const resources = `  - file: /d
    ensure: directory
    recurse: true
    purge: true
    force: true
  - file: /text
    content: "new\\n"
`
  const hostile = () => {
    const folder = folderWith({ 'm/main.yaml': manifest(resources), 'tree/d/plain': 'x' })
    const d = join(folder, 'tree/d')
    makeTree(d, Object.fromEntries(names.map((name) => [name, 'kept'])))
    execFileSync('bash', ['-c', 'printf x >"$1/$(printf "\\377bad")"', 'bash', d])
    writeFileSync(join(folder, 'tree/text'), 'a\u001b[2Jb\n')
    return folder
  }

  test('are shown without being obeyed by each command that names them', () => {
    const folder = hostile()
    const seen = [apply(folder, '--dry-run'), apply(folder, '--yes', '--verbose')]
    const run = JSON.parse(steward(folder, 'runs', '--json', '--state', 'state').stdout) as {
      id: string
    }[]
    const id = run[0]?.id ?? ''
    seen.push(
      steward(folder, 'bucket', 'list', ...places),
      steward(folder, 'bucket', 'diff', '/text', ...places),
      steward(folder, 'runs', 'show', id, '--verbose', '--state', 'state'),
      steward(folder, 'undo', id, '--dry-run', '--manifests', 'm', ...places),
      steward(folder, 'status', ...places),
      steward(folder, 'runs', 'show', id, '--json', '--state', 'state'),
      steward(folder, 'bucket', 'list', '--json', ...places),
    )
    for (const { stdout, stderr } of seen) {
      expect(stdout + stderr).not.toContain('bug')
      for (const line of (stdout + stderr).split('\n')) expect(line).not.toMatch(raw)
    }
    expect(seen[2]?.stdout).toContain('/d/\\x1b]0;title\\x07')
    expect(seen[2]?.stdout).toContain('/d/two\\nlines')
  })
  test('come back as they were', () => {
    const folder = hostile()
    apply(folder, '--yes')
    const [run] = JSON.parse(steward(folder, 'runs', '--json', '--state', 'state').stdout) as {
      id: string
    }[]
    expect(
      steward(folder, 'undo', run?.id ?? '', '--yes', '--manifests', 'm', ...places).status,
    ).toBe(0)
    for (const name of names)
      expect(readFileSync(join(folder, 'tree/d', name), 'utf8')).toBe('kept')
  })
})

describe('what lies in place of a file', () => {
  test('and is no file is told, each for itself, and left as it is', () => {
    const kinds = ['fifo', 'socket', 'device', 'directory', 'lines']
    const resources = `  - file: [/fifo, /socket, /device, /directory]
    content: new
  - file_line: line
    path: /lines
    line: x
  - file: /fine
    content: new
`
    const folder = folderWith({ 'm/main.yaml': manifest(resources), 'tree/x': '' })
    execFileSync('bash', [
      '-euc',
      `cd "$1/tree"; mkfifo fifo lines; mkdir directory; mknod device c 1 7
       perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => "socket", Listen => 1) or die'`,
      'bash',
      folder,
    ])
    const kindOf = (name: string) => lstatSync(join(folder, 'tree', name)).mode
    const before = kinds.map(kindOf)
    const { status, stdout } = apply(folder, '--yes')
    expect(status).toBe(4)
    for (const name of kinds) expect(stdout).toMatch(new RegExp(`error: [^\n]*/${name} is a `))
    expect(stdout).not.toContain('bug')
    expect(kinds.map(kindOf)).toEqual(before)
    expect(readFileSync(join(folder, 'tree/fine'), 'utf8')).toBe('new')
  })

  test('and is a hard link leaves its other name as it is', () => {
    const resources = '  - file: /f\n    content: new\n    mode: "0600"\n'
    const folder = folderWith({ 'm/main.yaml': manifest(resources), 'tree/victim': 'old' })
    execFileSync('ln', [join(folder, 'tree/victim'), join(folder, 'tree/f')])
    expect(apply(folder, '--yes').status).toBe(0)
    expect(readFileSync(join(folder, 'tree/victim'), 'utf8')).toBe('old')
    expect(statSync(join(folder, 'tree/victim')).mode & 0o777).toBe(0o644)
  })

  test('and is larger than the memory that there is is not read into it', () => {
    const resources =
      '  - file: /f\n    content: new\n  - file_line: l\n    path: /lines\n    line: x\n'
    const folder = folderWith({
      'm/main.yaml': manifest(resources),
      'tree/f': '',
      'tree/lines': '',
    })
    const large = 1024 ** 3
    for (const name of ['f', 'lines']) truncateSync(join(folder, 'tree', name), large)
    const limited = ['--data=900000000', ...stewardCommand, 'apply', 'main', '--dry-run']
    const { status, stdout } = spawnSync('prlimit', [...limited, '--manifests', 'm', ...places], {
      cwd: folder,
      encoding: 'utf8',
    })
    expect(stdout).toMatch(/! file_line\[l\] +\/lines: is larger than 64 MiB/)
    expect(stdout).toMatch(/~ file\[\/f\] +content 1073741824 bytes → sha256:/)
    expect(status).toBe(4)
  })

  test('and finds no room in the bucket stays', () => {
    const resources = '  - file: /f\n    content: new\n'
    const folder = folderWith({ 'm/main.yaml': manifest(resources), 'tree/f': '' })
    truncateSync(join(folder, 'tree/f'), 8 * 1024 ** 4)
    const { status, stdout } = apply(folder, '--yes')
    expect(stdout).toMatch(
      /error: file\[\/f\]: the state folder .* no room for 8796093022208 bytes/,
    )
    expect(status).toBe(4)
    expect(statSync(join(folder, 'tree/f')).size).toBe(8 * 1024 ** 4)
  })

  test('and is a zulip.conf that is far too large is refused', () => {
    const folder = folderWith({
      'm/main.yaml': manifest('  - file: /f\n    content: x\n'),
      'tree/x': '',
      'zulip.conf': '',
    })
    truncateSync(join(folder, 'zulip.conf'), 1024 ** 3)
    const { status, stderr } = steward(
      folder,
      'apply',
      '--dry-run',
      '--config',
      'zulip.conf',
      '--manifests',
      'm',
      ...places,
    )
    expect(status).toBe(1)
    expect(stderr).toMatch(/^error: zulip\.conf can't be read .* is larger than 64 MiB/)
  })
})
