import { posix } from 'node:path'
import type { Host, HostReader } from '../host/host.ts'
import { mostUnpacked, recordName, surveyTree, type TreeRecord } from './download-tree.ts'
import { mustRun } from './must-run.ts'
import { joinPath, normalPath, parentPath } from './path.ts'
import { ApplyError } from './type.ts'

export type ArchiveForm = 'tar' | 'tar.gz' | 'tar.bz2' | 'tar.xz' | 'tar.zst' | 'zip'

interface Wanted {
  readonly ref: string
  readonly path: string
  readonly form: ArchiveForm
  readonly checksum: string
  readonly strip: number
  readonly members: readonly string[] | undefined
  readonly uid: number
  readonly gid: number
  readonly timeoutMs: number
}

/** The programs that unpack an archive of this form. */
export function unpackers(form: ArchiveForm): string[] {
  const compression = {
    'tar.gz': ['gzip'],
    'tar.bz2': ['bzip2'],
    'tar.xz': ['xz'],
    'tar.zst': ['zstd'],
  }
  if (form === 'zip') return ['unzip']
  return form === 'tar' ? ['tar'] : ['tar', ...compression[form]]
}

/**
 * Unpacks an archive beside its place, looks at what came out, and only then puts it in place of what was there.
 */
export async function unpack(archive: Buffer, wanted: Wanted, host: Host): Promise<void> {
  const { ref, path } = wanted
  const run = (...argv: string[]) =>
    mustRun(host, ref, argv, { timeoutMs: wanted.timeoutMs, umask: '022' })
  const stage = joinPath(parentPath(path), `.steward-download-${posix.basename(path)}`)
  // What a run that was killed left there.
  await run('rm', '-rf', '--', stage)
  await run('mkdir', '-m', '0700', '--', stage)
  try {
    const file = `${stage}/archive`
    const unpacked = `${stage}/unpacked`
    const self = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 }
    host.writeFile(file, archive, { mode: 0o600, ...self })
    host.sync()
    const size = await sizeOf(file, wanted.form, run)
    if (size > mostUnpacked) throw refused(ref, 'it unpacks to more than 4 GiB')
    await run('mkdir', '--', unpacked)
    if (wanted.form === 'zip') await run('unzip', '-q', file, '-d', unpacked)
    else
      await run('tar', '--extract', '--no-same-owner', `--file=${file}`, `--directory=${unpacked}`)
    const whole = stripped(unpacked, wanted, host)
    // Before a member is looked up by its path, which a link in the archive could lead elsewhere.
    const wholeSurvey = surveyTree(host, whole)
    if ('mistake' in wholeSurvey) throw refused(ref, wholeSurvey.mistake)
    const tree = await choose(whole, wanted, { host, stage, run })
    await run('chmod', '-R', 'u=rwX,go=rX,ug-s,-t', '--', tree)
    await run('chown', '-hR', `${wanted.uid}:${wanted.gid}`, '--', tree)
    const survey = surveyTree(host, tree)
    if ('mistake' in survey) throw refused(ref, survey.mistake)
    const { checksum, strip, members } = wanted
    const record: TreeRecord = { checksum, strip, ...(members && { members }), ...survey }
    const text = `${JSON.stringify(record, undefined, 1)}\n`
    const owner = { uid: wanted.uid, gid: wanted.gid }
    host.writeFile(joinPath(tree, recordName), Buffer.from(text), { mode: 0o644, ...self })
    host.sync()
    if (host.stat(path) !== undefined) host.remove(path)
    // An empty directory is replaced in one step, and the record knows from whom the path came.
    host.makeDirectory(path, { mode: 0o755, ...owner })
    await run('mv', '-T', '--', tree, path)
  } finally {
    await host.run(['rm', '-rf', '--', stage])
  }
}

type Run = (...argv: string[]) => Promise<{ readonly stdout: string; readonly stderr: string }>

/** Bytes after unpacking, as the program that unpacks it counts them. */
async function sizeOf(file: string, form: ArchiveForm, run: Run): Promise<number> {
  if (form === 'zip') {
    const { stdout } = await run('unzip', '-Z', '-t', file)
    return Number(/ (\d+) bytes uncompressed/.exec(stdout)?.[1] ?? Number.POSITIVE_INFINITY)
  }
  const { stderr } = await run('tar', '--list', '--totals', `--file=${file}`)
  return Number(/^Total bytes read: (\d+)/m.exec(stderr)?.[1] ?? Number.POSITIVE_INFINITY)
}

/** The folder that is left when the outer ones are taken off. */
export function stripped(
  unpacked: string,
  { ref, strip }: Pick<Wanted, 'ref' | 'strip'>,
  host: HostReader,
): string {
  let tree = unpacked
  for (let level = 0; level < strip; level++) {
    const names = host.list(tree)
    const [only] = names
    const next = joinPath(tree, only ?? '')
    if (only === undefined || names.length > 1 || host.stat(next)?.kind !== 'directory') {
      throw refused(ref, `\`strip\` wants a single folder, and there is ${listed(names)}`)
    }
    tree = next
  }
  return tree
}

/** A folder with just the members, or the whole where none are named. */
async function choose(
  tree: string,
  { ref, members }: Wanted,
  { host, stage, run }: { readonly host: Host; readonly stage: string; readonly run: Run },
): Promise<string> {
  if (members === undefined) return tree
  const chosen = `${stage}/chosen`
  await run('mkdir', '--', chosen)
  for (const member of members.map((name) => normalPath(`/${name}`))) {
    if (host.stat(`${tree}${member}`) === undefined) {
      throw refused(ref, `it has no member ${member.slice(1)}; it holds ${listed(host.list(tree))}`)
    }
    await run('mkdir', '-p', '--', parentPath(`${chosen}${member}`))
    await run('mv', '-T', '--', `${tree}${member}`, `${chosen}${member}`)
  }
  return chosen
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return 'nothing'
  return names.length > 8 ? `${names.slice(0, 8).join(', ')}, …` : names.join(', ')
}

function refused(ref: string, reason: string): ApplyError {
  return new ApplyError(`${ref}: the archive is not put in place: ${reason}`)
}
