import { apply } from '../../engine/apply/apply.ts'
import type { Keeper } from '../../engine/apply/keeper.ts'
import type { Catalog } from '../../engine/compile/catalog.ts'
import { compile } from '../../engine/compile/compile.ts'
import { type Selection, selected } from '../../engine/compile/selection.ts'
import { renderDiagnostic } from '../../engine/diagnostics/render.ts'
import type { Event, Summary } from '../../engine/events.ts'
import type { Host } from '../../engine/host/host.ts'
import { localHost } from '../../engine/host/local.ts'
import { type Plan, plan } from '../../engine/plan.ts'
import { probe } from '../../engine/probe.ts'
import { withHiddenContents } from '../../engine/record/in-sync-files.ts'
import { pastOf } from '../../engine/record/past.ts'
import { RunRecord } from '../../engine/record/run-record.ts'
import { partWriters, secretWriters } from '../../engine/record/secret-writers.ts'
import { Store } from '../../engine/record/store.ts'
import { types as allTypes } from '../../engine/resources/index.ts'
import type { LocalEdits, ResourceType } from '../../engine/resources/type.ts'
import { compileInput, type Given } from '../compile/input.ts'
import { expectAsPlanned } from '../truth/plan-truth.ts'

/** A tree to manage and a state folder, both real. */
export interface Place {
  readonly root: string
  readonly state: string
}

export interface RunOptions extends Given {
  readonly selection?: Partial<Selection>
  readonly localEdits?: LocalEdits
  /** Called between plan and apply: another hand on the host. */
  readonly meanwhile?: () => void
  /** The resources that do not end as planned, for something changes them that the manifest does not tell of. */
  readonly surprises?: readonly string[] | 'any'
  /** What stands for the types themselves; they are compiled as ever. */
  readonly types?: ReadonlyMap<string, ResourceType>
  /** What the run is to use in place of the host itself. */
  readonly host?: (host: Host) => Host
  /** What takes things down in place of the record itself. */
  readonly keeper?: (record: Keeper) => Keeper
  /** Called with every event before the next one is asked for. */
  readonly onEvent?: (event: Event, stop: () => void) => void
}

export interface Ran {
  readonly run: string
  readonly plan: Plan
  readonly events: readonly Event[]
  readonly summary: Summary
  /** `file[/x] changed`, for each resource that finished. */
  readonly outcomes: readonly string[]
}

/** One trip of the road with the manifests of a folder, as `steward apply` makes it. */
export async function trip(place: Place, folder: string, options: RunOptions = {}): Promise<Ran> {
  const { catalog, diagnostics } = compile(await compileInput(folder, options))
  if (!catalog) throw new Error(diagnostics.map((each) => renderDiagnostic(each)).join('\n'))
  return tripWith(place, catalog, options)
}

/** The rest of a trip, from a catalog on. */
export async function tripWith(
  place: Place,
  compiled: Catalog,
  options: RunOptions = {},
): Promise<Ran> {
  const { types = allTypes } = options
  const real = localHost({ root: place.root })
  const host = options.host?.(real) ?? real
  const selection = { tags: [], only: [], ...options.selection }
  const store = Store.open(place.state)
  try {
    const { localEdits } = options
    const past = pastOf(store, { localEdits }, { settings: {} })
    const { owed, files, secretPaths } = past
    const catalog = withHiddenContents(compiled, secretPaths)
    const chosen = selected(catalog, selection)
    const states = await probe({ catalog, types, host, selected: chosen, files })
    const planned = plan({ catalog, states, types, cannotRun: host.cannotRun, owed })
    options.meanwhile?.()
    const [secret, partial] = [secretWriters(catalog, secretPaths), partWriters(catalog)]
    const record = new RunRecord(store, {
      command: ['apply'],
      classes: catalog.classes,
      isSensitive: (ref) => secret.has(ref),
      isPartial: (ref) => partial.has(ref),
    })
    const controller = new AbortController()
    const running = apply({
      run: record.id,
      catalog,
      states,
      plan: planned,
      types,
      host,
      keeper: options.keeper?.(record) ?? record,
      past,
      stop: controller.signal,
    })
    const events: Event[] = []
    for (;;) {
      const next = await running.next()
      if (next.done) {
        record.finish(next.value)
        expectAsPlanned(planned, events, options)
        return {
          run: record.id,
          plan: planned,
          events,
          summary: next.value,
          outcomes: outcomesOf(events),
        }
      }
      record.take(next.value)
      events.push(next.value)
      options.onEvent?.(next.value, () => controller.abort())
    }
  } finally {
    store.close()
  }
}

function outcomesOf(events: readonly Event[]): string[] {
  return events.flatMap((event) =>
    event.type === 'resource_finished'
      ? [`${event.ref} ${event.outcome}${event.cause === undefined ? '' : ` (${event.cause})`}`]
      : [],
  )
}
