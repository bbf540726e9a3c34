import { posix } from 'node:path'
import type { HostReader } from '../host/host.ts'
import { tracePath } from '../host/trust.ts'
import type { Release } from './schema.ts'
import { textOf } from './text.ts'

const deployments = '/home/zulip/deployments'

/** The release that the host runs, or before its first start the one that is to; null where none is. */
export function readHostRelease(host: HostReader): Release | null {
  const current = posix.join(deployments, 'current')
  return readRelease(host, host.stat(current) ? current : posix.join(deployments, 'next'))
}

/**
 * The Zulip release in a folder; null where none is. version.py and scripts/lib/install-node are read as
 * text, never run; zulip-git-version, which a checkout from git has, tells the version more exactly.
 */
export function readRelease(host: HostReader, folder: string): Release | null {
  const { path: tree } = tracePath(host, folder)
  const version = parseVersionFile(textOf(host, posix.join(tree, 'version.py')))
  if (version === undefined) return null
  const [fromGit = ''] = textOf(host, posix.join(tree, 'zulip-git-version')).split('\n')
  const node = parseInstallNode(textOf(host, posix.join(tree, 'scripts/lib/install-node')))
  return { ...numbersOf(fromGit.trim() || version), tree, node }
}

function parseVersionFile(text: string): string | undefined {
  return /^ZULIP_VERSION\s*=\s*(["'])(.+?)\1/m.exec(text)?.[2]
}

/** The Node.js that a release installs, by the settings of its script; null unless all are there. */
function parseInstallNode(text: string): Release['node'] {
  const version = /^version=(\d+(?:\.\d+){2})$/m.exec(text)?.[1]
  const [amd64, arm64] = ['x64', 'arm64'].map(
    (name) =>
      new RegExp(`-linux-${name}\\.tar\\.xz"?\\s+sha256=([0-9a-f]{64})$`, 'm').exec(text)?.[1],
  )
  return version && amd64 && arm64 ? { version, amd64, arm64 } : null
}

/** A version with the numbers that releases are told apart by; 0 where it holds none, as for a bare commit. */
export function numbersOf(version: string): Pick<Release, 'version' | 'major' | 'minor'> {
  const [, major = '0', minor = '0'] = /^(\d+)(?:\.(\d+))?(?![0-9a-f])/.exec(version) ?? []
  return { version, major: Number(major), minor: Number(minor) }
}
