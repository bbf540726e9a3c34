import { hash } from 'node:crypto'
import { HostError } from '../../host/error.ts'
import type { Accounts, FileStat, HostReader } from '../../host/host.ts'
import { Conffiles } from '../conffiles.ts'
import { followLinks } from '../links.ts'
import { parseMode } from '../mode.ts'
import { joinPath, normalPath, parentPath } from '../path.ts'
import type { Change, ProbeContext, Recorded, Resource } from '../type.ts'
import { accountId } from './account.ts'
import { withAdopted } from './adopted.ts'
import { type Account, type Blocked, compare, type Entry, type Goal } from './compare.ts'
import { bytesForNow, contentChange, isTooLarge } from './content.ts'
import { type Declared, declaredPaths } from './declared.ts'
import { ensureOf, type FileDesired, followsLink, isOrphaned } from './desired.ts'
import { source } from './source.ts'
import { entriesBelow } from './tree.ts'

/**
 * Each path that differs, or of which there is something to say: the title
 * itself first. Nothing for one that is in sync.
 */
export type FileCurrent =
  | Blocked
  | {
      readonly accounts: Accounts
      readonly entries: readonly Entry[]
      /** Set where the record may have another version for what is in sync. */
      readonly isUnsettled?: true
    }

/** Reads each path once, with its body where one is wanted; keeps only bodies that differ. */
export function probeFiles(
  resources: readonly Resource<FileDesired>[],
  host: HostReader,
  context: ProbeContext | undefined,
): FileCurrent[] {
  const probe = new Probe(host, context)
  return resources.map((resource) => {
    try {
      return probe.one(resource)
    } catch (error) {
      if (error instanceof HostError) return blockedBy({ blocked: error.message, help: error.help })
      throw error
    }
  })
}

class Probe {
  readonly #host: HostReader
  readonly #accounts: Accounts
  readonly #declared: Declared
  readonly #files: ProbeContext['files']
  readonly #isPartial: boolean
  readonly #conffiles: Conffiles
  /** What all that need nothing share. */
  readonly #inSync: FileCurrent
  readonly #unsettled: FileCurrent
  readonly #known = new Map<string, Account>()
  /** By directory: why nothing can be written into it. */
  readonly #mistakes = new Map<string, Blocked>()
  /** Directories in which something can be written. */
  readonly #sound: Set<string>

  constructor(host: HostReader, context: ProbeContext | undefined) {
    this.#host = host
    this.#accounts = host.accounts()
    this.#declared = declaredPaths(context)
    this.#files = context?.files
    this.#isPartial = context?.isPartial === true
    this.#conffiles = new Conffiles(host)
    this.#sound = soundFolders(context)
    this.#inSync = { accounts: this.#accounts, entries: [] }
    this.#unsettled = { accounts: this.#accounts, entries: [], isUnsettled: true }
  }

  one({ title: written, desired }: Resource<FileDesired>): FileCurrent {
    const title = normalPath(written)
    const goal = this.#goal(desired)
    const found = this.#find(title, desired)
    if ('blocked' in found) return found
    const { path, stat } = found
    const content = this.#content(desired, goal, path, stat)
    if (content && 'blocked' in content) return content
    const own: Entry = {
      name: '',
      path,
      goal,
      stat,
      target:
        stat?.kind === 'link' && goal.target !== undefined ? this.#host.readLink(path) : undefined,
      content,
    }
    const below = desired.recurse === true ? this.#below(own, title, desired) : []
    const differing = isInSync(own, this.#accounts) ? below : [own, ...below]
    if (differing.length === 0) return this.#isSettled(own) ? this.#inSync : this.#unsettled
    const entries = differing.map((entry) =>
      this.#withHistory(this.#withBelow(entry, desired), desired),
    )
    return this.#parentMistake(path, entries) ?? { accounts: this.#accounts, entries }
  }

  #goal(desired: FileDesired): Goal {
    const { owner, group, mode } = desired
    return {
      ensure: ensureOf(desired),
      target: desired.target,
      owner: owner === undefined ? undefined : this.#account('user', owner),
      group: group === undefined ? undefined : this.#account('group', group),
      mode: mode === undefined ? undefined : parseMode(mode),
      force: desired.force === true || isOrphaned(desired),
      replace: desired.replace !== false,
    }
  }

  /** What is no file has no version. */
  #isSettled({ path, stat }: Entry): boolean {
    if (stat?.kind !== 'file' || !this.#files?.isSettled) return true
    return this.#files.isSettled(path, stat.ctimeMs)
  }

  #account(kind: 'user' | 'group', name: string | number): Account {
    const key = `${kind}:${name}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const account = { name: String(name), id: accountId(this.#accounts, kind, name) }
    this.#known.set(key, account)
    return account
  }

  #find(
    title: string,
    desired: FileDesired,
  ): Blocked | { path: string; stat: FileStat | undefined } {
    const stat = this.#host.stat(title)
    const follows = stat?.kind === 'link' && followsLink(desired)
    const purges = desired.purge === true && ensureOf(desired) === 'directory'
    if (purges && (follows || this.#leadsThroughLink(parentPath(title)))) {
      return {
        blocked: `${title} leads through a link, and purge never does`,
        help: 'Name the directory by the path without links.',
      }
    }
    if (!follows) return { path: title, stat }
    const followed = followLinks(title, this.#host)
    return 'blocked' in followed ? blockedBy(followed) : followed
  }

  #leadsThroughLink(path: string): boolean {
    const followed = followLinks(path, this.#host)
    return 'path' in followed && followed.path !== path
  }

  #content(
    { content, source: from, format }: FileDesired,
    { ensure }: Goal,
    path: string,
    stat: FileStat | undefined,
  ): Change | Blocked | undefined {
    if (ensure !== 'file' && ensure !== 'present') return undefined
    const wanted =
      content !== undefined
        ? bytesForNow(String(content))
        : from !== undefined
          ? source.read(from)
          : undefined
    if (!wanted) return undefined
    const whole = withAdopted(wanted, path, { adopted: this.#files?.adopted?.get(path), format })
    return 'blocked' in whole ? whole : contentChange(whole, path, stat, this.#host)
  }

  /** What differs below; a large tree that is in sync takes no room. */
  #below(own: Entry, title: string, desired: FileDesired): Entry[] {
    const { goal, path, stat } = own
    const isKept = stat !== undefined && stat.kind !== 'directory' && !goal.replace
    if (goal.ensure !== 'directory' || isKept) return []
    const ofChildren = { ...goal, ensure: undefined }
    const adopted = this.#files?.adopted
    const [declared, isPartial] = [this.#declared, this.#isPartial]
    const tree = { title, path, desired, goal: ofChildren, declared, adopted, isPartial }
    const entries = entriesBelow(tree, this.#host, stat?.kind === 'directory')
    return entries.filter((entry) => !isInSync(entry, this.#accounts)).toArray()
  }

  #withBelow(entry: Entry, { force }: FileDesired): Entry {
    const { goal, stat, path, stays } = entry
    const isOther =
      goal.ensure !== undefined && goal.ensure !== 'directory' && goal.ensure !== 'present'
    if (stat?.kind !== 'directory' || !isOther || force !== true || stays !== undefined)
      return entry
    return { ...entry, below: this.#pathsBelow(path) }
  }

  /** What other resources declare there goes by these. */
  #pathsBelow(directory: string): string[] {
    return this.#host.list(directory).flatMap((base) => {
      const path = joinPath(directory, base)
      if (this.#declared.has(path)) return []
      const isDirectory = this.#host.stat(path)?.kind === 'directory'
      return isDirectory ? [path, ...this.#pathsBelow(path)] : [path]
    })
  }

  /** What is in sync has no use for what became of it before. */
  #withHistory(entry: Entry, { local_edits, replace, format }: FileDesired): Entry {
    const { path, stat, content, goal } = entry
    const files = this.#files
    if (!files || replace === false) return entry
    if (content === undefined && !hasChanges(entry, this.#accounts)) return entry
    const isToGo = goal.ensure !== undefined && goal.ensure !== 'file' && goal.ensure !== 'present'
    const present =
      content?.content?.from ??
      (isToGo && stat?.kind === 'file' && !isTooLarge(stat) ? this.#host.read(path) : undefined)
    const policy = files.localEdits ?? local_edits ?? files.otherwise ?? 'overwrite'
    const recorded = files.recorded(path)
    const isNoEdit =
      !recorded &&
      (files.isNew?.(path) === true ||
        (stat?.kind === 'link' && files.link?.(path) === this.#host.readLink(path)) ||
        (present !== undefined && this.#conffiles.isAsBrought(path, present)))
    const isBase = (): boolean =>
      present === undefined
        ? stat !== undefined && isTooLarge(stat) && this.#isLargeBase(path, stat, recorded)
        : hash('sha256', present) === recorded?.base
    return { ...entry, history: { policy, format, recorded, present, isBase, isNoEdit } }
  }

  /** Never reads what is larger than anything that steward put there. */
  #isLargeBase(path: string, { size }: FileStat, recorded: Recorded | undefined): boolean {
    const base = recorded?.baseContent()
    return base !== undefined && base.length === size && this.#host.holds(path, base)
  }

  /** Only asked where there is something to write; the directories of many files are few. */
  #parentMistake(path: string, entries: readonly Entry[]): Blocked | undefined {
    if (!entries.some((entry) => hasChanges(entry, this.#accounts))) return undefined
    const directory = parentPath(path)
    if (this.#sound.has(directory)) return undefined
    const mistake = this.#mistakes.get(directory) ?? this.#mistake(directory)
    if (mistake === undefined) this.#sound.add(directory)
    else this.#mistakes.set(directory, mistake)
    return mistake
  }

  #mistake(directory: string): Blocked | undefined {
    const found = followLinks(directory, this.#host)
    // What another resource declares may be put right by then.
    if ('blocked' in found) return this.#declared.has(found.at) ? undefined : blockedBy(found)
    // A missing one is for the plan to judge, which knows who makes it.
    if (found.stat === undefined || found.stat.kind === 'directory') return undefined
    if (this.#declared.has(directory) || this.#declared.has(found.path)) return undefined
    return { blocked: `${found.path} is a ${found.stat.kind} where a directory is needed` }
  }
}

/**
 * Those of one trip of the road. They are not looked at again: where one has
 * changed since, the write itself refuses.
 */
const sound = new WeakMap<ProbeContext, Set<string>>()

function soundFolders(context: ProbeContext | undefined): Set<string> {
  const known = context && sound.get(context)
  if (known) return known
  const folders = new Set<string>()
  if (context) sound.set(context, folders)
  return folders
}

function blockedBy({
  blocked,
  help,
}: {
  readonly blocked: string
  readonly help?: string | undefined
}): Blocked {
  return help === undefined ? { blocked } : { blocked, help }
}

function isInSync(entry: Entry, accounts: Accounts): boolean {
  const found = compare(entry, accounts)
  return 'changes' in found && found.changes.length === 0 && found.note === undefined
}

function hasChanges(entry: Entry, accounts: Accounts): boolean {
  const found = compare(entry, accounts)
  return 'changes' in found && found.changes.length > 0
}
