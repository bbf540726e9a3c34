import type { CatalogResource } from '../compile/catalog.ts'
import { PathIndex } from '../compile/path-index.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { LateText } from '../resources/file/desired.ts'
import { newFileMode, parseMode, resolveMode } from '../resources/mode.ts'
import { unitName } from '../resources/systemctl.ts'
import { type Claim, finding, lineFor, type Proving, reference, wrongOrder } from './claim.ts'
import { pathsIn } from './words.ts'

/** Types whose resources run on, and hold what they read when they started. */
const RUNNING = new Set(['service', 'supervisor_program'])

/**
 * A service hears of every change to what it reads: what it says itself, the configuration of its own package, and
 * the files that are named in what it reads. And what acts only when it is told to is told by somebody.
 */
export function* reads(proving: Proving): Generator<Claim | Diagnostic> {
  const heard = new Heard(proving)
  for (const resource of proving.catalog.resources) {
    yield* declared(proving, heard, resource)
    if (isIdle(resource) && !heard.hasTeller(resource.index)) yield never(proving, resource)
  }
  yield* ownConfiguration(proving, heard)
  yield* named(proving, heard)
}

/** Who hears of whose changes. */
class Heard {
  readonly #size: number
  readonly #pairs = new Set<number>()
  readonly #listeners = new Map<number, number[]>()
  readonly #told = new Set<number>()

  constructor({ catalog }: Proving) {
    this.#size = catalog.resources.length
    for (const { from, to, refresh } of catalog.edges) {
      if (refresh === undefined) continue
      this.#pairs.add(from * this.#size + to)
      this.#told.add(to)
      const list = this.#listeners.get(from)
      if (list) list.push(to)
      else this.#listeners.set(from, [to])
    }
  }

  isTold(from: number, to: number): boolean {
    return this.#pairs.has(from * this.#size + to)
  }

  hasTeller(index: number): boolean {
    return this.#told.has(index)
  }

  /** All that a change goes on to, through what is refreshed by what was refreshed. */
  reach(from: number): ReadonlySet<number> {
    const seen = new Set<number>()
    const queue = [from]
    for (const node of queue) {
      for (const next of this.#listeners.get(node) ?? []) {
        if (seen.has(next)) continue
        seen.add(next)
        queue.push(next)
      }
    }
    return seen
  }
}

function* declared(
  proving: Proving,
  heard: Heard,
  service: CatalogResource,
): Generator<Claim | Diagnostic> {
  for (const { on, by } of service.footprint.reads ?? []) {
    const key = by === 'reload' ? 'reload_on' : 'restart_on'
    for (const writer of writersOf(proving, on)) {
      if (writer === service.index) continue
      const other = proving.catalog.resources[writer] as CatalogResource
      if (!heard.isTold(writer, service.index)) {
        yield finding(proving, {
          code: 'unheard-change',
          message: `${service.ref} reads ${on}, and a change by ${other.ref} does not ${by} it`,
          resource: service,
          other,
          found: `an order that goes wrong: ${service.ref}, then ${other.ref}, and it runs on with what it had`,
          help: `write in ${service.ref}: ${key}: [${JSON.stringify(on)}]`,
        })
        continue
      }
      yield {
        anyOf: [[writer, service.index]],
        otherwise: () =>
          finding(proving, {
            code: 'unheard-change',
            message: `${service.ref} reads ${on}, and nothing says that ${other.ref} writes it before`,
            resource: service,
            other,
            found: wrongOrder(proving, service, other),
            help: lineFor(proving, other, service),
          }),
      }
    }
  }
}

const indexes = new WeakMap<Proving, PathIndex>()
const names = new WeakMap<Proving, Map<string, number[]>>()

/** The resources that a path, glob or reference of `restart_on` means. */
function writersOf(proving: Proving, on: string): readonly number[] {
  return on.startsWith('/') ? pathIndex(proving).matching(on) : (byName(proving).get(on) ?? [])
}

function pathIndex(proving: Proving): PathIndex {
  let found = indexes.get(proving)
  if (found) return found
  found = new PathIndex()
  for (const { index, footprint } of proving.catalog.resources) {
    for (const thing of [...(footprint.ensures ?? []), ...(footprint.removes ?? [])])
      if (thing.startsWith('path:')) found.add(thing.slice(5), index)
    for (const glob of footprint.writes ?? []) found.add(glob, index)
  }
  indexes.set(proving, found)
  return found
}

function byName(proving: Proving): Map<string, number[]> {
  let found = names.get(proving)
  if (found) return found
  found = new Map<string, number[]>()
  for (const { index, ref, id, containers } of proving.catalog.resources) {
    found.set(ref, [index])
    if (id !== undefined) found.set(id, [index])
    for (const container of containers) {
      const members = found.get(container)
      if (members) members.push(index)
      else found.set(container, [index])
    }
  }
  names.set(proving, found)
  return found
}

function isIdle({ desired }: CatalogResource): boolean {
  return (desired as { readonly refreshonly?: boolean }).refreshonly === true
}

function never(proving: Proving, resource: CatalogResource): Diagnostic {
  return finding(proving, {
    code: 'unheard-change',
    message: `${resource.ref} runs only when something that it listens to changes, and it listens to nothing`,
    resource,
    help: 'write what is to set it off: subscribe: { TYPE: TITLE }',
  })
}

/** What replaces a file below /etc of a service's own package is what it reads. */
function* ownConfiguration(proving: Proving, heard: Heard): Generator<Diagnostic> {
  const { catalog, things } = proving
  const files = catalog.resources.flatMap((file) => {
    const path = writtenFile(file)
    if (path === undefined || !path.startsWith('/etc/') || isForOthers(path)) return []
    const packages = things.provides.get(`path:${path}`)
    return packages ? [{ file, path, packages }] : []
  })
  for (const service of catalog.resources) {
    if (files.length === 0 || service.type !== 'service' || !isToRun(service)) continue
    const own = things.provides.get(`unit:${unitName(service.title)}`) ?? []
    for (const { file, path, packages } of files) {
      if (!packages.some((each) => own.includes(each))) continue
      if (heard.reach(file.index).has(service.index)) continue
      const because = `${path} is configuration of the package of ${service.ref}`
      yield unheard(proving, file, service, because)
    }
  }
}

/** What packages bring for cron, logrotate and the like, which read it anew each time. Source: hier(7), and theirs. */
function isForOthers(path: string): boolean {
  return /^\/etc\/(cron|logrotate|init|rc|pam|profile|apparmor|ufw|sudoers|bash_completion)[^/]*\//.test(
    path,
  )
}

/**
 * A file that is named in what a service reads is read by it too, or by what it starts. A program that is named is
 * started anew each time, and only has to be there.
 */
function* named(proving: Proving, heard: Heard): Generator<Claim | Diagnostic> {
  const { catalog } = proving
  const told = new Set<CatalogResource>()
  for (const service of catalog.resources) {
    if (!RUNNING.has(service.type) || !isToRun(service)) continue
    for (const { reader, path, file } of filesNamedFor(proving, service)) {
      // Whoever hears of it comes after it, and starts anew what found it missing.
      if (heard.reach(file.index).values().some(isRunning)) continue
      const because = `${reader.ref}, which ${service.ref} reads, names ${path}`
      if (isProgram(file)) {
        yield {
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
      } else if (!told.has(file)) {
        told.add(file)
        yield unheard(proving, file, service, because)
      }
    }
  }
  function isRunning(index: number): boolean {
    return RUNNING.has(catalog.resources[index]?.type ?? '')
  }
}

function* filesNamedFor(
  proving: Proving,
  service: CatalogResource,
): Generator<{ reader: CatalogResource; path: string; file: CatalogResource }> {
  const { catalog, things } = proving
  const read = (service.footprint.reads ?? []).flatMap(({ on }) => writersOf(proving, on))
  for (const writer of new Set(read)) {
    const reader = catalog.resources[writer] as CatalogResource
    const { content } = reader.desired as { readonly content?: string | LateText }
    if (reader.type !== 'file' || content === undefined) continue
    for (const path of pathsIn(content.toString())) {
      const makers = [
        ...(things.ensures.get(`path:${path}`) ?? []),
        ...(things.edits.get(path) ?? []),
      ]
      for (const index of makers) {
        const file = catalog.resources[index] as CatalogResource
        if (
          index !== writer &&
          index !== service.index &&
          (writtenFile(file) ?? linkOf(file)) !== undefined
        )
          yield { reader, path, file }
      }
    }
  }
}

/** A program, or a link, behind which one may be. */
function isProgram({ desired }: CatalogResource): boolean {
  const { mode, target } = desired as { readonly mode?: string; readonly target?: string }
  const parsed = mode === undefined ? undefined : parseMode(mode)
  return (
    target !== undefined ||
    (parsed !== undefined && (resolveMode(parsed, newFileMode, 'file') & 0o111) !== 0)
  )
}

function unheard(
  proving: Proving,
  file: CatalogResource,
  service: CatalogResource,
  because: string,
): Diagnostic {
  return finding(proving, {
    code: 'unheard-change',
    message: `${because}, and a change by ${file.ref} restarts and reloads nothing`,
    resource: service,
    other: file,
    found: `an order that goes wrong: ${service.ref}, then ${file.ref}, and it runs on with what it had`,
    help: `write in ${service.ref}: restart_on: [${JSON.stringify(writtenFile(file))}]; or reload_on, or notify in ${file.ref}: ${reference(service)}`,
  })
}

function isToRun({ desired }: CatalogResource): boolean {
  return (desired as { readonly ensure?: string }).ensure !== 'stopped'
}

/** The one file that a resource keeps, whole or in part; undefined for folders, links and all else. */
function writtenFile({ footprint }: CatalogResource): string | undefined {
  if (footprint.isWhole && footprint.isLeaf) return footprint.ensures?.[0]?.slice(5)
  return footprint.edits?.find(({ isGone }) => !isGone)?.path
}

function linkOf({ title, desired }: CatalogResource): string | undefined {
  const { target } = desired as { readonly target?: string }
  return target === undefined ? undefined : title
}
