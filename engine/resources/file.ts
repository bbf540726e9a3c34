import { posix } from 'node:path'
import schema from '../../schemas/resources/file.json' with { type: 'json' }
import { HostError } from '../host/error.ts'
import type { Host } from '../host/host.ts'
import { applyTo, type Changes } from './file/apply.ts'
import { checkFile } from './file/check.ts'
import type { Entry } from './file/compare.ts'
import { ensureOf, type FileDesired, followsLink, isOrphaned } from './file/desired.ts'
import { settle } from './file/local-edit.ts'
import { type FileCurrent, probeFiles } from './file/probe.ts'
import { validateContent } from './file/validate.ts'
import { followLinks } from './links.ts'
import { joinPath, normalPath, parentPath } from './path.ts'
import {
  ApplyError,
  type Change,
  type Footprint,
  type ResourceType,
  type Thing,
  type Verdict,
} from './type.ts'

/** A file, directory or link. What is below a directory that recurses is told as `d/app.conf: content`. */
export const file: ResourceType<FileDesired, FileCurrent> = {
  name: 'file',
  schema,
  check: checkFile,
  footprint({ title, desired }) {
    const path = normalPath(title)
    const ensure = ensureOf(desired)
    if (ensure === 'absent') return { removes: [`path:${path}`] }
    const accounts = accountsOf(desired)
    // What makes nothing comes after whatever brings the file.
    if (ensure === undefined) {
      const own: Thing[] = [`path:${path}`]
      return { needs: accounts, after: own, manages: own }
    }
    return {
      needs: path === '/' ? accounts : accounts.concat(`path:${parentPath(path)}`),
      ensures: [`path:${path}`],
      ...(ensure === 'file' ? { isLeaf: true as const } : {}),
      ...(setsBody(desired) ? { isWhole: true as const } : {}),
      ...afterOf(path, desired),
      ...treeOf(path, desired),
    }
  },
  staysRead({ desired }, changes) {
    return ensureOf(desired) === 'file' && changes.every(givesNothing)
  },
  async probe(files, host, context) {
    return probeFiles(files, host, context)
  },
  diff({ title }, current) {
    if ('blocked' in current) return current
    if (current.entries.length === 0) return current.isUnsettled ? unsettled : inSync
    const changes: Change[] = []
    const notes: string[] = []
    const bases: { readonly path: string; readonly content: Uint8Array }[] = []
    const newVersions: typeof bases = []
    let keepsEdit = false
    for (const entry of current.entries) {
      const found = settle(entry, current.accounts)
      if ('blocked' in found) return found
      for (const change of found.changes) changes.push(named(title, entry, change))
      if (found.note !== undefined) notes.push(found.note)
      keepsEdit ||= found.keepsEdit === true
      if (found.base) bases.push({ path: entry.path, content: found.base })
      if (found.newVersion) newVersions.push({ path: entry.path, content: found.newVersion })
    }
    return {
      changes,
      ...(notes.length === 0 ? {} : { note: notes.join('; ') }),
      ...(keepsEdit ? { keepsEdit } : {}),
      ...(bases.length === 0 ? {} : { bases }),
      ...(newVersions.length === 0 ? {} : { newVersions }),
    }
  },
  async apply({ ref, title, desired }, changes, host) {
    try {
      const path = actsOn(normalPath(title), desired, host)
      const left = isOrphaned(desired) ? leftIn(path, host) : undefined
      if (left !== undefined) return { idle: true, note: `${path} stays, for it holds ${left}` }
      const note = await validateContent(path, desired, changes, host)
      for (const [name, own] of byName(changes)) applyTo(joinPath(path, name), own, host)
      return note === undefined ? undefined : { note }
    } catch (error) {
      throw isKnown(error) ? failure(ref, error) : error
    }
  },
}

/** Of ten thousand files in sync. */
const inSync: Verdict = { changes: [] }
const unsettled: Verdict = { changes: [], isUnsettled: true }

/** A mode by which nobody may do what they could not do before, of a file that all could read: whoever reads it has. */
function givesNothing({ attribute, from, to }: Change): boolean {
  if (attribute !== 'mode') return false
  const [before = 0, after = 0] = [from, to].map((mode) => Number.parseInt(String(mode), 8))
  return (before & 0o444) === 0o444 && (after & ~before) === 0
}

function accountsOf({ owner, group }: FileDesired): Thing[] {
  const things: Thing[] = []
  if (isOthers(owner)) things.push(`user:${owner}`)
  if (isOthers(group)) things.push(`group:${group}`)
  return things
}

/** Root is on every host, and a number needs nobody. */
function isOthers(account: string | number | undefined): account is string {
  return typeof account === 'string' && account !== 'root' && !/^[0-9]+$/.test(account)
}

/**
 * What a link says, or what is copied, need not be there, nor who is asked about a content; where the catalog makes it,
 * that comes first.
 */
function afterOf(path: string, { target, source, validate }: FileDesired): Footprint {
  const after: Thing[] = []
  const other = target ?? source
  if (other !== undefined) after.push(`path:${posix.resolve(parentPath(path), other)}`)
  const [program] = validate ?? []
  if (program !== undefined)
    after.push(program.startsWith('/') ? `path:${program}` : `command:${program}`)
  return after.length === 0 ? {} : { after }
}

function treeOf(path: string, { recurse }: FileDesired): Footprint {
  return recurse === true ? { writes: [joinPath(path, '**')] } : {}
}

/** Whether it decides what is in the file, and not only what a new one begins with. */
function setsBody({ content, source, recurse, replace }: FileDesired): boolean {
  return (content ?? source) !== undefined && recurse !== true && replace !== false
}

function named(title: string, { name, path }: Entry, change: Change): Change {
  const isElsewhere = change.edit !== undefined && path !== joinPath(title, name)
  const told = isElsewhere ? { ...change, at: path } : change
  return name === '' ? told : { ...told, attribute: `${name}: ${change.attribute}` }
}

/** The changes of each path, parents first as `diff` told them. The name of a path may itself hold a colon. */
function byName(changes: readonly Change[]): Map<string, Changes> {
  const paths = new Map<string, Map<string, Change>>()
  for (const change of changes) {
    const end = change.attribute.lastIndexOf(': ')
    const name = end < 0 ? '' : change.attribute.slice(0, end)
    const attribute = end < 0 ? change.attribute : change.attribute.slice(end + 2)
    const own = paths.get(name) ?? new Map<string, Change>()
    paths.set(name, own.set(attribute, change))
  }
  return paths
}

/** Links are followed anew: one may have been placed since the probe. */
function actsOn(path: string, desired: FileDesired, host: Host): string {
  if (!followsLink(desired) || host.stat(path)?.kind !== 'link') return path
  const followed = followLinks(path, host)
  if ('path' in followed) return followed.path
  throw new ApplyError(followed.blocked, followed)
}

/** Something in a directory. */
function leftIn(path: string, host: Host): string | undefined {
  return host.stat(path)?.kind === 'directory' ? host.list(path)[0] : undefined
}

function isKnown(error: unknown): error is ApplyError | HostError {
  return error instanceof ApplyError || error instanceof HostError
}

function failure(ref: string, error: ApplyError | HostError): ApplyError {
  const { help, ran }: Partial<ApplyError> = error
  return new ApplyError(`${ref}: ${error.message}`, {
    ...(help === undefined ? {} : { help }),
    ...(ran ? { ran } : {}),
    cause: error,
  })
}
