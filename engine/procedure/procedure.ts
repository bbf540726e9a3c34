import { apply, type Keeper } from '../apply.ts'
import type { Catalog } from '../compile/catalog.ts'
import { type CompileInput, compile, compileWith } from '../compile/compile.ts'
import type { Declarations } from '../compile/declare.ts'
import type { Each, Evaluation } from '../compile/evaluation.ts'
import { Unknown } from '../compile/expr.ts'
import { Failed } from '../compile/instance.ts'
import { type Diagnostic, Refusal } from '../diagnostics/diagnostic.ts'
import type { Event, StepKind, Summary } from '../events.ts'
import type { Host } from '../host/host.ts'
import { type ResourceDecl, stepWords } from '../load/manifest.ts'
import { type Plan, plan } from '../plan.ts'
import { probe } from '../probe.ts'
import type { Thing } from '../resources/type.ts'
import { type Answer, askHost, planAnswer, type QuerySpec, Unanswered, waitMs } from './answer.ts'
import { type Frame, innerFrame, type Missing, rootFrame } from './frame.ts'
import { forget, type Progress, type StepStatus } from './progress.ts'

/** A fresh start of the road, for one step: zulip.conf, facts and manifests as they are now. */
export interface Fresh {
  readonly host: Host
  readonly input: CompileInput
}

export interface ProcedureInput {
  readonly name: string
  readonly steps: readonly ResourceDecl[]
  readonly progress: Progress
  /** Reads everything anew; for other classes than the procedure where some are given, those of zulip.conf where the list is empty. */
  reload(other?: {
    readonly classes: readonly string[]
    readonly manifests: readonly string[]
  }): Promise<Fresh>
}

export interface RunInput extends ProcedureInput {
  readonly run: string
  readonly keeper: Keeper
  readonly stop: AbortSignal
  /** Makes the progress durable. */
  save(): void
  /** Called with each catalog before anything of it is applied. */
  onCatalog?(catalog: Catalog): void
}

/** What a dry run of a procedure knows of a step. */
export interface PlannedStep {
  readonly title: string
  readonly type: string
  readonly depth: number
  readonly state:
    | { readonly kind: 'in sync' | 'left out' | 'asked' | 'begins' | 'not asked' }
    | { readonly kind: 'would'; readonly plan?: Plan }
    | { readonly kind: 'later'; readonly on: string; readonly decides: 'whether' | 'how' }
    | { readonly kind: 'fails'; readonly message: string }
  readonly note?: string
}

/** What a step comes to, once everything that it names is known. */
type Seen =
  | { readonly kind: 'left out' }
  | { readonly kind: 'later'; readonly on: string; readonly decides: 'whether' | 'how' }
  | { readonly kind: 'resources'; readonly catalog: Catalog; readonly fresh: Fresh }
  | { readonly kind: 'query'; readonly spec: QuerySpec; readonly fresh: Fresh }
  | { readonly kind: 'apply'; readonly spec: ApplySpec }
  | { readonly kind: 'fail' }
  | { readonly kind: 'block' }
  | { readonly kind: 'steps'; readonly frame: Frame }

interface ApplySpec {
  readonly classes?: string | readonly string[]
  readonly manifests?: string | readonly string[]
  readonly tags?: string | readonly string[]
}

/** One step as it stands in its frame. */
interface Step {
  readonly decl: ResourceDecl
  readonly frame: Frame
  readonly each: Each | undefined
  readonly rawTitle: string
  readonly title: string
  readonly key: string
  readonly depth: number
}

/** What a step may be besides resources, defines and classes, and which of its attributes people get to see. */
const WORDS: ReadonlySet<string> = new Set(stepWords)
const SHOWN = new Set<string>([...stepWords, 'command', 'match', 'link', 'file', 'classes'])

/** Thrown through the blocks around a step that failed. */
class StepFailed extends Error {}
/** Thrown when a signal asked to stop; the run stays open. */
class Stopped extends Error {}

/** Runs a procedure, or goes on with it where `progress` says that it had begun. */
export async function* runProcedure(input: RunInput): AsyncGenerator<Event, Summary> {
  const walker = new Walker(input)
  const began = performance.now()
  yield {
    type: 'run_started',
    run: input.run,
    classes: [input.name],
    planned: 0,
    total: 0,
    steps: input.steps.length,
  }
  let status: Summary['status'] = 'done'
  try {
    yield* walker.steps(
      rootFrame(input.name, input.steps, input.progress, 'unset'),
      input.steps,
      'steps',
      0,
      false,
    )
  } catch (error) {
    if (error instanceof Stopped) status = 'interrupted'
    else if (error instanceof StepFailed) status = 'failed'
    else throw error
  }
  const summary: Summary = {
    run: input.run,
    status,
    ...walker.counts,
    durationMs: Math.round(performance.now() - began),
  }
  yield { type: 'run_finished', summary }
  return summary
}

/** Takes the rescue and always of every block that a run was cut off in, the innermost first, and leaves it at that. */
export async function* abandonProcedure(input: RunInput): AsyncGenerator<Event, Summary> {
  const walker = new Walker(input)
  const began = performance.now()
  yield { type: 'run_started', run: input.run, classes: [input.name], planned: 0, total: 0 }
  let status: Summary['status'] = 'done'
  try {
    yield* walker.abandon(rootFrame(input.name, input.steps, input.progress, 'unset'))
  } catch (error) {
    if (error instanceof Stopped) status = 'interrupted'
    else if (error instanceof StepFailed) status = 'failed'
    else throw error
  }
  const summary: Summary = {
    run: input.run,
    status,
    ...walker.counts,
    durationMs: Math.round(performance.now() - began),
  }
  yield { type: 'run_finished', summary }
  return summary
}

/** A dry run: every step with what can be told of it, nothing changed. */
export async function planProcedure(input: ProcedureInput): Promise<PlannedStep[]> {
  const planned: PlannedStep[] = []
  const look = new Look(input, 'later')
  await look.steps(
    rootFrame(input.name, input.steps, input.progress, 'later'),
    input.steps,
    'steps',
    0,
    planned,
  )
  return planned
}

/** What both kinds of walk share: finding out what a step comes to. */
class Seer {
  readonly input: ProcedureInput
  readonly missing: Missing

  constructor(input: ProcedureInput, missing: Missing) {
    this.input = input
    this.missing = missing
  }

  /** The steps that a declaration stands for, one for each item and title. */
  async expand(
    decl: ResourceDecl,
    frame: Frame,
    key: string,
    depth: number,
  ): Promise<readonly Step[] | { readonly later: string }> {
    let items: readonly (Each | undefined)[] = []
    if (decl.meta.for_each === undefined) items = [undefined]
    else {
      const later = await this.#evaluate((evaluation, declarations) => {
        items = declarations.items(frame.enter(evaluation), decl)
      })
      if (later) return { later }
    }
    const steps: Step[] = []
    for (const each of items) {
      for (const [index, rawTitle] of decl.titles.entries()) {
        const suffix = `${each === undefined ? '' : `#${each.key}`}${index > 0 ? `+${index}` : ''}`
        let title = rawTitle
        const step = { decl, frame, each, rawTitle, key: `${key}${suffix}`, depth }
        const later = await this.#evaluate((evaluation) => {
          const instance = frame.enter(evaluation)
          const path =
            decl.titles.length > 1 ? [...decl.path, decl.type, index] : [...decl.path, decl.type]
          try {
            const { value, secret } = evaluation.value(rawTitle, { instance, path, each })
            title = secret ? rawTitle : String(value)
          } catch (error) {
            // A step that is left out need not have a title; one that is taken fails below, at its place.
            if (!(error instanceof Failed)) throw error
            evaluation.diagnostics.length = 0
          }
        })
        steps.push({ ...step, title: later ? rawTitle : title })
      }
    }
    return steps
  }

  async see(step: Step): Promise<Seen> {
    const { decl, frame, each, rawTitle, title } = step
    const fresh = await this.input.reload()
    let seen: Seen | undefined
    let isOut = false
    let asking = true
    const titlePath = [...decl.path, decl.type]
    const act = (evaluation: Evaluation, declarations: Declarations) => {
      asking = true
      const instance = frame.enter(evaluation)
      if (
        decl.meta.when !== undefined &&
        !evaluation.condition(decl.meta.when, { instance, path: [...decl.path, 'when'], each })
      ) {
        isOut = true
        return
      }
      asking = false
      const isSecret = (raw: unknown, key: string) =>
        evaluation.value(raw, { instance, path: [...decl.path, key], each }).secret
      // What the words of procedures are named and run with is shown; resources see to their own.
      if (WORDS.has(decl.type)) {
        for (const [key, raw] of [
          [decl.type, rawTitle] as const,
          ...Object.entries(decl.attributes),
        ]) {
          if (!SHOWN.has(key) || !isSecret(raw, key)) continue
          throw new Refusal({
            severity: 'error',
            code: 'sensitive-value',
            message: `"${key}" of a ${decl.type} holds a secret, and is shown`,
            place: evaluation.library.sources.place(instance.manifest.file, [...decl.path, key]),
            help: 'leave it out, or hand a secret to a command by its environment',
          })
        }
      }
      const attributes = () =>
        evaluation.value(omit(decl.attributes, ['until', 'steps', 'rescue', 'always']), {
          instance,
          path: decl.path,
          each,
        }).value
      switch (decl.type) {
        case 'query':
          seen = {
            kind: 'query',
            spec: {
              ...(attributes() as QuerySpec),
              ...(decl.attributes.until === undefined
                ? {}
                : { until: decl.attributes.until as string }),
            },
            fresh,
          }
          return
        case 'apply':
          seen = { kind: 'apply', spec: attributes() as ApplySpec }
          return
        case 'fail':
          seen = { kind: 'fail' }
          return
        case 'block':
          seen = { kind: 'block' }
          return
        default: {
          const name = decl.type === 'class' ? title : decl.type
          const manifest =
            decl.type === 'class' || decl.type.includes('::')
              ? evaluation.library.find(name)
              : undefined
          if (manifest?.steps) {
            seen = {
              kind: 'steps',
              frame: innerFrame(
                frame,
                decl,
                { key: step.key, title, each },
                manifest.steps,
                this.input.progress,
                this.missing,
              ),
            }
          } else if (decl.type === 'class') {
            const included = evaluation.include(title, false)
            for (const other of included ? evaluation.instances : [])
              if (!other.manifest.steps) declarations.instance(other)
          } else {
            declarations.one(
              instance,
              { ...decl, meta: omit(decl.meta, ['when', 'for_each']) },
              { each, title: rawTitle, titlePath },
            )
          }
        }
      }
    }
    try {
      const { catalog, diagnostics } = compileWith(
        { ...fresh.input, classes: [{ name: this.input.name }] },
        act,
      )
      if (isOut) return { kind: 'left out' }
      if (!catalog) throw new Refusal(diagnostics)
      return seen ?? { kind: 'resources', catalog, fresh }
    } catch (error) {
      if (error instanceof Unknown)
        return { kind: 'later', on: error.subject, decides: asking ? 'whether' : 'how' }
      throw error
    }
  }

  /** Catalog and plan of other classes, for `apply:` and for a query of their plan. */
  async other({ classes, manifests, tags }: ApplySpec): Promise<{
    fresh: Fresh
    catalog: Catalog
    states: Awaited<ReturnType<typeof probe>>
    plan: Plan
  }> {
    const names = list(classes).filter((name) => name !== 'zulip.conf')
    const fresh = await this.input.reload({ classes: names, manifests: list(manifests) })
    const { catalog, diagnostics } = compile(fresh.input)
    if (!catalog) throw new Refusal(diagnostics)
    const wanted = list(tags)
    const selected =
      wanted.length === 0
        ? undefined
        : new Set(
            catalog.resources
              .filter((resource) => resource.tags.some((tag) => wanted.includes(tag)))
              .map(({ index }) => index),
          )
    const states = await probe({ catalog, types: fresh.input.types, host: fresh.host, selected })
    return {
      fresh,
      catalog,
      states,
      plan: plan({ catalog, states, types: fresh.input.types, cannotRun: fresh.host.cannotRun }),
    }
  }

  async answer(spec: QuerySpec, fresh: Fresh): Promise<Answer> {
    if (spec.plan === undefined) return askHost(spec, fresh.host)
    const wanted = typeof spec.plan === 'string' ? { classes: spec.plan } : spec.plan
    return planAnswer((await this.other(wanted)).plan)
  }

  /** Whether the `until` of a query holds for an answer. */
  async holds(step: Step, spec: QuerySpec, answer: Answer): Promise<boolean> {
    let holds = true
    await this.#evaluate((evaluation) => {
      holds = evaluation.until(
        step.frame.enter(evaluation),
        spec.until ?? true,
        [...step.decl.path, 'until'],
        { name: step.title, value: answer },
      )
    })
    return holds
  }

  /** Evaluates something without resources; gives the name that is not known yet where there is one. */
  async #evaluate(
    act: (evaluation: Evaluation, declarations: Declarations) => void,
  ): Promise<string | undefined> {
    const { input } = await this.input.reload()
    try {
      const { catalog, diagnostics } = compileWith(
        { ...input, classes: [{ name: this.input.name }] },
        act,
      )
      if (!catalog) throw new Refusal(diagnostics)
      return undefined
    } catch (error) {
      if (error instanceof Unknown) return error.subject
      throw error
    }
  }
}

class Walker {
  readonly counts = { changed: 0, refreshed: 0, failed: 0, skipped: 0, unchanged: 0, other: 0 }
  readonly #input: RunInput
  readonly #seer: Seer
  /** Keys of the steps that are not repeated once they are done. */
  readonly #once = new Set<string>()

  constructor(input: RunInput) {
    this.#input = input
    this.#seer = new Seer(input, 'unset')
  }

  async *steps(
    frame: Frame,
    decls: readonly ResourceDecl[],
    key: string,
    depth: number,
    inBlock: boolean,
  ): AsyncGenerator<Event> {
    const { progress } = this.#input
    for (const [index, decl] of decls.entries()) {
      let expanded: readonly Step[]
      try {
        expanded = await this.#expand(decl, frame, `${key}/${index}`, depth)
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
          key: `${key}/${index}`,
          depth,
        }
        yield* this.#fail(step, error)
        return
      }
      for (const step of expanded) {
        // A rescue that was cut off goes on where it was: what stands before it in its list is not done again.
        const { rescuing } = progress
        if (rescuing?.startsWith(`${key}/`) && !isWithin(rescuing, step.key)) continue
        yield* this.#step(step, inBlock)
      }
    }
  }

  async *abandon(frame: Frame): AsyncGenerator<Event> {
    const failed = { value: false }
    yield* this.#abandonIn(frame, frame.steps, 'steps', 0, failed)
    if (failed.value) throw new StepFailed()
  }

  async *#abandonIn(
    frame: Frame,
    decls: readonly ResourceDecl[],
    key: string,
    depth: number,
    failed: { value: boolean },
  ): AsyncGenerator<Event> {
    const entered = Object.keys(this.#input.progress.finished).filter((mark) =>
      mark.endsWith(ENTERED),
    )
    for (const [index, decl] of decls.entries()) {
      const own = `${key}/${index}`
      if (!entered.some((mark) => isWithin(mark, own) || mark.startsWith(`${own}#`))) continue
      for (const step of await this.#expand(decl, frame, own, depth)) {
        if (!entered.some((mark) => isWithin(mark, step.key))) continue
        if (decl.type === 'block') yield* this.#abandonBlock(step, failed)
        else {
          const seen = await this.#seer.see(step)
          if (seen.kind !== 'steps') continue
          yield* this.#abandonIn(
            seen.frame,
            seen.frame.steps,
            `${step.key}/steps`,
            depth + 1,
            failed,
          )
        }
      }
    }
  }

  async *#abandonBlock(
    { key, frame, depth, decl }: Step,
    failed: { value: boolean },
  ): AsyncGenerator<Event> {
    const part = (name: string) => decl.attributes[name] as readonly ResourceDecl[] | undefined
    yield* this.#abandonIn(frame, part('steps') ?? [], `${key}/steps`, depth + 1, failed)
    for (const name of ['rescue', 'always']) {
      try {
        yield* this.steps(frame, part(name) ?? [], `${key}/${name}`, depth + 1, true)
      } catch (error) {
        if (!(error instanceof StepFailed)) throw error
        failed.value = true
      }
    }
  }

  async #expand(
    decl: ResourceDecl,
    frame: Frame,
    key: string,
    depth: number,
  ): Promise<readonly Step[]> {
    const expanded = await this.#seer.expand(decl, frame, key, depth)
    if ('later' in expanded) throw new Error(`${expanded.later} is not known in a run`)
    return expanded
  }

  async *#step(step: Step, inBlock: boolean): AsyncGenerator<Event> {
    if (this.#input.stop.aborted) throw new Stopped()
    const { progress } = this.#input
    const { key, title, depth, decl } = step
    const started: Event = {
      type: 'step_started',
      kind: this.#kind(step),
      step: key,
      title: titleOf(step),
      depth,
    }
    const once = !inBlock && (decl.type === 'exec' || decl.type === 'block')
    if (
      (once && progress.finished[key]) ||
      (decl.type === 'query' && !inBlock && progress.answers[answerKey(step)])
    ) {
      yield started
      yield this.#ended(step, 'done before')
      return
    }
    if (once) this.#once.add(key)
    let seen: Seen
    try {
      seen = await this.#seer.see(step)
    } catch (error) {
      yield started
      yield* this.#fail(step, error)
      return
    }
    yield started
    switch (seen.kind) {
      case 'left out':
        yield this.#ended(step, 'left out')
        return
      case 'later':
        yield* this.#fail(step, new Error(`${seen.on} has no answer here`))
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
        yield* this.#query(step, seen.spec, seen.fresh)
        return
      case 'resources':
        yield* this.#resources(step, seen.catalog, seen.fresh, undefined)
        break
      case 'apply':
        yield* this.#classes(step, seen.spec)
        break
      case 'block':
        yield* this.#block(step)
        break
      case 'steps':
        yield* this.#inner(step, seen.frame, inBlock)
    }
  }

  async *#query(step: Step, spec: QuerySpec, fresh: Fresh): AsyncGenerator<Event> {
    const until = performance.now() + waitMs(spec)
    try {
      for (;;) {
        const answer = await this.#seer.answer(spec, fresh)
        if (spec.until === undefined || (await this.#seer.holds(step, spec, answer))) {
          this.#input.progress.answers[answerKey(step)] = answer
          break
        }
        if (performance.now() > until)
          throw new Unanswered(`it did not become true that ${String(spec.until)}`)
        if (this.#input.stop.aborted) throw new Stopped()
        await new Promise((resolve) => setTimeout(resolve, 500))
      }
    } catch (error) {
      if (error instanceof Stopped) throw error
      yield* this.#fail(step, error)
      return
    }
    yield this.#done(step, 'done')
  }

  async *#classes(step: Step, spec: ApplySpec): AsyncGenerator<Event> {
    let other: Awaited<ReturnType<Seer['other']>>
    try {
      other = await this.#seer.other(spec)
    } catch (error) {
      yield* this.#fail(step, error)
      return
    }
    yield* this.#resources(step, other.catalog, other.fresh, other)
  }

  async *#resources(
    step: Step,
    catalog: Catalog,
    { host, input }: Fresh,
    known: { states: Awaited<ReturnType<typeof probe>>; plan: Plan } | undefined,
  ): AsyncGenerator<Event> {
    const { types } = input
    let summary: Summary
    try {
      const states = known?.states ?? (await probe({ catalog, types, host }))
      const planned = known?.plan ?? plan({ catalog, states, types, cannotRun: host.cannotRun })
      this.#input.onCatalog?.(catalog)
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
        stop: this.#input.stop,
      })
      summary = yield* withoutFrame(events)
    } catch (error) {
      yield* this.#fail(step, error)
      return
    }
    for (const count of [
      'changed',
      'refreshed',
      'failed',
      'skipped',
      'unchanged',
      'other',
    ] as const)
      this.counts[count] += summary[count]
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
      // Stays until the run is closed, or a block around this one takes its own rescue: cut off now, it fails again.
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

/** The walk of a dry run. */
class Look extends Seer {
  /** The title of a step that would change something; what comes after it may find the host different. */
  #pending: string | undefined
  /** What the steps so far would make. */
  readonly #coming = new Set<Thing>()

  async steps(
    frame: Frame,
    decls: readonly ResourceDecl[],
    key: string,
    depth: number,
    planned: PlannedStep[],
  ): Promise<void> {
    for (const [index, decl] of decls.entries()) {
      const expanded = await this.expand(decl, frame, `${key}/${index}`, depth)
      if ('later' in expanded) {
        planned.push({
          title: decl.titles.join(', '),
          type: decl.type,
          depth,
          state: { kind: 'later', on: expanded.later, decides: 'how' },
        })
        this.#pending ??= decl.titles.join(', ')
        continue
      }
      for (const step of expanded) await this.#step(step, planned)
    }
  }

  async #step(step: Step, planned: PlannedStep[]): Promise<void> {
    const { decl, depth, title } = step
    const say = (state: PlannedStep['state'], note?: string) =>
      planned.push({
        title,
        type: decl.type,
        depth,
        state,
        ...(note === undefined ? {} : { note }),
      })
    const seen = await this.see(step)
    switch (seen.kind) {
      case 'left out':
        say({ kind: 'left out' })
        return
      case 'later':
        say(seen)
        if (decl.type === 'block') await this.#children(step, planned)
        if (decl.type !== 'query' && decl.type !== 'fail') this.#pending ??= title
        return
      case 'fail':
        say({ kind: 'fails', message: title })
        return
      case 'query':
        await this.#query(step, seen.spec, seen.fresh, say)
        return
      case 'resources': {
        const { types } = seen.fresh.input
        const states = await probe({
          catalog: seen.catalog,
          types,
          host: seen.fresh.host,
          coming: this.#coming,
        })
        for (const { footprint } of seen.catalog.resources) {
          for (const thing of [...(footprint.ensures ?? []), ...(footprint.provides ?? [])])
            this.#coming.add(thing)
        }
        this.#planOf(
          plan({ catalog: seen.catalog, states, types, cannotRun: seen.fresh.host.cannotRun }),
          title,
          say,
        )
        return
      }
      case 'apply':
        this.#planOf((await this.other(seen.spec)).plan, title, say)
        return
      case 'block':
        say({ kind: 'begins' })
        await this.#children(step, planned)
        return
      case 'steps':
        say({ kind: 'begins' })
        await this.steps(seen.frame, seen.frame.steps, `${step.key}/steps`, depth + 1, planned)
    }
  }

  async #children(step: Step, planned: PlannedStep[]): Promise<void> {
    await this.steps(
      step.frame,
      step.decl.attributes.steps as ResourceDecl[],
      `${step.key}/steps`,
      step.depth + 1,
      planned,
    )
    const always = step.decl.attributes.always as ResourceDecl[] | undefined
    if (always) await this.steps(step.frame, always, `${step.key}/always`, step.depth + 1, planned)
  }

  async #query(
    step: Step,
    spec: QuerySpec,
    fresh: Fresh,
    say: (state: PlannedStep['state'], note?: string) => void,
  ): Promise<void> {
    if (this.#pending !== undefined) {
      say({ kind: 'later', on: this.#pending, decides: 'how' })
      return
    }
    try {
      const answer = await this.answer(spec, fresh)
      if (spec.until === undefined || (await this.holds(step, spec, answer))) {
        this.input.progress.answers[answerKey(step)] = answer
        say({ kind: 'asked' })
      } else say({ kind: 'not asked' }, `a run would wait until ${String(spec.until)}`)
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error
      if (error.unavailable) say({ kind: 'not asked' }, error.message)
      else say({ kind: 'fails', message: error.message })
    }
  }

  #planOf(planned: Plan, title: string, say: (state: PlannedStep['state']) => void): void {
    if (planned.resources.length === 0) {
      say({ kind: 'in sync' })
      return
    }
    say({ kind: 'would', plan: planned })
    this.#pending ??= title
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

/** Behind the key of a block, in `finished`, while it is not done. */
const ENTERED = '/entered'

/** Whether a key is that of a step, or of something inside it. */
function isWithin(key: string, step: string): boolean {
  return key === step || key.startsWith(`${step}/`)
}

function titleOf({ decl, title }: Step): string {
  return decl.type === 'fail' ? 'fail' : `${decl.type}[${title}]`
}

function answerKey({ frame, title }: Step): string {
  return `${frame.key}?${title}`
}

function list(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value
}

function omit<T extends object>(value: T, keys: readonly string[]): T {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key))) as T
}
