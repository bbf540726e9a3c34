import { type Stats, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { resolve } from 'node:path'
import { Refusal } from '../diagnostics/diagnostic.ts'
import { canOthersWrite, isTrustedOwner } from '../host/trust.ts'
import type { RoadOptions } from '../index.ts'
import { paths, stateFolder } from '../zulip/paths.ts'

/** Options of every command that reads manifests or the host, as commander hands them over. */
export interface CommonFlags {
  readonly manifests?: readonly string[]
  readonly root?: string
  readonly state?: string
  readonly config?: string
  readonly secrets?: string
  readonly site?: string
  readonly facts?: string
  readonly with?: readonly string[]
  readonly json?: boolean
}

/** The starting point of the road for what was given on the command line; `classes` is undefined where none can be. */
export function roadOptions(
  flags: CommonFlags,
  classes: readonly string[] | undefined,
  mayKeep: boolean,
): RoadOptions {
  const root = resolve(flags.root ?? '/')
  if (statOf(root)?.isDirectory() !== true) {
    throw new Refusal({
      severity: 'error',
      code: 'usage',
      message: `--root takes a folder that is there, and ${root} is none`,
    })
  }
  const instead = {
    ...(flags.config === undefined ? {} : { conf: flags.config }),
    ...(flags.secrets === undefined ? {} : { secrets: flags.secrets }),
    ...(flags.site === undefined ? {} : { site: flags.site }),
    ...(flags.facts === undefined ? {} : { facts: flags.facts }),
  }
  const given = pairs(flags.with ?? [])
  if (Object.keys(given).length > 0 && classes?.length !== 1) {
    throw new Refusal({
      severity: 'error',
      code: 'usage',
      message: '--with sets parameters of one class, and needs just one to be named',
      help: 'steward apply CLASS --with NAME=VALUE',
    })
  }
  const state = stateOf(flags, root)
  refuseUntrusted(state)
  return {
    root,
    state,
    manifests: flags.manifests ?? [],
    paths,
    instead,
    classes: classes ?? [],
    ...(classes ? {} : { isOfHost: true }),
    with: given,
    mayKeep,
  }
}

/** The state folder as given, or that of the user who runs steward. */
export function stateOf(flags: Pick<CommonFlags, 'state'>, root: string): string {
  if (flags.state !== undefined) return resolve(flags.state)
  const { uid, homedir } = userInfo()
  return stateFolder({ uid, home: homedir, xdgStateHome: process.env.XDG_STATE_HOME, root })
}

/** What lies in the state folder is believed and written to: nobody else may have put it there. */
export function refuseUntrusted(folder: string): void {
  const found = statOf(folder)
  if (found === undefined) return
  const isOurs = isTrustedOwner(found.uid)
  if (isOurs && !canOthersWrite(found)) return
  throw new Refusal({
    severity: 'error',
    code: 'state',
    message: `the state folder ${folder} can't be trusted`,
    expected: 'a folder that only root, or whoever runs steward, can write',
    found: isOurs
      ? `others can write it (mode ${(found.mode & 0o7777).toString(8).padStart(4, '0')})`
      : `it belongs to another user (uid ${found.uid})`,
    help: `look at what is in it, then: chown ${process.geteuid?.() ?? 0} ${folder} && chmod 700 ${folder}`,
  })
}

/** Undefined also where it can't be looked at: whoever opens it tells. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch {
    return undefined
  }
}

function pairs(list: readonly string[]): Record<string, string> {
  const out: Record<string, string> = {}
  for (const item of list) {
    const equals = item.indexOf('=')
    if (equals < 1) {
      throw new Refusal({
        severity: 'error',
        code: 'usage',
        message: `--with takes NAME=VALUE, not "${item}"`,
      })
    }
    out[item.slice(0, equals)] = item.slice(equals + 1)
  }
  return out
}
