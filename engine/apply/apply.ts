import { setImmediate } from 'node:timers/promises'
import type { Catalog, CatalogResource } from '../compile/catalog.ts'
import { type DueRefresh, isStart, startsAnew } from '../due-refreshes.ts'
import type { Event, Summary } from '../events.ts'
import { type Adjacency, neighbours, pairs, predecessors } from '../graph.ts'
import type { Host } from '../host/host.ts'
import { type Action, actionOf, conflictOf, type Past, type Plan, plannedChanges } from '../plan.ts'
import {
  type Asking,
  IN_SYNC,
  Needs,
  probeContext,
  type States,
  verdictNow,
  verdictsNow,
} from '../probe.ts'
import { redactor } from '../redactor.ts'
import {
  ApplyError,
  type Change,
  type ResourceType,
  type Outcome as Result,
  type Verdict,
} from '../resources/type.ts'
import { areSame } from '../saved-plan.ts'
import { type FailureCode, failure } from './failure.ts'
import { groups } from './groups.ts'
import { Intents } from './intents.ts'
import type { Keeper } from './keeper.ts'
import { changesMadeBy, type Work } from './made.ts'
import { newPaths } from './new-paths.ts'
import { PutBacks } from './put-back.ts'
import { recording } from './recording.ts'
import { CHANGED, Refreshes, STAYS_READ, TAKEN_BACK } from './refreshes.ts'
import { type Finished, Tally } from './tally.ts'

export interface ApplyInput {
  readonly run: string
  /** The run that is taken back; absent where none is. */
  readonly undoes?: string | undefined
  readonly catalog: Catalog
  readonly states: States
  readonly plan: Plan
  readonly types: ReadonlyMap<string, ResourceType>
  readonly host: Host
  readonly keeper: Keeper
  readonly past: Past
  /**
   * Set for a plan that was saved: by index, why a resource is not what the plan says, and so is left alone. What
   * something else changes meanwhile is left alone too.
   */
  readonly refused?: ReadonlyMap<number, string> | undefined
  /** Told what a long act is at; absent where nobody watches. */
  readonly progress?: ((doing: string) => void) | undefined
  /** Aborted when a signal asks to stop: the resource in hand is finished, and nothing after it begun. */
  readonly stop: AbortSignal
}

function watched({ host, progress }: ApplyInput): Host {
  return progress ? { ...host, progress } : host
}

/** What was changed of a resource before it failed; undefined where that can't be told. */
type Made = readonly Change[] | undefined

/** Signals wait for the event loop to turn, which files alone never let it. Milliseconds. */
const LONGEST_TURN_MS = 50

/**
 * Makes the changes of a plan in its order. A failure skips what depends on it and nothing else. Each resource
 * is probed again just before it is changed, for what came before may have changed what it finds.
 */
export async function* apply(input: ApplyInput): AsyncGenerator<Event, Summary> {
  const runner = new Runner(input)
  const started = performance.now()
  const { plan, run, undoes } = input
  yield {
    type: 'run_started',
    run,
    ...(undoes === undefined ? {} : { undoes }),
    classes: plan.classes,
    planned: plan.resources.length,
    total: plan.total,
  }
  input.keeper.mark()
  input.keeper.adopt(input.catalog, input.states, input.host)
  let turned = started
  for (const group of groups(input.catalog, input.states)) {
    if (performance.now() - turned > LONGEST_TURN_MS) {
      await setImmediate()
      turned = performance.now()
    }
    if (input.stop.aborted) {
      runner.tally.interrupted = true
      break
    }
    const passed = runner.pass(group)
    if (passed) yield passed
    else yield* runner.group(group)
  }
  runner.finish()
  const summary = runner.tally.summary(run, Math.round(performance.now() - started))
  yield { type: 'run_finished', summary }
  return summary
}

class Runner {
  readonly #input: ApplyInput
  readonly #host: Host
  readonly #before: Adjacency
  readonly #asking: Asking
  readonly #redact: (text: string) => string
  readonly #actions: ReadonlyMap<number, Action>
  readonly #refreshes: Refreshes
  /**
   * By index: whether it was changed in this run, whether anything before it was,
   * and whose failure keeps it from being done.
   */
  readonly #changed: Uint8Array
  /** By reference, when what was changed in this run was; see `refresh` of a type. */
  readonly #madeAt = new Map<string, number>()
  /** By index, who ran just before what it runs under took up changes that concern it. */
  readonly #ran = new Set<number>()
  readonly #touched: Uint8Array
  readonly #failedRoot: Int32Array
  readonly tally = new Tally()
  /** The resource in whose name writes happen. */
  #current = ''
  readonly #intents: Intents
  readonly #putBacks: PutBacks

  constructor(input: ApplyInput) {
    this.#input = input
    const { catalog, plan, keeper, types, past } = input
    this.#refreshes = new Refreshes(catalog, types, past.owed)
    this.#intents = new Intents(input, this.#refreshes)
    const size = catalog.resources.length
    this.#before = predecessors(size, pairs(catalog.edges))
    this.#redact = redactor(catalog.secrets)
    this.#actions = new Map(plan.resources.map(({ index, action }) => [index, action]))
    this.#changed = new Uint8Array(size)
    this.#touched = new Uint8Array(size)
    this.#failedRoot = new Int32Array(size).fill(-1)
    this.#host = recording(watched(input), keeper, () => this.#current)
    this.#asking = {
      host: this.#host,
      context: probeContext(catalog, { ...past.files, isNew: newPaths(input) }),
      needs: new Needs(catalog, input.host, {
        isSelected: (index) => input.states[index] !== undefined,
      }),
    }
    this.#putBacks = new PutBacks({
      catalog,
      types,
      keeper,
      host: this.#host,
      refreshes: this.#refreshes,
      intents: this.#intents,
    })
  }

  /** The end of a resource that is in sync and that nothing before it has touched: of nearly all in daily use. */
  pass(group: readonly number[]): Event | undefined {
    const index = group[0] as number
    if (group.length > 1 || this.#input.states[index] !== IN_SYNC) return undefined
    if (this.#look(index) >= 0 || this.#touched[index]) return undefined
    const resource = this.#input.catalog.resources[index] as CatalogResource
    if (this.#refreshes.isOwed(resource) || this.#input.refused?.has(index)) return undefined
    return this.#finished(resource, performance.now(), { outcome: 'unchanged', changes: [] })
  }

  async *group(group: readonly number[]): AsyncGenerator<Event> {
    const work: Work[] = []
    const verdicts = await this.#verdictsOf(group)
    for (const index of group) {
      const resource = this.#input.catalog.resources[index] as CatalogResource
      const cause = this.#look(index)
      if (cause >= 0) {
        this.#failedRoot[index] = cause
        const root = this.#input.catalog.resources[cause] as CatalogResource
        this.#intents.unchanged(index)
        yield this.#finished(resource, performance.now(), {
          outcome: 'skipped',
          changes: [],
          cause: root.ref,
        })
        continue
      }
      yield* this.#decide(resource, work, verdicts.get(index))
    }
    if (work.length === 0) return
    const type = this.#type(work[0]?.resource as CatalogResource)
    if (type.applyTogether && work.length > 1) yield* this.#together(type, work)
    else for (const item of work) yield* this.#alone(item)
  }

  finish(): void {
    this.#intents.finish()
  }

  /** Whose failure skips a resource, or -1; notes whether anything before it was changed. */
  #look(index: number): number {
    let cause = -1
    for (const other of neighbours(this.#before, index)) {
      if (this.#changed[other] || this.#touched[other]) this.#touched[index] = 1
      if (cause < 0 && (this.#failedRoot[other] as number) >= 0)
        cause = this.#failedRoot[other] as number
    }
    return cause
  }

  #plannedVerdict(index: number): Verdict | undefined {
    const state = this.#input.states[index]
    return state?.kind === 'known' ? state.verdict : undefined
  }

  /** Whether what the plan knows of a resource may be out of date, or is about to be acted on. */
  #isToBeAsked(resource: CatalogResource): boolean {
    const verdict = this.#plannedVerdict(resource.index)
    const isInSync = verdict && 'changes' in verdict && (verdict.changes?.length ?? 0) === 0
    return !isInSync || !!this.#touched[resource.index] || this.#refreshes.isOwed(resource)
  }

  /** What is asked of those that share a transaction, at once: to ask apt takes as long for one package as for all. */
  async #verdictsOf(group: readonly number[]): Promise<ReadonlyMap<number, Verdict>> {
    const resources = group
      .filter((index) => this.#look(index) < 0)
      .map((index) => this.#input.catalog.resources[index] as CatalogResource)
      .filter((resource) => this.#isToBeAsked(resource))
    const [first] = resources
    if (!first || resources.length < 2) return new Map()
    try {
      const verdicts = await verdictsNow(this.#type(first), resources, this.#asking)
      return new Map(resources.map(({ index }, k) => [index, verdicts[k] as Verdict]))
    } catch {
      // Each is asked alone then, and fails alone.
      return new Map()
    }
  }

  /** Finds out what is to be done for a resource, and does all but the change itself. */
  async *#decide(
    resource: CatalogResource,
    work: Work[],
    asked: Verdict | undefined,
  ): AsyncGenerator<Event> {
    const { index, ref } = resource
    const began = performance.now()
    const refused = this.#input.refused?.get(index)
    if (refused !== undefined) {
      yield this.#refuse(resource, began, refused)
      return
    }
    const before = this.#plannedVerdict(index)
    let verdict = before
    const planned = verdict && 'changes' in verdict ? (verdict.changes?.length ?? 0) : -1
    if (this.#isToBeAsked(resource)) {
      this.#intents.intend(resource)
      const broken = await this.#brokenByCarrier(resource)
      if (broken) {
        const from = this.#refreshes.sourcesOf(index, this.#changed)
        yield* this.#putBack(resource, began, broken, { by: 'restart', from, made: [] })
        return
      }
      try {
        verdict = asked ?? (await verdictNow(this.#type(resource), resource, this.#asking))
      } catch (error) {
        yield this.#failed(resource, began, error, 'apply-failed', [])
        return
      }
    }
    if (!verdict) throw new Error(`${ref} has no state`)
    if ('blocked' in verdict) {
      const { conflict } = conflictOf(resource, verdict, this.#redact)
      if (conflict !== undefined) this.tally.conflicts++
      const error = new ApplyError(verdict.blocked, {
        ...(verdict.help === undefined ? {} : { help: verdict.help }),
        ...(conflict ? { found: conflict } : {}),
      })
      yield this.#failed(resource, began, error, 'blocked', [])
      return
    }
    if ('unknown' in verdict && (verdict.changes?.length ?? 0) === 0) {
      yield this.#failed(
        resource,
        began,
        new ApplyError(`${ref} is left as it is, for its state can't be told: ${verdict.unknown}`),
        'blocked',
        [],
      )
      return
    }
    const changes = verdict.changes ?? []
    const isBound = this.#input.refused !== undefined && !this.#touched[index]
    if (isBound && before && 'changes' in before && !areSame(before.changes ?? [], changes)) {
      yield this.#refuse(resource, began, `what is there of ${ref} has changed since the plan`)
      return
    }
    if (planned > 0 && changes.length === 0) {
      yield { type: 'differs_from_plan', ref, message: `${ref} is already as it is to be` }
    } else if (planned === 0 && changes.length > 0) {
      yield { type: 'differs_from_plan', ref, message: `${ref} was in sync, and is not any more` }
    }
    if (changes.length > 0 && resource.noop) {
      this.#intents.unchanged(index)
      yield this.#finished(resource, began, {
        outcome: 'noop',
        changes: this.#shown(resource, changes),
      })
      return
    }
    if (changes.length > 0) {
      work.push({ resource, changes })
      return
    }
    if ('leftAlone' in verdict) {
      this.#intents.unchanged(index)
      // Where commands can run, what is left alone lacks what it runs from: it reads all anew once that is there.
      if (this.#host.cannotRun === undefined) this.#input.keeper.paid(ref)
      this.tally.leftAlone++
      const { note = '' } = verdict
      yield this.#finished(resource, began, { outcome: 'unchanged', changes: [], note })
      return
    }
    if ('keepsEdit' in verdict) this.tally.kept++
    yield* this.#refreshIfDue(resource, began, [])
  }

  /** The end of a resource that is not what a saved plan says. */
  #refuse(resource: CatalogResource, began: number, why: string): Event {
    const error = new ApplyError(why, {
      help: 'make a new plan with --dry-run --out, and look at it',
    })
    return this.#failed(resource, began, error, 'blocked', [])
  }

  async *#alone({ resource, changes }: Work): AsyncGenerator<Event> {
    const { ref } = resource
    const began = performance.now()
    yield {
      type: 'resource_started',
      ref,
      action: this.#actions.get(resource.index) ?? actionOf(changes),
    }
    this.#current = ref
    let result: Result | undefined
    try {
      result = await this.#type(resource).apply(resource, changes, this.#host)
    } catch (failed) {
      const type = this.#type(resource)
      const [made] = await changesMadeBy(type, [{ resource, changes }], this.#asking)
      const from = changes.some(isStart)
        ? this.#refreshes.sourcesOf(resource.index, this.#changed)
        : []
      if (from.length > 0 && this.#ran.has(resource.index)) {
        yield* this.#putBack(resource, began, failed, { by: 'restart', from, made })
        return
      }
      const error = this.#putBacks.notFor(type, failed, from)
      yield this.#failed(resource, began, error, 'apply-failed', made)
      return
    }
    if (!result?.idle) {
      const staysRead = this.#type(resource).staysRead?.(resource, changes) === true
      this.#wasChanged(resource, staysRead ? STAYS_READ : CHANGED)
      this.#refreshes.changed(resource.index, changes)
      if (changes.some(isStart)) this.#refreshes.restarted(resource.index)
    }
    yield* this.#refreshIfDue(resource, began, result?.idle ? [] : changes, result)
  }

  async *#together(type: ResourceType, work: readonly Work[]): AsyncGenerator<Event> {
    const began = performance.now()
    for (const { resource, changes } of work)
      yield { type: 'resource_started', ref: resource.ref, action: actionOf(changes) }
    this.#current = work.map(({ resource }) => resource.ref).join(', ')
    let failures: ReadonlyMap<string, unknown>
    try {
      failures = (await type.applyTogether?.(work, this.#host)) ?? new Map()
    } catch (error) {
      failures = new Map(work.map(({ resource }) => [resource.ref, error]))
    }
    // Each is given its share of the time, by which the next run tells how long it will take.
    const since = performance.now() - (performance.now() - began) / work.length
    const failed = work.filter(({ resource }) => failures.has(resource.ref))
    const made = failed.length === 0 ? [] : await changesMadeBy(type, failed, this.#asking)
    for (const item of work) {
      const { resource, changes } = item
      if (failures.has(resource.ref)) {
        const error = failures.get(resource.ref)
        yield this.#failed(resource, since, error, 'apply-failed', made[failed.indexOf(item)])
        continue
      }
      this.#wasChanged(resource)
      // What was noted told what the transaction would have to do, and now it has.
      const done = changes.map(({ note: _note, ...change }) => change)
      yield this.#finished(resource, since, {
        outcome: 'changed',
        changes: this.#shown(resource, done),
      })
    }
  }

  /** At the resource's own place in the order, once, and not for what this run has just started or run. */
  async *#refreshIfDue(
    resource: CatalogResource,
    began: number,
    changes: readonly Change[],
    result?: Result,
  ): AsyncGenerator<Event> {
    const { index, ref, noop } = resource
    const type = this.#type(resource)
    const isSpared = noop || this.#host.cannotRun !== undefined
    const { due, isSettled } = isSpared
      ? { due: undefined, isSettled: false }
      : this.#refreshes.due(resource, this.#changed)
    const own = { changes: this.#shown(resource, changes), ...this.#said(result) }
    if (!due || !type.refresh || startsAnew(changes)) {
      if (due || isSettled) this.#input.keeper.paid(ref)
      if (!this.#changed[index]) this.#intents.unchanged(index)
      yield this.#finished(resource, began, {
        outcome: changes.length > 0 ? 'changed' : 'unchanged',
        ...own,
      })
      return
    }
    if (changes.length === 0) yield { type: 'resource_started', ref, action: 'refresh' }
    this.#current = ref
    await this.#lookAtCarried(index)
    let refreshed: Result | undefined
    try {
      refreshed = await type.refresh(resource, due.by, this.#host, this.#lastMadeAt(index, due))
    } catch (first) {
      yield* this.#putBack(resource, began, first, { ...due, made: changes })
      return
    }
    this.#input.keeper.paid(ref)
    // An exec that ran on a refresh is a change like any other, which those who listen to it hear of.
    if (resource.type === 'exec' && !refreshed?.idle) this.#wasChanged(resource)
    if (due.by !== 'reload' && !refreshed?.idle) this.#refreshes.restarted(index)
    if (!this.#changed[index]) this.#intents.unchanged(index)
    const outcome = refreshed?.idle ? 'unchanged' : 'refreshed'
    yield this.#finished(resource, began, {
      outcome: changes.length > 0 ? 'changed' : outcome,
      ...own,
      ...this.#said(refreshed),
      ...(refreshed?.idle ? {} : { refresh: due }),
    })
  }

  /** The end of a resource that does not run with what these sources became: they are made what they were. */
  async *#putBack(
    resource: CatalogResource,
    began: number,
    error: unknown,
    { by, from, made }: Pick<DueRefresh, 'by' | 'from'> & { readonly made: Made },
  ): AsyncGenerator<Event> {
    const type = this.#type(resource)
    this.#current = resource.ref
    const back = this.#putBacks.filesOf(type, resource, from)
    const { paths, sources, failed } = back
    if (paths.length > 0) yield { type: 'put_back', ref: resource.ref, paths }
    if (failed.size === 0) {
      this.tally.takeBack(sources, paths)
      for (const { index } of sources) this.#changed[index] = TAKEN_BACK
    }
    const told = await this.#putBacks.recovered(type, resource, error, { by, back })
    yield this.#failed(resource, began, told, 'refresh-failed', made)
  }

  /** Takes down who runs under a resource, where that is about to take up changes that concern them. */
  async #lookAtCarried(carrier: number): Promise<void> {
    const affected = this.#refreshes
      .affectedUnder(carrier, this.#changed)
      .filter(({ index, noop }) => this.#input.states[index] !== undefined && !noop)
    for (const [type, resources] of Map.groupBy(affected, (resource) => this.#type(resource))) {
      const standings = (await type.standings?.(resources, this.#host)) ?? []
      for (const [k, { index }] of resources.entries())
        if (standings[k] === 'runs') this.#ran.add(index)
    }
  }

  /** Why a resource does not run any more since what it runs under took up changes that concern it. */
  async #brokenByCarrier(resource: CatalogResource): Promise<ApplyError | undefined> {
    if (!this.#ran.has(resource.index)) return undefined
    const [standing] = (await this.#type(resource).standings?.([resource], this.#host)) ?? []
    return standing instanceof ApplyError ? standing : undefined
  }

  #wasChanged({ index, ref }: CatalogResource, as = CHANGED): void {
    this.#changed[index] = as
    this.#madeAt.set(ref, Number(process.hrtime.bigint() / 1000n))
  }

  /**
   * When the last change was made that asks for a refresh, where the plan could say nothing of that or something else
   * may have made it needless.
   */
  #lastMadeAt(index: number, { from }: DueRefresh): number | undefined {
    const { footprint } = this.#input.catalog.resources[index] as CatalogResource
    if (this.#plannedVerdict(index) && footprint.restartsWith === undefined) return undefined
    const times = from.map((ref) => this.#madeAt.get(ref) ?? Number.POSITIVE_INFINITY)
    const last = Math.max(...times)
    return last < Number.POSITIVE_INFINITY ? last : undefined
  }

  #finished(resource: CatalogResource, began: number, finished: Finished): Event {
    this.tally.add(resource, finished)
    return {
      type: 'resource_finished',
      ref: resource.ref,
      ...finished,
      durationMs: Math.round(performance.now() - began),
    }
  }

  #failed(
    resource: CatalogResource,
    began: number,
    error: unknown,
    code: FailureCode,
    made: Made,
  ): Event {
    this.#failedRoot[resource.index] = resource.index
    if (made?.length === 0) this.#intents.unchanged(resource.index)
    if (made && made.length > 0) this.tally.partly++
    return this.#finished(resource, began, {
      outcome: 'failed',
      changes: this.#shown(resource, made ?? []),
      error: failure(resource.ref, error, { code, redact: this.#redact }),
    })
  }

  #said(result: Result | undefined): { note?: string; output?: string } {
    return {
      ...(result?.note === undefined ? {} : { note: this.#redact(result.note) }),
      ...(result?.output === undefined ? {} : { output: this.#redact(result.output) }),
    }
  }

  #shown(resource: CatalogResource, changes: readonly Change[]) {
    return changes.length === 0 ? [] : plannedChanges(resource, changes, this.#redact)
  }

  #type(resource: CatalogResource): ResourceType {
    return this.#input.types.get(resource.type) as ResourceType
  }
}
