import { posix } from 'node:path'

/** Where things lie on a Zulip server, seen from the managed tree. */
export const paths = {
  conf: '/etc/zulip/zulip.conf',
  secrets: '/etc/zulip/zulip-secrets.conf',
  site: '/etc/steward/site.yaml',
  siteFacts: '/etc/steward/facts.d',
} as const

/** What the state folder depends on. */
export interface StateOwner {
  readonly uid: number
  /** Home folder of that user. */
  readonly home: string
  /** XDG_STATE_HOME of the environment; counts only where it is absolute. */
  readonly xdgStateHome: string | undefined
  /** The managed tree; another than "/" has its own state, whoever runs. */
  readonly root: string
}

/**
 * The folder of steward's state as a path of this machine: /var/lib/steward of the managed tree, or for
 * other users than root that user's own. Source: XDG Base Directory Specification.
 */
export function stateFolder({ uid, home, xdgStateHome, root }: StateOwner): string {
  if (uid === 0 || root !== '/') return posix.join(root, 'var/lib/steward')
  const isUsable = xdgStateHome !== undefined && posix.isAbsolute(xdgStateHome)
  return posix.join(isUsable ? xdgStateHome : posix.join(home, '.local/state'), 'steward')
}
