import { Refusal } from '../diagnostics/diagnostic.ts'
import { didYouMean } from '../diagnostics/suggest.ts'
import { changesOfRun } from '../record/run-changes.ts'
import type { Store } from '../record/store.ts'
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
    choose(store, id, resources),
  )
}

function choose(store: Store, id: string, resources: readonly string[]): Chosen {
  const run = store.runs.find(id)
  if (!run) throw new Refusal(noRun(id, store.runs.list()))
  const { kept, events, unsure } = changesOfRun(store, run)
  const told = events.flatMap((event) => (event.type === 'resource_finished' ? event.ref : []))
  const sure = new Set([...kept.map(({ ref }) => ref), ...told])
  if (resources.length === 0) return { kept, events, unsure, classes: run.classes }
  const known = [...sure, ...unsure]
  const unknown = resources.find((ref) => !known.includes(ref))
  if (unknown !== undefined)
    throw new Refusal({
      severity: 'error',
      code: 'not-found',
      message: `run ${run.id} changed nothing for ${unknown}`,
      help: didYouMean(unknown, known) ?? `steward runs show ${run.id} tells what it changed`,
    })
  return {
    kept: kept.filter(({ ref }) => resources.includes(ref)),
    events: events.filter(
      (event) => event.type === 'resource_finished' && resources.includes(event.ref),
    ),
    unsure: unsure.filter((ref) => resources.includes(ref)),
    classes: run.classes,
  }
}
