import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { localHost } from '../../engine/host/local.ts'

// The packages acl and attr need not be there: Perl makes the system calls. Numbers: setxattr, getxattr.
const numbers = { x64: [188, 191], arm64: [5, 8] } as const
const { arch } = process
const calls = arch === 'x64' || arch === 'arm64' ? numbers[arch] : undefined
const setScript =
  'my ($n, $p, $k, $v) = @ARGV; $v = pack "H*", $v; exit(syscall($n + 0, $p, $k, $v, length $v, 0) != 0)'
const getScript =
  'my ($n, $p, $k) = @ARGV; my $v = "\\0" x 999; my $l = syscall($n + 0, $p, $k, $v, 999); print $l < 0 ? "none" : unpack "H*", substr $v, 0, $l'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'attributes-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

function set(path: string, name: string, hex: string): void {
  execFileSync('perl', ['-e', setScript, String(calls?.[0]), path, name, hex])
}
function get(path: string, name: string): string {
  return execFileSync('perl', ['-e', getScript, String(calls?.[1]), path, name], {
    encoding: 'utf8',
  })
}
function hasAttributes(): boolean {
  const probe = mkdtempSync(join(tmpdir(), 'attributes-'))
  try {
    set(probe, 'user.probe', '01')
    return true
  } catch {
    return false
  } finally {
    rmSync(probe, { recursive: true })
  }
}

const own = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 }

describe.skipIf(!existsSync('/usr/bin/perl') || calls === undefined || !hasAttributes())(
  'a file that is replaced (Perl, a file system with attributes)',
  () => {
    test('keeps its extended attributes, and its neighbour gets none', () => {
      const [path, other] = [join(dir, 'f'), join(dir, 'g')]
      writeFileSync(path, 'old')
      writeFileSync(other, 'old')
      set(path, 'user.note', '6869')
      const host = localHost()
      for (const body of ['new', 'newer']) {
        host.writeFile(path, Buffer.from(body), { ...own, mode: 0o600 })
        host.writeFile(other, Buffer.from(body), { ...own, mode: 0o600 })
      }
      expect(get(path, 'user.note')).toBe('6869')
      expect(get(other, 'user.note')).toBe('none')
      expect(host.read(path).toString()).toBe('newer')
    })

    test('keeps its ACL, whose mask is the group part of the new mode', () => {
      const path = join(dir, 'f')
      writeFileSync(path, 'old')
      // Version 2; user::rw-, user:33:rw-, group::r--, mask::rw-, other::---
      const acl = (mask: string) =>
        `02000000${'01000600ffffffff'}${'0200060021000000'}${'04000400ffffffff'}1000${mask}ffffffff${'20000000ffffffff'}`
      set(path, 'system.posix_acl_access', acl('0600'))
      const host = localHost()
      host.writeFile(path, Buffer.from('new'), { ...own, mode: 0o640 })
      expect(get(path, 'system.posix_acl_access')).toBe(acl('0400'))
      expect(lstatSync(path).mode & 0o7777).toBe(0o640)
      expect(host.read(path).toString()).toBe('new')
    })
  },
)
