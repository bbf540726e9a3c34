import { hash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Refusal } from '../diagnostics/diagnostic.ts'
import { systemPath } from '../host/bytes.ts'
import type { Format } from '../resources/file/settings.ts'

/** A file that was edited on its host, as it was then. */
export interface SavedEdit {
  readonly path: string
  readonly ref: string
  readonly kind: 'file' | 'link'
  readonly mode: number
  /** Names, which are asked before the numbers: an account may have got another number since. */
  readonly owner: string
  readonly group: string
  readonly uid: number
  readonly gid: number
  /** How it says settings, where that is told. */
  readonly format?: Format
  /** Of a link. */
  readonly target?: string
  /** Of a file. */
  readonly content?: Buffer
  /** The version of the manifests that it was edited from; absent where that is not known. */
  readonly base?: Buffer
}

type Entry = Omit<SavedEdit, 'content' | 'base'> & {
  /** SHA-256, in hex. */
  readonly content?: string
  readonly base?: string
}

const FORMAT = 'steward local edits 1'
const MANIFEST = 'manifest.json'

/** Writes them into a folder that only its owner can enter, which must be new or empty. */
export function saveEdits(folder: string, edits: readonly SavedEdit[]): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    if (readdirSync(folder).length > 0) throw new Error('it is not empty')
    const files = edits.map(({ content, base, ...edit }): Entry => {
      if (content) put(join(folder, 'files', edit.path), content)
      if (base) put(join(folder, 'base', edit.path), base)
      return {
        ...edit,
        ...(content ? { content: digest(content) } : {}),
        ...(base ? { base: digest(base) } : {}),
      }
    })
    // Last: a folder without it was not finished.
    const manifest = { format: FORMAT, saved: new Date().toISOString(), sum: sumOf(files), files }
    put(join(folder, MANIFEST), Buffer.from(`${JSON.stringify(manifest, undefined, 1)}\n`))
  } catch (error) {
    throw unusable(folder, `can't be written: ${(error as Error).message}`, 'name a new folder')
  }
}

function put(path: string, content: Uint8Array): void {
  mkdirSync(systemPath(dirname(path)), { recursive: true, mode: 0o700 })
  writeFileSync(systemPath(path), content, { mode: 0o600, flush: true })
}

/** Reads them back. Refuses a folder of which anything is not as it was saved. */
export function readEdits(folder: string): SavedEdit[] {
  const files = entriesOf(folder)
  return files.map(({ content, base, ...edit }) => ({
    ...edit,
    ...(content === undefined ? {} : { content: get(folder, join('files', edit.path), content) }),
    ...(base === undefined ? {} : { base: get(folder, join('base', edit.path), base) }),
  }))
}

function entriesOf(folder: string): readonly Entry[] {
  const help = 'make one with: steward local save DIR'
  let found: {
    readonly format?: string
    readonly sum?: string
    readonly files?: readonly Entry[]
  } | null
  try {
    found = JSON.parse(readFileSync(join(folder, MANIFEST), 'utf8'))
  } catch (error) {
    throw unusable(folder, `holds no edits that were saved: ${(error as Error).message}`, help)
  }
  if (found?.format !== FORMAT || !Array.isArray(found.files))
    throw unusable(folder, 'holds no edits that this steward can read', help)
  if (found.sum !== sumOf(found.files))
    throw unusable(folder, `holds ${MANIFEST} other than it was saved`, 'use another copy of it')
  return found.files
}

function get(folder: string, name: string, expected: string): Buffer {
  let content: Buffer
  try {
    content = readFileSync(systemPath(join(folder, name)))
  } catch (error) {
    throw unusable(folder, `lacks ${name}: ${(error as Error).message}`, 'use another copy of it')
  }
  if (digest(content) === expected) return content
  const help = `edit the file in its place instead, once it is restored`
  throw unusable(folder, `holds ${name} other than it was saved`, help)
}

function unusable(folder: string, what: string, help: string): Refusal {
  return new Refusal({ severity: 'error', code: 'usage', message: `${folder} ${what}`, help })
}

/** Over where the files lie, whose they are and what is in them. */
function sumOf(files: readonly Entry[]): string {
  return digest(Buffer.from(JSON.stringify(files)))
}

function digest(content: Uint8Array): string {
  return hash('sha256', content)
}
