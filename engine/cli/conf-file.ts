import { posix, resolve } from 'node:path'
import { type Diagnostic, Refusal } from '../diagnostics/diagnostic.ts'
import { HostError } from '../host/error.ts'
import type { Host } from '../host/host.ts'
import { localHost } from '../host/local.ts'
import { type Trace, tracePath, whyUntrusted } from '../host/trust.ts'
import { type Conf, parseConf } from '../load/conf.ts'
import { readTextFile, shownPath } from '../load/text-file.ts'
import { paths } from '../zulip/paths.ts'

/** A zulip.conf that was read and may be written back. */
export interface ConfFile {
  readonly host: Host
  /** As the user would name it. */
  readonly shown: string
  readonly text: string
  readonly conf: Conf
  readonly exists: boolean
  readonly trace: Trace
}

/**
 * The zulip.conf that is meant; an empty one where there is none. Throws a Refusal with what is wrong in it.
 */
export function openConf(flags: { readonly config?: string; readonly root?: string }): ConfFile {
  const host = localHost({ root: flags.config === undefined ? resolve(flags.root ?? '/') : '/' })
  const path = flags.config === undefined ? paths.conf : resolve(flags.config)
  const shown = shownPath(host, path)
  const found = readTextFile(host, path, 'conf-syntax')
  if (found && 'diagnostics' in found) throw new Refusal(found.diagnostics)
  const text = found?.text ?? ''
  const parsed = parseConf(text, shown)
  if ('diagnostics' in parsed) throw new Refusal(parsed.diagnostics)
  const trace = found?.trace ?? tracePath(host, path)
  return { host, shown, text, conf: parsed.conf, exists: found !== undefined, trace }
}

/**
 * Puts the new text in the file's place in one step, with the owner and mode that it had, and gives what it
 * says. Does nothing where the text is the same. Throws a Refusal where it can't be written.
 */
export function replaceConf({ host, shown, text, conf, trace }: ConfFile, edited: string): Conf {
  if (edited === text) return conf
  const { path, stat } = trace
  const why = untrustedLink(trace)
  if (why !== undefined) throw new Refusal(throughLink(shown, why))
  try {
    const now = host.stat(path)
    if (now?.ino !== stat?.ino || now?.mtimeMs !== stat?.mtimeMs)
      throw new Refusal(changedMeanwhile(shown))
    const { uid, gid, mode } = stat ?? {
      uid: process.geteuid?.() ?? 0,
      gid: process.getegid?.() ?? 0,
      mode: 0o644,
    }
    host.writeFile(path, Buffer.from(edited), { uid, gid, mode })
    host.sync()
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    throw new Refusal(unwritable(shown, error), { cause: error })
  }
  const parsed = parseConf(edited, shown)
  if ('diagnostics' in parsed) throw new Error('an edit made zulip.conf unreadable')
  return parsed.conf
}

/** Why a link on the way can't be trusted: what it leads to would be written with steward's rights. */
function untrustedLink(trace: Trace): string | undefined {
  const last = trace.passed.findLastIndex(({ stat }) => stat.kind === 'link')
  return whyUntrusted({ ...trace, passed: trace.passed.slice(0, last + 1) })
}

function throughLink(shown: string, why: string): Diagnostic {
  return {
    severity: 'error',
    code: 'no-permission',
    message: `${shown} is reached by a symbolic link that somebody unprivileged could have placed`,
    found: why,
    help: 'name the file itself: steward conf --config FILE',
  }
}

function changedMeanwhile(shown: string): Diagnostic {
  return {
    severity: 'error',
    code: 'differs-from-plan',
    message: `${shown} was changed by somebody else just now, and is left as it is`,
    help: 'run the same command again',
  }
}

function unwritable(shown: string, error: HostError): Diagnostic {
  const isDenied = error.code === 'EACCES' || error.code === 'EPERM'
  const folder = posix.dirname(shown)
  return {
    severity: 'error',
    code: isDenied ? 'no-permission' : 'not-found',
    message: `${shown} can't be written`,
    found: error.message,
    help: isDenied
      ? 'run steward as root'
      : error.code === 'ENOENT'
        ? `make its folder first: mkdir -p ${folder}`
        : `look at the folder: ls -ld ${folder}`,
  }
}
