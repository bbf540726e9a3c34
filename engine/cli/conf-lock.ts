import { join, resolve } from 'node:path'
import { acquireLock } from '../host/lock.ts'
import { makeStateFolder, RUN_LOCK, waitingFor } from './locked.ts'
import { type CommonFlags, refuseUntrusted, stateOf } from './options.ts'
import { note } from './output.ts'

type LockFlags = Pick<CommonFlags, 'root' | 'state'> & { readonly wait: number }

/**
 * An edit of zulip.conf that holds the host meanwhile: another edit at the same time is not lost, and none comes in the
 * middle of a run.
 */
export function alone<Flags extends LockFlags, Operands extends readonly string[]>(
  edit: (flags: Flags, ...operands: Operands) => Promise<number>,
): (flags: Flags, ...operands: Operands) => Promise<number> {
  return async (flags, ...operands) => {
    const state = stateOf(flags, resolve(flags.root ?? '/'))
    refuseUntrusted(state)
    makeStateFolder(state)
    const lock = await acquireLock(join(state, RUN_LOCK), {
      waitMs: flags.wait * 1000,
      run: 'steward conf',
      onWait: (holder) => note(waitingFor(holder)),
    })
    try {
      return await edit(flags, ...operands)
    } finally {
      lock.release()
    }
  }
}
