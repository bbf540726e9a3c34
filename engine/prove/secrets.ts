import type { CatalogResource } from '../compile/catalog.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { newFileMode, parseMode, resolveMode } from '../resources/mode.ts'
import { normalPath, parentPath } from '../resources/path.ts'
import { finding, type Proving } from './claim.ts'

/** Attributes of which the value ends up in the file itself. */
const BODIES: Readonly<Record<string, readonly string[]>> = {
  file: ['content'],
  file_line: ['line'],
  block_in_file: ['content'],
  ini_setting: ['value'],
  cron: ['command', 'environment'],
  sysctl: ['value'],
  mount: ['device', 'options'],
  apt_repository: ['uris', 'key'],
}

/** A secret stands only in files that others can't read. */
export function* secrets(proving: Proving): Generator<Diagnostic> {
  const modes = new Modes(proving.catalog.resources)
  for (const resource of proving.catalog.resources) {
    const { sensitive } = resource
    const bodies = BODIES[resource.type] ?? []
    const own = bodies.find(
      (name) => name in resource.desired && (sensitive.has(name) || sensitive.has('*')),
    )
    if (own === undefined) continue
    for (const path of filesOf(resource)) {
      const keeper = modes.keeper(path) ?? resource
      const { mode } = keeper.desired as { readonly mode?: string }
      if (mode !== undefined && !canOthersRead(mode)) continue
      if (modes.isClosed(path)) continue
      yield finding(proving, {
        code: 'readable-secret',
        message: `${resource.ref} writes a secret (${own}) into ${path}, which others can read`,
        resource,
        ...(keeper === resource ? {} : { other: keeper }),
        found:
          mode === undefined ? `no mode is given, and ${modeWithout(resource)}` : `mode ${mode}`,
        help: wayOut(keeper, path),
      })
    }
  }
}

function modeWithout({ type }: CatalogResource): string {
  if (type === 'ini_setting') return 'a file that is there keeps the one that it has'
  return `a new file has ${newFileMode.toString(8).padStart(4, '0')}`
}

function wayOut(keeper: CatalogResource, path: string): string {
  if (keeper.type === 'file') return `write in ${keeper.ref}: mode: "0600"; or "0640" with a group`
  // Such as the file of a cron job, which has one mode whatever is in it.
  if (keeper.footprint.edits === undefined || path === '/etc/fstab')
    return 'keep the secret in a file of its own with mode "0600", and name that file here'
  return `declare the file as well: file: ${path}, with ensure: present and mode: "0600"`
}

function filesOf({ footprint }: CatalogResource): readonly string[] {
  if (footprint.edits) return footprint.edits.flatMap(({ path, isGone }) => (isGone ? [] : [path]))
  return (footprint.ensures ?? [])
    .filter((thing) => thing.startsWith('path:'))
    .map((thing) => thing.slice(5))
}

function canOthersRead(mode: string): boolean {
  const parsed = parseMode(mode)
  return parsed === undefined || (resolveMode(parsed, newFileMode, 'file') & 0o004) !== 0
}

/** Modes that file resources give, by path. */
class Modes {
  readonly #files = new Map<string, CatalogResource>()

  constructor(resources: readonly CatalogResource[]) {
    for (const resource of resources)
      if (resource.type === 'file') this.#files.set(normalPath(resource.title), resource)
  }

  keeper(path: string): CatalogResource | undefined {
    return this.#files.get(path)
  }

  /** Whether a folder above lets nobody else in. */
  isClosed(path: string): boolean {
    for (let folder = parentPath(path); folder !== '/'; folder = parentPath(folder)) {
      const { mode } = (this.#files.get(folder)?.desired ?? {}) as { readonly mode?: string }
      const parsed = mode === undefined ? undefined : parseMode(mode)
      if (parsed && (resolveMode(parsed, 0o755, 'directory') & 0o001) === 0) return true
    }
    return false
  }
}
