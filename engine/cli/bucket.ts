import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { contentDiff } from '../content-diff.ts'
import { type Diagnostic, Refusal } from '../diagnostics/diagnostic.ts'
import { visibleLine } from '../diagnostics/visible.ts'
import { localHost } from '../host/local.ts'
import { type KeptRow, NEW_VERSION } from '../record/bucket.ts'
import { Store } from '../record/store.ts'
import { parseDurationMs } from '../resources/duration.ts'
import { renderBucket, renderCollected } from '../ui/bucket-text.ts'
import { givenText, OF_RECORD } from '../ui/given-options.ts'
import { jsonText } from '../ui/json.ts'
import { locked, type RunFlags } from './locked.ts'
import { type CommonFlags, roadOptions, stateOf } from './options.ts'
import { outputColumns, paintOf, print } from './output.ts'
import { type PutBackFlags, putBack } from './put-back.ts'
import { noRun } from './runs.ts'

type Flags = Pick<CommonFlags, 'root' | 'state' | 'json'>

/** `steward bucket list`: what was overwritten or removed, the newest first. */
export async function list(
  flags: Flags & { limit: number },
  path: string | undefined,
): Promise<number> {
  const rows = reading(flags, (store) => store.bucket.list(path).slice(0, flags.limit)) ?? []
  print(
    flags.json
      ? jsonText(rows)
      : renderBucket(rows, {
          paint: paintOf(process.stdout),
          width: outputColumns(),
          accounts: localHost({ root: resolve(flags.root ?? '/') }).accounts(),
        }),
  )
  return 0
}

/** `steward bucket show`: the content, byte for byte; into a file of mode 0600 with `--to`. */
export async function show(flags: Flags & { to?: string }, id: string): Promise<number> {
  const { bytes, isSecret, row } = contentOf(flags, id)
  if (flags.to !== undefined) {
    writeFileSync(resolve(flags.to), bytes, { mode: 0o600, flag: 'wx' })
    return 0
  }
  if (isSecret) throw new Refusal(secret(row, flags))
  process.stdout.write(bytes)
  return 0
}

/** `steward bucket diff`: from what was kept to what is there now. 1 where they differ. */
export async function diff(flags: Flags, id: string): Promise<number> {
  const { bytes, isSecret, row } = contentOf(flags, id)
  if (isSecret) throw new Refusal(secret(row, flags))
  const host = localHost({ root: resolve(flags.root ?? '/') })
  const isThere = host.stat(row.path)?.kind === 'file'
  const now = isThere ? host.read(row.path) : Buffer.alloc(0)
  if (isThere && now.equals(bytes)) return 0
  const found = contentDiff(bytes, now, row.path)
  const path = visibleLine(row.path)
  const what = row.goes === NEW_VERSION ? 'in its new version' : 'as it was kept'
  print(`--- ${path} ${what} (${row.id})\n+++ ${path}${isThere ? '' : ', which is not there'}`)
  print('text' in found ? found.text : found.unshown)
  return 1
}

/**
 * `steward bucket restore`: puts it back as any run, so that this can be taken back too. With `before` all files below
 * /etc that this run, or one after it, overwrote or removed; those that were made since stay.
 */
export function restore(
  flags: PutBackFlags & { readonly before?: string },
  id: string | undefined,
): Promise<number> {
  const { before } = flags
  const options = roadOptions(flags, undefined, !flags.dryRun)
  if ((id === undefined) === (before === undefined))
    throw new Refusal(usage('restore takes a number, a path or --before RUN, and one of them'))
  if (id === undefined) {
    const run = before ?? ''
    return putBack(flags, options, ['bucket', 'restore', '--before', run], (store) => {
      const found = store.runs.find(run)
      if (!found) throw new Refusal(noRun(run, store.runs.list()))
      const kept = configurationBefore(store, found.id)
      const classes = [found, ...store.runs.listAfter(found.id)].flatMap((row) => row.classes)
      return { kept, events: [], unsure: [], classes: [...new Set(classes)] }
    })
  }
  return putBack(flags, options, ['bucket', 'restore', id], (store) => {
    const row = rowOf(store, id)
    const kept = [row.goes === NEW_VERSION ? { ...row, goes: 'all' } : row]
    return { kept, events: [], unsure: [], classes: store.runs.find(row.run)?.classes ?? [] }
  })
}

/** `steward bucket gc`: forgets what is older, more or larger than asked for; never the newest of a path. */
export async function gc(
  flags: RunFlags & CommonFlags & { olderThan?: string; keep?: number; maxSize?: number },
): Promise<number> {
  const { olderThan, keep, maxSize } = flags
  const ageMs = olderThan === undefined ? undefined : parseDurationMs(olderThan)
  if (olderThan !== undefined && ageMs === undefined)
    throw new Refusal(usage('--older-than takes a duration such as 90d'))
  if (ageMs === undefined && keep === undefined && maxSize === undefined)
    throw new Refusal(usage('nothing says what is to go: give --older-than, --keep or --max-size'))
  const options = roadOptions(flags, undefined, true)
  const given = { ...flags, yes: true }
  return locked(
    options,
    given,
    { name: 'steward bucket gc', hasProgress: false },
    async ({ store }) => {
      const gone = store.bucket.collect({
        ...(ageMs === undefined ? {} : { before: new Date(Date.now() - ageMs).toISOString() }),
        ...(keep === undefined ? {} : { keep }),
        ...(maxSize === undefined ? {} : { maxBytes: maxSize * 1_000_000 }),
      })
      print(flags.json ? jsonText(gone) : renderCollected(gone))
      return 0
    },
  )
}

/** Files below /etc as they were before a run. */
export function configurationBefore(store: Store, run: string): readonly KeptRow[] {
  return store.bucket.filesBefore(run).filter(({ path }) => path.startsWith('/etc/'))
}

function contentOf(flags: Flags, id: string) {
  const found = reading(flags, (store) => {
    const row = rowOf(store, id)
    const content = row.hash === undefined ? undefined : store.contents.of(row.hash)
    const bytes = row.hash === undefined ? undefined : store.contents.get(row.hash)
    return { row, bytes, isSecret: content?.isSecret === true }
  })
  if (!found) throw new Refusal(nothing(id))
  const { row, bytes } = found
  if (bytes === undefined)
    throw new Refusal({
      severity: 'error',
      code: 'not-found',
      message: `of ${row.path} no content was kept, for it was a ${row.kind} or kept its content`,
    })
  return { ...found, bytes }
}

function rowOf(store: Store, id: string): KeptRow {
  const row = /^[0-9]+$/.test(id)
    ? store.bucket.find(Number(id))
    : newest(store.bucket.list(resolve('/', id)))
  if (!row) throw new Refusal(nothing(id))
  return row
}

/** The newest whole thing that was there; where there is none, the newest of all else. */
function newest(rows: readonly KeptRow[]): KeptRow | undefined {
  return rows.find(({ goes }) => goes === 'all') ?? rows[0]
}

function nothing(id: string): Diagnostic {
  return {
    severity: 'error',
    code: 'not-found',
    message: `the bucket holds nothing under ${id}`,
    help: 'steward bucket list shows the numbers and paths',
  }
}

function secret({ path, id }: KeptRow, flags: Flags): Diagnostic {
  const given = givenText(flags, OF_RECORD)
  return {
    severity: 'error',
    code: 'sensitive-value',
    message: `what was kept of ${path} may hold a secret, and is not shown`,
    help: `steward bucket restore ${id}${given} puts it back; steward bucket show ${id}${given} --to FILE writes it where only root can read it`,
  }
}

function usage(message: string): Diagnostic {
  return { severity: 'error', code: 'usage', message }
}

function reading<T>(flags: Flags, read: (store: Store) => T): T | undefined {
  return Store.reading(stateOf(flags, resolve(flags.root ?? '/')), read)
}
