import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { localHost } from '../../engine/host/local.ts'

function newRoot(parent = tmpdir()): string {
  const root = mkdtempSync(join(parent, 'steward-candidate-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  return root
}

describe('a candidate', () => {
  test('lies in the root, also where its /tmp is a link, until it is removed', () => {
    const outside = newRoot('/var/tmp')
    const root = newRoot()
    mkdirSync(join(root, outside), { recursive: true })
    symlinkSync(outside, join(root, 'tmp'))
    const host = localHost({ root })
    const { path, remove } = host.candidate('app.conf', Buffer.from('new\n'))
    expect(readdirSync(outside)).toEqual([])
    expect(path).toMatch(/^\/tmp\/steward-\w{6}\/app\.conf$/)
    expect(host.read(path).toString()).toBe('new\n')
    expect(host.stat(path)?.mode).toBe(0o600)
    remove()
    expect(readdirSync(join(root, outside))).toEqual([])
  })
  test('is made nowhere else where /tmp leads to nothing in the root', () => {
    const outside = newRoot()
    const root = newRoot()
    symlinkSync(outside, join(root, 'tmp'))
    expect(() => localHost({ root }).candidate('f', Buffer.from(''))).toThrow(/\/tmp/)
    expect(readdirSync(outside)).toEqual([])
  })
  test('sweeps what a killed run left a day ago, and nothing else', () => {
    const root = newRoot()
    const old = new Date(Date.now() - 25 * 60 * 60 * 1000)
    const folder = (name: string, mode: number, at: Date, below?: string) => {
      const path = join(root, 'tmp', name)
      mkdirSync(below === undefined ? path : join(path, below), { recursive: true })
      writeFileSync(join(path, 'f'), '')
      chmodSync(path, mode)
      utimesSync(path, at, at)
    }
    folder('steward-abcDE1', 0o700, old)
    const stay = {
      'steward-abcDE2': () => folder('steward-abcDE2', 0o700, new Date()),
      'steward-abcDE3': () => folder('steward-abcDE3', 0o755, old),
      'steward-tests-x': () => folder('steward-tests-x', 0o700, old),
      'steward-abcDE4': () => folder('steward-abcDE4', 0o700, old, 'below'),
      'steward-abcDE5': () => symlinkSync('steward-abcDE2', join(root, 'tmp/steward-abcDE5')),
    }
    for (const make of Object.values(stay)) make()
    localHost({ root }).candidate('f', Buffer.from('')).remove()
    expect(readdirSync(join(root, 'tmp')).sort()).toEqual(Object.keys(stay).sort())
    expect(existsSync(join(root, 'tmp/steward-abcDE2/f'))).toBe(true)
  })
})
