import { posix } from 'node:path'
import { readRelease } from '../facts/release.ts'
import { HostError } from '../host/error.ts'
import type { HostReader } from '../host/host.ts'

const FOLDER = '/home/zulip/deployments'
export const CURRENT = `${FOLDER}/current`
export const LAST = `${FOLDER}/last`
const LINKS = ['current', 'last', 'next'] as const

/** A release of Zulip as it lies on a host, in a folder that is named by the time of its making. */
export interface Deployment {
  readonly path: string
  /** Undefined where it does not tell. */
  readonly version: string | undefined
  /** The local time of the host; undefined for a folder that is named otherwise. */
  readonly made: string | undefined
  /** Which of the links lead to it. */
  readonly links: readonly (typeof LINKS)[number][]
}

/** The path of a deployment that is given by its name, or as any path. */
export function deploymentPath(given: string): string {
  return given.includes('/') ? posix.resolve(given) : posix.join(FOLDER, given)
}

/** The deployments of a host, the newest first; those that are named otherwise last. */
export function readDeployments(host: HostReader): Deployment[] {
  const targets = LINKS.map((link) => {
    const path = posix.join(FOLDER, link)
    return host.stat(path)?.kind === 'link' ? host.readLink(path) : undefined
  })
  return entries(host)
    .map((name) => posix.join(FOLDER, name))
    .filter((path) => host.stat(posix.join(path, 'zerver'))?.kind === 'directory')
    .filter((path) => host.stat(path)?.kind === 'directory')
    .map((path) => ({
      path,
      version: readRelease(host, path)?.version,
      made: timeOf(posix.basename(path)),
      links: LINKS.filter((_, index) => targets[index] === path),
    }))
    .sort((one, other) => ((one.made ?? '') < (other.made ?? '') ? 1 : -1))
}

function entries(host: HostReader): readonly string[] {
  try {
    return host.list(FOLDER)
  } catch (error) {
    if (error instanceof HostError && error.code === 'ENOENT') return []
    throw error
  }
}

/** Source: zulip-operations, "Users, directories, files": YYYY-MM-DD-HH-MM-SS. */
function timeOf(name: string): string | undefined {
  const [, date, hours, minutes, seconds] =
    /^(\d{4}-\d{2}-\d{2})-(\d{2})-(\d{2})-(\d{2})$/.exec(name) ?? []
  return date === undefined ? undefined : `${date} ${hours}:${minutes}:${seconds}`
}
