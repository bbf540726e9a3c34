import { posix } from 'node:path'
import type { Catalog } from '../compile/catalog.ts'
import { withRemovals } from '../compile/removals.ts'
import { type Diagnostic, Refusal } from '../diagnostics/diagnostic.ts'
import { didYouMean } from '../diagnostics/suggest.ts'
import { visibleLine } from '../diagnostics/visible.ts'
import { compileCatalog, type Loaded, load, types } from '../index.ts'
import type { PlannedOrphans } from '../plan.ts'
import type { Orphan, OrphanKind } from '../record/orphan.ts'
import { findOrphans } from '../record/orphans.ts'
import { Store } from '../record/store.ts'
import { jsonText } from '../ui/json.ts'
import { renderTable } from '../ui/layout.ts'
import { locked, type RunFlags } from './locked.ts'
import { type CommonFlags, roadOptions } from './options.ts'
import { paintOf, print } from './output.ts'

/** `steward orphans`: what was managed once, is there, and is declared by no class of the host any more. */
export async function list(flags: CommonFlags): Promise<number> {
  const options = roadOptions(flags, undefined, false)
  const store = Store.read(options.state)
  try {
    const loaded = await load(options)
    const orphans = store ? await orphansOf(loaded, store) : []
    if (flags.json)
      print(jsonText(orphans.map(({ ref, path, what, stays }) => ({ ref, path, what, stays }))))
    else print(orphans.length === 0 ? NONE : tableOf(orphans))
    return 0
  } finally {
    store?.close()
  }
}

const NONE = 'Nothing is there that steward managed once and does not manage any more.'

function tableOf(orphans: readonly Orphan[]): string {
  const rows = orphans.map(({ ref, path, what, stays, removal }) => [
    visibleLine(path ?? ref),
    what,
    visibleLine(stays === undefined ? REMOVED_BY[removal?.kind ?? 'files'] : `stays: ${stays}`),
  ])
  return renderTable(['WHAT WAS MANAGED', 'NOW', 'WHAT BECOMES OF IT'], rows)
    .map((line, index) => (index === 0 ? paintOf(process.stdout)('dim', line) : line))
    .join('\n')
}

const REMOVED_BY: Readonly<Record<OrphanKind, string>> = {
  files: 'apply --remove-orphans removes it',
  packages: 'apply --remove-orphans --packages removes it',
}

/** `steward orphans forget`: they are nobody's business any more, and stay as they are. */
export function forget(flags: CommonFlags & RunFlags, names: readonly string[]): Promise<number> {
  const options = roadOptions(flags, undefined, true)
  const about = { name: 'steward orphans forget', hasProgress: false }
  return locked(options, { ...flags, yes: true }, about, async ({ store }) => {
    const orphans = await orphansOf(await load(options), store)
    const refs = names.map((name) => refOf(orphans, name))
    for (const ref of refs) {
      store.managed.forget(ref)
      print(`${visibleLine(ref)} is not named any more, and stays as it is`)
    }
    return 0
  })
}

function refOf(orphans: readonly Orphan[], name: string): string {
  const path = posix.resolve('/', name)
  const found = orphans.find((orphan) => orphan.ref === name || orphan.path === path)
  if (found) return found.ref
  const known = orphans.flatMap((orphan) => [orphan.ref, orphan.path ?? orphan.ref])
  throw new Refusal({
    severity: 'error',
    code: 'not-found',
    message: `${name} is nothing that steward managed once and does not manage any more`,
    help: didYouMean(name, known) ?? 'steward orphans lists what is',
  })
}

async function orphansOf(loaded: Loaded, store: Store): Promise<readonly Orphan[]> {
  const { catalog } = compileCatalog(loaded)
  const { coverage, host } = loaded
  return (await findOrphans({ catalog, coverage, store, host, types })).orphans
}

const NO_CLASSES: Diagnostic = {
  severity: 'error',
  code: 'conf-value',
  message: 'zulip.conf lists no classes, so nothing says what is to stay: orphans are not removed',
  help: 'list the classes of the host again: steward conf add machine.puppet_classes NAME',
}

/** A catalog with what removes orphans, as far as they are to go, and how many are left. */
export async function lookForOrphans(
  catalog: Catalog,
  { coverage, host }: Loaded,
  {
    store,
    removes,
  }: { readonly store: Store | undefined; readonly removes: OrphanKind | undefined },
): Promise<{
  readonly catalog: Catalog
  readonly orphans: PlannedOrphans
  readonly gone: readonly string[]
}> {
  const { orphans, gone } = store
    ? await findOrphans({ catalog, coverage, store, host, types })
    : { orphans: [], gone: [] }
  const goes = ({ removal }: Orphan): boolean =>
    removal !== undefined &&
    removes !== undefined &&
    (removal.kind === 'files' || removes === 'packages')
  // A list that somebody emptied, or a file that was cut off, is no word that the whole server may go.
  if (catalog.classes.length === 0 && orphans.some(goes)) throw new Refusal(NO_CLASSES)
  const left = orphans.filter((orphan) => !goes(orphan))
  const removals = orphans.filter(goes).flatMap(({ removal }) => removal ?? [])
  return {
    catalog: withRemovals(catalog, removals, types, 'not managed any more'),
    orphans: {
      left: left.length,
      edited: left.filter(({ what }) => what === 'dropped, edited').length,
      ...(removes ? { removes } : {}),
    },
    gone,
  }
}
