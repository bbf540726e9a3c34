import { resolve } from 'node:path'
import { Refusal } from '../diagnostics/diagnostic.ts'
import { didYouMean } from '../diagnostics/suggest.ts'
import { localHost } from '../host/local.ts'
import type { RunRow } from '../record/runs.ts'
import { Store } from '../record/store.ts'
import { jsonText } from '../ui/json.ts'
import { renderRun, renderRuns } from '../ui/run-text.ts'
import { type CommonFlags, stateOf } from './options.ts'
import { outputColumns, paintOf, print } from './output.ts'

type RunsFlags = Pick<CommonFlags, 'root' | 'state' | 'json'>

/** `steward runs list`, the newest first. */
export async function list(flags: RunsFlags & { readonly limit: number }): Promise<number> {
  if (!Number.isSafeInteger(flags.limit) || flags.limit < 1) {
    throw new Refusal({
      severity: 'error',
      code: 'usage',
      message: '--limit takes a number from 1 up',
    })
  }
  const rows = reading(flags, (store) => store.runs.list(flags.limit)) ?? []
  print(
    flags.json
      ? jsonText(rows)
      : renderRuns(rows, { paint: paintOf(process.stdout), width: outputColumns() }),
  )
  return 0
}

/** `steward runs show`: an id, or the beginning of one. */
export async function show(
  flags: RunsFlags & { readonly verbose?: boolean },
  id: string,
): Promise<number> {
  const found = reading(flags, (store) => {
    const row = store.runs.find(id)
    return row
      ? { row, events: store.runs.events(row.id), kept: store.bucket.of(row.id) }
      : { all: store.runs.list(ALL) }
  })
  if (!found?.row) throw new Refusal(noRun(id, found?.all ?? []))
  const { row, events, kept } = found
  print(
    flags.json
      ? jsonText({ ...row, events, kept })
      : renderRun(row, events, kept, {
          paint: paintOf(process.stdout),
          verbose: flags.verbose === true,
          accounts: localHost({ root: resolve(flags.root ?? '/') }).accounts(),
        }),
  )
  return 0
}

const ALL = 100_000

/** Undefined where there is no state; nothing is made then. */
function reading<T>(flags: RunsFlags, read: (store: Store) => T): T | undefined {
  return Store.reading(stateOf(flags, resolve(flags.root ?? '/')), read)
}

export function noRun(id: string, rows: readonly RunRow[]) {
  const ids = rows.map((row) => row.id)
  const begun = ids.filter((other) => other.startsWith(id))
  return {
    severity: 'error',
    code: 'not-found',
    message:
      begun.length > 1
        ? `${begun.length} runs have an id that begins with ${id}`
        : ids.length === 0
          ? `there is no run ${id}: none is on record`
          : `there is no run ${id}`,
    ...(begun.length > 1 ? { found: begun.slice(0, 5).join(', ') } : {}),
    help: (begun.length > 1 ? undefined : didYouMean(id, ids)) ?? 'steward runs list shows them',
  } as const
}
