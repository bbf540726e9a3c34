import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import type { FileStat, HostReader } from '../host/host.ts'
import { joinPath } from './path.ts'

/** Kept in a directory that an archive was unpacked into: what it came from and what it held then. */
export interface TreeRecord {
  /** SHA-256 of the archive, in small letters. */
  readonly checksum: string
  readonly strip: number
  /** Absent where everything was taken. */
  readonly members?: readonly string[]
  /** By path below the directory: a folder, the digest of a file, or what a link says. */
  readonly entries: Readonly<Record<string, TreeEntry>>
}
type TreeEntry =
  | { readonly folder: true }
  | { readonly sha256: string; readonly executable: boolean }
  | { readonly link: string }

export const recordName = '.steward-download.json'
/** More than any archive that a server is made of, and less than fills its disk unseen. Bytes. */
export const mostUnpacked = 4 * 1024 * 1024 * 1024

/** What the directory was when it was unpacked; undefined where this type did not make it. */
export function readRecord(host: HostReader, directory: string): TreeRecord | undefined {
  const path = joinPath(directory, recordName)
  const stat = host.stat(path)
  // Only what steward wrote itself says what root may set the modes of.
  if (stat?.kind !== 'file' || (stat.uid !== 0 && stat.uid !== process.geteuid?.()))
    return undefined
  try {
    const record: unknown = JSON.parse(host.read(path).toString())
    return isRecord(record) ? record : undefined
  } catch (error) {
    // Cut short or edited: then nobody knows what the directory was.
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function isRecord(value: unknown): value is TreeRecord {
  return (
    typeof value === 'object' &&
    value !== null &&
    'checksum' in value &&
    'entries' in value &&
    typeof value.entries === 'object' &&
    value.entries !== null &&
    Object.keys(value.entries).every(isBelow)
  )
}

/** Whether a name leads to something below a directory. */
function isBelow(name: string): boolean {
  return (
    name !== '' && name.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  )
}

/** The paths below the directory that are no longer what they were unpacked as, and those of another owner. */
export function compareTree(
  host: HostReader,
  directory: string,
  { entries }: TreeRecord,
  owner: { readonly uid: number | undefined; readonly gid: number | undefined },
): { readonly damaged: string[]; readonly modes: string[]; readonly strange: string[] } {
  const damaged: string[] = []
  const modes: string[] = []
  const strange: string[] = []
  for (const [name, entry] of [['', { folder: true }] as const, ...Object.entries(entries)]) {
    const path = joinPath(directory, name)
    const stat = host.stat(path)
    if (stat === undefined || !isSame(host, path, stat, entry)) {
      damaged.push(name)
      continue
    }
    if (stat.kind !== 'link' && stat.mode !== modeOf(entry)) modes.push(name)
    if (stat.uid !== owner.uid || stat.gid !== owner.gid) strange.push(name)
  }
  return { damaged, modes, strange }
}

/** The mode that folders, programs and other files of an unpacked archive have. */
export function modeOf(entry: TreeEntry): number {
  return 'folder' in entry || ('executable' in entry && entry.executable) ? 0o755 : 0o644
}

function isSame(host: HostReader, path: string, stat: FileStat, entry: TreeEntry): boolean {
  if ('folder' in entry) return stat.kind === 'directory'
  if ('link' in entry) return stat.kind === 'link' && host.readLink(path) === entry.link
  return stat.kind === 'file' && digestOf(host, path) === entry.sha256
}

/** SHA-256 of a file, in small letters. */
export function digestOf(host: HostReader, path: string): string {
  const digest = createHash('sha256')
  for (const piece of host.readPieces(path)) digest.update(piece)
  return digest.digest('hex')
}

/**
 * What lies below a directory, or why it can't be put in place: a link that leads out of it, a thing that is
 * no file, folder or link, or more than the limit.
 */
export function surveyTree(
  host: HostReader,
  directory: string,
): { readonly entries: Record<string, TreeEntry> } | { readonly mistake: string } {
  const entries: Record<string, TreeEntry> = {}
  const folders = ['']
  let bytes = 0
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    for (const base of host.list(joinPath(directory, folder))) {
      const name = posix.join(folder, base)
      const path = joinPath(directory, name)
      const stat = host.stat(path)
      if (name === recordName) return { mistake: `it holds ${recordName}, the name of the record` }
      if (stat?.kind === 'directory') {
        entries[name] = { folder: true }
        folders.push(name)
      } else if (stat?.kind === 'link') {
        const link = host.readLink(path)
        if (leadsOut(posix.dirname(name), link)) {
          return { mistake: `the link ${name} leads out of it, or might: ${link}` }
        }
        entries[name] = { link }
      } else if (stat?.kind === 'file') {
        bytes += stat.size
        if (bytes > mostUnpacked) return { mistake: 'it unpacks to more than 4 GiB' }
        entries[name] = { sha256: digestOf(host, path), executable: (stat.mode & 0o111) !== 0 }
      } else {
        return { mistake: `${name} is neither a file nor a folder nor a link` }
      }
    }
  }
  return { entries }
}

/** Going up after going down could pass through another link, and end elsewhere than the text says. */
function leadsOut(folder: string, link: string): boolean {
  const parts = link.split('/').filter((part) => part !== '.' && part !== '')
  const ups = parts.findIndex((part) => part !== '..')
  const isPlain = ups < 0 || !parts.slice(ups).includes('..')
  const depth = folder === '.' ? 0 : folder.split('/').length
  return link.startsWith('/') || !isPlain || (ups < 0 ? parts.length : ups) > depth
}
