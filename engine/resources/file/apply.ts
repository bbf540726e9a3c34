import type { Accounts, FileStat, GivenOwner, Host, Ownership } from '../../host/host.ts'
import { newDirectoryMode, newFileMode } from '../mode.ts'
import { ApplyError, type Change } from '../type.ts'
import { accountId } from './account.ts'

/** The changes of one path, by attribute. */
export type Changes = ReadonlyMap<string, Change>

/**
 * Makes them: in one write where there is something to write. Throws `ApplyError` without the
 * resource's name, and what the host throws.
 */
export function applyTo(path: string, changes: Changes, host: Host): void {
  const ensure = changes.get('ensure')
  const present = host.stat(path)
  if (ensure !== undefined) {
    const kind = present?.kind ?? 'absent'
    if (kind !== ensure.from) throw changedSince(path, String(ensure.from), kind)
    if (ensure.to === 'absent') host.remove(path)
    else create(path, changes, host)
    return
  }
  if (present === undefined) throw changedSince(path, 'there', 'absent')
  const content = changes.get('content')
  const target = changes.get('target')
  const stewards = [...changes.values()].find((change) => change.stewards)?.stewards
  const owner = { ...ownerAfter(changes, present, host), ...(stewards && { stewards }) }
  const mode = modeAfter(changes, present.mode)
  if (content !== undefined) {
    host.writeFile(path, bytesOf(content), { ...owner, mode, ...pristineOf(content) })
  } else if (target !== undefined) {
    host.makeLink(path, String(target.to), owner)
  } else {
    setAttributes(path, present, owner, mode, host)
  }
}

function create(path: string, changes: Changes, host: Host): void {
  const ensure = changes.get('ensure')
  const runner = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 }
  const owner = ownerAfter(changes, runner, host)
  // A file or link takes the place of anything but a directory in one step.
  const isInTheWay = ensure?.to === 'directory' || ensure?.from === 'directory'
  if (ensure?.from !== 'absent' && isInTheWay) host.remove(path)
  if (ensure?.to === 'directory') {
    host.makeDirectory(path, { ...owner, mode: modeAfter(changes, newDirectoryMode) })
  } else if (ensure?.to === 'link') {
    host.makeLink(path, String(changes.get('target')?.to), owner)
  } else {
    const content = changes.get('content')
    const body = content === undefined ? new Uint8Array() : bytesOf(content)
    host.writeFile(path, body, { ...owner, mode: modeAfter(changes, newFileMode) })
  }
}

function setAttributes(
  path: string,
  present: FileStat,
  owner: GivenOwner,
  mode: number,
  host: Host,
): void {
  const changesOwner = owner.uid !== present.uid || owner.gid !== present.gid
  if (changesOwner) host.setOwner(path, owner)
  // A change of owner takes setuid and setgid away from a file. Source: chown(2).
  const losesSetId = changesOwner && (mode & 0o6000) !== 0
  if (present.kind !== 'link' && (mode !== present.mode || losesSetId)) host.setMode(path, mode)
}

function ownerAfter(changes: Changes, before: Ownership, host: Host): Ownership {
  const owner = changes.get('owner')
  const group = changes.get('group')
  if (owner === undefined && group === undefined) return { uid: before.uid, gid: before.gid }
  const accounts = host.accounts()
  return {
    uid: owner === undefined ? before.uid : idOf(accounts, 'user', owner),
    gid: group === undefined ? before.gid : idOf(accounts, 'group', group),
  }
}

function idOf(accounts: Accounts, kind: 'user' | 'group', { to }: Change): number {
  const id = accountId(accounts, kind, String(to))
  if (id !== undefined) return id
  throw new ApplyError(`there is no ${kind} ${String(to)}`, {
    help: `Declare the ${kind}, or name one that is there.`,
  })
}

function modeAfter(changes: Changes, before: number): number {
  const mode = changes.get('mode')
  return mode === undefined ? before : Number.parseInt(String(mode.to), 8)
}

function bytesOf({ content }: Change): Uint8Array {
  if (content?.to === undefined) throw new Error('A change of content came without its bytes')
  return content.to
}

function pristineOf({ content }: Change): { readonly pristine?: Uint8Array } {
  return content?.pristine === undefined ? {} : { pristine: content.pristine }
}

function changedSince(path: string, before: string, now: string): ApplyError {
  const told = (kind: string): string => (/^(absent|there)$/.test(kind) ? kind : `a ${kind}`)
  return new ApplyError(`${path} was ${told(before)} when it was read, and is ${told(now)} now`, {
    help: 'Run steward again: something else changed it meanwhile.',
  })
}
