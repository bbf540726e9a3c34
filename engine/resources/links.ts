import { HostError } from '../host/error.ts'
import type { FileStat, HostReader } from '../host/host.ts'
import { type Trace, tracePath, whyUntrusted } from '../host/trust.ts'

/** Where a path leads once its links are followed, or the sentence that says why it can't be. */
export type Followed =
  | { readonly path: string; readonly stat: FileStat | undefined }
  | {
      readonly blocked: string
      readonly help?: string
      /** The path at fault. */
      readonly at: string
    }

/**
 * Follows a path to where it leads inside the managed tree. A link counts only where neither it nor a folder
 * above it belongs to, or can be written by, somebody unprivileged: whoever may place a link could have root
 * write anywhere. `stat` is undefined where nothing is at the end; a link that itself leads nowhere is blocked.
 */
export function followLinks(path: string, host: HostReader): Followed {
  const trace = traceOrLoop(path, host)
  if (trace === undefined) return { blocked: `${path} leads through a loop of links`, at: path }
  const { passed } = trace
  const lastLink = passed.findLastIndex(({ stat }) => stat.kind === 'link')
  const distrust = whyUntrusted({ ...trace, passed: passed.slice(0, lastLink + 1) })
  if (distrust !== undefined) {
    const at = passed[lastLink]?.path ?? path
    return {
      blocked: `the link ${at} is not followed, for ${distrust}`,
      help: 'Name the path that it should lead to, or let root own the link and the folders above it.',
      at,
    }
  }
  const last = passed.at(-1)
  if (trace.stat === undefined && last && !['directory', 'link'].includes(last.stat.kind)) {
    return {
      blocked: `${last.path} is a ${last.stat.kind} where a directory is needed`,
      at: last.path,
    }
  }
  if (trace.stat === undefined && host.stat(path)?.kind === 'link') {
    return {
      blocked: `${path} is a link to ${trace.path}, where nothing is`,
      help: `Make ${trace.path} first, or set links: manage to act on the link itself.`,
      at: path,
    }
  }
  return { path: trace.path, stat: trace.stat }
}

function traceOrLoop(path: string, host: HostReader): Trace | undefined {
  try {
    return tracePath(host, path)
  } catch (error) {
    if (error instanceof HostError && error.code === 'ELOOP') return undefined
    throw error
  }
}
