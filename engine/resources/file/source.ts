import { readFileSync, realpathSync, statSync } from 'node:fs'
import { systemPath } from '../../host/bytes.ts'
import { hostError } from '../../host/error.ts'
import type { FileKind } from '../../host/host.ts'
import { kindOf, listPath, readLinkPath, statPath } from '../../host/read.ts'

/**
 * What `source` names: files on the side of the manifests, which `--root` does not move. Each throws HostError.
 */
export const source = {
  /** Undefined where nothing is; `follow` looks at what a link points to. */
  kind: (path: string, links: 'manage' | 'follow'): FileKind | undefined =>
    named(path, () => {
      if (links === 'manage') return statPath(path)?.kind
      const stat = statSync(systemPath(path), { throwIfNoEntry: false })
      return stat && kindOf(stat.mode)
    }),
  read: (path: string): Buffer => named(path, () => readFileSync(systemPath(path))),
  readLink: (path: string): string => named(path, () => readLinkPath(path)),
  /** Sorted by bytes. */
  list: (path: string): string[] => named(path, () => listPath(path)),
  /** Without links: the same for all ways to one directory. */
  realPath: (path: string): string =>
    named(path, () => realpathSync(systemPath(path), { encoding: 'buffer' }).toString('latin1')),
}

function named<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw hostError(error, path)
  }
}
