import { posix } from 'node:path'
import schema from '../../schemas/resources/archive.json' with { type: 'json' }
import type { Host, HostReader } from '../host/host.ts'
import { tracePath, whyUntrusted } from '../host/trust.ts'
import { becomesPresent } from './diff-attributes.ts'
import { mostUnpacked, surveyTree } from './download-tree.ts'
import { stripped } from './download-unpack.ts'
import { parseDurationMs } from './duration.ts'
import { howItEnded, mustRun } from './must-run.ts'
import { joinPath, normalPath, parentPath, pathMistake } from './path.ts'
import { sizeText } from './size-text.ts'
import { tarFault, tarReading } from './tar.ts'
import { ApplyError, type Resource, type ResourceType, type Thing } from './type.ts'

interface ArchiveDesired {
  readonly source: string
  readonly strip?: number
  readonly owner?: string | number
  readonly group?: string | number
  readonly timeout?: number | string
}
type Archive = Resource<ArchiveDesired>

type Contents =
  | { readonly blocked: string; readonly help?: string }
  | { readonly entries: number; readonly bytes: number }
type ArchiveCurrent = { readonly isThere: true } | Contents

/** A directory that an archive on this host is unpacked into, once. */
export const archive: ResourceType<ArchiveDesired, ArchiveCurrent> = {
  name: 'archive',
  schema,
  check({ ref, title, desired: { timeout } }) {
    const mistake = pathMistake(title)
    if (mistake !== undefined) return { message: `${ref}: ${title} ${mistake}` }
    if (timeout !== undefined && parseDurationMs(timeout) === undefined) {
      const message = `${ref}: \`timeout\` is no duration: ${timeout}`
      const help = 'write seconds, or a number with ms, s, m, h or d'
      return { attribute: 'timeout', message, help }
    }
    return undefined
  },
  footprint({ title, desired: { source, owner, group } }) {
    const path = normalPath(title)
    const needs: Thing[] = [
      `path:${parentPath(path)}`,
      'command:tar',
      ...(owner === undefined ? [] : [`user:${owner}` as const]),
      ...(group === undefined ? [] : [`group:${group}` as const]),
    ]
    const after: Thing[] = [`path:${normalPath(source)}`]
    return { needs, after, ensures: [`path:${path}`], writes: [`${path}/**`] }
  },
  async probe(archives, host) {
    const contents = new Map<string, Promise<Contents>>()
    return Promise.all(
      archives.map(async ({ title, desired: { source } }) => {
        const inPlace = lookAt(normalPath(title), host)
        if (inPlace !== undefined) return inPlace
        const found = contents.get(source) ?? contentsOf(source, host)
        contents.set(source, found)
        return found
      }),
    )
  },
  diff({ ref, desired: { source } }, current) {
    if ('isThere' in current) return { changes: [] }
    if ('blocked' in current) return { ...current, blocked: `${ref}: ${current.blocked}` }
    const { entries, bytes } = current
    const note = `from ${source}: ${entries} entries, ${sizeText(bytes)}`
    return { changes: [{ ...becomesPresent, note }] }
  },
  apply: applyArchive,
}

/** What is in its place already; undefined where it can be put there. */
function lookAt(path: string, host: HostReader): ArchiveCurrent | undefined {
  const there = host.stat(path)
  // One that is empty is what a run left that was cut off just before the end.
  if (there?.kind === 'directory') return host.list(path).length > 0 ? { isThere: true } : undefined
  if (there === undefined) return undefined
  return { blocked: `a ${there.kind} is in its place`, help: `look at ${path}, and move it away` }
}

/** Reads an archive through. */
async function contentsOf(source: string, host: HostReader): Promise<Contents> {
  if (host.cannotRun !== undefined) return { blocked: `it can't be unpacked: ${host.cannotRun}` }
  const tar = tarReading(source, host)
  if ('fault' in tar) return { blocked: tar.fault }
  const listed = await host.query([...tar.argv, '--list', '--totals'], { timeoutMs: 600_000 })
  if (listed.exitCode !== 0) {
    return {
      blocked: tarFault(source, listed),
      help: 'it was cut off or damaged on its way: fetch it again, and compare its checksum',
    }
  }
  const bytes = Number(/^Total bytes read: (\d+)/m.exec(listed.stderr)?.[1] ?? 0)
  if (bytes > mostUnpacked) return { blocked: `${source} unpacks to more than 4 GiB` }
  return { entries: listed.stdout.trimEnd().split('\n').length, bytes }
}

async function applyArchive(
  { ref, title, desired }: Archive,
  _changes: unknown,
  host: Host,
): Promise<undefined> {
  const { source, owner = 0, group = 0, strip = 0, timeout = 600 } = desired
  const path = normalPath(title)
  const accounts = host.accounts()
  const [uid, gid] = [accounts.uid(owner), accounts.gid(group)]
  if (uid === undefined) throw new ApplyError(`${ref}: there is no user ${owner}`)
  if (gid === undefined) throw new ApplyError(`${ref}: there is no group ${group}`)
  // By its owner, who can do no harm with it.
  const asOwner = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--']
  const tar = tarReading(source, host, asOwner)
  if ('fault' in tar) throw new ApplyError(`${ref}: ${tar.fault}`)
  const limits = { timeoutMs: parseDurationMs(timeout) ?? 0, umask: '022' }
  const stage = joinPath(parentPath(path), `.steward-archive-${posix.basename(path)}`)
  // What a run that was killed left there.
  await mustRun(host, ref, ['rm', '-rf', '--', stage])
  host.makeDirectory(stage, { mode: 0o700, uid, gid })
  try {
    const plainly = ['--no-same-owner', '--no-same-permissions', `--directory=${stage}`]
    const lasting = { ...limits, lasts: true }
    const unpacked = await host.run([...tar.argv, '--extract', ...plainly], lasting)
    if (unpacked.exitCode !== 0) {
      const { argv, stderr } = unpacked
      throw new ApplyError(`${ref}: ${tarFault(source, unpacked)}`, {
        ran: { argv, exit: howItEnded(unpacked), output: stderr.trim() },
      })
    }
    const tree = stripped(stage, { ref, strip }, host)
    const survey = surveyTree(host, tree)
    if ('mistake' in survey) {
      throw new ApplyError(`${ref}: the archive is not put in place: ${survey.mistake}`)
    }
    host.setMode(tree, 0o755)
    // An empty directory is replaced in one step, and the record knows from whom the path came.
    if (host.stat(path) === undefined) host.makeDirectory(path, { mode: 0o755, uid, gid })
    // Who may write there can exchange what root would move, and does it with no more rights than its own.
    const isTrusted = whyUntrusted(tracePath(host, parentPath(path))) === undefined
    const move = ['mv', '-T', '--', tree, path]
    await mustRun(host, ref, isTrusted ? move : [...asOwner, ...move], lasting)
  } finally {
    await host.run(['rm', '-rf', '--', stage])
  }
}
