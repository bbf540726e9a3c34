import type { Catalog } from '../compile/catalog.ts'
import type { HostReader } from '../host/host.ts'
import type { States } from '../probe.ts'
import { newFileMode } from '../resources/mode.ts'
import { NEW_VERSION } from './bucket.ts'
import type { Store } from './store.ts'

/** Puts the versions that edits keep out of their files into the bucket, in the name of a run: each of them once. */
export function keepNewVersions(
  store: Store,
  run: string,
  {
    catalog,
    states,
    host,
    isSecret,
  }: {
    readonly catalog: Catalog
    readonly states: States
    readonly host: HostReader
    readonly isSecret: (ref: string, path: string) => boolean
  },
): void {
  const { bucket, contents, files } = store
  for (const { ref, index } of catalog.resources) {
    const state = states[index]
    if (state?.kind !== 'known' || !('newVersions' in state.verdict)) continue
    for (const { path, content } of state.verdict.newVersions ?? []) {
      store.begin()
      const hash = contents.put(content, { sensitive: isSecret(ref, path) })
      if (bucket.list(path).some((row) => row.goes === NEW_VERSION && row.hash === hash)) continue
      const { mode, uid, gid } = files.find(path) ??
        host.stat(path) ?? { mode: newFileMode, uid: 0, gid: 0 }
      const how = { mode, uid, gid, hash, base: hash, target: undefined }
      bucket.keep({ run, ref, path, kind: 'file', goes: NEW_VERSION, ...how })
    }
  }
}
