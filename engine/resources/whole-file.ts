import { hash } from 'node:crypto'
import type { FileStat, Host, HostReader } from '../host/host.ts'
import { formatMode } from './mode.ts'
import type { Change } from './type.ts'

/*
 * For types that keep one small file of their own, which nobody else edits: root's, mode 0644, written whole.
 */

/** What stands at the path; undefined where nothing does, without content where it is no file. */
export type FoundFile = (FileStat & { readonly content?: Buffer }) | undefined

const owned = { mode: 0o644, uid: 0, gid: 0 } as const

export function probeWholeFile(host: HostReader, path: string): FoundFile {
  const stat = host.stat(path)
  return stat?.kind === 'file' ? { ...stat, content: host.read(path) } : stat
}

/** What makes the file hold exactly the text, or be gone where there is none. */
export function diffWholeFile(
  path: string,
  text: string | undefined,
  found: FoundFile,
): { readonly changes: readonly Change[] } | { readonly blocked: string; readonly help: string } {
  if (found?.kind === 'directory') {
    return { blocked: `${path} is a directory`, help: 'Move it away.' }
  }
  if (text === undefined) {
    const gone = { attribute: 'ensure', from: 'present', to: 'absent' }
    return { changes: found === undefined ? [] : [gone] }
  }
  const wanted = Buffer.from(text)
  const body = contentChange(found?.content, wanted)
  if (found === undefined) {
    return { changes: [{ attribute: 'ensure', from: 'absent', to: 'present' }, body] }
  }
  const kept: Change[] = []
  if (found.content === undefined || !wanted.equals(found.content)) kept.push(body)
  if (found.kind === 'file') {
    if (found.uid !== owned.uid) kept.push({ attribute: 'owner', from: found.uid, to: owned.uid })
    if (found.gid !== owned.gid) kept.push({ attribute: 'group', from: found.gid, to: owned.gid })
    const [from, to] = [formatMode(found.mode), formatMode(owned.mode)]
    if (from !== to) kept.push({ attribute: 'mode', from, to })
  }
  return { changes: kept }
}

/** Puts the text in place, or removes the file where there is none. */
export function applyWholeFile(host: Host, path: string, text: string | undefined): void {
  if (text !== undefined) host.writeFile(path, Buffer.from(text), owned)
  else if (host.stat(path) !== undefined) host.remove(path)
}

function contentChange(from: Uint8Array | undefined, to: Uint8Array): Change {
  return {
    attribute: 'content',
    from: from && digest(from),
    to: digest(to),
    content: { from, to },
  }
}

/** The bytes are compared; this only names them for people. */
function digest(content: Uint8Array): string {
  return `sha256:${hash('sha256', content).slice(0, 8)}`
}
