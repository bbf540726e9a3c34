import { posix } from 'node:path'
import { contentDiff } from '../content-diff.ts'
import { type Diagnostic, Refusal } from '../diagnostics/diagnostic.ts'
import { didYouMean } from '../diagnostics/suggest.ts'
import { visibleLine } from '../diagnostics/visible.ts'
import type { Attributes, Host, HostReader } from '../host/host.ts'
import { compileCatalog, load, preview, type RoadOptions } from '../index.ts'
import { type EditedFile, editedFiles } from '../record/edited-files.ts'
import { NO_BASE } from '../record/file-records.ts'
import { withHiddenContents } from '../record/in-sync-files.ts'
import { pastOf } from '../record/past.ts'
import { Store } from '../record/store.ts'
import { withoutAdopted } from '../resources/file/adopted.ts'
import { followLinks } from '../resources/links.ts'
import { givenText } from '../ui/given-options.ts'
import { jsonText } from '../ui/json.ts'
import { renderTable } from '../ui/layout.ts'
import { locked, type RunFlags } from './locked.ts'
import { type CommonFlags, roadOptions } from './options.ts'
import { paintOf, print } from './output.ts'

type Flags = CommonFlags & RunFlags

/** Where what is adopted can be read; it is never read back. */
const READABLE = '/etc/steward/local'

/** `steward local list`: the files that an apply would overwrite although they were changed here, and adopted edits. */
export async function list(flags: Flags): Promise<number> {
  const options = roadOptions(flags, undefined, false)
  return withStore(options, async (store) => {
    const { files } = await lookForEdits(options, store)
    const adopted = [...(store?.files.adopted().keys() ?? [])]
    if (flags.json) {
      const edited = files.map(({ path, ref, what }) => ({ path, ref, what }))
      print(jsonText({ edited, adopted }))
      return 0
    }
    const rows = [
      ...files.map(({ path, what }) => [visibleLine(path), what]),
      ...adopted.map((path) => [visibleLine(path), 'adopted: merged into every version']),
    ]
    print(
      rows.length === 0
        ? 'No file that steward manages was changed here.'
        : renderTable(['FILE', 'WHAT'], rows)
            .map((line, index) => (index === 0 ? paintOf(process.stdout)('dim', line) : line))
            .join('\n'),
    )
    return 0
  })
}

/** `steward local diff FILE`: what was changed here and, where it has one, what its new version changes; 1 if anything. */
export async function diff(flags: Flags, path: string): Promise<number> {
  const options = roadOptions(flags, undefined, false)
  return withStore(options, async (store) => {
    const { files } = await lookForEdits(options, store)
    const file = fileOf(files, path)
    if (file.isSecret) throw new Refusal(secret(file.path))
    const base = store?.files.recorded(file.path)?.baseContent()
    const { present, wanted } = file
    print(`${visibleLine(file.path)} was ${file.what}`)
    if (base && present) {
      print(`\n--- as steward wrote it\n+++ as it is here\n${text(base, present, file.path)}`)
      if (wanted && !Buffer.from(base).equals(wanted))
        print(`\n--- as steward wrote it\n+++ its new version\n${text(base, wanted, file.path)}`)
    } else if (present && wanted)
      print(`\n--- as it is here\n+++ as steward wants it\n${text(present, wanted, file.path)}`)
    return 1
  })
}

/** `steward local adopt FILE…`: the edits belong to every later version. */
export function adopt(flags: Flags, paths: readonly string[]): Promise<number> {
  return changing(flags, 'adopt', async (store, options) => {
    const { files, host } = await lookForEdits(options, store)
    const chosen = paths.map((path) => fileOf(files, path))
    for (const file of chosen) {
      const { path, ref, present, wanted, isSecret } = file
      const row = store.files.find(path)
      const base = row && row.base !== NO_BASE ? store.contents.get(row.base) : wanted
      if (!present || !base) throw new Refusal(unadoptable(path))
      const sensitive = isSecret || row?.sensitive === true
      store.begin()
      const edited = store.contents.put(present, { sensitive })
      store.files.adopt(path, { base: store.contents.put(base, { sensitive }), edited })
      store.files.record({
        ...(row ?? { path, ref, run: '', sensitive, ...wantedAttributes(file, host) }),
        written: edited,
        base: edited,
      })
      store.commit()
      writeReadable(host, path, base, present)
      print(
        `${visibleLine(path)} is adopted; it can be read in ${READABLE}${visibleLine(path)}.patch`,
      )
    }
    return 0
  })
}

/** `steward local drop FILE`: gives up what was adopted; the next apply shows the edit as such. */
export function drop(flags: Flags, path: string): Promise<number> {
  return changing(flags, 'drop', async (store, options) => {
    const { host } = await load(options)
    const adopted = store.files.adopted()
    const wanted = adoptedPath(posix.resolve('/', path), adopted, host)
    const edits = adopted.get(wanted)
    const [original] = edits ?? []
    if (!edits || !original) {
      const known = [...adopted.keys()]
      throw new Refusal({
        severity: 'error',
        code: 'not-found',
        message: `nothing was adopted of ${path}`,
        help: didYouMean(wanted, known) ?? 'steward local list shows what was adopted',
      })
    }
    const row = store.files.find(wanted)
    store.begin()
    if (row) {
      const whole = store.contents.get(row.base)
      const base = (whole && withoutAdopted(whole, edits)) ?? original.base
      store.files.record({
        ...row,
        base: store.contents.put(base, { sensitive: row.sensitive }),
      })
    }
    store.files.dropAdopted(wanted)
    store.commit()
    const readable = `${READABLE}${wanted}.patch`
    if (host.stat(readable) !== undefined) host.remove(readable)
    print(
      `What was adopted of ${visibleLine(wanted)} is given up; steward apply --dry-run${givenText(flags)} shows what becomes of it`,
    )
    return 0
  })
}

/** `steward local resolve FILE`: what is there holds the new version, as far as it is to. */
export function resolve(flags: Flags, path: string): Promise<number> {
  return changing(flags, 'resolve', async (store, options) => {
    const { files, host } = await lookForEdits(options, store)
    const file = fileOf(files, path)
    const row = store.files.find(file.path)
    // What steward wrote once may have been deleted or replaced here, and is to stay so.
    if (!file.wanted || (!row && host.stat(file.path)?.kind !== 'file'))
      throw new Refusal(unadoptable(file.path))
    const sensitive = file.isSecret || row?.sensitive === true
    store.begin()
    const base = store.contents.put(file.wanted, { sensitive })
    const { path: at, ref } = file
    store.files.record({
      ...(row ?? { path: at, ref, run: '', sensitive, ...wantedAttributes(file, host) }),
      written: base,
      base,
    })
    store.commit()
    print(
      `${visibleLine(file.path)} counts as holding its new version; keep and merge leave it so, overwrite does not`,
    )
    return 0
  })
}

/** Everything that is edited, as `apply --local-edits overwrite` would find it. */
export async function lookForEdits(options: RoadOptions, store: Store | undefined) {
  const loaded = await load(options)
  const { host } = loaded
  const known = store?.files.secretPaths() ?? new Set<string>()
  const catalog = withHiddenContents(compileCatalog(loaded).catalog, known)
  const past = pastOf(store, { localEdits: 'overwrite' }, loaded)
  const selection = { tags: [], only: [] }
  const { states } = await preview(host, catalog, { selection, past })
  return { host, catalog, files: editedFiles(catalog, states) }
}

async function withStore(
  { state }: RoadOptions,
  act: (store: Store | undefined) => Promise<number>,
): Promise<number> {
  const store = Store.read(state)
  try {
    return await act(store)
  } finally {
    store?.close()
  }
}

/** What changes nothing but the record, and what can be read of it, is not asked about. */
function changing(
  flags: Flags,
  name: string,
  act: (store: Store, options: RoadOptions) => Promise<number>,
): Promise<number> {
  const options = roadOptions(flags, undefined, true)
  const about = { name: `steward local ${name}`, hasProgress: false }
  return locked(options, { ...flags, yes: true }, about, ({ store }) => act(store, options))
}

function fileOf(files: readonly EditedFile[], path: string): EditedFile {
  const wanted = posix.resolve('/', path)
  const file = files.find((each) => each.path === wanted || each.name === wanted)
  if (file) return file
  throw new Refusal({
    severity: 'error',
    code: 'not-found',
    message: `${path} is no file that steward manages and that was changed here`,
    help:
      didYouMean(
        wanted,
        files.map((each) => each.path),
      ) ?? 'steward local list shows those that were',
  })
}

/** Mode and owner that steward would give a file that it never wrote: others that it has are edits too. */
function wantedAttributes({ path, attributes }: EditedFile, host: Host): Attributes {
  const { mode, owner, group } = attributes
  const stat = host.stat(path)
  const accounts = host.accounts()
  return {
    mode: (mode === undefined ? stat?.mode : Number.parseInt(mode, 8)) ?? 0o644,
    uid: (owner === undefined ? undefined : accounts.uid(owner)) ?? stat?.uid ?? 0,
    gid: (group === undefined ? undefined : accounts.gid(group)) ?? stat?.gid ?? 0,
  }
}

/** What was adopted through a link is on record by where that led. */
function adoptedPath(
  path: string,
  adopted: ReadonlyMap<string, unknown>,
  host: HostReader,
): string {
  if (adopted.has(path)) return path
  const followed = followLinks(path, host)
  return 'path' in followed ? followed.path : path
}

function writeReadable(host: Host, path: string, base: Uint8Array, edited: Uint8Array): void {
  const readable = `${READABLE}${path}.patch`
  const root = { uid: 0, gid: 0 }
  let folder = ''
  for (const part of posix.dirname(readable).split('/').slice(1)) {
    folder += `/${part}`
    if (host.stat(folder) === undefined) host.makeDirectory(folder, { ...root, mode: 0o700 })
  }
  const note = `# What steward local adopt kept of ${path}. This is a copy to read; steward does not read it.\n`
  const patch = `--- ${path} as steward wrote it\n+++ ${path} as it was here\n${text(base, edited, path)}\n`
  host.writeFile(readable, Buffer.from(note + patch), { ...root, mode: 0o600 })
  host.sync()
}

function text(from: Uint8Array, to: Uint8Array, title: string): string {
  const found = contentDiff(from, to, title)
  return 'text' in found ? found.text : found.unshown
}

function secret(path: string): Diagnostic {
  return {
    severity: 'error',
    code: 'sensitive-value',
    message: `${path} holds a secret, and is not shown`,
    help: 'compare it as root with the file that the class makes elsewhere: steward apply --root DIR',
  }
}

function unadoptable(path: string): Diagnostic {
  return {
    severity: 'error',
    code: 'blocked',
    message: `of ${path} there is no content here that could be taken`,
    help: `steward local diff ${path} tells what was changed`,
  }
}
