import type { Each, Evaluation } from '../compile/evaluation.ts'
import { type Fields, record, toCel, Unknown, Unset } from '../compile/expr.ts'
import { Failed, type Instance, type Value } from '../compile/instance.ts'
import { collectTexts } from '../compile/plain-data.ts'
import { stepFields } from '../compile/scope.ts'
import type { ResourceDecl } from '../load/manifest.ts'
import type { Progress } from './progress.ts'

/** The steps of a procedure, or of a define or class with steps that it uses, on one trip of the road. */
export interface Frame {
  /** Begins the key of every step in it: `steps/zulip::walk[a]`. */
  readonly key: string
  readonly steps: readonly ResourceDecl[]
  /** Its names and values, as data and facts are now. */
  enter(evaluation: Evaluation): Instance
}

/** How an expression finds an answer that is not there: unset in a run, known later in a dry run. */
export type Missing = 'unset' | 'later'

export function rootFrame(
  procedure: string,
  steps: readonly ResourceDecl[],
  progress: Progress,
  missing: Missing,
): Frame {
  return {
    key: '',
    steps,
    enter(evaluation) {
      const instance = evaluation.include(procedure, true)
      if (!instance) throw new Failed()
      setAnswers(evaluation, instance, '', progress, missing)
      return instance
    },
  }
}

/** A step that is itself made of steps: the use of a define, or a class. */
export function innerFrame(
  outer: Frame,
  decl: ResourceDecl,
  at: { readonly key: string; readonly title: string; readonly each: Each | undefined },
  steps: readonly ResourceDecl[],
  progress: Progress,
  missing: Missing,
): Frame {
  return {
    key: at.key,
    steps,
    enter(evaluation) {
      const parent = outer.enter(evaluation)
      const instance =
        decl.type === 'class'
          ? evaluation.include(at.title, false)
          : defineUse(evaluation, parent, decl, at)
      if (!instance) throw new Failed()
      setAnswers(evaluation, instance, at.key, progress, missing)
      return instance
    },
  }
}

function defineUse(
  evaluation: Evaluation,
  parent: Instance,
  decl: ResourceDecl,
  { title, each }: { readonly title: string; readonly each: Each | undefined },
): Instance | undefined {
  const manifest = evaluation.library.find(decl.type)
  if (manifest?.kind !== 'define') return undefined
  const given: Record<string, Value> = {}
  for (const [key, raw] of Object.entries({
    ...parent.manifest.defaults[decl.type],
    ...decl.attributes,
  })) {
    const path = key in decl.attributes ? [...decl.path, key] : ['defaults', decl.type, key]
    given[key] = {
      ...evaluation.value(raw, { instance: parent, path, each }),
      origin: { by: 'with', file: parent.manifest.file, path },
    }
  }
  return evaluation.use(
    manifest,
    title,
    given,
    { file: parent.manifest.file, path: decl.path },
    parent.containers,
  )
}

/** Gives expressions the answers of this frame's queries, and how its steps have ended. */
function setAnswers(
  { secrets }: Evaluation,
  instance: Instance,
  key: string,
  progress: Progress,
  missing: Missing,
): void {
  const { query, step } = stepFields(instance.manifest.steps ?? [])
  const isSecret = (name: string) => progress.secretAnswers[`${key}?${name}`] === true
  for (const name of Object.keys(query)) if (isSecret(name)) instance.setSecret(`query.${name}`)
  instance.set(
    'query',
    record(query, (name) => {
      const answer = progress.answers[`${key}?${name}`]
      if (answer && isSecret(name)) collectTexts(answer, secrets)
      if (answer) return toCel(answer)
      throw missing === 'later' ? new Unknown(`query.${name}`) : new Unset(`query.${name}`)
    }),
  )
  instance.set(
    'step',
    record(step, (name) =>
      record(step[name] as Fields, () => progress.statuses[`${key}!${name}`] ?? 'not reached'),
    ),
  )
}
