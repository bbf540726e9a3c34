import { bytesOf } from '../../host/bytes.ts'
import { HostError } from '../../host/error.ts'
import type { Accounts, FileStat, HostReader } from '../../host/host.ts'
import { followLinks } from '../links.ts'
import { parseMode } from '../mode.ts'
import { normalPath, parentPath } from '../path.ts'
import type { ProbeContext, Resource } from '../type.ts'
import { differingBody } from './body.ts'
import { type Blocked, type Body, compare, type Entry, type Goal } from './compare.ts'
import { type Declared, declaredPaths } from './declared.ts'
import { ensureOf, type FileDesired, followsLink } from './desired.ts'
import { source } from './source.ts'
import { entriesBelow } from './tree.ts'

/** What is at the path and, where it recurses, what differs below it. */
export type FileCurrent =
  | Blocked
  | { readonly accounts: Accounts; readonly entries: readonly Entry[] }

/** Reads each path once, with its body where one is wanted; keeps only bodies that differ. */
export function probeFiles(
  resources: readonly Resource<FileDesired>[],
  host: HostReader,
  context: ProbeContext | undefined,
): FileCurrent[] {
  const probe = new Probe(host, declaredPaths(context?.declared))
  return resources.map((resource) => {
    try {
      return probe.one(resource)
    } catch (error) {
      if (error instanceof HostError) return { blocked: error.message }
      throw error
    }
  })
}

class Probe {
  readonly #host: HostReader
  readonly #accounts: Accounts
  readonly #declared: Declared
  /** By directory: why nothing can be written into it. */
  readonly #mistakes = new Map<string, Blocked | undefined>()

  constructor(host: HostReader, declared: Declared) {
    this.#host = host
    this.#accounts = host.accounts()
    this.#declared = declared
  }

  one({ title: written, desired }: Resource<FileDesired>): FileCurrent {
    const title = normalPath(written)
    const goal = this.#goal(desired)
    const found = this.#find(title, desired)
    if ('blocked' in found) return found
    const { path, stat } = found
    const own: Entry = {
      name: '',
      path,
      goal,
      stat,
      target:
        stat?.kind === 'link' && goal.target !== undefined ? this.#host.readLink(path) : undefined,
      body: this.#body(desired, goal, path, stat),
    }
    const recurses = desired.recurse === true && goal.ensure === 'directory'
    const entries = recurses ? this.#withTree(own, title, desired) : [own]
    return this.#parentMistake(path, entries) ?? { accounts: this.#accounts, entries }
  }

  #goal(desired: FileDesired): Goal {
    const { owner, group, mode } = desired
    const accounts = this.#accounts
    return {
      ensure: ensureOf(desired),
      target: desired.target,
      owner: owner === undefined ? undefined : { name: String(owner), id: accounts.uid(owner) },
      group: group === undefined ? undefined : { name: String(group), id: accounts.gid(group) },
      mode: mode === undefined ? undefined : parseMode(mode),
      force: desired.force === true,
      replace: desired.replace !== false,
    }
  }

  #find(
    title: string,
    desired: FileDesired,
  ): Blocked | { path: string; stat: FileStat | undefined } {
    const stat = this.#host.stat(title)
    const follows = stat?.kind === 'link' && followsLink(desired)
    if (desired.purge === true && (follows || this.#leadsThroughLink(parentPath(title)))) {
      return {
        blocked: `${title} leads through a link, and purge never does`,
        help: 'Name the directory by the path without links.',
      }
    }
    return follows ? followLinks(title, this.#host) : { path: title, stat }
  }

  #leadsThroughLink(path: string): boolean {
    const followed = followLinks(path, this.#host)
    return 'path' in followed && followed.path !== path
  }

  #body(
    { content, source: from }: FileDesired,
    { ensure }: Goal,
    path: string,
    stat: FileStat | undefined,
  ): Body | undefined {
    if (ensure !== 'file' && ensure !== 'present') return undefined
    if (content !== undefined) return differingBody(bytesOf(content), path, stat, this.#host)
    if (from !== undefined) return differingBody(source.read(from), path, stat, this.#host)
    return undefined
  }

  /** Whatever is in sync below is dropped here, so that a large tree takes no room. */
  #withTree(own: Entry, title: string, desired: FileDesired): Entry[] {
    const comparison = compare(own, this.#accounts)
    const isKept = own.stat !== undefined && own.stat.kind !== 'directory' && !own.goal.replace
    if ('blocked' in comparison || isKept) return [own]
    const tree = { title, path: own.path, desired, goal: own.goal, declared: this.#declared }
    const entries = [own]
    for (const entry of entriesBelow(tree, this.#host, own.stat?.kind === 'directory')) {
      if (!isInSync(entry, this.#accounts)) entries.push(entry)
    }
    return entries
  }

  /** Only asked where there is something to write; the directories of many files are few. */
  #parentMistake(path: string, entries: readonly Entry[]): Blocked | undefined {
    if (entries.every((entry) => isInSync(entry, this.#accounts))) return undefined
    const directory = parentPath(path)
    if (!this.#mistakes.has(directory)) this.#mistakes.set(directory, this.#mistake(directory))
    return this.#mistakes.get(directory)
  }

  #mistake(directory: string): Blocked | undefined {
    const followed = followLinks(directory, this.#host)
    // What another resource declares may be put right by then.
    if (!('blocked' in followed) || this.#declared.has(followed.at)) return undefined
    const { blocked, help } = followed
    return help === undefined ? { blocked } : { blocked, help }
  }
}

function isInSync(entry: Entry, accounts: Accounts): boolean {
  const comparison = compare(entry, accounts)
  return 'changes' in comparison && comparison.changes.length === 0 && comparison.note === undefined
}
