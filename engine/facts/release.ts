import { posix } from 'node:path'
import type { HostReader } from '../host/host.ts'
import { tracePath } from '../host/trust.ts'
import type { Release } from './schema.ts'
import { textOf } from './text.ts'

export const currentDeployment = '/home/zulip/deployments/current'

/**
 * The Zulip release in a folder; null where none is. version.py is read as text, never run; zulip-git-version,
 * which a checkout from git has, tells the version more exactly.
 */
export function readRelease(host: HostReader, folder: string): Release | null {
  const { path: tree } = tracePath(host, folder)
  const version = parseVersionFile(textOf(host, posix.join(tree, 'version.py')))
  if (version === undefined) return null
  const [fromGit = ''] = textOf(host, posix.join(tree, 'zulip-git-version')).split('\n')
  return { ...numbersOf(fromGit.trim() || version), tree }
}

function parseVersionFile(text: string): string | undefined {
  return /^ZULIP_VERSION\s*=\s*(["'])(.+?)\1/m.exec(text)?.[2]
}

/** A version with the numbers that releases are told apart by; 0 where it holds none, as for a bare commit. */
export function numbersOf(version: string): Omit<Release, 'tree'> {
  const [, major = '0', minor = '0'] = /^(\d+)(?:\.(\d+))?(?![0-9a-f])/.exec(version) ?? []
  return { version, major: Number(major), minor: Number(minor) }
}
