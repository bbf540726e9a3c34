import { join, resolve } from 'node:path'
import { lockHolder } from '../host/lock.ts'
import { Store } from '../record/store.ts'
import { jsonText } from '../ui/json.ts'
import { renderStatus, type Status } from '../ui/status-text.ts'
import { RUN_LOCK } from './locked.ts'
import { type CommonFlags, stateOf } from './options.ts'
import { paintOf, print } from './output.ts'

/** `steward status`: 0 where nothing is open, else 1. */
export async function run(flags: Pick<CommonFlags, 'root' | 'state' | 'json'>): Promise<number> {
  const folder = stateOf(flags, resolve(flags.root ?? '/'))
  const status = Store.reading(folder, (store) => read(store, folder)) ?? NOTHING
  print(
    flags.json
      ? jsonText(status)
      : renderStatus(status, { paint: paintOf(process.stdout), given: flags }),
  )
  const { cutOff, owed, procedures } = status
  return cutOff.length + owed.length + procedures.length === 0 ? 0 : 1
}

const NOTHING: Status = { cutOff: [], owed: [], procedures: [] }

function read(store: Store, folder: string): Status {
  const holder = lockHolder(join(folder, RUN_LOCK))
  const runs = store.runs.list()
  const last = runs.find(({ finished }) => finished !== undefined)
  // While the host is held, the run that goes on is one that has not finished either.
  const cutOff = holder ? [] : runs.filter(({ status }) => status === 'running')
  return {
    ...(holder ? { holder } : {}),
    ...(last ? { last } : {}),
    cutOff,
    owed: store.runs.owed(),
    procedures: store.procedures.allOpen().map(({ run, name }) => ({
      run,
      name,
      command: runs.find(({ id }) => id === run)?.command ?? ['apply', name],
    })),
  }
}
