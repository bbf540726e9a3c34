import { hash } from 'node:crypto'
import { posix } from 'node:path'
import schema from '../../schemas/resources/download.json' with { type: 'json' }
import type { Accounts, Host, HostReader } from '../host/host.ts'
import { tracePath, whyUntrusted } from '../host/trust.ts'
import type { DownloadCurrent, DownloadDesired } from './download-desired.ts'
import { diffDownload, fileMode, ownerIn } from './download-diff.ts'
import { compareTree, digestOf, modeOf, readRecord } from './download-tree.ts'
import { unpack, unpackers } from './download-unpack.ts'
import { parseDurationMs } from './duration.ts'
import { FetchError, fetchUrl } from './fetch-url.ts'
import { mustRun } from './must-run.ts'
import { joinPath, normalPath, parentPath, pathMistake } from './path.ts'
import {
  ApplyError,
  type Change,
  type Footprint,
  type Resource,
  type ResourceType,
  type Thing,
} from './type.ts'

/** A pinned file from the network, or an archive that is unpacked. */
export const download: ResourceType<DownloadDesired, DownloadCurrent> = {
  name: 'download',
  schema,
  check: checkDownload,
  footprint: footprintOf,
  async probe(resources, host) {
    const accounts = host.accounts()
    return resources.map((resource) => probeDownload(resource, host, accounts))
  },
  diff: diffDownload,
  apply: applyDownload,
}

function checkDownload({ ref, title, desired }: Resource<DownloadDesired>) {
  const mistake = pathMistake(title)
  if (mistake !== undefined) return { message: `${ref}: ${title} ${mistake}` }
  if (normalPath(title) === '/') return { message: `${ref} would take the place of everything` }
  const { archive, timeout } = desired
  if (desired.ensure !== 'absent') {
    for (const attribute of ['url', 'checksum'] as const) {
      if (desired[attribute] === undefined) {
        return { attribute, message: `${ref} has no ${attribute}` }
      }
    }
  }
  if (archive !== undefined && desired.mode !== undefined) {
    const message = `${ref}: what an archive holds has modes of its own`
    return { attribute: 'mode', message, help: 'leave `mode` out' }
  }
  for (const attribute of ['strip', 'members'] as const) {
    if (archive === undefined && desired[attribute] !== undefined) {
      const message = `${ref}: \`${attribute}\` is for archives`
      return { attribute, message, help: 'write which form it has: `archive: tar.gz`' }
    }
  }
  if (timeout !== undefined && parseDurationMs(timeout) === undefined) {
    const message = `${ref}: \`timeout\` is no duration: ${timeout}`
    return {
      attribute: 'timeout',
      message,
      help: 'write seconds, or a number with ms, s, m, h or d',
    }
  }
  return undefined
}

function footprintOf({ title, desired }: Resource<DownloadDesired>): Footprint {
  const path = normalPath(title)
  if (desired.ensure === 'absent') return { removes: [`path:${path}`] }
  const { owner, group, archive, members = [] } = desired
  const needs: Thing[] = [
    `path:${parentPath(path)}`,
    ...(owner === undefined ? [] : [`user:${owner}` as const]),
    ...(group === undefined ? [] : [`group:${group}` as const]),
  ]
  if (archive === undefined)
    return { ensures: [`path:${path}`], isLeaf: true, isWhole: true, needs }
  return {
    ensures: [path, ...members.map((name) => joinPath(path, normalPath(`/${name}`).slice(1)))].map(
      (each): Thing => `path:${each}`,
    ),
    needs: [...needs, ...unpackers(archive).map((program): Thing => `command:${program}`)],
    writes: [`${path}/**`],
  }
}

function probeDownload(
  { title, desired }: Resource<DownloadDesired>,
  host: HostReader,
  accounts: Accounts,
): DownloadCurrent {
  const path = normalPath(title)
  const stat = host.stat(path)
  const record = stat?.kind === 'directory' ? readRecord(host, path) : undefined
  const isUsed = isAllThere(desired, host)
  const isWanted = desired.ensure !== 'absent' && !isUsed
  const isTree = isWanted && desired.archive !== undefined && record !== undefined
  const isFile = isWanted && desired.archive === undefined && stat?.kind === 'file'
  const parent = tracePath(host, parentPath(path))
  return {
    isUsed,
    stat,
    accounts,
    untrusted: whyUntrusted(parent),
    digest: isFile ? digestOf(host, path) : undefined,
    isEmpty: stat?.kind === 'directory' && host.list(path).length === 0,
    record,
    tree: isTree ? compareTree(host, path, record, ownerIn(desired, accounts)) : undefined,
  }
}

function isAllThere({ creates = [] }: DownloadDesired, host: HostReader): boolean {
  const paths = [creates].flat()
  return paths.length > 0 && paths.every((path) => host.stat(normalPath(path)) !== undefined)
}

async function applyDownload(
  resource: Resource<DownloadDesired>,
  changes: readonly Change[],
  host: Host,
): Promise<undefined> {
  const { ref, title, desired } = resource
  const path = normalPath(title)
  if (desired.ensure === 'absent') {
    host.remove(path)
    return
  }
  const owner = mustOwner(resource, host.accounts())
  const isThere = changes.every(({ attribute }) => ['owner', 'group', 'mode'].includes(attribute))
  if (isThere) {
    await correct(resource, owner, host)
    return
  }
  const timeoutMs = parseDurationMs(desired.timeout ?? 600) ?? 0
  const content = await fetchPinned(resource, timeoutMs)
  if (desired.archive === undefined) {
    if (host.stat(path)?.kind === 'directory') host.remove(path)
    host.writeFile(path, content, { mode: fileMode(desired), ...owner })
    return
  }
  if (host.cannotRun !== undefined) {
    throw new ApplyError(`${ref} can't be unpacked: ${host.cannotRun}`)
  }
  const { archive: form, checksum = '', strip = 0, members } = desired
  const wanted = { form, checksum: checksum.toLowerCase(), strip, members, timeoutMs, ...owner }
  await unpack(content, { ref, path, ...wanted }, host)
}

/** Fetches what is pinned, and nothing else: what has another digest is thrown away. */
async function fetchPinned(
  { ref, desired }: Resource<DownloadDesired>,
  timeoutMs: number,
): Promise<Buffer> {
  const { url = '', checksum = '' } = desired
  const proxy = desired.proxy === 'environment' ? undefined : desired.proxy
  const wanted = `${posix.basename(new URL(url).pathname)} (SHA-256 ${checksum.toLowerCase()})`
  const help =
    desired.help ?? 'set `url` to a mirror that this host reaches, or `proxy` to a proxy that does'
  const content = await fetchUrl(url, { proxy, timeoutMs }).catch((cause: unknown): never => {
    if (!(cause instanceof FetchError)) throw cause
    const message = `${ref}: ${wanted} could not be fetched from ${url}: ${cause.message}`
    throw new ApplyError(message, { help, cause })
  })
  const digest = hash('sha256', content)
  if (digest !== checksum.toLowerCase()) {
    throw new ApplyError(
      `${ref}: expected ${wanted}, and ${url} gave ${content.length} bytes with ${digest}`,
      { help },
    )
  }
  return content
}

/** Gives what is there its owner and mode. */
async function correct(
  { ref, title, desired }: Resource<DownloadDesired>,
  owner: { readonly uid: number; readonly gid: number },
  host: Host,
): Promise<void> {
  const path = normalPath(title)
  if (desired.archive === undefined) {
    host.setOwner(path, owner)
    host.setMode(path, fileMode(desired))
    return
  }
  await mustRun(host, ref, ['chown', '-hR', `${owner.uid}:${owner.gid}`, '--', path])
  const entries = readRecord(host, path)?.entries ?? {}
  for (const [name, entry] of [['', { folder: true }] as const, ...Object.entries(entries)]) {
    const at = joinPath(path, name)
    const stat = host.stat(at)
    const isOff = stat !== undefined && stat.kind !== 'link' && stat.mode !== modeOf(entry)
    if (isOff) host.setMode(at, modeOf(entry))
  }
}

function mustOwner({ ref, desired }: Resource<DownloadDesired>, accounts: Accounts) {
  const { uid, gid } = ownerIn(desired, accounts)
  if (uid === undefined) throw new ApplyError(`${ref}: there is no user ${desired.owner}`)
  if (gid === undefined) throw new ApplyError(`${ref}: there is no group ${desired.group}`)
  return { uid, gid }
}
