import { type Diagnostic, Refusal } from '../diagnostics/diagnostic.ts'
import { Store } from '../record/store.ts'

/**
 * Does something with the record that changes nothing. Where the record can't be read it is done again without one,
 * with warnings that say why: what the record can't tell keeps nobody from seeing what the manifests want.
 */
export async function previewing<T>(
  state: string,
  act: (store: Store | undefined, unread: readonly Diagnostic[]) => Promise<T>,
): Promise<T> {
  let store: Store | undefined
  try {
    store = Store.read(state)
    return await act(store, [])
  } catch (error) {
    if (!(error instanceof Refusal) || error.diagnostics[0]?.code !== 'state') throw error
    return await act(
      undefined,
      error.diagnostics.map((diagnostic) => ({ ...diagnostic, severity: 'warning' })),
    )
  } finally {
    store?.close()
  }
}
