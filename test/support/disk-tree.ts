import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

/**
 * Text or bytes of a file with mode 0644, a link where `target` is given, a
 * fifo, or a directory where nothing is given.
 */
export type DiskEntry =
  | string
  | { readonly fifo: true }
  | Uint8Array
  | {
      readonly content?: string | Uint8Array
      readonly target?: string
      readonly mode?: number
      readonly uid?: number
      readonly gid?: number
    }

/** Makes files, links and directories on the real disk, each by its path below the folder; parents are made. */
export function makeTree(folder: string, entries: Readonly<Record<string, DiskEntry>>): void {
  for (const [path, entry] of Object.entries(entries)) {
    const at = join(folder, path)
    if (typeof entry === 'object' && 'fifo' in entry) {
      mkdirSync(join(at, '..'), { recursive: true })
      execFileSync('sh', ['-c', 'mkfifo -- "$1"', 'sh', at])
      continue
    }
    const plain = typeof entry === 'string' || entry instanceof Uint8Array
    const { content, target, mode, uid, gid } = plain ? { content: entry } : entry
    mkdirSync(join(at, '..'), { recursive: true })
    if (target !== undefined) symlinkSync(target, at)
    else if (content === undefined) mkdirSync(at, { recursive: true })
    else writeFileSync(at, content)
    if (target !== undefined)
      lchownSync(at, uid ?? process.getuid?.() ?? 0, gid ?? process.getgid?.() ?? 0)
    else {
      if (uid !== undefined || gid !== undefined) chownSync(at, uid ?? 0, gid ?? 0)
      chmodSync(at, mode ?? (content === undefined ? 0o755 : 0o644))
    }
  }
}

/**
 * What is below a folder, by path: `file 0644 text`, `directory 0755`, `link ../x`; with `
 * 1000:1000` where it is not of whoever runs.
 */
export function readTree(folder: string, below = ''): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of readdirSync(join(folder, below))) {
    const path = join(below, name)
    const at = join(folder, path)
    const stat = lstatSync(at)
    const mode = (stat.mode & 0o7777).toString(8).padStart(4, '0')
    const isOwn = stat.uid === process.geteuid?.() && stat.gid === process.getegid?.()
    const owner = isOwn ? '' : ` ${stat.uid}:${stat.gid}`
    if (stat.isSymbolicLink()) found[path] = `link${owner} ${readlinkSync(at)}`
    else if (stat.isDirectory()) found[path] = `directory ${mode}${owner}`
    else if (stat.isFile()) found[path] = `file ${mode}${owner} ${readFileSync(at, 'utf8')}`
    else found[path] = `special ${mode}${owner}`
    if (stat.isDirectory()) Object.assign(found, readTree(folder, path))
  }
  return found
}
