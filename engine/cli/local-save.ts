import { resolve } from 'node:path'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { visibleLine } from '../diagnostics/visible.ts'
import type { HostReader } from '../host/host.ts'
import { localHost } from '../host/local.ts'
import type { EditedFile } from '../record/edited-files.ts'
import { NO_BASE } from '../record/file-records.ts'
import { readEdits, type SavedEdit, saveEdits } from '../record/saved-edits.ts'
import { Store } from '../record/store.ts'
import { shownConflicts } from '../resources/file/conflict-text.ts'
import { isTooLarge } from '../resources/file/content.ts'
import { merge } from '../resources/file/merge.ts'
import { givenText } from '../ui/given-options.ts'
import { jsonText } from '../ui/json.ts'
import { lookForEdits } from './local.ts'
import { type CommonFlags, roadOptions } from './options.ts'
import { print } from './output.ts'
import { type Chosen, type PutBackFlags, putBack } from './put-back.ts'

/** `steward local save DIR`: copies of all files that were edited here, to be restored after an upgrade. */
export async function save(flags: CommonFlags, folder: string): Promise<number> {
  const options = roadOptions(flags, undefined, false)
  const store = Store.read(options.state)
  try {
    const { files, host } = await lookForEdits(options, store)
    const edits = files.flatMap((file) => savedEdit(file, store, host) ?? [])
    const saved = new Set(edits.map(({ path }) => path))
    const left = files.filter(({ path }) => !saved.has(path))
    if (edits.length > 0) saveEdits(resolve(folder), edits)
    if (flags.json) print(jsonText({ saved: [...saved], left: left.map(({ path }) => path) }))
    else {
      for (const path of saved) print(`saved  ${visibleLine(path)}`)
      for (const { path, what } of left) {
        const why = isTooLarge(host.stat(path)) ? 'it is too large' : 'there is nothing'
        print(`left   ${visibleLine(path)}: ${what}, and ${why} to copy`)
      }
      print(
        edits.length === 0
          ? 'No file that steward manages was changed here; nothing is saved.'
          : `${edits.length} ${edits.length === 1 ? 'file is' : 'files are'} saved. To have them back: steward local restore ${visibleLine(folder)}${givenText(flags)}`,
      )
    }
    return 0
  } finally {
    store?.close()
  }
}

function savedEdit(
  { path, ref, wanted, present, format }: EditedFile,
  store: Store | undefined,
  host: HostReader,
): SavedEdit | undefined {
  const stat = host.stat(path)
  if ((stat?.kind !== 'file' && stat?.kind !== 'link') || isTooLarge(stat)) return undefined
  const { mode, uid, gid } = stat
  const accounts = host.accounts()
  const names = { owner: accounts.userName(uid), group: accounts.groupName(gid) }
  const how = { path, ref, mode, uid, gid, ...names, ...(format ? { format } : {}) }
  if (stat.kind === 'link') return { ...how, kind: 'link', target: host.readLink(path) }
  const base = store?.files.recorded(path)?.baseContent() ?? wanted
  const content = present ? Buffer.from(present) : host.read(path)
  return { ...how, kind: 'file', content, ...(base ? { base: Buffer.from(base) } : {}) }
}

export interface RestoreFlags extends PutBackFlags {
  /** Whatever has become of the files since. */
  readonly asSaved?: boolean
}

/** `steward local restore DIR`: planned, shown, asked and recorded as any run; 4 where a file was refused. */
export async function restore(flags: RestoreFlags, folder: string): Promise<number> {
  const options = roadOptions(flags, undefined, !flags.dryRun)
  const edits = readEdits(resolve(folder))
  const host = localHost({ root: options.root })
  let isRefused = false
  const status = await putBack(flags, options, ['local', 'restore', folder], (store) => {
    const chosen = choose(edits, { store, host, asSaved: flags.asSaved === true })
    isRefused = chosen.refused.length > 0
    return chosen
  })
  return isRefused && (status === 0 || status === 2) ? status + 4 : status
}

const EDITS: Diagnostic = {
  severity: 'notice',
  code: 'notice',
  message: 'what is restored is an edit, which the next apply may overwrite',
  help: 'steward local adopt FILE has it in every later version',
}

type Back = { readonly content: Buffer } | { readonly refused: Diagnostic }

function choose(
  edits: readonly SavedEdit[],
  how: { readonly store: Store; readonly host: HostReader; readonly asSaved: boolean },
): Chosen & { readonly refused: readonly Diagnostic[] } {
  const { store, host } = how
  const accounts = host.accounts()
  const contents = new Map<string, Buffer>()
  const refused: Diagnostic[] = []
  const kept = edits.flatMap((edit, id) => {
    const { path, ref, kind, mode, target } = edit
    const back = backFor(edit, how)
    if ('refused' in back) {
      refused.push(back.refused)
      return []
    }
    const hash = kind === 'file' ? `${id}` : undefined
    if (hash !== undefined) contents.set(hash, back.content)
    const row = store.files.find(path)
    const uid = accounts.uid(edit.owner) ?? edit.uid
    const gid = accounts.gid(edit.group) ?? edit.gid
    const base = row?.base
    const given = row && { mode: row.mode, uid: row.uid, gid: row.gid }
    const owned = { run: '', ref: row?.ref ?? ref, mode, uid, gid }
    return [{ id, ...owned, path, kind, goes: 'all', hash, target, base, given }]
  })
  const of = (hash: string) => {
    const bytes = contents.get(hash)
    return bytes && { bytes, isSecret: false }
  }
  const chosen = { kept, events: [], unsure: [], classes: [], contents: { of } }
  return {
    ...chosen,
    notices: kept.length > 0 ? [...refused, EDITS] : refused,
    refused,
    isEdit: true,
  }
}

/** What is put in place of a file: what was saved, with what its version of the manifests has got since. */
function backFor(
  { path, kind, format, content = Buffer.alloc(0), base }: SavedEdit,
  {
    store,
    host,
    asSaved,
  }: { readonly store: Store; readonly host: HostReader; readonly asSaved: boolean },
): Back {
  if (asSaved) return { content }
  const row = store.files.find(path)
  const stat = host.stat(path)
  const isFile = stat?.kind === 'file'
  const holds = (hash: string | undefined): boolean => {
    const bytes = hash === undefined ? undefined : store.contents.get(hash)
    return isFile && bytes !== undefined && host.holds(path, bytes)
  }
  const isStewards = row
    ? holds(row.written)
    : base !== undefined && isFile && host.holds(path, base)
  const isAsSaved = isFile && host.holds(path, content)
  if (stat && kind === 'file' && !isStewards && !isAsSaved)
    return refusal(
      path,
      `was changed again since it was saved${isFile ? '' : `, and is a ${stat.kind}`}`,
    )
  if (!stat && row) return refusal(path, 'was deleted since it was saved')
  const version = row && row.base !== NO_BASE ? store.contents.get(row.base) : undefined
  if (kind === 'link' || !base || !version || isAsSaved || version.equals(base)) return { content }
  const result = merge(base, content, version, format)
  if ('merged' in result) return { content: result.merged }
  if ('unmergeable' in result)
    return refusal(
      path,
      `has a new version since it was saved, and can't be merged: ${result.unmergeable}`,
    )
  const found = shownConflicts(result.conflicts)
  return refusal(path, 'has a new version since it was saved, which contradicts the edit', found)
}

function refusal(path: string, why: string, found?: string): Back {
  return {
    refused: {
      severity: 'error',
      code: 'blocked',
      message: `${path} is not restored, for it ${why}`,
      ...(found === undefined || found === '' ? {} : { found }),
      help: 'look at both; --as-saved puts back what was saved, whatever is there',
    },
  }
}
