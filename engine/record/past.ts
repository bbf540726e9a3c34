import type { Past } from '../plan.ts'
import type { FileHistory } from '../resources/type.ts'
import type { Store } from './store.ts'

/** What earlier runs left, and what becomes of local edits; nothing is on record where there is no state. */
export function pastOf(
  store: Store | undefined,
  { localEdits }: Pick<FileHistory, 'localEdits'>,
  { settings }: { readonly settings: { readonly localEdits?: FileHistory['localEdits'] } },
): Past {
  return {
    secretPaths: store?.files.secretPaths() ?? new Set(),
    owed: store?.runs.owed() ?? [],
    files: {
      recorded: (path) => store?.files.recorded(path),
      link: (path) => store?.files.link(path),
      // A run that takes nothing down has no use for it.
      ...(store && !store.isReadOnly && { isSettled: store.files.settled() }),
      adopted: store?.files.adopted() ?? new Map(),
      localEdits,
      otherwise: settings.localEdits,
    },
  }
}
