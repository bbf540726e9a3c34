import { posix } from 'node:path'
import schema from '../../schemas/resources/sysctl.json' with { type: 'json' }
import type { Host, HostReader } from '../host/host.ts'
import { mustRun } from './must-run.ts'
import { type BootSetting, bootSettings, keyPath } from './sysctl-settings.ts'
import { ApplyError, type Change, type Resource, type ResourceType } from './type.ts'
import { applyWholeFile, diffWholeFile, type FoundFile, wholeFileProbe } from './whole-file.ts'

interface Desired {
  readonly ensure?: 'present' | 'absent'
  readonly value?: string | number
  /** Absolute, directly below /etc/sysctl.d. */
  readonly file?: string
  /** Whether the running kernel gets the value too. */
  readonly live?: boolean | 'try'
}
interface Current {
  readonly file: FoundFile
  /** The running kernel's value, or why there is none to change; undefined where nobody asks for it. */
  readonly kernel: { readonly value: string } | { readonly missing: string } | undefined
  /** Why the kernel's values can't be changed here. */
  readonly readOnly: string | undefined
  /** What sets the same key later at boot. */
  readonly later: readonly BootSetting[]
}

/** A setting of the kernel, for the next boots in a file and now in /proc/sys. */
export const sysctl: ResourceType<Desired, Current> = {
  name: 'sysctl',
  schema,
  check({ ref, title, desired }) {
    const parts = keyPath(title).split('/')
    if (/[^A-Za-z0-9_./:@-]/.test(title) || parts.some((part) => /^\.{0,2}$/.test(part))) {
      return {
        message: `${ref} has no name that a setting of the kernel can have`,
        help: 'write it as sysctl does, such as net.core.somaxconn',
      }
    }
    if (desired.ensure === 'absent' || desired.value !== undefined) return undefined
    return { attribute: 'value', message: `${ref} has no value` }
  },
  footprint(resource) {
    const path = `path:${fileOf(resource)}` as const
    if (resource.desired.ensure === 'absent') return { removes: [path] }
    const writes = resource.desired.live === false ? [] : [procPath(resource.title)]
    return { ensures: [path], isWhole: true, needs: ['path:/etc/sysctl.d'], writes }
  },
  async probe(settings, host, context) {
    const atBoot = bootSettings(host)
    const probe = wholeFileProbe(host, context)
    const readOnly = host.root === '/' ? whyReadOnly(host) : undefined
    return settings.map((resource) => {
      const { title, desired } = resource
      const isLive = host.root === '/' && desired.live !== false && desired.ensure !== 'absent'
      const file = fileOf(resource)
      return {
        file: probe(file, render(resource), 'settings'),
        kernel: isLive ? kernelValue(host, title) : undefined,
        readOnly,
        later: atBoot.filter(
          ({ path, key }) => key === keyPath(title) && posix.basename(path) > posix.basename(file),
        ),
      }
    })
  },
  diff(resource, current) {
    const verdict = diffWholeFile(current.file)
    if ('blocked' in verdict || resource.desired.ensure === 'absent') return verdict
    const kernel = diffKernel(resource.desired, current)
    const { note, ...file } = verdict
    const notes = [note, kernel.note, overridden(resource.desired, current.later)].filter(Boolean)
    return {
      ...file,
      changes: [...file.changes, ...kernel.changes],
      ...(notes.length > 0 && { note: notes.join('; ') }),
    }
  },
  async apply(resource, changes, host) {
    // The kernel first: a value that it refuses is not kept for the next boot either.
    const isLive = changes.some(({ attribute }) => attribute === 'live')
    const refusal = isLive ? await setInKernel(resource, host) : undefined
    const ofFile = changes.filter(({ attribute }) => attribute !== 'live')
    applyWholeFile(host, fileOf(resource), ofFile)
    return refusal === undefined ? undefined : { note: refusal }
  },
}

/** Why the kernel refused, where `live: try` lets that pass. */
async function setInKernel(
  { ref, title, desired }: Resource<Desired>,
  host: Host,
): Promise<string | undefined> {
  try {
    // Not sysctl(8), which comes with a package and reads keys by rules of its own; nor a rename, as for files.
    await mustRun(host, ref, ['tee', procPath(title)], { stdin: `${desired.value}\n` })
    return undefined
  } catch (error) {
    if (desired.live !== 'try' || !(error instanceof ApplyError)) throw error
    return `the running kernel refused ${desired.value}: ${error.ran?.output ?? error.message}`
  }
}

function fileOf({ title, desired }: Resource<Desired>): string {
  return desired.file ?? `/etc/sysctl.d/60-${title.replaceAll('/', '-')}.conf`
}

function procPath(key: string): string {
  return `/proc/sys/${keyPath(key)}`
}

/** undefined where the file is to be gone. */
function render({ ref, title, desired }: Resource<Desired>): string | undefined {
  if (desired.ensure === 'absent') return undefined
  return `# Kept by steward as ${ref}: what is changed here is overwritten.\n${title} = ${desired.value}\n`
}

function kernelValue(host: HostReader, key: string): Current['kernel'] {
  const path = procPath(key)
  const stat = host.stat(path)
  if (stat?.kind !== 'file') return { missing: `the running kernel has no ${key}` }
  if ((stat.mode & 0o444) === 0) return { missing: `the running kernel does not show ${key}` }
  return { value: host.read(path).toString().trim() }
}

/**
 * In a container /proc/sys is often mounted read-only, though its files say that root
 * may write. Source: proc_pid_mountinfo(5).
 */
function whyReadOnly(host: HostReader): string | undefined {
  if (host.stat('/proc/self/mountinfo') === undefined) return undefined
  const mounts = host.read('/proc/self/mountinfo').toString().split('\n')
  const options = mounts
    .map((line) => line.split(' '))
    .findLast(([, , , , at]) => at === '/proc/sys')
  return options?.[5]?.split(',').includes('ro') ? '/proc/sys is read-only here' : undefined
}

/** `live: try` leaves alone what can't be changed; `live: true` lets it fail, and say why. */
function diffKernel(
  { value, live = true }: Desired,
  { kernel, readOnly }: Current,
): { readonly changes: readonly Change[]; readonly note?: string } {
  if (kernel === undefined) return { changes: [] }
  const from = 'value' in kernel ? kernel.value : undefined
  if (from !== undefined && words(from) === words(String(value))) return { changes: [] }
  const obstacle = 'missing' in kernel ? kernel.missing : readOnly
  if (live === 'try' && obstacle !== undefined)
    return { changes: [], note: `not set now: ${obstacle}` }
  const note = obstacle === undefined ? {} : { note: obstacle }
  return { changes: [{ attribute: 'live', from, to: String(value), ...note }] }
}

function overridden({ value }: Desired, later: readonly BootSetting[]): string | undefined {
  const last = later.at(-1)
  if (last === undefined || words(last.value) === words(String(value))) return undefined
  return `at the next boot ${last.path} sets it to ${last.value} later, and wins`
}

/** The kernel puts tabs between the numbers of one setting. */
function words(value: string): string {
  return value.trim().split(/\s+/).join(' ')
}
