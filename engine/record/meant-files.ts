import type { Catalog } from '../compile/catalog.ts'
import { bytesOf } from '../host/bytes.ts'
import type { HostReader } from '../host/host.ts'
import { ensureOf, type FileDesired } from '../resources/file/desired.ts'
import { source } from '../resources/file/source.ts'
import type { KeptRow } from './bucket.ts'
import type { RunChanges } from './run-changes.ts'
import type { Store } from './store.ts'

/**
 * Which files of those that a run meant to make count as made by it: what is there is just what the manifests say, and
 * no later run found it there. Others that are there may be anybody's.
 */
export function madeAsMeant(
  meant: readonly KeptRow[],
  { resources }: Pick<Catalog, 'resources'>,
  { store, host }: { readonly store: Store; readonly host: HostReader },
): Pick<RunChanges, 'kept' | 'unsure'> {
  const kept: KeptRow[] = []
  const unsure: string[] = []
  const run = meant[0] && store.runs.find(meant[0].run)
  if (!run) return { kept, unsure }
  const later = store.runs.listAfter(run.id)
  const laterIds = new Set(later.map(({ id }) => id))
  // Nothing is on record of a directory that is in sync.
  const isAllSeen = later.some(({ summary }) => summary !== undefined)
  const isSeen = (path: string) => {
    if (host.stat(path)?.kind === 'directory') return isAllSeen
    return laterIds.has(store.files.find(path)?.run ?? '') || store.files.link(path) !== undefined
  }
  const declared = new Map(resources.map(({ ref, desired }) => [ref, desired]))
  for (const row of meant) {
    if (host.stat(row.path) === undefined) continue
    const desired = declared.get(row.ref)
    if (desired && isAsDeclared(desired, row.path, host) && !isSeen(row.path)) kept.push(row)
    else unsure.push(row.ref)
  }
  return { kept, unsure }
}

/** Whether there is nothing at a path that would be lost with it: the manifests can make all of it again. */
function isAsDeclared(desired: FileDesired, path: string, host: HostReader): boolean {
  const ensure = ensureOf(desired)
  const kind = host.stat(path)?.kind
  if (kind === 'directory') return ensure === kind
  if (kind === 'link') return ensure === kind && host.readLink(path) === desired.target
  const isFile = kind === 'file' && (ensure === 'file' || ensure === 'present')
  return isFile && holdsDeclared(desired, path, host)
}

function holdsDeclared(
  { content, source: from }: FileDesired,
  path: string,
  host: HostReader,
): boolean {
  if (content !== undefined) return host.holds(path, bytesOf(String(content)))
  if (from === undefined) return host.holds(path, Buffer.of())
  return source.kind(from, 'follow') === 'file' && host.holds(path, source.read(from))
}
