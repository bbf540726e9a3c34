import type { Catalog } from '../compile/catalog.ts'
import { Refusal } from '../diagnostics/diagnostic.ts'
import type { ResourceDecl } from '../load/manifest.ts'
import { type Plan, plan } from '../plan.ts'
import { probe } from '../probe.ts'
import type { Thing } from '../resources/type.ts'
import { answerInShort, type ClassesSpec, Unanswered } from './answer.ts'
import { type Frame, rootFrame } from './frame.ts'
import { forget, keepAnswer } from './progress.ts'
import {
  answerKey,
  isDoneBefore,
  type ProcedureInput,
  type Question,
  Resolver,
  type Step,
} from './step.ts'
import { keyed } from './step-keys.ts'

/** What a dry run of a procedure knows of a step. */
export interface PlannedStep {
  readonly title: string
  readonly type: string
  readonly depth: number
  readonly state:
    | { readonly kind: 'in sync' | 'left out' | 'begins' | 'not asked' }
    /** By the run that is open, so that it is not done again. */
    | { readonly kind: 'done before' }
    /** With its answer in a few words, where that is no secret. */
    | { readonly kind: 'asked'; readonly answer?: string }
    | { readonly kind: 'would'; readonly plan?: Plan }
    | { readonly kind: 'later'; readonly on: string; readonly decides: 'whether' | 'how' }
    | { readonly kind: 'fails'; readonly message: string }
  readonly note?: string
}

/**
 * A dry run: every step with what can be told of it, up to one at which a run would end. Changes nothing but `progress`,
 * which is that of a run that would be gone on with, or new.
 */
export async function planProcedure(input: ProcedureInput): Promise<PlannedStep[]> {
  const { name, steps, progress } = input
  const walk = new DryRun(input)
  await walk.steps(rootFrame(name, steps, progress, 'later'), steps, 'steps', {
    depth: 0,
    inBlock: false,
  })
  return walk.planned
}

/** The walk of a dry run. */
class DryRun {
  readonly planned: PlannedStep[] = []
  readonly #input: ProcedureInput
  readonly #resolver: Resolver
  /** The title of a step that would change something; what comes after it may find the host different. */
  #pending: string | undefined
  /** Whether a run would end at the last step of `planned`. */
  #isOver = false
  /** What the steps so far would make. */
  readonly #coming = new Set<Thing>()

  constructor(input: ProcedureInput) {
    this.#input = input
    this.#resolver = new Resolver(input, 'later')
  }

  async steps(
    frame: Frame,
    decls: readonly ResourceDecl[],
    key: string,
    at: { readonly depth: number; readonly inBlock: boolean },
  ): Promise<void> {
    const { depth, inBlock } = at
    for (const { decl, name } of keyed(decls)) {
      if (this.#isOver) return
      const expanded = await this.#resolver.expand(decl, frame, `${key}/${name}`, depth)
      if ('later' in expanded) {
        this.planned.push({
          title: decl.titles.join(', '),
          type: decl.type,
          depth,
          state: { kind: 'later', on: expanded.later, decides: 'how' },
        })
        this.#pending ??= decl.titles.join(', ')
        continue
      }
      for (const step of expanded) if (!this.#isOver) await this.#step(step, inBlock)
    }
  }

  async #step(step: Step, inBlock: boolean): Promise<void> {
    const { decl, depth, title } = step
    const { progress } = this.#input
    const say = (state: PlannedStep['state'], note?: string) => {
      // What comes before it may mend what keeps it from succeeding.
      this.#isOver = state.kind === 'fails' && this.#pending === undefined
      this.planned.push({
        title,
        type: decl.type,
        depth,
        state,
        ...(note === undefined ? {} : { note }),
      })
    }
    if (!inBlock && isDoneBefore(step, progress)) {
      say({ kind: 'done before' })
      return
    }
    const resolved = await this.#resolver.resolve(step)
    switch (resolved.kind) {
      case 'left out':
        say({ kind: 'left out' })
        return
      case 'later':
        say(resolved)
        if (decl.type === 'block') await this.#children(step)
        if (decl.type !== 'query' && decl.type !== 'fail') this.#pending ??= title
        return
      case 'fail':
        say({ kind: 'fails', message: title })
        return
      case 'query':
        await this.#query(step, resolved, say)
        return
      case 'resources': {
        const { catalog, fresh } = resolved
        const { host, input } = fresh
        const { types } = input
        const { owed, files } = this.#input.past(fresh)
        const states = await probe({ catalog, types, host, coming: this.#coming, files })
        this.#comes(catalog)
        this.#planOf(plan({ catalog, states, types, cannotRun: host.cannotRun, owed }), title, say)
        return
      }
      case 'apply':
        await this.#apply(resolved.spec, title, say)
        return
      case 'block':
        say({ kind: 'begins' })
        forget(progress, step.key)
        await this.#children(step)
        return
      case 'steps':
        say({ kind: 'begins' })
        await this.steps(resolved.frame, resolved.frame.steps, `${step.key}/steps`, {
          depth: depth + 1,
          inBlock,
        })
    }
  }

  async #children({ frame, decl, key, depth }: Step): Promise<void> {
    const { steps, always } = decl.attributes as {
      steps: ResourceDecl[]
      always?: ResourceDecl[]
    }
    const inside = { depth: depth + 1, inBlock: true }
    await this.steps(frame, steps, `${key}/steps`, inside)
    if (always) await this.steps(frame, always, `${key}/always`, inside)
  }

  async #query(
    step: Step,
    question: Question,
    say: (state: PlannedStep['state'], note?: string) => void,
  ): Promise<void> {
    const { spec } = question
    if (this.#pending !== undefined) {
      say({ kind: 'later', on: this.#pending, decides: 'how' })
      return
    }
    try {
      const answer = await this.#resolver.answer(question)
      if (spec.until === undefined || (await this.#resolver.holds(step, question, answer))) {
        const { isSecret } = question
        keepAnswer(this.#input.progress, answerKey(step), { answer, isSecret })
        const inShort = isSecret ? undefined : answerInShort(spec, answer)
        say({
          kind: 'asked',
          ...(inShort === undefined ? {} : { answer: this.#resolver.redact(inShort) }),
        })
      } else say({ kind: 'not asked' }, `a run would wait until ${String(spec.until)}`)
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error
      if (error.why === 'unavailable') say({ kind: 'not asked' }, error.message)
      else if (error.why === 'not yet' && spec.until !== undefined)
        say({ kind: 'not asked' }, `a run would wait until ${String(spec.until)}`)
      else {
        const said = error.ran?.output.trimEnd().split('\n').at(-1) ?? ''
        say({ kind: 'fails', message: said === '' ? error.message : `${error.message}: ${said}` })
      }
    }
  }

  async #apply(
    spec: ClassesSpec,
    title: string,
    say: (state: PlannedStep['state']) => void,
  ): Promise<void> {
    try {
      const other = await this.#resolver.other(spec, this.#coming)
      this.#comes(other.catalog)
      this.#planOf(other.plan, title, say)
    } catch (error) {
      // What comes before it may bring what it was refused for, such as zulip.conf.
      if (!(error instanceof Refusal) || this.#pending === undefined) throw error
      say({ kind: 'later', on: this.#pending, decides: 'how' })
    }
  }

  #comes({ resources }: Catalog): void {
    for (const { footprint } of resources) {
      for (const thing of [...(footprint.ensures ?? []), ...(footprint.provides ?? [])])
        this.#coming.add(thing)
    }
  }

  #planOf(planned: Plan, title: string, say: (state: PlannedStep['state']) => void): void {
    if (planned.resources.length === 0) {
      say({ kind: 'in sync' })
      return
    }
    // What comes before it may bring what it lacks.
    if (
      this.#pending !== undefined &&
      planned.resources.every(({ action }) => action === 'blocked')
    ) {
      say({ kind: 'later', on: this.#pending, decides: 'how' })
      return
    }
    say({ kind: 'would', plan: planned })
    this.#pending ??= title
  }
}
