import type { Accounts, FileStat } from '../host/host.ts'
import { becomesAbsent, becomesPresent } from './diff-attributes.ts'
import type { DownloadCurrent, DownloadDesired } from './download-desired.ts'
import { formatMode } from './mode.ts'
import type { Change, Resource, Verdict } from './type.ts'

/** Owner and mode are only looked at where the content is right: fetching it anew puts them right too. Pure. */
export function diffDownload(
  resource: Resource<DownloadDesired>,
  current: DownloadCurrent,
): Verdict {
  const { ref, title, desired } = resource
  const { stat, record } = current
  const isForeign = stat?.kind === 'directory' && record === undefined
  const isFolderForFile = stat?.kind === 'directory' && desired.archive === undefined
  if (desired.ensure === 'absent') {
    if (stat === undefined) return { changes: [] }
    if (isForeign && !desired.force) return blockedBy(ref, title)
    return { changes: [becomesAbsent] }
  }
  if (current.isUsed) return { changes: [] }
  const isInTheWay = isFolderForFile || (isForeign && !current.isEmpty)
  if (isInTheWay && !desired.force) return blockedBy(ref, title)
  const changes =
    desired.archive === undefined ? fileChanges(desired, current) : treeChanges(desired, current)
  if (changes.length > 0 && current.untrusted !== undefined) {
    return {
      blocked: `${ref}: what is there could be exchanged by others: ${current.untrusted}`,
      help: 'choose a folder that only root can write into',
    }
  }
  return { changes }
}

function blockedBy(ref: string, title: string): Verdict {
  return {
    blocked: `${ref}: ${title} is a directory that it did not make`,
    help: 'look what it holds; `force: true` puts it into the bucket',
  }
}

/** Said behind a change that needs the network. */
function fetching({ url }: DownloadDesired): { readonly note: string } {
  return { note: `fetched from ${url}` }
}

function fileChanges(desired: DownloadDesired, current: DownloadCurrent): Change[] {
  const { stat, digest } = current
  if (stat === undefined) return [{ ...becomesPresent, ...fetching(desired) }]
  const to = shown(desired.checksum)
  if (digest !== desired.checksum?.toLowerCase()) {
    const from = stat.kind === 'file' ? shown(digest) : `a ${stat.kind}`
    return [{ attribute: 'checksum', from, to, ...fetching(desired) }]
  }
  const mode = fileMode(desired)
  return [
    ...ownerChanges(desired, current, stat),
    ...(stat.mode === mode
      ? []
      : [{ attribute: 'mode', from: formatMode(stat.mode), to: formatMode(mode) }]),
  ]
}

function treeChanges(desired: DownloadDesired, current: DownloadCurrent): Change[] {
  const { stat, record, tree } = current
  if (stat === undefined) return [{ ...becomesPresent, ...fetching(desired) }]
  const to = shown(desired.checksum)
  if (record === undefined || tree === undefined) {
    const from = stat.kind === 'directory' ? 'not known' : `a ${stat.kind}`
    return [{ attribute: 'checksum', from, to, ...fetching(desired) }]
  }
  if (record.checksum !== desired.checksum?.toLowerCase()) {
    return [{ attribute: 'checksum', from: shown(record.checksum), to, ...fetching(desired) }]
  }
  const [taken, wanted] = [record, desired].map(({ strip = 0, members }) =>
    [strip === 0 ? [] : [`without ${strip} outer`], members ?? ['everything']].flat(),
  )
  if (taken?.join('\0') !== wanted?.join('\0')) {
    return [{ attribute: 'members', from: taken, to: wanted, ...fetching(desired) }]
  }
  if (tree.damaged.length > 0) {
    return [{ attribute: 'content', from: differing(tree.damaged), to, ...fetching(desired) }]
  }
  return [
    ...(tree.strange.length > 0 ? ownerChanges(desired, current, undefined) : []),
    ...(tree.modes.length > 0
      ? [{ attribute: 'mode', from: differing(tree.modes), to: 'as unpacked' }]
      : []),
  ]
}

function differing(names: readonly string[]): string {
  const some = names.slice(0, 3).map((name) => (name === '' ? 'the folder itself' : name))
  const more = names.length > 3 ? ` and ${names.length - 3} more` : ''
  return `${some.join(', ')}${more} ${names.length > 1 ? 'differ' : 'differs'}`
}

/** `stat` undefined: somewhere in the tree. */
function ownerChanges(
  desired: DownloadDesired,
  { accounts }: DownloadCurrent,
  stat: FileStat | undefined,
): Change[] {
  const { uid, gid } = ownerIn(desired, accounts)
  const { owner = 'root', group = 'root' } = desired
  const from = stat && { owner: accounts.userName(stat.uid), group: accounts.groupName(stat.gid) }
  return [
    ...(stat?.uid === uid ? [] : [{ attribute: 'owner', from: from?.owner ?? 'mixed', to: owner }]),
    ...(stat?.gid === gid ? [] : [{ attribute: 'group', from: from?.group ?? 'mixed', to: group }]),
  ]
}

export function ownerIn({ owner = 0, group = 0 }: DownloadDesired, accounts: Accounts) {
  return { uid: accounts.uid(owner), gid: accounts.gid(group) }
}

export function fileMode({ mode = '0644' }: DownloadDesired): number {
  return Number.parseInt(mode, 8)
}

function shown(checksum: string | undefined): string {
  return `sha256:${checksum?.toLowerCase().slice(0, 12)}`
}
