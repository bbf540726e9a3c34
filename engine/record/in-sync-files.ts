import { hash } from 'node:crypto'
import type { Catalog } from '../compile/catalog.ts'
import { bytesOf } from '../host/bytes.ts'
import type { HostReader, Ownership } from '../host/host.ts'
import { largestRead } from '../host/read.ts'
import type { States } from '../probe.ts'
import { type FileDesired, followsLink, type LateText } from '../resources/file/desired.ts'
import { copiedNames } from '../resources/file/tree.ts'
import { followLinks } from '../resources/links.ts'
import { joinPath, normalPath } from '../resources/path.ts'
import type { Verdict } from '../resources/type.ts'

/** A file that is as its manifest says. */
interface InSyncFile {
  readonly ref: string
  readonly path: string
  readonly how: Ownership & { readonly mode: number }
  readonly content: Uint8Array
  /** SHA-256 of the content, in hex. */
  readonly digest: string
}

/**
 * The files of a catalog whose content is managed and in sync, where the record may have another version for it; also
 * below directories and behind links.
 */
export function* inSyncFiles(
  catalog: Catalog,
  states: States,
  host: HostReader,
  isSettled: (path: string, ctimeMs: number) => boolean,
): Generator<InSyncFile> {
  let declared: ReadonlySet<string> | undefined
  for (const { index, type, title, ref, ...resource } of catalog.resources) {
    const state = states[index]
    if (type !== 'file' || state?.kind !== 'known') continue
    const desired: FileDesired = resource.desired
    const isTree = desired.recurse === true && desired.source !== undefined
    if (isTree && isInSync(state.verdict)) {
      declared ??= declaredPaths(catalog)
      const top = whereIs(title, desired, host)
      for (const name of copiedNames(desired)) {
        const path = joinPath(top, name)
        if (declared.has(path) || declared.has(joinPath(title, name))) continue
        const ctimeMs = host.stat(path)?.ctimeMs
        if (ctimeMs === undefined || isSettled(path, ctimeMs)) continue
        const found = inSyncFile(ref, path, host)
        if (found) yield found
      }
    }
    if (isTree || !('isUnsettled' in state.verdict && state.verdict.isUnsettled)) continue
    if (desired.content === undefined && desired.source === undefined) continue
    const found = inSyncFile(ref, whereIs(title, desired, host), host)
    // Something else may have changed it since it was looked at.
    if (!found || (desired.content !== undefined && digestOf(desired.content) !== found.digest))
      continue
    yield found
  }
}

/** The links of a catalog that lead where their manifest says. */
export function* inSyncLinks(
  { resources }: Catalog,
  states: States,
): Generator<{ readonly path: string; readonly target: string }> {
  for (const { index, type, title, desired } of resources) {
    const state = states[index]
    if (type !== 'file' || state?.kind !== 'known' || !isInSync(state.verdict)) continue
    const { target }: FileDesired = desired
    if (target !== undefined) yield { path: normalPath(title), target }
  }
}

/** Where there is a note, such as "kept", what is there is not what the manifest says. */
function isInSync(verdict: Verdict): boolean {
  return 'changes' in verdict && verdict.changes?.length === 0 && !('note' in verdict)
}

function inSyncFile(ref: string, path: string, host: HostReader): InSyncFile | undefined {
  const found = host.stat(path)
  if (found?.kind !== 'file' || found.size > largestRead) return undefined
  const content = host.read(path)
  const { uid, gid, mode } = found
  return { ref, path, how: { uid, gid, mode }, content, digest: hash('sha256', content) }
}

function digestOf(text: string | LateText): string {
  return hash('sha256', bytesOf(String(text)))
}

/** Where a path lies whose link is followed. */
function whereIs(title: string, desired: FileDesired, host: HostReader): string {
  if (!followsLink(desired) || host.stat(title)?.kind !== 'link') return title
  const followed = followLinks(title, host)
  return 'path' in followed ? followed.path : title
}

function declaredPaths({ resources }: Catalog): Set<string> {
  return new Set(
    resources.flatMap(({ footprint }) =>
      [...(footprint.ensures ?? []), ...(footprint.removes ?? [])].map((thing) =>
        thing.replace(/^path:/, ''),
      ),
    ),
  )
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
