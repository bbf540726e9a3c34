import { hash } from 'node:crypto'
import type { Catalog } from '../compile/catalog.ts'
import { bytesOf } from '../host/bytes.ts'
import type { HostReader, Ownership } from '../host/host.ts'
import { largestRead } from '../host/read.ts'
import type { States } from '../probe.ts'

/** A file that is as its manifest says. */
interface InSyncFile {
  readonly ref: string
  readonly path: string
  readonly how: Ownership & { readonly mode: number }
  readonly content: Uint8Array
  /** SHA-256 of the content, in hex. */
  readonly digest: string
}

/** The files of a catalog whose content is managed and in sync, where the record may have another version for it. */
export function* inSyncFiles(
  catalog: Catalog,
  states: States,
  host: HostReader,
): Generator<InSyncFile> {
  for (const { index, type, title, ref, desired } of catalog.resources) {
    const state = states[index]
    if (type !== 'file' || state?.kind !== 'known') continue
    if (!('isUnsettled' in state.verdict && state.verdict.isUnsettled)) continue
    if (!('content' in desired || 'source' in desired)) continue
    const found = host.stat(title)
    if (found?.kind !== 'file' || found.size > largestRead) continue
    const content = host.read(title)
    const digest = hash('sha256', content)
    // Something else may have changed it since it was looked at.
    if ('content' in desired && hash('sha256', bytesOf(String(desired.content))) !== digest)
      continue
    const { uid, gid, mode } = found
    yield { ref, path: title, how: { uid, gid, mode }, content, digest }
  }
}

/** Edited files that hold their version of the manifests without a change. */
export function* unchangedBases(
  states: States,
): Generator<{ readonly path: string; readonly content: Uint8Array }> {
  for (const state of states) {
    if (state?.kind === 'known' && 'bases' in state.verdict) yield* state.verdict.bases ?? []
  }
}

/** The catalog with the contents of some paths hidden, also below directories: what was written there held a secret. */
export function withHiddenContents(catalog: Catalog, paths: ReadonlySet<string>): Catalog {
  if (paths.size === 0) return catalog
  const all = [...paths]
  return {
    ...catalog,
    resources: catalog.resources.map((resource) => {
      if (resource.type !== 'file') return resource
      const { title, desired } = resource
      const below = 'recurse' in desired ? all.filter((path) => path.startsWith(`${title}/`)) : []
      const hidden = below.map((path) => `${path.slice(title.length + 1)}: content`)
      if (paths.has(title)) hidden.push('content')
      if (hidden.length === 0) return resource
      return { ...resource, sensitive: new Set([...resource.sensitive, ...hidden]) }
    }),
  }
}
