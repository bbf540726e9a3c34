import { localHost } from '../host/local.ts'
import { tracePath } from '../host/trust.ts'
import type { KeptRow } from '../record/bucket.ts'
import { Store } from '../record/store.ts'
import { CURRENT } from '../zulip/deployments.ts'
import type { ApplyFlags } from './apply-flags.ts'
import { configurationBefore, restore } from './bucket.ts'
import { isInteractive, report } from './locked.ts'
import { stateOf } from './options.ts'

/** The folder of a deployment, be it given by a link; undefined where there is none. */
export function deploymentAt(path: string): string | undefined {
  const { path: tree, stat } = tracePath(localHost(), path)
  return stat?.kind === 'directory' ? tree : undefined
}

/** Whether the newest run on record is one of that procedure, began since (ISO 8601, UTC) and came to its goal. */
export function hasEndedSince(procedure: string, began: string): boolean {
  const [newest] = Store.reading(stateOf({}, '/'), ({ runs }) => runs.list(1)) ?? []
  return newest?.status === 'done' && newest.started >= began && newest.classes.includes(procedure)
}

/**
 * Tells which files below /etc have been overwritten or removed since another deployment took the place of this one
 * that runs again, and asks whether they are to come back where somebody can be asked. Gives the exit status.
 */
export async function offerConfiguration(tree: string, flags: ApplyFlags): Promise<number> {
  const found = Store.reading(stateOf({}, '/'), (store) => {
    const run = store.bucket.runThatMoved(CURRENT, tree)
    if (run === undefined) return undefined
    return { run, files: configurationBefore(store, run).filter((row) => differs(row, store)) }
  })
  if (!found || found.files.length === 0) return 0
  const { run, files } = found
  const tell = (message: string) => report({ type: 'notice', message }, flags)
  tell(`since ${tree} last ran, these files have been changed, and a rollback leaves them so:`)
  for (const { path } of files) tell(`  ${path}`)
  tell(
    `steward bucket restore --before ${run} puts them back; the next apply makes them again what manifests and zulip.conf say`,
  )
  if (flags.dryRun || flags.yes || !isInteractive(flags)) return 0
  return restore({ ...flags, before: run }, undefined)
}

/** Whether what is there now is not what was kept. */
function differs({ path, hash }: KeptRow, { contents }: Store): boolean {
  const host = localHost()
  const then = hash === undefined ? undefined : contents.get(hash)
  if (then === undefined) return false
  return host.stat(path)?.kind !== 'file' || !host.read(path).equals(then)
}
