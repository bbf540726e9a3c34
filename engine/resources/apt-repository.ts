import schema from '../../schemas/resources/apt_repository.json' with { type: 'json' }
import type { CommandResult, Host } from '../host/host.ts'
import { aptUpdateFrom } from './apt.ts'
import { armouredKey, isKey, type Pin, renderPins, renderSource } from './apt-source.ts'
import { howItEnded } from './must-run.ts'
import {
  ApplyError,
  type Change,
  type Footprint,
  type Outcome,
  type Resource,
  type ResourceType,
  type Thing,
  type Verdict,
} from './type.ts'
import { applyWholeFile, diffWholeFile, type FoundFile, wholeFileProbe } from './whole-file.ts'

export interface AptRepositoryDesired {
  readonly ensure?: 'present' | 'absent'
  readonly types?: readonly ('deb' | 'deb-src')[]
  readonly uris?: string | readonly string[]
  readonly suites?: string | readonly string[]
  readonly components?: string | readonly string[]
  readonly architectures?: string | readonly string[]
  readonly enabled?: boolean
  /** Armoured text, or base64. */
  readonly key?: string
  readonly signed_by?: string
  readonly pin?: Pin | readonly Pin[]
}

/**
 * The files that its name stands for, in the order in which they are put in
 * place: what the source names comes before it.
 */
const parts = ['key', 'pin', 'source'] as const
type Part = (typeof parts)[number]
export type AptRepositoryCurrent = Readonly<Record<Part, FoundFile>>

/** A repository of apt with its key and its preferences. Source: sources.list(5), apt_preferences(5). */
export const aptRepository: ResourceType<AptRepositoryDesired, AptRepositoryCurrent> = {
  name: 'apt_repository',
  schema,
  check: checkRepository,
  footprint: footprintOf,
  async probe(resources, host, context) {
    const probe = wholeFileProbe(host, context)
    return resources.map((resource) => {
      const files = filesOf(resource.title)
      const texts = textsOf(resource)
      const look = (part: Part) => probe(files[part], texts[part])
      return { key: look('key'), pin: look('pin'), source: look('source') }
    })
  },
  diff: diffRepository,
  apply: applyRepository,
}

function checkRepository({ ref, title, desired }: Resource<AptRepositoryDesired>) {
  if (!/^[A-Za-z0-9_.-]+$/.test(title)) {
    return {
      message: `${ref} would be ignored by apt for its name`,
      help: 'use only letters, digits, "_", "-" and "."',
    }
  }
  if (desired.ensure === 'absent') return undefined
  for (const attribute of ['uris', 'suites'] as const) {
    if (listOf(desired[attribute]).length === 0) {
      return { attribute, message: `${ref} has no ${attribute}` }
    }
  }
  // Source: sources.list(5): a suite that ends in a slash is a path, and takes the place of components.
  const flat = listOf(desired.suites).filter((suite) => suite.endsWith('/'))
  const components = listOf(desired.components)
  if (flat.length > 0 && components.length > 0) {
    return {
      attribute: 'components',
      message: `${ref}: the suite ${flat[0]} is a path and has no components`,
    }
  }
  if (flat.length < listOf(desired.suites).length && components.length === 0) {
    return {
      attribute: 'components',
      message: `${ref} has no components`,
      help: 'write `components: [main]`',
    }
  }
  if (desired.key !== undefined && desired.signed_by !== undefined) {
    return {
      attribute: 'signed_by',
      message: `${ref}: \`key\` and \`signed_by\` exclude each other`,
    }
  }
  if (desired.key !== undefined && !isKey(desired.key)) {
    return {
      attribute: 'key',
      message: `${ref}: \`key\` is no public key`,
      help: 'write what `gpg --armor --export` prints',
    }
  }
  return undefined
}

function footprintOf({ title, desired }: Resource<AptRepositoryDesired>): Footprint {
  const files = filesOf(title)
  const things = parts.map((part): Thing => `path:${files[part]}`)
  // Packages come after the lists, and so after every repository without naming one.
  const provides: Thing[] = ['path:/var/lib/apt/lists']
  if (desired.ensure === 'absent') return { removes: things, provides }
  const { key, pin, signed_by } = desired
  return {
    needs: [
      'path:/etc/apt/sources.list.d',
      ...(key === undefined ? [] : ['path:/etc/apt/keyrings' as const]),
      ...(pin === undefined ? [] : ['path:/etc/apt/preferences.d' as const]),
      ...(signed_by === undefined ? [] : [`path:${signed_by}` as const]),
    ],
    ensures: parts
      .filter((part) => part === 'source' || desired[part] !== undefined)
      .map((part): Thing => `path:${files[part]}`),
    isWhole: true,
    provides,
    writes: ['/var/lib/apt/lists/**'],
  }
}

interface FileVersion {
  readonly path: string
  readonly content: Uint8Array
}

function diffRepository(
  _resource: Resource<AptRepositoryDesired>,
  current: AptRepositoryCurrent,
): Verdict {
  const changes: Change[] = []
  const notes: string[] = []
  const bases: FileVersion[] = []
  const newVersions: FileVersion[] = []
  for (const part of parts) {
    const verdict = diffWholeFile(current[part])
    if ('blocked' in verdict) return verdict
    // Of the key and the pins the whole file is one attribute; the source is the resource itself.
    if (part === 'source') changes.push(...verdict.changes)
    else if (verdict.changes.length > 0) changes.push(partChange(part, verdict.changes))
    if (verdict.note !== undefined) notes.push(verdict.note)
    bases.push(...(verdict.bases ?? []))
    newVersions.push(...(verdict.newVersions ?? []))
  }
  return {
    changes,
    ...(notes.length === 0 ? {} : { note: notes.join('; ') }),
    ...(bases.length === 0 ? {} : { bases }),
    ...(newVersions.length === 0 ? {} : { newVersions }),
  }
}

function partChange(part: Part, changes: readonly Change[]): Change {
  const change = changes.find(({ attribute }) => attribute === 'content') ?? changes[0]
  return { from: undefined, to: undefined, ...change, attribute: part }
}

/**
 * What apt can't fetch or does not trust is taken back at once, for it
 * would spoil every later `apt-get update`.
 */
async function applyRepository(
  resource: Resource<AptRepositoryDesired>,
  changes: readonly Change[],
  host: Host,
): Promise<Outcome | undefined> {
  const { title, desired } = resource
  const files = filesOf(title)
  const before = parts.map((part) => ({ path: files[part], ...standing(files[part], host) }))
  const texts = textsOf(resource)
  // A source that goes comes before the key that it names.
  for (const part of texts.source === undefined ? parts.toReversed() : parts) {
    if (part === 'source') {
      const own = changes.filter(({ attribute }) => attribute !== 'key' && attribute !== 'pin')
      applyWholeFile(host, files.source, own)
    } else {
      const change = changes.find(({ attribute }) => attribute === part)
      if (change) applyPart(files[part], texts[part], change, host)
    }
  }
  const isFetched = texts.source !== undefined && desired.enabled !== false
  if (!isFetched || host.cannotRun !== undefined) return undefined
  const result = await aptUpdateFrom(files.source, host)
  if (result.exitCode !== 0) {
    for (const each of before.toReversed()) putBack(each, host)
    throw refused(resource, result)
  }
  const output = result.stdout.trim()
  return output === '' ? undefined : { output }
}

/** It is root's, and all can read it; an edit that is kept may get another mode or owner all the same. */
function applyPart(path: string, text: string | undefined, { content }: Change, host: Host): void {
  const root = { uid: 0, gid: 0 }
  if (text === undefined) host.remove(path)
  else if (content?.to === undefined) {
    host.setOwner(path, root)
    host.setMode(path, 0o644)
  } else {
    const { to, pristine } = content
    host.writeFile(path, to, { mode: 0o644, ...root, ...(pristine && { pristine }) })
  }
}

function standing(path: string, host: Host) {
  const stat = host.stat(path)
  return { stat, content: stat?.kind === 'file' ? host.read(path) : undefined }
}

function putBack(
  { path, stat, content }: { readonly path: string } & ReturnType<typeof standing>,
  host: Host,
): void {
  if (stat && content !== undefined) host.writeFile(path, content, stat)
  else if (stat === undefined && host.stat(path) !== undefined) host.remove(path)
}

function refused({ ref }: Resource<AptRepositoryDesired>, result: CommandResult): ApplyError {
  const errors = result.stderr.split('\n').filter((line) => /^[EW]: /.test(line))
  const reason = errors[0]?.slice(3) ?? howItEnded(result)
  return new ApplyError(`${ref}: apt can't use it, so it was taken back: ${reason}`, {
    help: 'check its uris, suites and key, and whether the server can be reached',
    ran: {
      argv: result.argv,
      exit: howItEnded(result),
      output: result.stderr.trim().split('\n').slice(-20).join('\n'),
    },
  })
}

function filesOf(title: string): Readonly<Record<Part, string>> {
  return {
    key: `/etc/apt/keyrings/${title}.asc`,
    pin: `/etc/apt/preferences.d/${title}.pref`,
    source: `/etc/apt/sources.list.d/${title}.sources`,
  }
}

/** What each file is to hold; undefined where it is to be gone. */
function textsOf({
  ref,
  title,
  desired,
}: Resource<AptRepositoryDesired>): Readonly<Record<Part, string | undefined>> {
  if (desired.ensure === 'absent') return { key: undefined, pin: undefined, source: undefined }
  const { key, pin, signed_by } = desired
  return {
    key: key === undefined ? undefined : armouredKey(key),
    pin: pin === undefined ? undefined : renderPins(ref, [pin].flat()),
    source: renderSource(ref, {
      types: desired.types ?? ['deb'],
      uris: listOf(desired.uris),
      suites: listOf(desired.suites),
      components: listOf(desired.components),
      architectures: listOf(desired.architectures),
      enabled: desired.enabled ?? true,
      signedBy: key === undefined ? signed_by : filesOf(title).key,
    }),
  }
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  return [value ?? []].flat()
}
