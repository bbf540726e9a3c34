import { hash } from 'node:crypto'
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { build, shippedFolder } from '../shipped.ts'
import type { ManifestCache } from './library.ts'
import type { Manifest } from './manifest.ts'

/** More than a server has classes; beyond, what was not written for longest goes. */
const keptFiles = 1000

/**
 * What the bundle holds of the shipped manifests, and what earlier runs kept of others in the state folder.
 * A run that must change nothing, such as a dry run, only reads. Undefined where steward runs from sources.
 */
export function keptManifests(options: {
  readonly state: string
  readonly mayWrite: boolean
}): ManifestCache | undefined {
  if (build === undefined) return undefined
  const own = join(options.state, 'cache/manifests')
  return manifestCache({
    build,
    folders: [join(shippedFolder('dist'), 'manifests'), own],
    writeTo: options.mayWrite ? own : undefined,
  })
}

/**
 * Parsed manifests in folders, each in a file named by the hash of its text and of `build`, which stands for
 * the parser and the schemas: what another version of steward kept is never taken.
 *
 * @param folders looked through in this order; those that do not exist are empty
 * @param writeTo where what was found nowhere is kept; nothing is kept where this is absent
 */
export function manifestCache(options: {
  readonly build: string
  readonly folders: readonly string[]
  readonly writeTo?: string | undefined
}): ManifestCache {
  const nameOf = (text: string) => `${hash('sha256', `${options.build}\n${text}`)}.json`
  return {
    get(file, text) {
      const name = nameOf(text())
      for (const folder of options.folders) {
        const kept = readKept(join(folder, name))
        // The same text under another name is no manifest of that name.
        if (kept !== undefined && file.endsWith(`/${kept.name.replaceAll('::', '/')}.yaml`)) {
          return { ...kept, file }
        }
      }
      return undefined
    },
    put(_file, text, manifest) {
      if (options.writeTo !== undefined) write(options.writeTo, nameOf(text), manifest)
    },
  }
}

function readKept(path: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Manifest
  } catch {
    return undefined // not kept, or not whole: it is parsed again
  }
}

/** The cache only saves time: where it can't be written, the run goes on without. */
function write(folder: string, name: string, manifest: Manifest): void {
  const text = exactJson(manifest)
  if (text === undefined) return
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const temporary = join(folder, `${name}.${process.pid}`)
    writeFileSync(temporary, text, { mode: 0o600 })
    renameSync(temporary, join(folder, name))
    prune(folder)
  } catch {
    return
  }
}

/** Undefined where JSON would not give back what went in: YAML has numbers that JSON has not. */
function exactJson(manifest: Manifest): string | undefined {
  let exact = true
  // The path is left out: the copy also serves where the same text lies elsewhere.
  const text = JSON.stringify({ ...manifest, file: '' }, (_key, value: unknown) => {
    if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0)))
      exact = false
    return value
  })
  return exact ? text : undefined
}

function prune(folder: string): void {
  const names = readdirSync(folder)
  if (names.length <= keptFiles) return
  const aged = names.map((name) => ({ name, mtimeMs: statSync(join(folder, name)).mtimeMs }))
  aged.sort((a, b) => a.mtimeMs - b.mtimeMs)
  for (const { name } of aged.slice(0, names.length - keptFiles)) rmSync(join(folder, name))
}
