import { bytesOf, textOf } from '../host/bytes.ts'
import { HostError } from '../host/error.ts'
import type { FileStat, Host, HostReader } from '../host/host.ts'
import { followLinks } from './links.ts'
import { newFileMode } from './mode.ts'
import { normalPath, pathMistake } from './path.ts'
import { ApplyError, type Resource } from './type.ts'

/*
 * For types that keep a part of a text file, and leave the rest of it byte for byte as it is.
 */

/** A file as lines; bytes that are no UTF-8 are lone surrogates, as in the names of a host. */
export interface TextFile {
  /** Where the path leads once its links are followed. */
  readonly path: string
  /** Absent where nothing is there; then there are no lines. */
  readonly stat: FileStat | undefined
  /** Each with the end that it has; only the last may have none. */
  readonly lines: readonly string[]
  /** What new lines end with: as the first line of the file does. */
  readonly end: '\n' | '\r\n'
  /** The byte order mark, where the file begins with one. */
  readonly mark: string
}

/** Why the file can't be edited. */
export interface NoText {
  readonly blocked: string
  readonly help?: string
}

export type FoundText = TextFile | NoText

/** The text files that resources name, each read once; in the order of the resources. */
export function readTextFiles(
  resources: readonly Resource<{ readonly path: string }>[],
  host: HostReader,
): FoundText[] {
  const found = new Map<string, FoundText>()
  return resources.map(({ desired }) => {
    const path = normalPath(desired.path)
    const known = found.get(path) ?? readTextFile(path, host)
    found.set(path, known)
    return known
  })
}

export function readTextFile(path: string, host: HostReader): FoundText {
  try {
    const followed = followLinks(path, host)
    if ('blocked' in followed) {
      const { blocked, help } = followed
      return help === undefined ? { blocked } : { blocked, help }
    }
    const { stat } = followed
    if (stat !== undefined && stat.kind !== 'file') {
      return { blocked: `${path} is a ${stat.kind} and no text file` }
    }
    const bytes = stat === undefined ? new Uint8Array() : host.read(followed.path)
    if (bytes.includes(0)) return { blocked: `${path} holds NUL bytes, and is no text file` }
    return { path: followed.path, stat, ...parseText(textOf(bytes)) }
  } catch (error) {
    if (error instanceof HostError) {
      const { message: blocked, help } = error
      return help === undefined ? { blocked } : { blocked, help }
    }
    throw error
  }
}

function parseText(text: string): Pick<TextFile, 'lines' | 'end' | 'mark'> {
  const mark = text.startsWith('\ufeff') ? '\ufeff' : ''
  const lines = text.slice(mark.length).match(/[^\n]*\n|[^\n]+$/g) ?? []
  return { lines, end: lines[0]?.endsWith('\r\n') ? '\r\n' : '\n', mark }
}

/** A line without its end. */
export function bare(line: string): string {
  return line.replace(/\r?\n$/, '')
}

/** Puts lines in the place of some: from an index on, as many as are given. */
export function spliced(
  { lines, end }: Pick<TextFile, 'lines' | 'end'>,
  at: number,
  remove: number,
  ...insert: readonly string[]
): string[] {
  return lines.toSpliced(at, remove, ...insert.map((line) => line + end))
}

/**
 * Reads the file anew, for others may have edited it since the probe, and puts the edited lines in
 * place: with the owner and mode that it has, and root's and 0644, or what is given, where it is new. Nothing is
 * written where `edit` gives nothing.
 */
export function editTextFile(
  {
    ref,
    path: written,
    newMode = newFileMode,
  }: { readonly ref: string; readonly path: string; readonly newMode?: number },
  host: Host,
  edit: (file: TextFile) => readonly string[] | NoText | undefined,
): void {
  const file = readTextFile(normalPath(written), host)
  const lines = 'blocked' in file ? file : edit(file)
  if (lines === undefined) return
  if ('blocked' in lines) {
    throw new ApplyError(`${ref}: ${lines.blocked}`, lines.help ? { help: lines.help } : {})
  }
  const { path, stat, end, mark } = file as TextFile
  const last = lines.length - 1
  const whole = lines.map((line, at) => (at === last || line.endsWith('\n') ? line : line + end))
  const { uid, gid, mode } = stat ?? { uid: 0, gid: 0, mode: newMode }
  host.writeFile(path, bytesOf(mark + whole.join('')), { uid, gid, mode })
}

/** For types that edit what is there and make no file. */
export function missingText({ ref, desired }: Resource<{ readonly path: string }>): NoText {
  return {
    blocked: `${ref}: there is no file ${desired.path}`,
    help: `declare it: - { file: ${desired.path}, ensure: present }`,
  }
}

/** What is wrong with the path of a file that is edited, for `check`. */
export function textPathMistake({ ref, desired }: Resource<{ readonly path: string }>) {
  const mistake = pathMistake(desired.path)
  if (mistake === undefined) return undefined
  return { attribute: 'path', message: `the path of ${ref} ${mistake}` }
}

/** A regular expression of a manifest; undefined where it is none. */
export function patternOf(text: string): RegExp | undefined {
  try {
    return new RegExp(text)
  } catch {
    return undefined
  }
}
