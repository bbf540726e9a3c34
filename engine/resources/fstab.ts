import { normalPath } from './path.ts'
import { bare, spliced, type TextFile } from './text-file.ts'

/** A line of /etc/fstab, without its mount point. Source: fstab(5). */
export interface FstabEntry {
  readonly device: string
  readonly fstype: string
  readonly options: string
  readonly dump: number
  readonly pass: number
}

/** What is mounted at a place. Source: proc_pid_mountinfo(5). */
export interface Mounted {
  /** Those of the mount itself, not of the file system. */
  readonly options: readonly string[]
}

/** The entry of a mount point; the first, as mount(8) takes it, where there are several. */
export function fstabEntry(lines: readonly string[], mountPoint: string): FstabEntry | undefined {
  const [at] = linesOf(lines, mountPoint)
  if (at === undefined) return undefined
  const [device = '', , fstype = '', options = 'defaults', dump, pass] = fieldsOf(lines[at] ?? '')
  return { device, fstype, options, dump: Number(dump ?? 0), pass: Number(pass ?? 0) }
}

/** The lines with this entry alone for the mount point, where it stood, or without any. */
export function withFstabEntry(
  text: Pick<TextFile, 'lines' | 'end'>,
  mountPoint: string,
  entry: FstabEntry | undefined,
): readonly string[] {
  const [first, ...others] = linesOf(text.lines, mountPoint)
  const lines = others.reduceRight<readonly string[]>((all, at) => all.toSpliced(at, 1), text.lines)
  const { device, fstype, options, dump, pass } = entry ?? {}
  const fields = [device, mountPoint, fstype, options, dump, pass].map((field) => escaped(field))
  const line = entry === undefined ? [] : [fields.join('\t')]
  return first === undefined
    ? spliced({ ...text, lines }, lines.length, 0, ...line)
    : spliced({ ...text, lines }, first, 1, ...line)
}

/** The topmost mount at a path; undefined where nothing is mounted there. */
export function mountedAt(mountinfo: string, path: string): Mounted | undefined {
  const mounts = mountinfo.split('\n').map((line) => line.split(' '))
  const found = mounts.findLast((fields) => {
    // What systemd mounts on first use is not there yet.
    const isWaiting = fields[fields.indexOf('-') + 1] === 'autofs'
    return !isWaiting && unescaped(fields[4] ?? '') === path
  })
  return found && { options: (found[5] ?? '').split(',') }
}

function linesOf(lines: readonly string[], mountPoint: string): number[] {
  return lines.flatMap((line, at) => {
    const place = fieldsOf(line)[1]
    return place?.startsWith('/') && normalPath(place) === mountPoint ? [at] : []
  })
}

function fieldsOf(line: string): string[] {
  const text = bare(line).trim()
  return text.startsWith('#') ? [] : text.split(/\s+/).map(unescaped)
}

/** Blanks and backslashes are written as octal numbers, in fstab and in mountinfo alike. */
function escaped(field: string | number | undefined): string {
  return String(field).replace(
    /[\s\\]/g,
    (found) => `\\${found.charCodeAt(0).toString(8).padStart(3, '0')}`,
  )
}

function unescaped(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_all, code: string) =>
    String.fromCharCode(Number.parseInt(code, 8)),
  )
}
