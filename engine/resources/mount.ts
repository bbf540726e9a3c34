import schema from '../../schemas/resources/mount.json' with { type: 'json' }
import type { Host, HostReader } from '../host/host.ts'
import { attributeChanges } from './diff-attributes.ts'
import { type FstabEntry, fstabEntry, type Mounted, mountedAt, withFstabEntry } from './fstab.ts'
import { mustRun } from './must-run.ts'
import { normalPath, pathMistake } from './path.ts'
import { editTextFile, type NoText, readTextFile } from './text-file.ts'
import type { Change, Footprint, Resource, ResourceType, Thing, Verdict } from './type.ts'

interface Desired {
  readonly ensure?: 'mounted' | 'present' | 'unmounted' | 'absent'
  readonly device?: string
  readonly fstype?: string
  readonly options?: string
  readonly dump?: number
  readonly pass?: number
}

type Current =
  | NoText
  | {
      readonly entry: FstabEntry | undefined
      readonly mounted: Mounted | undefined
      /** Why nothing can be mounted: a folder that is managed from outside. */
      readonly cannotMount: string | undefined
    }

const fstab = '/etc/fstab'

/** Options of which the kernel tells for each mount whether they hold. Source: proc_pid_mountinfo(5). */
const told = new Set(['ro', 'nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime'])

/** A file system: its line in /etc/fstab, and whether it is mounted. Source: mount(8), fstab(5). */
export const mount: ResourceType<Desired, Current> = {
  name: 'mount',
  schema,
  check({ ref, title, desired }) {
    const mistake = pathMistake(title)
    if (mistake !== undefined) return { message: `the mount point of ${ref} ${mistake}` }
    const { ensure = 'mounted' } = desired
    if (ensure === 'absent') return undefined
    if (ensure === 'unmounted' && normalPath(title) === '/')
      return { attribute: 'ensure', message: '/ is always mounted' }
    for (const attribute of ['device', 'fstype'] as const) {
      if (desired[attribute] === undefined)
        return { attribute, message: `${ref} has no ${attribute}` }
    }
    return undefined
  },
  footprint: footprintOf,
  async probe(mounts, host) {
    const file = readTextFile(fstab, host)
    if ('blocked' in file) return mounts.map(() => file)
    const cannotMount = host.root === '/' ? host.cannotRun : 'not possible under --root'
    const mountinfo = cannotMount === undefined ? readMountinfo(host) : ''
    return mounts.map(({ title }) => {
      const path = normalPath(title)
      return {
        entry: fstabEntry(file.lines, path),
        mounted: mountedAt(mountinfo, path),
        cannotMount,
      }
    })
  },
  diff,
  async apply({ ref, title, desired }, changes, host) {
    const path = normalPath(title)
    const { ensure = 'mounted' } = desired
    const cannotMount = host.root === '/' ? host.cannotRun : 'not possible under --root'
    const isMounted =
      cannotMount === undefined && mountedAt(readMountinfo(host), path) !== undefined
    const goes = ensure === 'absent' || ensure === 'unmounted'
    if (isMounted && goes) await mustRun(host, ref, ['umount', path])
    const isEdited = editFstab({ ref, path, desired }, host)
    if (cannotMount !== undefined) return { note: `only in ${fstab}: ${cannotMount}` }
    // systemd makes units of fstab, and would mount by what it read before.
    if (host.hasSystemd && isEdited) await mustRun(host, ref, ['systemctl', 'daemon-reload'])
    if (goes || ensure === 'present') return undefined
    // What is mounted already and only gets its line is left as it is.
    const differs = (...names: readonly string[]) =>
      changes.some(({ attribute, from }) => names.includes(attribute) && from !== undefined)
    const isOther = isMounted && differs('device', 'fstype')
    if (isOther) await mustRun(host, ref, ['umount', path])
    if (!isMounted || isOther) await mustRun(host, ref, ['mount', path])
    else if (differs('options', 'live')) await mustRun(host, ref, ['mount', '-o', 'remount', path])
    return undefined
  },
}

function footprintOf({ title, desired }: Resource<Desired>): Footprint {
  const path = normalPath(title)
  const { ensure = 'mounted', device = '', fstype } = desired
  const edits = [{ path: fstab, part: `mount ${path}`, isGone: ensure === 'absent' }]
  const after: Thing[] = [`path:${fstab}`]
  if (ensure !== 'mounted') return { after, writes: [fstab], edits }
  if (device.startsWith('/')) after.push(`path:${normalPath(device)}`)
  if (fstype !== undefined) after.push(`command:mount.${fstype}`)
  return { needs: [`path:${path}`], after, covers: path, writes: [fstab], edits }
}

function diff({ desired }: Resource<Desired>, current: Current): Verdict {
  if ('blocked' in current) return current
  const { entry, mounted, cannotMount } = current
  const { ensure = 'mounted', ...attributes } = desired
  const isRight = isMountedRight(ensure, current)
  const changes: Change[] = []
  if ((entry === undefined) !== (ensure === 'absent') || !isRight)
    changes.push({ attribute: 'ensure', from: stateOf(current), to: ensure })
  if (ensure === 'absent') return { changes }
  changes.push(...attributeChanges(attributes, entry ?? {}))
  if (ensure !== 'mounted') return { changes }
  if (cannotMount !== undefined) {
    const note = `not mounted here: ${cannotMount}`
    return changes.length > 0 ? { changes, note } : { changes, note, leftAlone: true }
  }
  const wanted = (desired.options ?? entry?.options ?? '').split(',')
  const live = mounted?.options ?? wanted
  const isMissing = wanted.some((option) => told.has(option) && !live.includes(option))
  if (changes.length === 0 && isMissing)
    changes.push({ attribute: 'live', from: live.join(','), to: wanted.join(',') })
  return { changes }
}

/** Whether it is mounted, or not, as it is to be. */
function isMountedRight(
  ensure: Desired['ensure'],
  { mounted, cannotMount }: Exclude<Current, NoText>,
): boolean {
  if (ensure === 'present' || cannotMount !== undefined) return true
  return (ensure === 'mounted') === (mounted !== undefined)
}

function stateOf({ entry, mounted }: Exclude<Current, NoText>): string {
  if (entry === undefined) return mounted ? `mounted, not in ${fstab}` : 'absent'
  return mounted ? 'mounted' : 'unmounted'
}

/** Whether there was anything to write: a line that says the same in other blanks stays as it is. */
function editFstab(
  {
    ref,
    path,
    desired,
  }: { readonly ref: string; readonly path: string; readonly desired: Desired },
  host: Host,
): boolean {
  const { ensure, ...attributes } = desired
  let isEdited = false
  editTextFile({ ref, path: fstab }, host, (file) => {
    const before = fstabEntry(file.lines, path)
    const after = ensure === 'absent' ? undefined : { ...newEntry, ...before, ...attributes }
    isEdited = JSON.stringify(before) !== JSON.stringify(after)
    return isEdited ? withFstabEntry(file, path, after) : undefined
  })
  return isEdited
}

const newEntry: FstabEntry = { device: '', fstype: '', options: 'defaults', dump: 0, pass: 0 }

function readMountinfo(host: HostReader): string {
  return host.read('/proc/self/mountinfo').toString()
}
