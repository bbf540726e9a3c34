import type { Catalog } from '../compile/catalog.ts'
import { type CompileInput, compile, compileWith } from '../compile/compile.ts'
import type { Declarations } from '../compile/declare.ts'
import type { Each, Evaluation } from '../compile/evaluation.ts'
import { Unknown } from '../compile/expr.ts'
import { Failed } from '../compile/instance.ts'
import { describe } from '../compile/metaparameters.ts'
import { selected } from '../compile/selection.ts'
import { Refusal } from '../diagnostics/diagnostic.ts'
import type { Host } from '../host/host.ts'
import { type ResourceDecl, stepWords } from '../load/manifest.ts'
import type { Site } from '../load/site.ts'
import { type Past, type Plan, plan } from '../plan.ts'
import { probe, type States } from '../probe.ts'
import { withHiddenContents } from '../record/in-sync-files.ts'
import type { Coverage } from '../record/managed.ts'
import { redactor } from '../redactor.ts'
import type { Thing } from '../resources/type.ts'
import {
  type Answer,
  askHost,
  type ClassesSpec,
  planAnswer,
  type QuerySpec,
  Unanswered,
} from './answer.ts'
import { type Frame, innerFrame, type Missing } from './frame.ts'
import type { Progress } from './progress.ts'

/** A fresh start of the road, for one step: zulip.conf, facts and manifests as they are now. */
export interface Fresh {
  readonly host: Host
  readonly input: CompileInput
  /** The site file's word on what concerns no parameter. */
  readonly settings: Site['settings']
  /** Which classes of the host it is of, where it is of classes and not of the steps themselves. */
  readonly coverage: Coverage
}

export interface ProcedureInput {
  readonly name: string
  readonly steps: readonly ResourceDecl[]
  readonly progress: Progress
  /**
   * Reads everything anew; for other classes than the procedure where some are given,
   * those of zulip.conf where the list is empty.
   */
  reload(other?: {
    readonly classes: readonly string[]
    readonly manifests: readonly string[]
  }): Promise<Fresh>
  /** What earlier runs and steps left. */
  past(fresh: Fresh): Past
}

/** One step as it stands in its frame. */
export interface Step {
  readonly decl: ResourceDecl
  readonly frame: Frame
  readonly each: Each | undefined
  readonly rawTitle: string
  readonly title: string
  readonly key: string
  readonly depth: number
}

/** What a step comes to, once everything that it names is known. */
export type Resolved =
  | { readonly kind: 'left out' }
  | { readonly kind: 'later'; readonly on: string; readonly decides: 'whether' | 'how' }
  | { readonly kind: 'resources'; readonly catalog: Catalog; readonly fresh: Fresh }
  | Question
  | { readonly kind: 'apply'; readonly spec: ClassesSpec }
  | { readonly kind: 'fail' }
  | { readonly kind: 'block' }
  | { readonly kind: 'steps'; readonly frame: Frame }

/** A query that is to be asked; its answer is secret where it was given a secret, or says that it is one. */
export interface Question {
  readonly kind: 'query'
  readonly spec: QuerySpec
  readonly fresh: Fresh
  readonly isSecret: boolean
  /** Whether it says that it is one: then what its command says of a failure is not shown either. */
  readonly isSensitive: boolean
}

/** Other classes than the procedure, up to their plan. */
export interface OtherClasses {
  readonly fresh: Fresh
  readonly catalog: Catalog
  readonly states: States
  readonly plan: Plan
}

/** What a step may be besides resources, defines and classes, and which of its attributes people get to see. */
const WORDS: ReadonlySet<string> = new Set(stepWords)
const SHOWN = new Set<string>([
  ...stepWords,
  'command',
  'match',
  'link',
  'file',
  'archive',
  'classes',
])

/**
 * Finds out what the steps of a procedure come to, each on its own trip of
 * the road: for a run and a dry run alike.
 */
export class Resolver {
  readonly input: ProcedureInput
  readonly missing: Missing
  /** Those that steps have read so far. */
  readonly #secrets = new Set<string>()

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
    for (const [item, each] of items.entries()) {
      for (const [index, rawTitle] of decl.titles.entries()) {
        const suffix = `${each === undefined ? '' : `#${each.secret?.key ? item : each.key}`}${index > 0 ? `+${index}` : ''}`
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

  async resolve(step: Step): Promise<Resolved> {
    const { decl, frame, each, rawTitle, title } = step
    const fresh = await this.input.reload()
    let resolved: Resolved | undefined
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
        })
      switch (decl.type) {
        case 'query': {
          const { value, secret } = attributes()
          const { until } = decl.attributes
          const { sensitive } = describe(evaluation, instance, decl, each)
          const isSensitive = sensitive === true || sensitive.length > 0
          resolved = {
            kind: 'query',
            spec: {
              ...(value as QuerySpec),
              ...(until === undefined ? {} : { until: until as string }),
            },
            fresh,
            isSecret: secret || isSensitive,
            isSensitive,
          }
          return
        }
        case 'apply':
          resolved = { kind: 'apply', spec: attributes().value as ClassesSpec }
          return
        case 'fail':
          resolved = { kind: 'fail' }
          return
        case 'block':
          resolved = { kind: 'block' }
          return
        default: {
          const name = decl.type === 'class' ? title : decl.type
          const manifest =
            decl.type === 'class' || decl.type.includes('::')
              ? evaluation.library.find(name)
              : undefined
          if (manifest?.steps) {
            resolved = {
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
      for (const secret of catalog.secrets) this.#secrets.add(secret)
      if (resolved) return resolved
      const { secretPaths } = this.input.past(fresh)
      return { kind: 'resources', catalog: withHiddenContents(catalog, secretPaths), fresh }
    } catch (error) {
      if (error instanceof Unknown)
        return { kind: 'later', on: error.subject, decides: asking ? 'whether' : 'how' }
      throw error
    }
  }

  /** Catalog and plan of other classes, for `apply:` and for a query of their plan; `coming` is what earlier steps will have made. */
  async other(
    { classes, manifests, tags }: ClassesSpec,
    coming?: ReadonlySet<Thing>,
  ): Promise<OtherClasses> {
    const names = list(classes).filter((name) => name !== 'zulip.conf')
    const fresh = await this.input.reload({ classes: names, manifests: list(manifests) })
    const { catalog: bare, diagnostics } = compile(fresh.input)
    if (!bare) throw new Refusal(diagnostics)
    const { owed, files, secretPaths } = this.input.past(fresh)
    const catalog = withHiddenContents(bare, secretPaths)
    const { host, input } = fresh
    const { types } = input
    const selection = selected(catalog, { tags: list(tags), only: [] })
    const states = await probe({ catalog, types, host, selected: selection, coming, files })
    return {
      fresh,
      catalog,
      states,
      plan: plan({ catalog, states, types, cannotRun: host.cannotRun, owed }),
    }
  }

  /** Asks a query, with a time limit in milliseconds for its command. Throws `Unanswered`. */
  async answer(question: Question, timeoutMs?: number): Promise<Answer> {
    const { spec, fresh, isSecret, isSensitive } = question
    if (spec.plan === undefined) {
      try {
        return await askHost(spec, fresh.host, {
          isSecret,
          ...(timeoutMs === undefined ? {} : { timeoutMs }),
        })
      } catch (error) {
        if (!(error instanceof Unanswered)) throw error
        throw this.redacted(isSensitive ? error.withoutOutput() : error)
      }
    }
    const wanted = typeof spec.plan === 'string' ? { classes: spec.plan } : spec.plan
    return planAnswer((await this.other(wanted)).plan)
  }

  /** The same without the secrets that steps have read so far. */
  redacted(error: Unanswered): Unanswered {
    return error.redacted((text) => this.redact(text))
  }

  redact(text: string): string {
    return redactor([...this.#secrets])(text)
  }

  /** Whether the `until` of a query holds for an answer. */
  async holds(step: Step, { spec, isSecret }: Question, answer: Answer): Promise<boolean> {
    let holds = true
    await this.#evaluate((evaluation) => {
      holds = evaluation.until(
        step.frame.enter(evaluation),
        spec.until ?? true,
        [...step.decl.path, 'until'],
        { name: step.title, value: answer, isSecret },
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

export function titleOf({ decl, title }: Step): string {
  return decl.type === 'fail' ? 'fail' : `${decl.type}[${title}]`
}

/** Whether a step outside blocks is not repeated once it is done. */
export function isOnce({ decl }: Step): boolean {
  return decl.type === 'exec' || decl.type === 'block'
}

/** Whether a step outside blocks was done by a run that is gone on with. */
export function isDoneBefore(step: Step, { finished, answers }: Progress): boolean {
  const isAnswered = step.decl.type === 'query' && answers[answerKey(step)] !== undefined
  return isAnswered || (isOnce(step) && finished[step.key] === true)
}

export function answerKey({ frame, title }: Step): string {
  return `${frame.key}?${title}`
}

function list(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value
}

function omit<T extends object>(value: T, keys: readonly string[]): T {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key))) as T
}
