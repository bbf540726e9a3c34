import type { CatalogResource } from '../compile/catalog.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { LateText } from '../resources/file/desired.ts'
import { newFileMode, parseMode, resolveMode } from '../resources/mode.ts'
import { unitName } from '../resources/systemctl.ts'
import { type Claim, finding, lineFor, type Proving, reference, wrongOrder } from './claim.ts'
import { isToRun } from './listening.ts'
import type { Things } from './things.ts'
import { pathsIn } from './words.ts'

/**
 * What a service reads though it does not say so: what lies in its own folders, what replaces a file of its package,
 * and what is named in what it does say.
 */
export function* unsaidReads(proving: Proving): Generator<Claim | Diagnostic> {
  const own = new OwnFiles(proving)
  const told = new Set<CatalogResource>()
  for (const service of proving.catalog.resources) {
    if (!isToRun(service)) continue
    const found = new Set<CatalogResource>()
    for (const { file, path, because } of own.of(service)) {
      if (found.has(file) || proving.listening.reach(file.index).has(service.index)) continue
      found.add(file)
      yield unheard(proving, { file, service, path, because })
    }
    for (const { reader, path, file } of filesNamedFor(proving, service)) {
      // Whoever hears of it comes after it, and starts anew what found it missing.
      if (found.has(file) || told.has(file) || proving.listening.isHeard(file.index)) continue
      const because = `${reader.ref}, which ${service.ref} reads, names ${path}`
      if (isProgram(file)) yield isThere(proving, { file, service, because })
      else {
        told.add(file)
        yield unheard(proving, { file, service, path, because })
      }
    }
  }
}

interface OwnFile {
  readonly file: CatalogResource
  readonly path: string
}

/** Files that lie in the folders of a service, or that its package brings too. */
class OwnFiles {
  readonly #things: Things
  readonly #byProgram = new Map<string, OwnFile[]>()
  readonly #packaged: (OwnFile & { readonly packages: readonly number[] })[] = []

  constructor({ catalog, things }: Proving) {
    this.#things = things
    for (const file of catalog.resources) {
      for (const path of changedFiles(file)) {
        const program = programOf(path)
        if (program !== undefined) {
          const list = this.#byProgram.get(program)
          if (list) list.push({ file, path })
          else this.#byProgram.set(program, [{ file, path }])
        }
        const packages = things.provides.get(`path:${path}`)
        if (packages && path.startsWith('/etc/') && !isForOthers(path))
          this.#packaged.push({ file, path, packages })
      }
    }
  }

  *of({ type, title, ref }: CatalogResource): Generator<OwnFile & { readonly because: string }> {
    if (type !== 'service') return
    const unit = unitName(title)
    const [program = '', instance] = unit.replace(/\.\w+$/, '').split('@')
    for (const own of this.#byProgram.get(bareName(program)) ?? []) {
      if (instance === undefined || own.path.includes(`/${instance.replaceAll('-', '/')}/`))
        yield { ...own, because: `${own.path} lies where ${ref} reads` }
    }
    const bringers = this.#things.provides.get(`unit:${unit}`)
    if (!bringers) return
    for (const { packages, ...own } of this.#packaged)
      if (packages.some((each) => bringers.includes(each)))
        yield { ...own, because: `${own.path} is configuration of the package of ${ref}` }
  }
}

/** `redis` for `/etc/redis/x`, `/etc/redis.conf` and `/var/lib/redis/x`, which is `redis-server`'s. */
function programOf(path: string): string | undefined {
  const name = /^\/(?:etc|var\/lib)\/([^/]+)/.exec(path)?.[1]
  return name === undefined ? undefined : bareName(name)
}

/** What the names of a service and of its folders have in common. */
function bareName(name: string): string {
  return name.replace(/\.(?:d|conf|cfg)$/, '').replace(/(?:-server|-daemon|utils|d)$/, '')
}

/** What packages bring for cron, logrotate and the like, which read it anew each time. Source: hier(7), and theirs. */
function isForOthers(path: string): boolean {
  const folders = 'cron|logrotate|init|rc|pam|profile|apparmor|ufw|sudoers|bash_completion'
  return new RegExp(`^/etc/(?:${folders})[^/]*/`).test(path)
}

/** A program that is named is started anew each time, and only has to be there. */
function isThere(
  proving: Proving,
  told: {
    readonly file: CatalogResource
    readonly service: CatalogResource
    readonly because: string
  },
): Claim {
  const { file, service, because } = told
  return {
    anyOf: [[file.index, service.index]],
    otherwise: () =>
      finding(proving, {
        code: 'unmet-need',
        message: `${because}, and nothing says that ${file.ref} is there before`,
        resource: service,
        other: file,
        found: wrongOrder(proving, service, file),
        help: lineFor(proving, file, service),
      }),
  }
}

interface Named {
  /** The configuration, and what it names. */
  readonly reader: CatalogResource
  readonly path: string
  /** Who makes that. */
  readonly file: CatalogResource
}

function* filesNamedFor(proving: Proving, service: CatalogResource): Generator<Named> {
  const { catalog, things, listening } = proving
  const read = (service.footprint.reads ?? []).flatMap(({ on }) => listening.writersOf(on))
  for (const writer of new Set(read)) {
    const reader = catalog.resources[writer] as CatalogResource
    const { content } = reader.desired as { readonly content?: string | LateText }
    if (reader.type !== 'file' || content === undefined) continue
    for (const path of pathsIn(content.toString())) {
      const makers = [things.ensures.get(`path:${path}`), things.edits.get(path)].flat()
      for (const index of makers) {
        if (index === undefined || index === writer) continue
        const file = catalog.resources[index] as CatalogResource
        if (file.type === 'exec' || changedFiles(file).includes(path)) yield { reader, path, file }
      }
    }
  }
}

/** A program, or a link, behind which one may be. */
function isProgram({ desired }: CatalogResource): boolean {
  const { mode, target } = desired as { readonly mode?: string; readonly target?: string }
  const parsed = mode === undefined ? undefined : parseMode(mode)
  const bits = parsed === undefined ? 0 : resolveMode(parsed, newFileMode, 'file')
  return target !== undefined || (bits & 0o111) !== 0
}

/** Files and links that a resource makes, changes or removes; no folders, and not what a command creates. */
function changedFiles({ type, desired, footprint }: CatalogResource): readonly string[] {
  const { ensures = [], removes = [], edits = [], isLeaf } = footprint
  const isLink = (desired as { readonly target?: string }).target !== undefined
  const made = type !== 'exec' && (isLeaf || isLink || footprint.isWhole) ? ensures : []
  return [
    ...[...made, ...removes].flatMap((thing) =>
      thing.startsWith('path:') ? [thing.slice(5)] : [],
    ),
    ...edits.map(({ path }) => path),
  ]
}

function unheard(
  proving: Proving,
  told: {
    readonly file: CatalogResource
    readonly service: CatalogResource
    readonly path: string
    readonly because: string
  },
): Diagnostic {
  const { file, service, path, because } = told
  return finding(proving, {
    code: 'unheard-change',
    message: `${because}, and a change by ${file.ref} does not restart or reload it`,
    resource: service,
    other: file,
    found: `an order that goes wrong: ${service.ref}, then ${file.ref}, and it runs on with what it had`,
    help: `write in ${service.ref}: restart_on: [${JSON.stringify(path)}]; or reload_on, or in ${file.ref}: notify: ${reference(service)}`,
  })
}
