import schema from '../../schemas/resources/tidy.json' with { type: 'json' }
import type { FileStat, Host, HostReader } from '../host/host.ts'
import { becomesAbsent } from './diff-attributes.ts'
import { parseDurationMs } from './duration.ts'
import { followLinks } from './links.ts'
import { joinPath, normalPath, pathMistake } from './path.ts'
import { matchesPath } from './path-glob.ts'
import { sizeText } from './size-text.ts'
import type { ProbeContext, Resource, ResourceType, Thing } from './type.ts'

interface Desired {
  readonly path?: string
  readonly age?: string
  readonly time?: 'mtime' | 'atime' | 'ctime'
  readonly matches?: string | readonly string[]
  /** How many levels below the path are looked at: all, none but the path itself, or so many. */
  readonly recurse?: boolean | number
  readonly rmdirs?: boolean
  readonly backup?: boolean
}

type Current =
  | { readonly blocked: string; readonly help?: string }
  /** What goes, in the order in which it can: what lies in a directory before the directory. */
  | { readonly goes: readonly Found[] }

interface Found {
  readonly path: string
  readonly stat: FileStat
}

/** Removes what is old below a path. What other resources declare is left to them. */
export const tidy: ResourceType<Desired, Current> = {
  name: 'tidy',
  schema,
  check(resource) {
    const { ref, desired } = resource
    const mistake = pathMistake(desired.path ?? resource.title)
    if (mistake !== undefined) return { message: `the path of ${ref} ${mistake}` }
    if (desired.age === undefined && desired.matches === undefined) {
      const message = `${ref} would remove whatever it finds`
      return { attribute: 'age', message, help: 'say which: write `age`, `matches` or both' }
    }
    if (pathOf(resource) === '/') return { message: `${ref} would tidy the whole host` }
    return undefined
  },
  footprint(resource) {
    return { after: [`path:${pathOf(resource)}`] }
  },
  async probe(resources, host, context) {
    const now = Date.now()
    return resources.map((resource) => probeOne(resource, { host, context, now }))
  },
  diff(_resource, current) {
    if ('blocked' in current) return current
    const { goes } = current
    if (goes.length === 0) return { changes: [] }
    const files = goes.map(({ path }) => path)
    const bytes = goes.reduce((sum, { stat }) => sum + (stat.kind === 'file' ? stat.size : 0), 0)
    const note = `${goes.length} in all, ${sizeText(bytes)}`
    // As a text, so that a plan lists them line by line.
    const content = {
      from: Buffer.from(files.map((path) => `${path}\n`).join('')),
      to: Buffer.of(),
    }
    return {
      changes: [
        { ...becomesAbsent, note },
        { attribute: 'files', from: files, to: [], content, removes: files },
      ],
    }
  },
  async apply({ desired }, changes, host) {
    const paths = changes.flatMap(({ from }) => (typeof from === 'object' ? from : []))
    for (const path of paths) remove(path, host, desired.backup === false)
    return undefined
  },
}

/** A directory that has been filled meanwhile stays. */
function remove(path: string, host: Host, isWorthless: boolean): void {
  const stat = host.stat(path)
  if (stat === undefined || (stat.kind === 'directory' && host.list(path).length > 0)) return
  host.remove(path, { isWorthless })
}

function pathOf({ title, desired }: Resource<Desired>): string {
  return normalPath(desired.path ?? title)
}

interface Asking {
  readonly host: HostReader
  readonly context: ProbeContext | undefined
  readonly now: number
}

function probeOne(resource: Resource<Desired>, asking: Asking): Current {
  const path = pathOf(resource)
  const { recurse = false } = resource.desired
  if (recurse === false) {
    const stat = asking.host.stat(path)
    return {
      goes: stat === undefined ? [] : walk({ path, stat }, 0, resource.desired, asking).goes,
    }
  }
  const followed = followLinks(path, asking.host)
  if ('blocked' in followed) {
    const { blocked, help } = followed
    return help === undefined ? { blocked } : { blocked, help }
  }
  if (followed.stat?.kind !== 'directory') return { goes: [] }
  const depth = recurse === true ? Number.POSITIVE_INFINITY : recurse
  return { goes: below(followed.path, depth, resource.desired, asking).goes }
}

/** What goes of a thing and all below it, and whether the thing itself does. */
function walk(
  found: Found,
  depth: number,
  desired: Desired,
  asking: Asking,
): { readonly goes: readonly Found[]; readonly isGone: boolean } {
  const { path, stat } = found
  const isDirectory = stat.kind === 'directory'
  const inside = isDirectory ? below(path, depth, desired, asking) : { goes: [], isEmpty: true }
  const isKind = isDirectory
    ? desired.rmdirs === true
    : stat.kind === 'file' || stat.kind === 'link'
  const thing: Thing = `path:${path}`
  const isGone =
    isKind &&
    inside.isEmpty &&
    meets(found, desired, asking) &&
    !asking.context?.declared.has(thing)
  return { goes: isGone ? [...inside.goes, found] : inside.goes, isGone }
}

function below(
  path: string,
  depth: number,
  desired: Desired,
  asking: Asking,
): { readonly goes: readonly Found[]; readonly isEmpty: boolean } {
  const names = asking.host.list(path)
  if (depth === 0) return { goes: [], isEmpty: names.length === 0 }
  const goes: Found[] = []
  let isEmpty = true
  for (const name of names) {
    const child = joinPath(path, name)
    const stat = asking.host.stat(child)
    // Somebody else was quicker.
    if (stat === undefined) continue
    const inside = walk({ path: child, stat }, depth - 1, desired, asking)
    for (const each of inside.goes) goes.push(each)
    isEmpty &&= inside.isGone
  }
  return { goes, isEmpty }
}

function meets({ path, stat }: Found, { age, time = 'mtime', matches }: Desired, { now }: Asking) {
  const globs = typeof matches === 'string' ? [matches] : matches
  const name = path.slice(path.lastIndexOf('/') + 1)
  if (globs !== undefined && !globs.some((glob) => matchesPath(name, glob))) return false
  const ageMs = age === undefined ? undefined : parseDurationMs(age)
  return ageMs === undefined || now - stat[`${time}Ms`] >= ageMs
}
