import type { Catalog } from '../compile/catalog.ts'
import { type Diagnostic, Refusal } from '../diagnostics/diagnostic.ts'
import { changesOf } from '../events.ts'
import type { HostReader } from '../host/host.ts'
import { types } from '../index.ts'
import { plan } from '../plan.ts'
import type { States } from '../probe.ts'
import type { Store } from '../record/store.ts'
import {
  changedSince,
  machineOf,
  notDeclared,
  refreshesChangedSince,
  type SavedPlan,
} from '../saved-plan.ts'
import type { ApplyFlags } from './apply-flags.ts'
import type { PlannedRun } from './catalog-run.ts'

/** What the command line asks for, where a saved plan is applied: what was asked when it was made, and nothing else. */
export function asAsked(
  { asked }: SavedPlan,
  flags: ApplyFlags,
  classes: readonly string[],
): { readonly flags: ApplyFlags; readonly classes: readonly string[] } {
  const { tags = [], only = [] } = flags
  refuseOther('classes', classes, asked.classes)
  refuseOther('--tags', tags, asked.tags)
  refuseOther('--only', only, asked.only)
  return { flags: { ...flags, tags: asked.tags, only: asked.only }, classes: asked.classes }
}

function refuseOther(what: string, now: readonly string[], then: readonly string[]): void {
  if (now.length === 0 || now.join() === then.join()) return
  throw new Refusal({
    severity: 'error',
    code: 'usage',
    message: `the plan was made with other ${what}`,
    expected: then.length === 0 ? 'none' : then.join(', '),
    found: now.join(', '),
    help: 'steward apply --plan FILE applies all that the plan is of: nothing else need be named',
  })
}

/** Refuses a plan that was made on another machine as a whole: nothing of it was said of this one. */
export function refuseElsewhere({ host: there }: SavedPlan, host: HostReader, name: string): void {
  const here = machineOf(host, name)
  if (here.id === there.id) return
  throw new Refusal({
    severity: 'error',
    code: 'differs-from-plan',
    message: `the plan was made on another machine, ${there.name}, and this is ${here.name}`,
    expected: 'a plan that was made here, by the id in /etc/machine-id',
    help: 'make one here with: steward apply --dry-run --out FILE',
  })
}

/** What was looked at, with each resource blocked that is not as it was when a plan was saved. */
export function boundBy<
  Looked extends Pick<PlannedRun, 'host' | 'catalog' | 'states' | 'past' | 'plan'>,
>(saved: SavedPlan, looked: Looked): Looked & Pick<PlannedRun, 'refused'> {
  const { host, catalog, past } = looked
  const changed = changedSince(saved, catalog, looked.states)
  const refreshes = refreshesChangedSince(saved, looked.plan, { catalog, refused: changed })
  const refused = new Map([...changed, ...refreshes])
  const states = blocked(looked.states, refused)
  const { cannotRun } = host
  return {
    ...looked,
    refused,
    states,
    plan: plan({ catalog, states, types, cannotRun, owed: past.owed, orphans: past.orphans }),
  }
}

function blocked(states: States, refused: ReadonlyMap<number, string>): States {
  const help = 'make a new plan with --dry-run --out, and look at it'
  return states.map((state, index): typeof state => {
    const why = refused.get(index)
    return why === undefined ? state : { kind: 'known', verdict: { blocked: why, help } }
  })
}

/** What else there is to say of a plan that is about to be applied. */
export function planNotices(saved: SavedPlan, catalog: Catalog, store: Store): Diagnostic[] {
  const gone = notDeclared(saved, catalog).map(
    (ref) => `${ref} was planned, and is not declared any more`,
  )
  const later = store.runs
    .listAfter(saved.lastRun)
    .filter(({ summary }) => !summary || changesOf(summary) > 0)
    .map(
      ({ id }) =>
        `run ${id} came after the plan was made: what it made otherwise than planned is refused`,
    )
  return [...later, ...gone].map((message) => ({
    severity: 'warning',
    code: 'differs-from-plan',
    message,
  }))
}
