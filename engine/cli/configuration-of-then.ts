import { resolve } from 'node:path'
import { localHost } from '../host/local.ts'
import { tracePath } from '../host/trust.ts'
import type { KeptRow } from '../record/bucket.ts'
import { Store } from '../record/store.ts'
import { givenText, OF_RECORD } from '../ui/given-options.ts'
import { CURRENT } from '../zulip/deployments.ts'
import type { ApplyFlags } from './apply-flags.ts'
import { configurationBefore, restore } from './bucket.ts'
import { isInteractive, report } from './locked.ts'
import { stateOf } from './options.ts'

/** The folder of a deployment, be it given by a link; undefined where there is none. */
export function deploymentAt({ root = '/' }: ApplyFlags, path: string): string | undefined {
  const host = localHost({ root: resolve(root) })
  const { path: tree, stat } = tracePath(host, path)
  return stat?.kind === 'directory' ? tree : undefined
}

/**
 * Tells which files below /etc have been overwritten or removed since another deployment took the place of this one
 * that runs again, and asks whether they are to come back where somebody can be asked. Gives the exit status.
 */
export async function offerConfiguration(tree: string, flags: ApplyFlags): Promise<number> {
  const found = Store.reading(stateOf(flags, resolve(flags.root ?? '/')), (store) => {
    const run = store.bucket.runThatMoved(CURRENT, tree)
    if (run === undefined) return undefined
    const isOther = differs(store, flags)
    return { run, files: configurationBefore(store, run).filter(isOther) }
  })
  if (!found || found.files.length === 0) return 0
  const { run, files } = found
  const what =
    files.length === 1 ? 'a configuration file has' : `${files.length} configuration files have`
  report(
    {
      type: 'notice',
      message: [
        `since ${tree} last ran, ${what} been changed, which a rollback leaves as they are:`,
        ...files.map(({ path }) => `  ${path}`),
        `to have them as they were then: steward bucket restore --before ${run}${givenText(flags, OF_RECORD)}`,
      ].join('\n'),
    },
    flags,
  )
  if (flags.dryRun || flags.yes || !isInteractive(flags)) return 0
  return restore({ ...flags, before: run }, undefined)
}

/** Whether what is there now is not what was kept. */
function differs(store: Store, { root = '/' }: ApplyFlags): (row: KeptRow) => boolean {
  const host = localHost({ root: resolve(root) })
  return ({ path, hash }) => {
    const then = hash === undefined ? undefined : store.contents.get(hash)
    if (then === undefined) return false
    return host.stat(path)?.kind !== 'file' || !host.read(path).equals(then)
  }
}
