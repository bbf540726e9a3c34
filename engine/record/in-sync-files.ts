import type { Catalog } from '../compile/catalog.ts'
import type { HostReader, Ownership } from '../host/host.ts'
import type { States } from '../probe.ts'

/** A file that is as its manifest says. */
interface InSyncFile {
  readonly ref: string
  readonly path: string
  readonly how: Ownership & { readonly mode: number }
  readonly content: Uint8Array
}

/** The files of a catalog whose content is managed and in sync, but for those at known paths. */
export function* inSyncFiles(
  catalog: Catalog,
  states: States,
  host: HostReader,
  known: ReadonlySet<string>,
): Generator<InSyncFile> {
  for (const { index, type, title, ref, desired } of catalog.resources) {
    if (type !== 'file' || known.has(title)) continue
    if (!('content' in desired || 'source' in desired)) continue
    const state = states[index]
    if (
      state?.kind !== 'known' ||
      !('changes' in state.verdict) ||
      state.verdict.changes?.length !== 0
    )
      continue
    // "Kept" and the like: what is there is not what the manifest says.
    if ('note' in state.verdict && state.verdict.note !== undefined) continue
    const found = host.stat(title)
    if (found?.kind !== 'file') continue
    const { uid, gid, mode } = found
    yield { ref, path: title, how: { uid, gid, mode }, content: host.read(title) }
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

/** The catalog with the contents of some paths hidden: what was written there last held a secret. */
export function withHiddenContents(catalog: Catalog, paths: ReadonlySet<string>): Catalog {
  if (paths.size === 0) return catalog
  return {
    ...catalog,
    resources: catalog.resources.map((resource) =>
      resource.type === 'file' && paths.has(resource.title)
        ? { ...resource, sensitive: new Set([...resource.sensitive, 'content']) }
        : resource,
    ),
  }
}
