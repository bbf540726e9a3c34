import { partsOf } from '../resources/ref.ts'
import { DroppedPaths } from './dropped-paths.ts'
import type { Managed } from './managed.ts'
import type { Orphan, OrphanInput } from './orphan.ts'

/**
 * What a catalog does not declare any more, and `gone`, references of what is not there either; nothing where other
 * classes of the host were left out.
 */
export async function findOrphans(
  input: OrphanInput,
): Promise<{ readonly orphans: readonly Orphan[]; readonly gone: readonly string[] }> {
  const { catalog, coverage, store } = input
  const dropped = store.managed.dropped(catalog, coverage)
  const paths = new DroppedPaths(input)
  const orphans: Orphan[] = paths.belowDeclared()
  const gone: string[] = []
  for (const managed of dropped) {
    const found = managed.paths.length > 0 ? paths.of(managed) : await unlessGone(managed, input)
    if (found.length === 0) gone.push(managed.ref)
    orphans.push(...found)
  }
  return { orphans: paths.settled(orphans), gone }
}

/** What is no path: nothing where it is gone, or declared by another name. */
async function unlessGone(managed: Managed, input: OrphanInput): Promise<Orphan[]> {
  const { ref, isMade } = managed
  const { type, title } = partsOf(ref)
  switch (type) {
    case 'package':
    case 'service':
      return packageOrService(managed, { type, title }, input)
    case 'user':
    case 'group': {
      const accounts = input.host.accounts()
      const id = type === 'user' ? accounts.uid(title) : accounts.gid(title)
      const stays = 'files may still belong to it'
      return isMade && id !== undefined ? [{ ref, what: 'dropped', stays }] : []
    }
    default: {
      const files = input.store.files.pathsOf(ref)
      if (files.length === 0)
        return [{ ref, what: 'dropped', stays: `steward does not remove a ${type}` }]
      return files
        .filter((path) => input.host.stat(path)?.kind === 'file')
        .map((path) => ({ ref, path, what: 'dropped', stays: 'it is only a part of that file' }))
    }
  }
}

async function packageOrService(
  { ref, isMade }: Managed,
  { type, title }: { readonly type: 'package' | 'service'; readonly title: string },
  { catalog, host, types }: OrphanInput,
): Promise<Orphan[]> {
  const name = plainName(title)
  const isDeclared = catalog.resources.some(
    (resource) => resource.type === type && plainName(resource.title) === name,
  )
  const typed = types.get(type)
  if (isDeclared || !typed) return []
  const desired = type === 'package' ? { ensure: 'absent' } : { ensure: 'stopped', enable: false }
  const resource = { ref, type, title, desired }
  const verdict = typed.diff(resource, (await typed.probe([resource], host))[0])
  const what = 'dropped'
  if (!('changes' in verdict)) return []
  const { changes = [] } = verdict
  if (changes.length === 0)
    return 'leftAlone' in verdict ? [{ ref, what, stays: verdict.note ?? '' }] : []
  if (!isMade) return [{ ref, what, stays: `it was ${WAS[type]} before steward` }]
  // What else depends on it is somebody's.
  const others = changes.find(({ note }) => note?.startsWith('apt also removes'))?.note
  if (others !== undefined) return [{ ref, what, stays: others }]
  return [{ ref, what, removal: { kind: 'packages', type, title, desired } }]
}

const WAS = { package: 'installed', service: 'running' } as const

/** `nginx` for the package `nginx:amd64` and the unit `nginx.service`. */
function plainName(title: string): string {
  return title.replace(/:.*|\.service$/, '')
}
