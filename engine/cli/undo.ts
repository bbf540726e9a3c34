import { Refusal } from '../diagnostics/diagnostic.ts'
import { didYouMean } from '../diagnostics/suggest.ts'
import type { ProcedureRow } from '../record/procedures.ts'
import { changesOfRun } from '../record/run-changes.ts'
import type { RunRow } from '../record/runs.ts'
import type { Store } from '../record/store.ts'
import { givenText, OF_RECORD } from '../ui/given-options.ts'
import { roadOptions } from './options.ts'
import { type Chosen, type PutBackFlags, putBack } from './put-back.ts'
import { noRun } from './runs.ts'

/** `steward undo`: as apply, 0 done, 1 refused, 4 something failed. */
export function run(
  flags: PutBackFlags,
  id: string,
  resources: readonly string[],
): Promise<number> {
  const options = roadOptions(flags, undefined, !flags.dryRun)
  return putBack(flags, options, ['undo', id, ...resources], (store) =>
    choose(store, id, resources, flags),
  )
}

function choose(
  store: Store,
  id: string,
  resources: readonly string[],
  flags: PutBackFlags,
): Chosen {
  const run = store.runs.find(id)
  if (!run) throw new Refusal(noRun(id, store.runs.list()))
  refuseUnfinished(store, run)
  const { classes } = run
  const command = ['undo', run.id, ...resources]
  const { kept, events, unsure, meant } = changesOfRun(store, run)
  const told = events.flatMap((event) => (event.type === 'resource_finished' ? event.ref : []))
  const sure = new Set([...kept.map(({ ref }) => ref), ...told])
  if (resources.length === 0) return { run, command, classes, kept, events, unsure, meant }
  const known = [...sure, ...unsure, ...meant.map(({ ref }) => ref)]
  const unknown = resources.find((ref) => !known.includes(ref))
  if (unknown !== undefined)
    throw new Refusal({
      severity: 'error',
      code: 'not-found',
      message: `run ${run.id} changed nothing for ${unknown}`,
      help:
        didYouMean(unknown, known) ??
        `steward runs show ${run.id}${givenText(flags, OF_RECORD)} tells what it changed`,
    })
  return {
    run,
    command,
    classes,
    kept: kept.filter(({ ref }) => resources.includes(ref)),
    events: events.filter(
      (event) => event.type === 'resource_finished' && resources.includes(event.ref),
    ),
    unsure: unsure.filter((ref) => resources.includes(ref)),
    meant: meant.filter(({ ref }) => resources.includes(ref)),
  }
}

/** Commands that begin anew each time, and so can't be told to end what they began. */
const BEGIN_ANEW = new Set(['restart', 'start', 'stop'])

/** What a procedure goes on with may not be gone from below the steps that it is past. */
function refuseUnfinished(store: Store, { id, classes, command }: RunRow): void {
  const { procedures, runs } = store
  const isOf = ({ run, name }: ProcedureRow) =>
    run === id ||
    (classes.includes(name) &&
      command[0] !== 'undo' &&
      runs.listAfter(run).some((later) => later.id === id))
  const open = procedures.allOpen().find(isOf)
  if (!open) return
  const { run, name } = open
  const begun = runs.find(run)?.command ?? []
  const isAnew = begun[0] === undefined || BEGIN_ANEW.has(begun[0])
  const again = isAnew ? ['apply', name] : begun.filter((word) => word !== '--restart')
  throw new Refusal({
    severity: 'error',
    code: 'blocked',
    message: `run ${id} is an unfinished ${name}`,
    help: `end it first with: ${['steward', ...again, '--abandon'].join(' ')}`,
  })
}
