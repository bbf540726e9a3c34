import { apply } from '../apply/apply.ts'
import type { Keeper } from '../apply/keeper.ts'
import type { Catalog } from '../compile/catalog.ts'
import { type Diagnostic, Refusal } from '../diagnostics/diagnostic.ts'
import type { Event, StepKind, Summary } from '../events.ts'
import type { ResourceDecl } from '../load/manifest.ts'
import { plan } from '../plan.ts'
import { probe } from '../probe.ts'
import { Abandonment, ENTERED, StepFailed } from './abandonment.ts'
import {
  type Answer,
  answerInShort,
  type ClassesSpec,
  ranFor,
  Unanswered,
  waitMs,
} from './answer.ts'
import { type Frame, rootFrame } from './frame.ts'
import { forget, keepAnswer, type StepStatus } from './progress.ts'
import {
  answerKey,
  type Fresh,
  isDoneBefore,
  isOnce,
  type OtherClasses,
  type ProcedureInput,
  type Question,
  type Resolved,
  Resolver,
  type Step,
  titleOf,
} from './step.ts'
import { isWithin, isWithinAny, keyed } from './step-keys.ts'

export interface RunInput extends ProcedureInput {
  readonly run: string
  readonly keeper: Keeper
  readonly stop: AbortSignal
  /** Makes the progress durable. */
  save(): void
  /** Called with each catalog before anything of it is applied; `classes` is set where it is of classes of the host. */
  onCatalog?(catalog: Catalog, classes: OtherClasses | undefined): void
}

/** Thrown when a signal asked to stop; the run stays open. */
class Stopped extends Error {}

/** Runs a procedure, or goes on with it where `progress` says that it had begun. */
export function runProcedure(input: RunInput): AsyncGenerator<Event, Summary> {
  const { steps } = input
  return framed(input, { steps: steps.length }, (walker, frame) =>
    walker.steps(frame, steps, 'steps', 0, false),
  )
}

/**
 * Takes the rescue and always of every block that a run was cut off in,
 * the innermost first, and leaves it at that.
 */
export function abandonProcedure(input: RunInput): AsyncGenerator<Event, Summary> {
  return framed(input, {}, (walker, frame) => new Abandonment(input, walker).of(frame))
}

/** A walk over the steps, between the events that frame a run. */
async function* framed(
  input: RunInput,
  told: { readonly steps?: number },
  walk: (walker: Walker, frame: Frame) => AsyncGenerator<Event>,
): AsyncGenerator<Event, Summary> {
  const { run, name, steps, progress } = input
  const walker = new Walker(input)
  const began = performance.now()
  yield { type: 'run_started', run, classes: [name], planned: 0, total: 0, ...told }
  let status: Summary['status'] = 'done'
  try {
    yield* walk(walker, rootFrame(name, steps, progress, 'unset'))
  } catch (error) {
    if (error instanceof Stopped) status = 'interrupted'
    else if (error instanceof StepFailed) status = 'failed'
    else throw error
  }
  const durationMs = Math.round(performance.now() - began)
  const summary: Summary = { run, status, ...walker.counts, durationMs }
  yield { type: 'run_finished', summary }
  return summary
}

/** The walk of a run: takes each step in turn, and keeps the progress. */
class Walker {
  readonly counts = {
    changed: 0,
    refreshed: 0,
    putBack: 0,
    failed: 0,
    partly: 0,
    skipped: 0,
    unchanged: 0,
    other: 0,
  }
  readonly #input: RunInput
  readonly resolver: Resolver
  /** Keys of the steps that are not repeated once they are done. */
  readonly #once = new Set<string>()

  constructor(input: RunInput) {
    this.#input = input
    this.resolver = new Resolver(input, 'unset')
  }

  async *steps(
    frame: Frame,
    decls: readonly ResourceDecl[],
    key: string,
    depth: number,
    inBlock: boolean,
  ): AsyncGenerator<Event> {
    const { progress } = this.#input
    const { rescuing } = progress
    const steps = keyed(decls)
    // A rescue that was cut off goes on where it was: what stands before it in its list is not done again.
    const goesOn = steps.some(({ name }) => rescuing && isWithinAny(rescuing, `${key}/${name}`))
    for (const { decl, name } of steps) {
      let expanded: readonly Step[]
      try {
        expanded = await this.expand(decl, frame, `${key}/${name}`, depth)
      } catch (error) {
        // Before anything was done it is a refusal; after that, a failure that blocks have to know of.
        if (!(error instanceof Refusal) || Object.keys(progress.statuses).length === 0) throw error
        const [rawTitle = ''] = decl.titles
        const step = {
          decl,
          frame,
          each: undefined,
          rawTitle,
          title: rawTitle,
          key: `${key}/${name}`,
          depth,
        }
        yield* this.#fail(step, error)
        return
      }
      for (const step of expanded) {
        if (goesOn && progress.rescuing && !isWithin(progress.rescuing, step.key)) continue
        yield* this.#step(step, inBlock)
      }
    }
  }

  async expand(
    decl: ResourceDecl,
    frame: Frame,
    key: string,
    depth: number,
  ): Promise<readonly Step[]> {
    const expanded = await this.resolver.expand(decl, frame, key, depth)
    if ('later' in expanded) throw new Error(`${expanded.later} is not known in a run`)
    return expanded
  }

  async *#step(step: Step, inBlock: boolean): AsyncGenerator<Event> {
    if (this.#input.stop.aborted) throw new Stopped()
    const { progress } = this.#input
    const { key, title, depth } = step
    const started: Event = {
      type: 'step_started',
      kind: this.#kind(step),
      step: key,
      title: titleOf(step),
      depth,
    }
    if (!inBlock && isDoneBefore(step, progress)) {
      yield started
      yield this.#ended(step, 'done before')
      return
    }
    if (!inBlock && isOnce(step)) this.#once.add(key)
    let resolved: Resolved
    try {
      resolved = await this.resolver.resolve(step)
    } catch (error) {
      yield started
      yield* this.#fail(step, error)
      return
    }
    yield started
    switch (resolved.kind) {
      case 'left out':
        yield this.#ended(step, 'left out')
        return
      case 'later':
        yield* this.#fail(step, new Error(`${resolved.on} has no answer here`))
        return
      case 'fail':
        yield* this.#fail(
          step,
          new Refusal({
            severity: 'error',
            code: 'apply-failed',
            message: title.replace(/\.$/, ''),
          }),
        )
        return
      case 'query':
        yield* this.#query(step, resolved)
        return
      case 'resources':
        yield* this.#resources(step, resolved.catalog, resolved.fresh, undefined)
        break
      case 'apply':
        yield* this.#classes(step, resolved.spec)
        break
      case 'block':
        yield* this.#block(step)
        break
      case 'steps':
        yield* this.#inner(step, resolved.frame, inBlock)
    }
  }

  async *#query(step: Step, question: Question): AsyncGenerator<Event> {
    try {
      keepAnswer(this.#input.progress, answerKey(step), {
        answer: yield* this.#waitFor(step, question),
        isSecret: question.isSecret,
      })
    } catch (error) {
      if (error instanceof Stopped) throw error
      yield* this.#fail(step, error)
      return
    }
    yield this.#done(step, 'done')
  }

  /**
   * Asks until the answer is the one that is waited for. A command that fails meanwhile says "not yet". What takes long
   * is told once.
   */
  async *#waitFor(step: Step, question: Question): AsyncGenerator<Event, Answer> {
    const { spec } = question
    if (spec.until === undefined) return this.resolver.answer(question)
    const began = performance.now()
    const end = began + waitMs(spec)
    let last: Unanswered['ran']
    let isTold = false
    for (;;) {
      let found: string | undefined
      try {
        const leftMs = Math.max(MIN_ASKING_MS, end - performance.now())
        const answer = await this.resolver.answer(question, leftMs)
        if (await this.resolver.holds(step, question, answer)) return answer
        last = ranFor(spec, answer, question)
        found = question.isSecret ? undefined : answerInShort(spec, answer)
      } catch (error) {
        if (!(error instanceof Unanswered && error.why === 'not yet')) throw error
        last = error.ran
        found = question.isSecret ? undefined : error.ran?.output.trimEnd().split('\n').at(-1)
      }
      if (performance.now() > end) {
        throw this.resolver.redacted(
          new Unanswered(
            spec.message ??
              `within ${Math.round(waitMs(spec) / 1000)} s it did not become true that ${String(spec.until)}`,
            last ? { ran: last } : {},
          ),
        )
      }
      if (this.#input.stop.aborted) throw new Stopped()
      if (!isTold && performance.now() - began > QUIET_MS) {
        isTold = true
        const leftSeconds = Math.round((end - performance.now()) / 1000)
        const message = `${titleOf(step)}, for up to ${leftSeconds} s more`
        yield {
          type: 'waiting',
          message: found ? `${message}: ${this.resolver.redact(found)}` : message,
        }
      }
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS))
    }
  }

  async *#classes(step: Step, spec: ClassesSpec): AsyncGenerator<Event> {
    let other: OtherClasses
    try {
      other = await this.resolver.other(spec)
    } catch (error) {
      yield* this.#fail(step, error)
      return
    }
    yield* this.#resources(step, other.catalog, other.fresh, other)
  }

  async *#resources(
    step: Step,
    catalog: Catalog,
    fresh: Fresh,
    known: OtherClasses | undefined,
  ): AsyncGenerator<Event> {
    const { host, input } = fresh
    const { types } = input
    let summary: Summary
    try {
      const past = this.#input.past(fresh)
      const { owed, files } = past
      const states = known?.states ?? (await probe({ catalog, types, host, files }))
      const planned =
        known?.plan ?? plan({ catalog, states, types, cannotRun: host.cannotRun, owed })
      this.#input.onCatalog?.(catalog, known)
      // Until it is done it counts as failed, also where it is killed: a rescue must not think it not reached.
      if (planned.resources.length > 0) {
        this.#note(step, 'failed')
        this.#input.save()
      }
      const events = apply({
        run: this.#input.run,
        catalog,
        states,
        plan: planned,
        types,
        host,
        keeper: this.#input.keeper,
        past,
        stop: this.#input.stop,
      })
      summary = yield* withoutFrame(events)
    } catch (error) {
      yield* this.#fail(step, error)
      return
    }
    for (const count of COUNTS) this.counts[count] += summary[count] ?? 0
    if (summary.status === 'interrupted') throw new Stopped()
    if (summary.status === 'failed') {
      this.#note(step, 'failed')
      this.#input.save()
      yield this.#ended(step, 'failed')
      throw new StepFailed()
    }
    yield this.#done(step, summary.changed + summary.refreshed > 0 ? 'done' : 'in sync')
  }

  async *#inner(step: Step, frame: Frame, inBlock: boolean): AsyncGenerator<Event> {
    const before = this.counts.changed + this.counts.refreshed
    try {
      yield* this.steps(frame, frame.steps, `${step.key}/steps`, step.depth + 1, inBlock)
    } catch (error) {
      if (error instanceof StepFailed) {
        this.#note(step, 'failed')
        yield this.#ended(step, 'failed')
      }
      throw error
    }
    yield this.#done(
      step,
      this.counts.changed + this.counts.refreshed > before ? 'done' : 'in sync',
    )
  }

  async *#block(step: Step): AsyncGenerator<Event> {
    const { progress } = this.#input
    const { key, frame, depth } = step
    const { steps, rescue, always } = step.decl.attributes as {
      steps: ResourceDecl[]
      rescue?: ResourceDecl[]
      always?: ResourceDecl[]
    }
    const before = this.counts.changed + this.counts.refreshed
    let failed: StepFailed | undefined
    const { rescuing } = progress
    const wasRescuing =
      rescuing !== undefined && (rescuing === key || isWithin(rescuing, `${key}/rescue`))
    if (!wasRescuing) {
      // What is being rescued further inside has to know how far it had come.
      if (rescuing === undefined || !isWithin(rescuing, key)) forget(progress, key)
      progress.finished[`${key}${ENTERED}`] = true
      this.#input.save()
      try {
        yield* this.steps(frame, steps, `${key}/steps`, depth + 1, true)
      } catch (error) {
        if (!(error instanceof StepFailed)) throw error
        failed = error
      }
    } else failed = new StepFailed()
    if (failed) {
      if (!wasRescuing) progress.rescuing = key
      this.#input.save()
      try {
        yield* this.steps(frame, rescue ?? [], `${key}/rescue`, depth + 1, true)
      } catch (error) {
        if (!(error instanceof StepFailed)) throw error
      }
      // Stays until the run is closed, or a block around this one takes its
      // own rescue: cut off now, it fails again.
      progress.rescuing = key
      this.#input.save()
    }
    if (always) yield* this.steps(frame, always, `${key}/always`, depth + 1, true)
    delete progress.finished[`${key}${ENTERED}`]
    if (failed) {
      this.#note(step, 'failed')
      this.#input.save()
      yield this.#ended(step, 'failed')
      throw failed
    }
    yield this.#done(
      step,
      this.counts.changed + this.counts.refreshed > before ? 'done' : 'in sync',
    )
  }

  *#fail(step: Step, error: unknown): Generator<Event> {
    this.counts.failed++
    this.#note(step, 'failed')
    this.#input.save()
    yield { ...this.#ended(step, 'failed'), error: diagnosticOf(step, error) }
    throw new StepFailed()
  }

  #done(step: Step, status: 'in sync' | 'done'): Event {
    this.#note(step, status)
    if (this.#once.has(step.key)) this.#input.progress.finished[step.key] = true
    this.#input.save()
    return this.#ended(step, status)
  }

  #note({ frame, decl, title }: Step, status: StepStatus): void {
    const { statuses } = this.#input.progress
    statuses[`${frame.key}!${title}`] = status
    if (decl.meta.id !== undefined) statuses[`${frame.key}!${decl.meta.id}`] = status
  }

  #kind({ decl }: Step): StepKind {
    if (decl.type === 'query') return 'query'
    if (decl.type === 'block' || decl.type === 'apply') return 'steps'
    return decl.type === 'class' || decl.type.includes('::') ? 'steps' : 'act'
  }

  #ended(
    step: Step,
    status: Extract<Event, { type: 'step_finished' }>['status'],
  ): Extract<Event, { type: 'step_finished' }> {
    return {
      type: 'step_finished',
      kind: this.#kind(step),
      step: step.key,
      title: titleOf(step),
      depth: step.depth,
      status,
    }
  }
}

/** The events of a step's own run, without those that frame it; gives its summary. */
async function* withoutFrame(
  events: AsyncGenerator<Event, Summary>,
): AsyncGenerator<Event, Summary> {
  for (;;) {
    const next = await events.next()
    if (next.done) return next.value
    if (next.value.type !== 'run_started' && next.value.type !== 'run_finished') yield next.value
  }
}

function diagnosticOf(step: Step, error: unknown): Diagnostic {
  if (error instanceof Refusal) return error.diagnostics[0] as Diagnostic
  const message = `${titleOf(step)}: ${error instanceof Error ? error.message : String(error)}`
  if (error instanceof Unanswered)
    return {
      severity: 'error',
      code: 'apply-failed',
      message,
      ...(error.ran ? { ran: error.ran } : {}),
    }
  return {
    severity: 'error',
    code: 'bug',
    message: `${message}. This is a bug in the engine`,
    found: error instanceof Error ? (error.stack ?? '') : '',
  }
}

/** What the summaries of steps are added up by. */
const COUNTS = [
  'changed',
  'refreshed',
  'putBack',
  'failed',
  'partly',
  'skipped',
  'unchanged',
  'other',
] as const

/** How long after an answer that is not the one waited for the next is asked for. */
const ASK_AGAIN_MS = 500
/** How long it waits without a word. */
const QUIET_MS = 3000
/** A command that is begun has this long, also where the time is nearly up. */
const MIN_ASKING_MS = 1000
