import schema from '../../schemas/resources/dpkg_divert.json' with { type: 'json' }
import type { Host, HostReader } from '../host/host.ts'
import { becomesAbsent, becomesPresent } from './diff-attributes.ts'
import { mustRun } from './must-run.ts'
import { normalPath, parentPath, pathMistake } from './path.ts'
import { ApplyError, type Change, type Resource, type ResourceType, type Verdict } from './type.ts'

interface Desired {
  readonly ensure?: 'present' | 'absent'
  readonly divert?: string
  readonly rename?: boolean
  readonly package?: string
}

interface Diversion {
  readonly divert: string
  /** The package whose own file is not diverted; undefined for a local one, which diverts all. */
  readonly package: string | undefined
}

type Current =
  | { readonly diversion: Diversion | undefined }
  /** Why no command can change anything: a folder that is managed from outside. */
  | { readonly cannotRun: string }

/** A file of packages that is put under another name. Source: dpkg-divert(1). */
export const dpkgDivert: ResourceType<Desired, Current> = {
  name: 'dpkg_divert',
  schema,
  check({ ref, title, desired }) {
    const mistake = pathMistake(title)
    if (mistake !== undefined) return { message: `the path of ${ref} ${mistake}` }
    const other = desired.divert && pathMistake(desired.divert)
    if (other) return { attribute: 'divert', message: `the other name of ${ref} ${other}` }
    if (desired.divert !== undefined && normalPath(desired.divert) === normalPath(title))
      return { attribute: 'divert', message: `${ref} is diverted to itself` }
    return undefined
  },
  footprint(resource) {
    const path = normalPath(resource.title)
    const { divert } = wantedOf(resource)
    return {
      after: [`path:${parentPath(divert)}`],
      // What is put in its place must not be moved away, nor what a package has still to bring.
      before: [`path:${path}`],
      writes: [path, divert],
    }
  },
  async probe(resources, host) {
    const { cannotRun } = host
    if (cannotRun !== undefined) return resources.map(() => ({ cannotRun }))
    const diversions = readDiversions(host)
    return resources.map(({ title }) => ({ diversion: diversions.get(normalPath(title)) }))
  },
  diff,
  async apply(resource, _changes, host) {
    const { ref, title, desired } = resource
    const { ensure, rename = true } = desired
    const path = normalPath(title)
    const act = async (verb: '--add' | '--remove', diversion: Diversion, moves: boolean) => {
      const owner = diversion.package === undefined ? ['--local'] : ['--package', diversion.package]
      const how = [...owner, '--divert', diversion.divert, moves ? '--rename' : '--no-rename']
      await mustRun(host, ref, ['dpkg-divert', '--quiet', ...how, verb, path])
    }
    const found = readDiversions(host).get(path)
    const wanted = wantedOf(resource)
    if (ensure === 'absent') {
      if (found === undefined) return undefined
      // dpkg refuses to move the file back over another.
      const isTaken = rename && host.stat(found.divert) !== undefined && isFile(path, host)
      if (isTaken) host.remove(path)
      await act('--remove', found, rename)
    } else if (found === undefined) await act('--add', wanted, rename)
    else {
      // By way of its own name it would meet what has taken its place.
      if (rename) await move(ref, found.divert, wanted.divert, host)
      await act('--remove', found, false)
      await act('--add', wanted, false)
    }
    return undefined
  },
}

function isFile(path: string, host: HostReader): boolean {
  const kind = host.stat(path)?.kind
  return kind === 'file' || kind === 'link'
}

async function move(ref: string, from: string, to: string, host: Host): Promise<void> {
  if (from === to || host.stat(from) === undefined) return
  if (host.stat(to) !== undefined) {
    const help = `Move ${to} away, or write rename: false.`
    throw new ApplyError(`${ref}: ${from} can't be moved to ${to}, which is there`, { help })
  }
  await mustRun(host, ref, ['mv', '-T', from, to])
}

function diff(resource: Resource<Desired>, current: Current): Verdict {
  if ('cannotRun' in current) return { changes: [], note: current.cannotRun, leftAlone: true }
  const { diversion: found } = current
  if (resource.desired.ensure === 'absent') return { changes: found ? [becomesAbsent] : [] }
  const wanted = wantedOf(resource)
  const changes: Change[] = found === undefined ? [becomesPresent] : []
  if (found?.divert !== wanted.divert)
    changes.push({ attribute: 'divert', from: found?.divert, to: wanted.divert })
  if (found !== undefined && found.package !== wanted.package)
    changes.push({ attribute: 'package', from: found.package, to: wanted.package })
  return { changes }
}

function wantedOf({ title, desired }: Resource<Desired>): Diversion {
  const divert = desired.divert ?? `${normalPath(title)}.distrib`
  return { divert: normalPath(divert), package: desired.package }
}

/** Three lines each: the path, the other name, and the package, which is `:` for a local diversion. */
function readDiversions(host: HostReader): ReadonlyMap<string, Diversion> {
  const path = '/var/lib/dpkg/diversions'
  const found = new Map<string, Diversion>()
  if (host.stat(path)?.kind !== 'file') return found
  const lines = host.read(path).toString().split('\n')
  for (let at = 0; at + 2 < lines.length; at += 3) {
    const [from = '', divert = '', owner] = lines.slice(at, at + 3)
    found.set(from, { divert, package: owner === ':' ? undefined : owner })
  }
  return found
}
